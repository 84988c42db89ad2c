import re
import string

import pytest
from eth_abi import encode

from contracts import errors
from contracts.errors import (
    REVERTS,
    AccountsKindMismatchError,
    ContractsError,
    MarketBlockTooSmallError,
    RevertedError,
    RulebookNoValueError,
    UnavailableError,
    decode_revert,
)
from contracts.hashing import keccak256


def revert_data(signature: str, *values: object) -> bytes:
    types = signature.split("(")[1].removesuffix(")").split(",")
    return keccak256(signature.encode())[:4] + encode(types, values)


class TestDecodeRevert:
    def test_gives_the_class_of_the_custom_error_with_its_facts(self):
        data = revert_data("MarketBlockTooSmall(uint128,uint128)", 5, 100_000)
        error = decode_revert(data)
        assert isinstance(error, MarketBlockTooSmallError)
        assert (error.given, error.needed) == (5, 100_000)
        assert str(error) == (
            "a block trade needs 100000 t or more (rule block.min_tonnes), got 5 t"
        )

    def test_names_enumerations(self):
        account = "0x" + "ab" * 20
        error = decode_revert(
            revert_data("AccountsKindMismatch(address,uint8,uint8)", account, 1, 6)
        )
        assert isinstance(error, AccountsKindMismatchError)
        assert "of kind enterprise, expected kind identity platform" in str(error)

    def test_writes_names_as_text(self):
        name = b"block.min_tonnes".ljust(32, b"\x00")
        error = decode_revert(revert_data("RulebookNoValue(bytes32,uint64)", name, 7))
        assert isinstance(error, RulebookNoValueError)
        assert "no value of block.min_tonnes at 7" in str(error)

    def test_keeps_an_unknown_error(self):
        error = decode_revert(b"\xde\xad\xbe\xef\x01")
        assert isinstance(error, RevertedError)
        assert "0xdeadbeef01" in str(error)

    def test_says_when_there_is_no_reason(self):
        assert "no reason" in str(decode_revert(b""))

    def test_says_when_arguments_are_malformed(self):
        data = revert_data("MarketBlockTooSmall(uint128,uint128)", 5, 100_000)[:-1]
        error = decode_revert(data)
        assert isinstance(error, RevertedError)
        assert "malformed" in str(error)

    def test_says_when_an_enumeration_has_no_such_member(self):
        account = "0x" + "ab" * 20
        error = decode_revert(
            revert_data("AccountsKindMismatch(address,uint8,uint8)", account, 1, 99)
        )
        assert isinstance(error, RevertedError)
        assert "malformed" in str(error)

    def test_has_no_attribute_that_is_no_fact(self):
        error = decode_revert(
            revert_data("AnchorStale(bytes32,uint64,uint64)", b"", 9, 5)
        )
        assert isinstance(error, UnavailableError)
        with pytest.raises(AttributeError, match="colour"):
            _ = error.colour


class TestCatalogue:
    @pytest.mark.parametrize(
        "declared", REVERTS.values(), ids=lambda declared: declared.__name__
    )
    def test_has_a_message_that_tells_given_and_expected(
        self, declared: type[ContractsError]
    ):
        message = declared.MESSAGE
        names = {name for _, name in declared.ARGUMENTS}
        used = {name for _, name, _, _ in string.Formatter().parse(message) if name}
        assert used <= names
        assert names == used
        assert len(message.split()) >= 4
        assert not message.endswith(".")

    def test_exports_every_class_by_the_name_of_its_error(self):
        for declared in REVERTS.values():
            assert getattr(errors, declared.__name__) is declared
            name = re.sub(r"Error$", "", declared.__name__)
            assert declared.SIGNATURE.startswith((name + "(", "Error("))

    def test_has_at_most_two_levels_below_the_base(self):
        for declared in REVERTS.values():
            assert declared.__mro__[2] is ContractsError
