from dataclasses import fields, replace
from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import typed_data
from contracts.errors import InvalidInputError, InvalidSignatureError
from contracts.hashing import checksum_address
from contracts.solidity import fields_of
from contracts.typed_data import (
    STRUCTS,
    TYPES,
    Attestation,
    Signatures,
    account_id,
    address_of,
    compact_signature,
    recover,
)

CHAIN_ID = 20260
CONTRACT = checksum_address(b"\x42" * 20)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def values_of(abi: str) -> st.SearchStrategy[Any]:
    if abi.endswith("[]"):
        return st.lists(values_of(abi[:-2]), max_size=3).map(tuple)
    if abi == "address":
        return st.binary(min_size=20, max_size=20).map(checksum_address)
    if abi == "bytes":
        return st.binary(max_size=70)
    if abi.startswith("bytes"):
        return st.binary(min_size=int(abi[5:]), max_size=int(abi[5:]))
    if abi.startswith("uint"):
        return st.integers(0, 2 ** int(abi[4:]) - 1)
    return st.integers(-(2**255), 2**255 - 1)


def instances() -> st.SearchStrategy[Any]:
    return st.sampled_from(list(STRUCTS.values())).flatmap(
        lambda struct: st.builds(
            struct, **{m.name: values_of(m.type) for m in fields_of(struct)}
        )
    )


class TestDigest:
    @given(instances())
    @settings(max_examples=100, deadline=None)
    def test_is_what_eth_account_signs(self, value: Any):
        document = typed_data.document(value, CHAIN_ID, CONTRACT)
        key = PrivateKey(b"\x07" * 32)
        signed = Account.sign_message(
            encode_typed_data(full_message=document), key.secret
        )
        separator = typed_data.domain(CHAIN_ID, CONTRACT)
        assert typed_data.digest(value, separator) == bytes(signed.message_hash)

    @given(instances(), st.data())
    @settings(max_examples=60, deadline=None)
    def test_changes_with_every_field(self, value: Any, data: st.DataObject):
        member = data.draw(st.sampled_from(fields_of(type(value))))
        other = data.draw(
            values_of(member.type).filter(lambda x: x != getattr(value, member.name))
        )
        changed = replace(value, **{member.name: other})
        assert typed_data.struct_hash(changed) != typed_data.struct_hash(value)

    def test_differs_between_chains_and_contracts(self):
        domains = {
            typed_data.domain(chain, contract)
            for chain in (CHAIN_ID, CHAIN_ID + 1)
            for contract in (CONTRACT, checksum_address(b"\x43" * 20))
        }
        assert len(domains) == 4

    def test_refuses_a_field_out_of_range(self):
        value = typed_data.CancelQuota(CONTRACT, 2**16, 1, b"\x00" * 32, 0, 0)
        with pytest.raises(InvalidInputError, match="CancelQuota has a field"):
            typed_data.struct_hash(value)


class TestTypes:
    def test_names_a_contract_for_every_struct(self):
        assert TYPES.keys() == STRUCTS.keys()
        assert TYPES["BlockTrade"] == "Market"

    def test_writes_solidity_names(self):
        expected = (
            "ConfirmStatement(address account,bytes32 statement,"
            "uint64 nonce,uint64 deadline)"
        )
        assert typed_data.type_string(typed_data.ConfirmStatement) == expected

    def test_every_instruction_carries_nonce_and_deadline(self):
        for name, struct in STRUCTS.items():
            names = {f.name for f in fields(struct)}
            is_instruction = "deadline" in names
            is_report = name.endswith("Report") or name == "RotateKey"
            assert is_instruction != is_report


class TestCompactSignature:
    @given(st.integers(1, ORDER - 1), st.binary(min_size=32, max_size=32))
    @settings(max_examples=50, deadline=None)
    def test_recovers_to_its_signer(self, secret: int, digest: bytes):
        key = PrivateKey(secret.to_bytes(32, "big"))
        signature = compact_signature(key, digest)
        assert len(signature) == 64
        assert recover(digest, signature) == address_of(key.public_key)

    def test_gives_eth_account_s_address(self):
        key = PrivateKey(b"\x09" * 32)
        assert address_of(key.public_key) == Account.from_key(key.secret).address

    def test_refuses_high_s(self):
        signature = compact_signature(PrivateKey(b"\x09" * 32), b"\x01" * 32)
        word = int.from_bytes(signature[32:], "big")
        s, parity = word & (2**255 - 1), word >> 255
        twin = (ORDER - s) | ((1 - parity) << 255)
        if ORDER - s < 2**255:
            with pytest.raises(InvalidSignatureError, match="low s"):
                recover(b"\x01" * 32, signature[:32] + twin.to_bytes(32, "big"))

    def test_refuses_another_length(self):
        with pytest.raises(InvalidSignatureError, match="64 bytes, got 65") as caught:
            recover(b"\x01" * 32, b"\x00" * 65)
        assert caught.value.needed == 64

    def test_refuses_a_signature_of_nobody(self):
        with pytest.raises(InvalidSignatureError, match="no key"):
            recover(b"\x01" * 32, b"\x00" * 64)


class TestBundles:
    def test_an_attestation_orders_its_members(self):
        attestation = Attestation.collect({3: b"\x03" * 64, 0: b"\x00" * 64})
        assert attestation.signers == 0b1001
        assert attestation.signatures == b"\x00" * 64 + b"\x03" * 64

    def test_two_signatures_split_into_four_words(self):
        signatures = Signatures(
            b"\x01" * 32 + b"\x02" * 32, b"\x03" * 32 + b"\x04" * 32
        )
        assert signatures.to_abi() == tuple(bytes([i]) * 32 for i in (1, 2, 3, 4))

    def test_refuses_a_signature_of_another_length(self):
        with pytest.raises(ValueError, match="64 bytes, got 65"):
            Signatures(b"\x01" * 65, b"\x02" * 64)


class TestIds:
    def test_an_account_is_a_hash_of_its_name(self):
        hashed = keccak(b"ccl/account/v1" + "钢厂".encode())
        assert account_id("钢厂") == to_checksum_address(hashed[12:])

    def test_ids_of_one_name_differ_by_subject(self):
        assert typed_data.boundary_id("a") != typed_data.stream_id("a")
