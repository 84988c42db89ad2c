"""The bloom filter of a block's header: 2,048 bits in which every log left its marks.

A header promises by it which contracts and topics its block's logs have; so an answer
that leaves logs out is found out without asking anybody else. Pure.

References:
    Ethereum yellow paper, section 4.4.1 (M3:2048).
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from contracts.hashing import keccak256

__all__ = ["bloom_of", "may_hold"]

_LAST_BIT = 2047
_REMEMBERED = 65_536


def bloom_of(logs: Iterable[Mapping[str, Any]]) -> int:
    """Compute the filter of some logs.

    Args:
        logs: Raw logs.

    Returns:
        The filter as a number, its last bit the lowest.
    """
    found = 0
    for log in logs:
        found |= _marks(log["address"].lower())
        for topic in log["topics"]:
            found |= _marks(topic)
    return found


def may_hold(bloom: int, addresses: Iterable[str]) -> bool:
    """Tell whether a block may have a log of one of some contracts.

    Args:
        bloom: The block's filter.
        addresses: The contracts, in lower case; none stands for any.
    """
    marks = [_marks(address) for address in addresses]
    return bool(bloom) and (not marks or any(bloom & mark == mark for mark in marks))


@lru_cache(maxsize=_REMEMBERED)
def _marks(value: str) -> int:
    """Return the three bits of an address or topic, given as hexadecimal text."""
    digest = keccak256(bytes.fromhex(value[2:]))
    marks = 0
    for at in (0, 2, 4):
        marks |= 1 << (int.from_bytes(digest[at : at + 2]) & _LAST_BIT)
    return marks
