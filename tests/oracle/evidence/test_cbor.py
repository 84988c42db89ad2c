from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.errors import InvalidPackageError
from oracle.evidence.cbor import MAX_DEPTH, decode, encode

SCALARS = (
    st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(max_size=30)
    | st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(0, 300), inner, max_size=5)
    ),
    max_leaves=15,
)


class TestDecode:
    @given(VALUES)
    @settings(max_examples=100, deadline=None)
    def test_gives_back_what_was_encoded(self, value: Any):
        assert decode(encode(value)) == value

    @given(st.binary(max_size=40))
    @settings(max_examples=100, deadline=None)
    def test_whatever_decodes_is_the_only_form(self, data: bytes):
        try:
            value = decode(data)
        except InvalidPackageError:
            return
        assert encode(value) == data

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            ("", "another byte"),
            ("1801", "shortest head"),
            ("190001", "shortest head"),
            ("1b0000000000000001", "shortest head"),
            ("5f4101ff", "definite length"),
            ("9fff", "definite length"),
            ("1c", "definite length"),
            ("f5", "integer, string, array, map or null"),
            ("fb3ff0000000000000", "integer, string, array, map or null"),
            ("c100", "integer, string, array, map or null"),
            ("a201010102", "keys ascending, each once"),
            ("a202010102", "keys ascending, each once"),
            ("a1410101", "a number or text as key"),
            ("0000", "the end of the file"),
            ("4201", "2 more bytes"),
            ("8201", "another byte"),
            ("9bffffffffffffffff", "another byte"),
            ("5bffffffffffffffff00", "more bytes"),
            ("61ff", "UTF-8"),
            ("19", "another byte"),
        ],
    )
    def test_refuses_every_other_form(self, data: str, reason: str):
        with pytest.raises(InvalidPackageError, match=reason):
            decode(bytes.fromhex(data))

    def test_refuses_a_nest_that_is_too_deep(self):
        deep = b"\x81" * (MAX_DEPTH + 1) + b"\x00"
        with pytest.raises(InvalidPackageError, match=f"at most {MAX_DEPTH} levels"):
            decode(deep)

    def test_names_the_byte_that_is_wrong(self):
        with pytest.raises(InvalidPackageError, match="byte 3 of the package"):
            decode(bytes.fromhex("820102" + "00"))
