"""Measure how many batch inclusion proofs one core verifies in a second.

python -m scripts.bench_proofs [SECONDS]
"""

import hashlib
import json
import sys
import time

from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from oracle.evidence.proofs import InclusionProof, verify_proofs

LEAVES = 4096
"""Readings of the batch, so a proof has twelve siblings."""


def measure_proofs(seconds: float = 3.0) -> dict[str, float]:
    """Verify proofs of one batch again and again.

    Args:
        seconds: Time to measure. [s]

    Returns:
        `proofs_per_second_core`: proofs by processor time. [1/s]
    """
    proofs = make_proofs(LEAVES)
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        count += verify_proofs(proofs)
    return {"proofs_per_second_core": count / spent}


def make_proofs(count: int) -> list[InclusionProof]:
    """Build a batch and the proof of each of its readings.

    Args:
        count: Readings of the batch.

    Returns:
        One proof a reading.
    """
    words = [hashlib.sha256(str(index).encode()).digest() for index in range(count)]
    leaves = [
        BatchLeaf(words[0], 1, index, words[index % 64], index, word)
        for index, word in enumerate(words)
    ]
    tree = BatchTree([leaf_hash(leaf) for leaf in leaves])
    return [
        InclusionProof(tree.root, leaf, tree.proof(index))
        for index, leaf in enumerate(leaves)
    ]


if __name__ == "__main__":
    measured = measure_proofs(float(sys.argv[1]) if len(sys.argv) > 1 else 2)
    print(json.dumps(measured))
