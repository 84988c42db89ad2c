"""Holds what was acknowledged against what is found: lost, doubled, altered, forked.

Pure. It knows nothing of chains and databases: `findings` reads those, with as little
of the product's own code as it can.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.faults.book import Item


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong; nothing, if all is empty."""

    lost: tuple[str, ...] = ()
    """Acknowledged, and nowhere to be found."""
    doubled: tuple[str, ...] = ()
    """Found more than once."""
    altered: tuple[str, ...] = ()
    """Found with another content than was acknowledged."""
    forks: tuple[str, ...] = ()
    """Two contents for one height or number."""
    gaps: tuple[str, ...] = ()
    """Numbers that are missing between others, or a log that does not add up."""
    checked: int = field(default=0, compare=False)
    """How many acknowledged items were held against something."""

    @property
    def is_clean(self) -> bool:
        return self == Verdict()

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.altered + other.altered,
            self.forks + other.forks,
            self.gaps + other.gaps,
            self.checked + other.checked,
        )


def check_items(acknowledged: Iterable[Item], found: Iterable[Item]) -> Verdict:
    """Every acknowledged item is there once, with its content; nothing is twice."""
    there: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in found:
        there[item.kind, item.key].append(item.digest)
    promised: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in acknowledged:
        promised[item.kind, item.key].add(item.digest)
    lost, altered = [], []
    for name, digests in promised.items():
        if name not in there:
            lost.append(" ".join(name))
        elif digests != set(there[name]):
            altered.append(" ".join(name))
    doubled = [" ".join(name) for name, digests in there.items() if len(digests) > 1]
    return Verdict(tuple(lost), tuple(doubled), tuple(altered), checked=len(promised))


def check_forks(sightings: Iterable[Item]) -> Verdict:
    """Whoever looks, and whenever: one height or number has one content."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item in sightings:
        seen[item.kind, item.key].add(item.digest)
    forks = [" ".join(name) for name, digests in seen.items() if len(digests) > 1]
    return Verdict(forks=tuple(forks))


def check_numbers(what: str, numbers: Iterable[int]) -> Verdict:
    """Numbers run from 0 without a gap and without a repetition."""
    ordered = sorted(numbers)
    missing = sorted(set(range(ordered[-1] + 1)) - set(ordered)) if ordered else []
    twice = sorted({one for one in ordered if ordered.count(one) > 1})
    return Verdict(
        doubled=tuple(f"{what} {one}" for one in twice),
        gaps=tuple(f"{what} {one}" for one in missing),
    )


def check_log(heads: Sequence[bytes], roots: Sequence[bytes]) -> Verdict:
    """Each report names the RFC 9162 root over all reports before it.

    Args:
        heads: Report hashes in order, 32 bytes each.
        roots: `logRoot` of the report at the same place.
    """
    leaves = [hashlib.sha256(b"\0" + head).digest() for head in heads]
    gaps = [
        f"log root of batch {place}"
        for place, root in enumerate(roots)
        if root != tree_root(leaves[:place])
    ]
    return Verdict(gaps=tuple(gaps))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1, written anew so that it does not share the product's faults."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = tree_root(leaves[:split]), tree_root(leaves[split:])
    return hashlib.sha256(b"\1" + left + right).digest()
