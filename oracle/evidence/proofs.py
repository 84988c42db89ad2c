"""Proofs of batch leaves: many single paths fast, or one proof for many leaves.

The tree is that of `contracts.merkle`: node k has the children 2k + 1 and 2k + 2,
leaf i of n is node 2n - 2 - i. A joint proof carries each node once that cannot be
computed from the proven leaves, in falling order of its sibling:

              0                 proven: leaf 0 (node 6) and leaf 3 (node 3)
          1       2             known:  6 → 2 → 0, 3 → 1 → 0
        3   4   5   6           given:  node 5 (beside 6), node 4 (beside 3)

What a leaf says is checked elsewhere; here a leaf is a hash.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sha3

from contracts.merkle import HASH_BYTES, BatchLeaf, BatchTree, leaf_hash, node_hash
from oracle.errors import InvalidPackageError


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """One reading's path to the root of its batch."""

    root: bytes
    """Root of the batch, 32 bytes."""
    leaf: BatchLeaf
    """The reading's place."""
    path: tuple[bytes, ...]
    """Siblings from the leaf upwards, 32 bytes each."""


def verify_proofs(proofs: Iterable[InclusionProof]) -> int:
    """Verify many single proofs at the speed of the hash.

    Args:
        proofs: Proofs of any batches.

    Returns:
        Number of proofs, all of which hold.

    Raises:
        InvalidPackageError: The first proof that does not hold, by batch and index.
    """
    keccak, count = sha3.keccak_256, 0
    for count, proof in enumerate(proofs, start=1):  # noqa: B007  the last is the count
        node = leaf_hash(proof.leaf)
        for sibling in proof.path:
            pair = node + sibling if node < sibling else sibling + node
            node = keccak(pair).digest()
            if len(sibling) != HASH_BYTES:
                raise _refusal(proof, f"{HASH_BYTES} bytes", f"{len(sibling)}")
        if node != proof.root:
            raise _refusal(proof, f"root {proof.root.hex()}", node.hex())
    return count


def prove_leaves(tree: BatchTree, indexes: Iterable[int]) -> tuple[bytes, ...]:
    """Make one proof for several leaves of a batch.

    Args:
        tree: The whole batch tree.
        indexes: Places of the leaves, from 0.

    Returns:
        The nodes that a verifier cannot compute, 32 bytes each; none for no leaves.
    """
    known: set[int] = set()
    beside: dict[int, bytes] = {}
    for index in indexes:
        node = 2 * len(tree) - 2 - index
        known.add(node)
        for sibling in tree.proof(index):
            beside[node] = sibling
            node = (node - 1) // 2
            known.add(node)
    return tuple(
        beside[node]
        for node in sorted(known - {0}, reverse=True)
        if _sibling(node) not in known
    )


def root_of_leaves(
    count: int, leaves: Mapping[int, bytes], nodes: Sequence[bytes]
) -> bytes | None:
    """Compute the root from some leaves and their joint proof.

    Args:
        count: Number of leaves of the whole batch.
        leaves: Place, below the count → leaf hash (32 bytes); at least one.
        nodes: Joint proof made by `prove_leaves`, 32 bytes each.

    Returns:
        32 bytes, or None if the proof has too few or too many nodes.
    """
    queue = deque((2 * count - 2 - index, leaves[index]) for index in sorted(leaves))
    given = deque(nodes)
    while queue[0][0] > 0:
        node, value = queue.popleft()
        if queue and queue[0][0] == _sibling(node):
            sibling = queue.popleft()[1]
        elif given:
            sibling = given.popleft()
        else:
            return None
        queue.append(((node - 1) // 2, node_hash(value, sibling)))
    return None if given else queue[0][1]


def _sibling(node: int) -> int:
    return node + 1 if node % 2 else node - 1


def _refusal(proof: InclusionProof, expected: str, given: str) -> InvalidPackageError:
    leaf = proof.leaf
    subject = f"proof of reading {leaf.index} in batch {leaf.batch_seq}"
    return InvalidPackageError(subject, expected, given)
