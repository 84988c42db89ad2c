import pytest
from eth_utils import keccak, to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.hashing import address_bytes, checksum_address, keccak256


class TestKeccak256:
    def test_gives_the_known_digest_of_nothing(self):
        expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        assert keccak256(b"").hex() == expected

    @given(st.binary(max_size=300))
    @settings(max_examples=50, deadline=None)
    def test_agrees_with_another_library(self, data: bytes):
        assert keccak256(data) == keccak(data)


class TestAddresses:
    @given(st.binary(min_size=20, max_size=20))
    @settings(max_examples=50, deadline=None)
    def test_carries_the_checksum_of_erc_55(self, data: bytes):
        text = checksum_address(data)
        assert text == to_checksum_address(data)
        assert address_bytes(text) == data

    def test_refuses_nineteen_bytes(self):
        with pytest.raises(ValueError, match="20 bytes, got 19"):
            checksum_address(b"\x01" * 19)

    def test_refuses_a_short_text(self):
        with pytest.raises(ValueError, match="expected an address of 20 bytes"):
            address_bytes("0x1234")
