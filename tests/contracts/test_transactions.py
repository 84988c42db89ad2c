import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.hashing import checksum_address
from contracts.transactions import Transaction, contract_address, sign_transaction

KEY = PrivateKey(b"\x17" * 32)
ADDRESSES = st.binary(min_size=20, max_size=20).map(checksum_address)


class TestSignTransaction:
    @given(
        st.integers(1, 2**40),
        st.integers(0, 2**40),
        st.integers(0, 2**40),
        st.integers(21_000, 30_000_000),
        ADDRESSES | st.none(),
        st.binary(max_size=400),
    )
    @settings(max_examples=60, deadline=None)
    def test_gives_the_bytes_of_eth_account(
        self,
        chain_id: int,
        nonce: int,
        price: int,
        gas: int,
        to: str | None,
        data: bytes,
    ):
        fields = {"nonce": nonce, "gasPrice": price, "gas": gas, "value": 0}
        fields |= {"data": data, "chainId": chain_id, **({"to": to} if to else {})}
        expected = Account.sign_transaction(fields, KEY.secret).raw_transaction
        transaction = Transaction(chain_id, nonce, price, gas, to, data)
        assert sign_transaction(transaction, KEY) == bytes(expected)

    def test_refuses_a_malformed_address(self):
        with pytest.raises(ValueError, match="expected an address"):
            sign_transaction(Transaction(1, 0, 0, 21_000, "0x12", b""), KEY)


class TestContractAddress:
    def test_follow_from_creator_and_nonce(self):
        creator = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
        expected = (
            "0xcd234A471b72ba2F1Ccf0A70FCABA648a5eeCD8d",
            "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8",
            "0xf778B86FA74E846c4f0a1fBd1335FE81c00a0C91",
            "0xffFd933A0bC612844eaF0C6Fe3E5b8E9B6C1d19c",
        )
        assert tuple(contract_address(creator, n) for n in range(4)) == expected

    def test_takes_a_long_nonce(self):
        creator = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"
        assert len({contract_address(creator, n) for n in (127, 128, 255, 256)}) == 4
