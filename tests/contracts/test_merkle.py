import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.merkle import (
    BatchLeaf,
    BatchTree,
    leaf_hash,
    node_hash,
    standard_leaf,
    verify_proof,
)

leaf_lists = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def leaves_of(count: int) -> list[bytes]:
    return [keccak(index.to_bytes(4, "big")) for index in range(count)]


class TestLeafHash:
    def test_is_keccak_twice_over_the_abi_encoding(self):
        values = [b"\x01" * 32, 7, 3, b"\x02" * 32, 2**64 - 1, b"\x03" * 32]
        types = ["bytes32", "uint64", "uint64", "bytes32", "uint64", "bytes32"]
        encoded = encode(types, values)
        leaf = BatchLeaf(*values)
        assert leaf_hash(leaf) == keccak(keccak(encoded)) == standard_leaf(encoded)


class TestBatchTree:
    def test_of_one_leaf_is_that_leaf(self):
        tree = BatchTree(leaves_of(1))
        assert tree.root == leaves_of(1)[0]
        assert tree.proof(0) == ()

    def test_of_three_leaves_has_openzeppelin_s_shape(self):
        first, second, third = leaves_of(3)
        assert BatchTree([first, second, third]).root == node_hash(
            node_hash(second, first), third
        )

    @given(leaf_lists)
    @settings(max_examples=60, deadline=None)
    def test_proves_every_leaf(self, leaves: list[bytes]):
        tree = BatchTree(leaves)
        for index, leaf in enumerate(leaves):
            assert verify_proof(tree.root, leaf, tree.proof(index))

    @given(leaf_lists, st.data())
    @settings(max_examples=60, deadline=None)
    def test_refuses_any_flipped_bit_of_leaf_or_path(
        self, leaves: list[bytes], data: st.DataObject
    ):
        tree = BatchTree(leaves)
        index = data.draw(st.integers(0, len(leaves) - 1))
        parts = [leaves[index], *tree.proof(index)]
        place = data.draw(st.integers(0, len(parts) - 1))
        bit = data.draw(st.integers(0, 255))
        number = int.from_bytes(parts[place], "big") ^ (1 << bit)
        parts[place] = number.to_bytes(32, "big")
        assert not verify_proof(tree.root, parts[0], parts[1:])

    def test_depends_on_the_order_of_leaves(self):
        leaves = leaves_of(5)
        assert BatchTree(leaves).root != BatchTree(leaves[::-1]).root

    def test_refuses_no_leaves(self):
        with pytest.raises(ValueError, match="at least one leaf"):
            BatchTree([])

    def test_refuses_a_leaf_of_another_length(self):
        with pytest.raises(ValueError, match="32 bytes"):
            BatchTree([b"\x01" * 31])

    def test_refuses_a_proof_for_a_leaf_it_has_not(self):
        with pytest.raises(IndexError, match="below 4, got 4"):
            BatchTree(leaves_of(4)).proof(4)

    def test_refuses_a_path_element_of_another_length(self):
        tree = BatchTree(leaves_of(2))
        (sibling,) = tree.proof(0)
        assert not verify_proof(tree.root, leaves_of(2)[0], [sibling + b"\x00"])
