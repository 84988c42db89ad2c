"""Texts of Avalanche, against those that avalanchego ships."""

import pytest
from coincurve import PrivateKey

from node.network.formats import (
    bech32_address,
    bech32_short_id,
    cb58_decode,
    cb58_encode,
    short_hash,
)

NODE = "7Xhw2mDxuDS44j42TCB6U5579esbSt3Lg"
"""Of avalanchego's genesis/genesis_local.json."""
KEY = PrivateKey(
    bytes.fromhex("56289e99c94b6912bfc12adc093c9b51124f0dc54ac7a766b2bc5ccf558d8027")
)
ADDRESS = "local18jma8ppw3nhx5r4ap8clazz0dps7rv5u00z96u"
"""The key and its address as genesis/genesis_local.go names them."""


class TestCb58:
    def test_reads_and_writes_a_node_id(self) -> None:
        assert len(cb58_decode(NODE)) == 20
        assert cb58_encode(cb58_decode(NODE)) == NODE

    def test_keeps_leading_zeros(self) -> None:
        assert cb58_decode(cb58_encode(bytes(5) + b"\1")) == bytes(5) + b"\1"

    def test_refuses_a_mistyped_character(self) -> None:
        with pytest.raises(ValueError, match="checksum"):
            cb58_decode(NODE.replace("w", "x"))
        with pytest.raises(ValueError, match="no digit"):
            cb58_decode("0" + NODE)


class TestBech32:
    def test_writes_the_address_of_a_key(self) -> None:
        assert bech32_address("local", short_hash(KEY.public_key.format())) == ADDRESS

    def test_reads_it_back(self) -> None:
        assert bech32_short_id(ADDRESS) == short_hash(KEY.public_key.format())

    def test_refuses_a_mistyped_character(self) -> None:
        with pytest.raises(ValueError, match="checksum"):
            bech32_short_id(ADDRESS.replace("8j", "9j"))
