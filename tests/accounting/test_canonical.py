import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.canonical import (
    canonical_json,
    digest,
    merkle_root,
    parse_canonical_json,
)
from accounting.errors import InvalidDocumentError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


class TestCanonicalJson:
    def test_keys_are_sorted_and_white_space_is_absent(self):
        value = {"b": [1, True, None], "a": "浙江"}

        assert canonical_json(value) == '{"a":"浙江","b":[1,true,null]}'.encode()

    def test_order_of_keys_does_not_matter(self):
        assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})

    @pytest.mark.parametrize("value", [0.5, {"a": [1.0]}, {1: "a"}, b"a", {"a": {1}}])
    def test_what_has_no_canonical_form_is_refused(self, value: Any):
        with pytest.raises(TypeError):
            canonical_json(value)

    @given(VALUES)
    @settings(max_examples=100, deadline=None)
    def test_reading_gives_back_what_was_written(self, value: Any):
        assert parse_canonical_json(canonical_json(value), "value") == value


class TestParseCanonicalJson:
    @pytest.mark.parametrize(
        "data",
        [
            b'{"b":1,"a":2}',
            b'{"a":1,"a":1}',
            b'{"a": 1}',
            b"1.5",
            b"NaN",
            b'"\\u00e4"',
            b'{"a":1}\n',
            b"{",
            b"\xff",
            b"",
            b"[" * 100_000,
        ],
    )
    def test_other_spellings_are_refused(self, data: bytes):
        with pytest.raises(InvalidDocumentError, match="no canonical JSON"):
            parse_canonical_json(data, "thing")


class TestMerkleRoot:
    def test_no_leaves_is_the_hash_of_nothing(self):
        assert merkle_root([]) == hashlib.sha256(b"").digest()

    def test_three_leaves_split_after_the_second(self):
        a, b, c = (hashlib.sha256(b"\x00" + x).digest() for x in (b"a", b"b", b"c"))
        left = hashlib.sha256(b"\x01" + a + b).digest()

        expected = hashlib.sha256(b"\x01" + left + c).digest()
        assert merkle_root([b"a", b"b", b"c"]) == expected

    def test_order_matters(self):
        assert merkle_root([b"a", b"b"]) != merkle_root([b"b", b"a"])
