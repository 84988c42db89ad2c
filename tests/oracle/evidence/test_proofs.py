from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from oracle.errors import InvalidPackageError
from oracle.evidence.proofs import (
    InclusionProof,
    prove_leaves,
    root_of_leaves,
    verify_proofs,
)

LAWS = settings(max_examples=80, deadline=None)


def digest(number: int) -> bytes:
    return sha256(number.to_bytes(4, "big")).digest()


def leaf(index: int) -> BatchLeaf:
    return BatchLeaf(digest(0), 7, index, digest(1), index, digest(index))


def tree(count: int) -> BatchTree:
    return BatchTree([leaf_hash(leaf(index)) for index in range(count)])


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, set[int]]:
    count = draw(st.integers(1, 40))
    places = st.sets(st.integers(0, count - 1), min_size=1)
    return count, draw(places)


class TestJointProof:
    @given(chosen())
    @LAWS
    def test_leads_any_leaves_to_the_root(self, choice: tuple[int, set[int]]):
        count, places = choice
        whole = tree(count)
        leaves = {place: leaf_hash(leaf(place)) for place in places}
        nodes = prove_leaves(whole, places)
        assert root_of_leaves(count, leaves, nodes) == whole.root

    @given(chosen())
    @LAWS
    def test_needs_exactly_its_nodes(self, choice: tuple[int, set[int]]):
        count, places = choice
        leaves = {place: leaf_hash(leaf(place)) for place in places}
        nodes = prove_leaves(tree(count), places)
        assert root_of_leaves(count, leaves, (*nodes, digest(9))) is None
        if nodes:
            assert root_of_leaves(count, leaves, nodes[:-1]) is None

    def test_of_all_leaves_is_empty(self):
        assert prove_leaves(tree(13), range(13)) == ()

    def test_carries_a_shared_node_once(self):
        assert len(prove_leaves(tree(4096), range(0, 4096, 1024))) < 4 * 12

    def test_leads_a_changed_leaf_elsewhere(self):
        whole = tree(9)
        nodes = prove_leaves(whole, [2, 5])
        leaves = {2: leaf_hash(leaf(2)), 5: leaf_hash(leaf(6))}
        assert root_of_leaves(9, leaves, nodes) not in (None, whole.root)


class TestVerifyProofs:
    def proofs(self, count: int) -> list[InclusionProof]:
        whole = tree(count)
        return [
            InclusionProof(whole.root, leaf(index), whole.proof(index))
            for index in range(count)
        ]

    def test_counts_the_proofs_that_hold(self):
        assert verify_proofs(self.proofs(33)) == 33

    def test_of_nothing_counts_none(self):
        assert verify_proofs([]) == 0

    def test_names_the_first_reading_that_is_not_in_its_batch(self):
        proofs = self.proofs(33)
        proofs[20] = replace(proofs[20], leaf=leaf(21))
        with pytest.raises(InvalidPackageError, match="reading 21 in batch 7"):
            verify_proofs(proofs)

    def test_refuses_a_sibling_of_another_length(self):
        proofs = self.proofs(2)
        proofs[0] = replace(proofs[0], path=(proofs[0].path[0] + b"x",))
        with pytest.raises(InvalidPackageError, match="expected 32 bytes, given 33"):
            verify_proofs(proofs)
