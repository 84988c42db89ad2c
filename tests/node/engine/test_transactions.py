from typing import Any

import pytest
import rlp
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.hashing import keccak256
from node.engine.transactions import decode_transaction
from node.errors import InvalidTransactionError

CHAIN_ID = 20260
GAS_LIMIT = 30_000_000
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ACCESS = [{"address": "0x" + 20 * "22", "storageKeys": ["0x" + 32 * "00"]}]


def decode(raw: Any):
    return decode_transaction(bytes.fromhex(raw[2:]), CHAIN_ID, GAS_LIMIT)


class TestDecodeTransaction:
    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            (0, {}),
            (1, {"accessList": ACCESS}),
            (2, {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}),
            (2, {"maxFeePerGas": 9, "maxPriorityFeePerGas": 2, "accessList": ACCESS}),
        ],
    )
    def test_reads_what_was_signed(
        self, signer: Any, kind: int, fields: dict[str, Any]
    ):
        fields = {"nonce": 7, "value": 5, "data": b"\x01\x00\x02"} | fields
        raw = signer.sign(**fields)
        found = decode(raw)
        assert found.sender.hex() == signer.address[2:].lower()
        assert found.type == kind
        assert (found.nonce, found.value, found.data) == (7, 5, b"\x01\x00\x02")
        assert found.max_cost == 5 + found.gas_limit * fields.get("maxFeePerGas", 0)
        assert Account.recover_transaction(raw) == signer.address

    def test_reads_a_creation(self, signer: Any):
        assert decode(signer.sign(to=None, data=b"\x00")).to == b""

    def test_refuses_another_chain(self, signer: Any):
        raw = signer.sign(chainId=1)
        with pytest.raises(InvalidTransactionError, match="expected 20260, got 1"):
            decode(raw)

    def test_refuses_a_transaction_without_replay_protection(self, signer: Any):
        fields = {"nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 0, "data": b""}
        signed = signer.account.sign_transaction(fields | {"to": "0x" + 20 * "22"})
        with pytest.raises(InvalidTransactionError, match="EIP-155"):
            decode_transaction(signed.raw_transaction, CHAIN_ID, GAS_LIMIT)

    def test_refuses_the_mirrored_signature(self, signer: Any):
        raw = signer.sign(maxFeePerGas=0, maxPriorityFeePerGas=0)
        low = int(raw[-64:], 16)
        mirrored = raw[:-64] + (N - low).to_bytes(32).hex()
        with pytest.raises(InvalidTransactionError, match="s ≤ n/2"):
            decode(mirrored)

    def test_refuses_blob_transactions(self):
        with pytest.raises(InvalidTransactionError, match="expected 0, 1 or 2, got 3"):
            decode("0x03c0")

    def test_refuses_more_gas_than_a_block_has(self, signer: Any):
        raw = signer.sign(gas=GAS_LIMIT + 1)
        with pytest.raises(InvalidTransactionError, match="at most 30000000 gas"):
            decode(raw)

    def test_refuses_less_gas_than_it_takes_to_begin(self, signer: Any):
        raw = signer.sign(data=b"\x01\x00", gas=21_019)
        with pytest.raises(InvalidTransactionError, match="at least 21020"):
            decode(raw)

    def test_refuses_too_large_a_transaction(self):
        with pytest.raises(InvalidTransactionError, match="at most 131072 bytes"):
            decode("0x02" + 131_072 * "00")

    def test_refuses_too_long_creation_code(self, signer: Any):
        raw = signer.sign(to=None, data=49_153 * b"\x01", gas=9_000_000)
        with pytest.raises(InvalidTransactionError, match="max initcode size"):
            decode(raw)

    def test_refuses_a_priority_fee_above_the_fee(self, signer: Any):
        raw = signer.sign(maxFeePerGas=1, maxPriorityFeePerGas=2)
        with pytest.raises(InvalidTransactionError, match="at most 1 wei fits"):
            decode(raw)

    @pytest.mark.parametrize(
        ("place", "wrong", "message"),
        [
            (5, [], "to: expected 20 bytes"),
            (5, b"\1" * 19, "to: expected 20 bytes"),
            (7, [b"\1"], "data as bytes"),
            (8, b"", "access list"),
            (8, [[b"\1" * 20]], "access list"),
            (8, [[b"\1" * 20, [b"\1"]]], "access list"),
            (6, b"\0\1", "without leading zeros"),
            (6, b"\1" * 33, "at most 32 bytes"),
        ],
    )
    def test_refuses_signed_fields_of_a_wrong_form(
        self, place: int, wrong: Any, message: str
    ):
        fields = [CHAIN_ID, 0, 0, 0, 100_000, b"\2" * 20, 0, b"", []]
        fields[place] = wrong
        digest = keccak256(b"\2" + rlp.encode(fields))
        signature = PrivateKey(b"\3" * 32).sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        raw = b"\2" + rlp.encode([*fields, signature[64], r, s])
        with pytest.raises(InvalidTransactionError, match=message):
            decode_transaction(raw, CHAIN_ID, GAS_LIMIT)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=200))
    def test_refuses_any_garbage_with_our_error(self, garbage: bytes):
        with pytest.raises(InvalidTransactionError):
            decode_transaction(garbage, CHAIN_ID, GAS_LIMIT)

    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 10_000), st.integers(1, 255))
    def test_no_flipped_byte_keeps_sender_and_content(self, place: int, flip: int):
        key = Account.from_key(b"\x05" * 32)
        fields = {"chainId": CHAIN_ID, "nonce": 1, "gas": 90_000, "value": 0}
        fields |= {"to": "0x" + 20 * "22", "data": b"\x09" * 40}
        fields |= {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0, "accessList": ACCESS}
        raw = bytearray(key.sign_transaction(fields).raw_transaction)
        raw[place % len(raw)] ^= flip
        try:
            found = decode_transaction(bytes(raw), CHAIN_ID, GAS_LIMIT)
        except InvalidTransactionError:
            return
        assert found.sender.hex() != key.address[2:].lower()
