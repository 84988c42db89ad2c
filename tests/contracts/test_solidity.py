from dataclasses import dataclass

import pytest

from contracts.calls import Function
from contracts.enumerations import Kind
from contracts.hashing import checksum_address
from contracts.solidity import (
    Address,
    Uint16,
    abi_type,
    camel_case,
    decode_abi,
    encoder,
    fields_of,
    reader,
    to_abi,
)
from contracts.structs import Member, ReadingProof, Signatures

ALICE = checksum_address(b"\xa1" * 20)


class TestNames:
    @pytest.mark.parametrize(
        ("python", "solidity"),
        [
            ("from_", "from"),
            ("price_fen", "priceFen"),
            ("ref_block_hash", "refBlockHash"),
        ],
    )
    def test_are_in_camel_case(self, python: str, solidity: str):
        assert camel_case(python) == solidity


class TestAbiType:
    def test_nests_structs_and_arrays(self):
        assert abi_type(tuple[Member, ...]) == "(address,address,uint8)[]"
        assert abi_type(ReadingProof).endswith(
            "bytes32[],uint64,uint64,bytes32,bytes32[])"
        )
        assert abi_type(Signatures) == "(bytes32,bytes32,bytes32,bytes32)"

    def test_refuses_a_type_that_solidity_has_not(self):
        with pytest.raises(TypeError, match="got <class 'int'>"):
            abi_type(int)

    def test_knows_the_fields_of_a_struct(self):
        assert [member.type for member in fields_of(Member)] == [
            "address",
            "address",
            "uint8",
        ]


class TestValues:
    def test_go_there_and_back(self):
        members = (Member(ALICE, ALICE, Kind.BANK),)
        data = encoder("((address,address,uint8)[])")((to_abi(members),))
        (raw,) = decode_abi("((address,address,uint8)[])", data)
        read = reader(tuple[Member, ...])
        assert read is not None
        assert read(raw) == members

    def test_of_a_function_without_arguments_are_nothing(self):
        function = Function("totals", returns=Address)
        assert function.encode() == function.selector

    def test_of_several_results_make_a_dataclass(self):
        @dataclass(frozen=True)
        class Pair:
            where: Address
            year: Uint16

        function = Function("pair", returns=Pair)
        data = b"\x00" * 12 + b"\xa1" * 20 + (2022).to_bytes(32, "big")
        assert function.decode(data) == Pair(ALICE, 2022)
