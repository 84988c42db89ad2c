import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.errors import InvalidLogProofError
from oracle.log.tree import (
    EMPTY_ROOT,
    CompactRange,
    compact_range,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    tree_root,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
)

Vectors = Callable[[str], Any]
REPOSITORY = Path(__file__).parents[3]
LAWS = settings(max_examples=60, deadline=None)
sizes = st.integers(min_value=1, max_value=70)


@pytest.fixture(scope="module")
def vectors(data_dir: Path):
    folder = data_dir / "merkle"
    return lambda name: json.loads((folder / f"{name}.json").read_text())


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4, "big")) for index in range(size)]


def reference_root(leaves: list[bytes]) -> bytes:
    """The recursive definition, written down a second time."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(reference_root(leaves[:split]), reference_root(leaves[split:]))


def accepts(verify: Callable[..., None], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except InvalidLogProofError:
        return False
    return True


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def must_accept(case: dict, *roots: str) -> bool:
    """What the vectors say, but for two things that this tree refuses on purpose:

    roots that are no 32-byte hash ("don't care"), and proofs about an empty part.
    """
    is_strict = all(len(decoded(case[root])) == 32 for root in roots)
    is_empty = "start" in case and case["start"] == case["end"]
    return is_strict and not is_empty and not case["wantErr"]


def hashes(case: dict) -> list[bytes]:
    return [decoded(text) for text in case["proof"] or []]


class TestPublishedVectors:
    def test_the_small_tree_has_the_published_roots(self, vectors: Vectors):
        tree = vectors("tree8")
        leaves = [leaf_hash(bytes.fromhex(text)) for text in tree["leaf_inputs"]]
        assert [leaf.hex() for leaf in leaves] == tree["node_hashes_by_level"][0]
        roots = [tree_root(leaves[:size]).hex() for size in range(9)]
        assert roots == tree["root_hashes_by_size"]

    def test_inclusion_proofs_are_judged_as_published(self, vectors: Vectors):
        for case in vectors("inclusion"):
            is_accepted = accepts(
                verify_inclusion,
                decoded(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                hashes(case),
                decoded(case["root"]),
            )
            assert is_accepted != case["wantErr"], case["name"]

    def test_consistency_proofs_are_judged_as_published(self, vectors: Vectors):
        for case in vectors("consistency"):
            is_accepted = accepts(
                verify_consistency,
                case["size1"],
                case["size2"],
                hashes(case),
                decoded(case["root1"]),
                decoded(case["root2"]),
            )
            assert is_accepted == must_accept(case, "root1", "root2"), case["name"]

    def test_proofs_in_a_part_are_judged_as_published(self, vectors: Vectors):
        for case in vectors("subtreeinclusion"):
            start, end = case["start"], case["end"]
            is_aligned = start % (1 << max(end - start - 1, 0).bit_length()) == 0
            is_accepted = is_aligned and accepts(
                verify_inclusion,
                decoded(case["leafHash"]),
                case["leafIdx"] - start,
                end - start,
                hashes(case),
                decoded(case["root"]),
            )
            assert is_accepted != case["wantErr"], case["name"]

    def test_proofs_of_a_part_are_judged_as_published(self, vectors: Vectors):
        for case in vectors("subtreeconsistency"):
            is_accepted = accepts(
                verify_subtree_consistency,
                (case["start"], case["end"]),
                case["size"],
                hashes(case),
                decoded(case["root1"]),
                decoded(case["root2"]),
            )
            assert is_accepted == must_accept(case, "root1", "root2"), case["name"]


class TestCompactRange:
    def test_the_empty_tree_has_the_hash_of_nothing_as_its_root(self):
        assert CompactRange().root() == EMPTY_ROOT

    @given(sizes)
    @LAWS
    def test_appending_one_by_one_gives_the_recursive_root(self, size: int):
        leaves, frontier = leaves_of(size), CompactRange()
        for leaf in leaves:
            frontier = frontier.append(leaf)
        assert frontier == compact_range(leaves)
        assert frontier.root() == reference_root(leaves)

    def test_refuses_peaks_that_do_not_fit_the_size(self):
        with pytest.raises(InvalidLogProofError, match="expected 2 peaks, got 1"):
            CompactRange(3, (EMPTY_ROOT,))

    def test_refuses_a_peak_of_a_wrong_length(self):
        with pytest.raises(InvalidLogProofError, match="expected 32 bytes, got 31"):
            CompactRange(1, (b"x" * 31,))


class TestInclusion:
    @given(sizes, st.data())
    @LAWS
    def test_every_leaf_is_proven(self, size: int, data: st.DataObject):
        index = data.draw(st.integers(0, size - 1))
        leaves = leaves_of(size)
        proof = prove_inclusion(leaves, index)
        verify_inclusion(leaves[index], index, size, proof, tree_root(leaves))

    @given(st.integers(2, 70), st.data())
    @LAWS
    def test_a_changed_bit_anywhere_is_refused(self, size: int, data: st.DataObject):
        index = data.draw(st.integers(0, size - 1))
        leaves = leaves_of(size)
        parts = [leaves[index], tree_root(leaves), *prove_inclusion(leaves, index)]
        which = data.draw(st.integers(0, len(parts) - 1))
        changed = bytearray(parts[which])
        changed[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        parts[which] = bytes(changed)
        with pytest.raises(InvalidLogProofError, match="expected root"):
            verify_inclusion(parts[0], index, size, parts[2:], parts[1])

    def test_a_short_proof_is_refused_with_both_lengths(self):
        leaves = leaves_of(8)
        proof = prove_inclusion(leaves, 3)[:-1]
        with pytest.raises(InvalidLogProofError, match="expected 3 proof hashes"):
            verify_inclusion(leaves[3], 3, 8, proof, tree_root(leaves))

    def test_an_index_outside_cannot_be_proven(self):
        with pytest.raises(IndexError, match="index 8 outside"):
            prove_inclusion(leaves_of(8), 8)


class TestConsistency:
    @given(sizes, st.data())
    @LAWS
    def test_every_prefix_is_proven(self, size: int, data: st.DataObject):
        old = data.draw(st.integers(1, size))
        leaves = leaves_of(size)
        proof = prove_consistency(leaves, old)
        verify_consistency(old, size, proof, tree_root(leaves[:old]), tree_root(leaves))

    @given(st.integers(2, 70), st.data())
    @LAWS
    def test_a_rewritten_past_is_refused(self, size: int, data: st.DataObject):
        old = data.draw(st.integers(1, size - 1))
        leaves = leaves_of(size)
        old_root = tree_root(leaves[:old])
        leaves[data.draw(st.integers(0, old - 1))] = leaf_hash(b"rewritten")
        proof = prove_consistency(leaves, old)
        with pytest.raises(InvalidLogProofError):
            verify_consistency(old, size, proof, old_root, tree_root(leaves))

    def test_the_empty_tree_is_no_prefix_to_verify(self):
        root = tree_root(leaves_of(5))
        with pytest.raises(InvalidLogProofError, match=r"0\.\.0 is no aligned part"):
            verify_consistency(0, 5, [], EMPTY_ROOT, root)

    def test_size_zero_is_no_prefix_to_prove(self):
        with pytest.raises(ValueError, match="size 0 outside"):
            prove_consistency(leaves_of(3), 0)
