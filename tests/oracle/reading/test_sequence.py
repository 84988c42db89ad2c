"""CBOR sequences: cut at item boundaries, rest kept, nothing invented."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.reading.sequence import join_sequence, split_sequence
from tests.simulators.device import DeviceSimulator

ITEMS = st.recursive(
    st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(0, 30), inner, max_size=4)
    ),
    max_leaves=10,
)


class TestSplitSequence:
    def test_messages_come_back_as_they_were(self):
        messages = DeviceSimulator().series(5)

        assert split_sequence(join_sequence(messages)) == (messages, b"")

    @given(items=st.lists(ITEMS, max_size=6))
    @settings(max_examples=100, deadline=None)
    def test_any_definite_items_are_cut_where_they_end(self, items: list[object]):
        encoded = [cbor2.dumps(item) for item in items]

        assert split_sequence(b"".join(encoded)) == (encoded, b"")

    @given(data=st.binary(max_size=200))
    @settings(max_examples=100, deadline=None)
    def test_no_byte_is_lost_or_added(self, data: bytes):
        items, rest = split_sequence(data)

        assert b"".join(items) + rest == data

    @pytest.mark.parametrize(
        "end",
        [b"\x5f\x41a\xff", b"\x9f\xff", b"\x1c", b"\x58", b"\x44abc", b"\x82\x01"],
        ids=["bytes in parts", "open array", "reserved", "head", "string", "array"],
    )
    def test_what_cannot_be_cut_is_the_rest(self, end: bytes):
        message = DeviceSimulator().next()

        assert split_sequence(message + end) == ([message], end)

    def test_a_tag_belongs_to_its_item(self):
        message = b"\xd2" + DeviceSimulator().next()

        assert split_sequence(message + b"\x01") == ([message, b"\x01"], b"")

    def test_a_giant_length_ends_at_once(self):
        giant = b"\x9b" + b"\xff" * 8

        assert split_sequence(giant) == ([], giant)
