"""The log's SHA-256 Merkle tree: hashing, roots, proofs, and cheap appending.

Keeps RFC 9162 section 2.1: a leaf is ``SHA-256(0x00 || entry)``, a node is
``SHA-256(0x01 || left || right)``, the empty tree's root is ``SHA-256("")``, and the
left part of a split is the largest power of two below the size. Every function takes
and returns leaf *hashes*, so that a caller hashes an entry once. It stores nothing:
`oracle.log.tiles` says where the hashes live on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from oracle.errors import InvalidLogProofError

HASH_BYTES = 32
"""Length of every hash in the tree [bytes]."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves, 32 bytes."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry into its leaf.

    Args:
        entry: Bytes of the entry, of any length.

    Returns:
        32 bytes, SHA-256 of 0x00 and the entry.
    """
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent.

    Args:
        left: Hash of the left child, 32 bytes.
        right: Hash of the right child, 32 bytes.

    Returns:
        32 bytes, SHA-256 of 0x01 and both children.
    """
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The frontier of a tree: enough to append to it and to know its root.

    Appending costs O(log n) hashes at most and two on average, and the range of a
    tree with 2^40 leaves holds at most 40 hashes.
    """

    size: int = 0
    """Number of leaves in the tree."""
    peaks: tuple[bytes, ...] = ()
    """Roots of its full subtrees from left to right, 32 bytes each, one for each bit
    that is set in `size`."""

    def __post_init__(self) -> None:
        """Refuse a frontier whose number of hashes does not fit its size."""
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise InvalidLogProofError(
                f"Compact range of size {self.size}: expected "
                f"{max(self.size, 0).bit_count()} peaks, got {len(self.peaks)}."
            )
        _check_hashes("compact range", self.peaks)

    def append(self, leaf: bytes) -> Self:
        """Add one leaf hash on the right.

        Args:
            leaf: Leaf hash, 32 bytes.

        Returns:
            The range of the larger tree; this one stays as it is.
        """
        peaks, carry = list(self.peaks), self.size
        while carry & 1:
            leaf = node_hash(peaks.pop(), leaf)
            carry >>= 1
        return type(self)(self.size + 1, (*peaks, leaf))

    def root(self) -> bytes:
        """Hash the frontier into the tree's root.

        Returns:
            32 bytes.
        """
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def compact_range(leaves: Sequence[bytes]) -> CompactRange:
    """Build the frontier of a whole tree.

    Args:
        leaves: Leaf hashes in order, 32 bytes each.

    Returns:
        The compact range of all leaves.
    """
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        carry, joined = size, leaf
        while carry & 1:
            joined = node_hash(peaks.pop(), joined)
            carry >>= 1
        peaks.append(joined)
    return CompactRange(len(leaves), tuple(peaks))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root of a whole tree.

    Args:
        leaves: Leaf hashes in order, 32 bytes each.

    Returns:
        32 bytes; `EMPTY_ROOT` for no leaves.
    """
    return compact_range(leaves).root()


def prove_inclusion(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that one leaf is in the tree of all given leaves.

    Args:
        leaves: Leaf hashes in order, 32 bytes each.
        index: Position of the leaf, from 0.

    Returns:
        Sibling hashes from the leaf up to the root, 32 bytes each.

    Raises:
        IndexError: The tree has no leaf at the index.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"index {index} outside a tree of {len(leaves)} leaves")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        split = start + _left_size(end - start)
        if index < split:
            path.append(tree_root(leaves[split:end]))
            end = split
        else:
            path.append(tree_root(leaves[start:split]))
            start = split
    return tuple(reversed(path))


def prove_consistency(leaves: Sequence[bytes], old_size: int) -> tuple[bytes, ...]:
    """Prove that a smaller tree is a prefix of the tree of all given leaves.

    Args:
        leaves: Leaf hashes in order, 32 bytes each.
        old_size: Number of leaves of the smaller tree, at least 1.

    Returns:
        Hashes of RFC 9162 section 2.1.4, 32 bytes each; empty for equal sizes.

    Raises:
        ValueError: The smaller size is not between 1 and the number of leaves.
    """
    if not 1 <= old_size <= len(leaves):
        raise ValueError(f"size {old_size} outside 1..{len(leaves)}")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while old_size != end:
        split = start + _left_size(end - start)
        if old_size <= split:
            path.append(tree_root(leaves[split:end]))
            end = split
        else:
            path.append(tree_root(leaves[start:split]))
            start = split
    if start:
        path.append(tree_root(leaves[start:end]))
    return tuple(reversed(path))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is at an index of the tree with a root.

    Args:
        leaf: Leaf hash, 32 bytes.
        index: Position of the leaf, from 0.
        size: Number of leaves of the tree.
        proof: Sibling hashes from the leaf up, 32 bytes each.
        root: Root of the tree, 32 bytes.

    Raises:
        InvalidLogProofError: The index is outside, the proof has a wrong length, or
            it leads to another root.
    """
    if not 0 <= index < size:
        raise InvalidLogProofError(
            f"Inclusion proof: index {index} is outside a tree of {size} leaves."
        )
    _check_hashes("inclusion proof", (leaf, *proof, root))
    needed = _inclusion_length(index, size)
    if len(proof) != needed:
        raise InvalidLogProofError(
            f"Inclusion proof of leaf {index} in {size}: expected {needed} proof "
            f"hashes, got {len(proof)}."
        )
    _check_root("inclusion", _climb(leaf, index, size, proof), root)


def verify_consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Check that the tree with one root is a prefix of the tree with another.

    Args:
        old_size: Number of leaves of the smaller tree, at least 1: that every tree
            continues the empty one needs no proof.
        size: Number of leaves of the larger tree.
        proof: Hashes of RFC 9162 section 2.1.4, 32 bytes each.
        old_root: Root of the smaller tree, 32 bytes.
        root: Root of the larger tree, 32 bytes.

    Raises:
        InvalidLogProofError: The sizes do not fit, the proof has a wrong length, or
            it leads to another root.
    """
    verify_subtree_consistency((0, old_size), size, proof, old_root, root)


def verify_subtree_consistency(
    part: tuple[int, int],
    size: int,
    proof: Sequence[bytes],
    part_root: bytes,
    root: bytes,
) -> None:
    """Check that an aligned part of the log is the one below a root.

    With a part that starts at 0 this is the consistency check of RFC 9162 section
    2.1.4.2; a later start lets one proof cover all batches of a period.

    Args:
        part: First leaf and the one after the last; the start is a multiple of the
            smallest power of two that holds the part.
        size: Number of leaves of the whole tree.
        proof: Hashes from the part up to the root, 32 bytes each.
        part_root: Root of the part's own tree, 32 bytes.
        root: Root of the whole tree, 32 bytes.

    Raises:
        InvalidLogProofError: The part is not aligned or not inside, the proof has a
            wrong length, or it leads to another root.
    """
    _check_part(part, size)
    _check_hashes("consistency proof", (part_root, *proof, root))
    first, last, end = part[0], part[1] - 1, size - 1
    while first != last and (last & 1 or last == end):
        first, last, end = first >> 1, last >> 1, end >> 1
    seeds, siblings = ([part_root], proof) if first == last else (proof[:1], proof[1:])
    climbed = _climb_both((first, last, end), seeds, siblings)
    if climbed is None:
        raise InvalidLogProofError(
            f"Consistency proof of {part[0]}..{part[1]} in {size} leaves: "
            f"{len(proof)} proof hashes are too few or too many."
        )
    _check_root("consistency (part)", climbed[0], part_root)
    _check_root("consistency (whole)", climbed[1], root)


def _climb_both(
    place: tuple[int, int, int], seeds: Sequence[bytes], siblings: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Hash up to the part's and the whole root; None if the number does not fit."""
    first, last, end = place
    if not seeds:
        return None
    old = new = seeds[0]
    for sibling in siblings:
        if end == 0:
            return None
        if last & 1 or last == end:
            old = node_hash(sibling, old) if first < last else old
            new = node_hash(sibling, new)
            while not last & 1:
                first, last, end = first >> 1, last >> 1, end >> 1
        else:
            new = node_hash(new, sibling)
        first, last, end = first >> 1, last >> 1, end >> 1
    return None if end else (old, new)


def _left_size(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_length(index: int, size: int) -> int:
    """Return how many siblings a leaf has on its way to the root."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def _climb(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Hash a leaf with its siblings up to the root."""
    inner = (index ^ (size - 1)).bit_length()
    for level, sibling in enumerate(proof):
        if level < inner and not index >> level & 1:
            leaf = node_hash(leaf, sibling)
        else:
            leaf = node_hash(sibling, leaf)
    return leaf


def _check_part(part: tuple[int, int], size: int) -> None:
    """Refuse a part that is empty, outside the tree or not aligned."""
    start, end = part
    aligned = start % (1 << max(end - start - 1, 0).bit_length()) == 0
    if not (0 <= start < end <= size and aligned):
        raise InvalidLogProofError(
            f"Consistency proof: {start}..{end} is no aligned part of a tree of "
            f"{size} leaves."
        )


def _check_hashes(what: str, hashes: Sequence[bytes]) -> None:
    """Refuse anything in a proof that is no 32-byte hash."""
    for position, value in enumerate(hashes):
        if len(value) != HASH_BYTES:
            raise InvalidLogProofError(
                f"Hash {position} of the {what}: expected {HASH_BYTES} bytes, got "
                f"{len(value)}."
            )


def _check_root(what: str, computed: bytes, expected: bytes) -> None:
    """Refuse a proof that leads to another root."""
    if computed != expected:
        raise InvalidLogProofError(
            f"Proof of {what}: expected root {expected.hex()}, got {computed.hex()}."
        )
