"""The batch tree: OpenZeppelin's ``standard-v1`` with leaves in index order.

Leaves are hashed twice, inner nodes hash their two children in sorted order, and the
nodes lie in one array as a complete binary tree, the leaves reversed at its end:

    node k has the children 2k + 1 and 2k + 2; leaf i of n is node 2n - 2 - i

The same tree serves batches of readings and the registry of carriers; only the leaf
differs. The contracts check its paths with OpenZeppelin's ``MerkleProof``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.hashing import keccak256

HASH_BYTES = 32
"""Length of a leaf, a node and a root. [bytes]"""


@dataclass(frozen=True, slots=True)
class BatchLeaf:
    """One reading's place in a batch."""

    stream_id: bytes
    """32 bytes, see ``typed_data.stream_id``."""
    batch_seq: int
    """Sequence number of the batch in its stream."""
    index: int
    """Place of the reading in the batch, from 0."""
    id_hash: bytes
    """32 bytes, keccak256 of the carrier's identifier."""
    reading_seq: int
    """Sequence number of the reading at its carrier."""
    message_digest: bytes
    """32 bytes, keccak256 of the whole signed message."""


def leaf_hash(leaf: BatchLeaf) -> bytes:
    """Hash a reading's place as ``keccak256(keccak256(abi.encode(...)))``.

    Args:
        leaf: The reading's place in its batch.

    Returns:
        32 bytes.
    """
    encoded = b"".join(
        (
            leaf.stream_id,
            leaf.batch_seq.to_bytes(32, "big"),
            leaf.index.to_bytes(32, "big"),
            leaf.id_hash,
            leaf.reading_seq.to_bytes(32, "big"),
            leaf.message_digest,
        )
    )
    return standard_leaf(encoded)


def standard_leaf(encoded: bytes) -> bytes:
    """Hash an ABI-encoded value as a leaf, twice, so that no node passes for one.

    Args:
        encoded: The value's ``abi.encode``.

    Returns:
        32 bytes.
    """
    return keccak256(keccak256(encoded))


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children, smaller first.

    Args:
        left: 32 bytes.
        right: 32 bytes.

    Returns:
        32 bytes.
    """
    return keccak256(left + right if left < right else right + left)


class BatchTree:
    """A tree over leaf hashes, kept whole so that proofs cost no hashing.

    Args:
        leaves: At least one leaf hash, 32 bytes each, in index order.

    Raises:
        ValueError: There is no leaf, or one is not 32 bytes long.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            message = "a batch tree needs at least one leaf, got none"
            raise ValueError(message)
        if any(len(leaf) != HASH_BYTES for leaf in leaves):
            message = f"a leaf hash has {HASH_BYTES} bytes, see leaf_hash"
            raise ValueError(message)
        self._count = len(leaves)
        nodes = [b""] * (self._count - 1)
        nodes.extend(reversed(leaves))
        for k in range(self._count - 2, -1, -1):
            nodes[k] = node_hash(nodes[2 * k + 1], nodes[2 * k + 2])
        self._nodes = nodes

    @property
    def root(self) -> bytes:
        """The root. 32 bytes."""
        return self._nodes[0]

    def __len__(self) -> int:
        """Count the leaves."""
        return self._count

    def proof(self, index: int) -> tuple[bytes, ...]:
        """Give the path from a leaf to the root.

        Args:
            index: Place of the leaf, from 0.

        Returns:
            The siblings from the leaf upwards, 32 bytes each.

        Raises:
            IndexError: There is no leaf at that place.
        """
        if not 0 <= index < self._count:
            message = f"expected a leaf below {self._count}, got {index}"
            raise IndexError(message)
        k = len(self._nodes) - 1 - index
        path = []
        while k > 0:
            path.append(self._nodes[k + 1 if k % 2 else k - 1])
            k = (k - 1) // 2
        return tuple(path)


def verify_proof(root: bytes, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether a path leads from a leaf to a root.

    Args:
        root: 32 bytes.
        leaf: The leaf's hash, 32 bytes.
        path: The siblings from the leaf upwards, 32 bytes each.

    Returns:
        True only if every element has 32 bytes and the path ends at the root.
    """
    if len(leaf) != HASH_BYTES or any(len(node) != HASH_BYTES for node in path):
        return False
    node = leaf
    for sibling in path:
        node = node_hash(node, sibling)
    return node == root
