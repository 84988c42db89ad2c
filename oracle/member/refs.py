"""Names of readings: what a proposal lists instead of whole messages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from oracle.errors import InvalidProposalError

REF_BYTES = 72
"""Length of a name. [bytes]"""
SEQ_LIMIT = 1 << 63
"""Sequence numbers of readings are smaller."""


@dataclass(frozen=True, slots=True)
class ReadingRef:
    """Name of one reading."""

    identifier_hash: bytes
    """32 bytes, keccak256 of the carrier's identifier."""
    seq: int
    """Sequence number."""
    digest: bytes
    """32 bytes, keccak256 of the message."""


def join_refs(refs: Sequence[ReadingRef]) -> bytes:
    """Encode names of readings, 72 bytes each.

    Args:
        refs: Names in order.

    Returns:
        Identifier hash (32), seq (8) and digest (32) of each, one after the other.
    """
    return b"".join(
        ref.identifier_hash + ref.seq.to_bytes(8, "big") + ref.digest for ref in refs
    )


def split_refs(joined: bytes) -> tuple[ReadingRef, ...]:
    """Decode what `join_refs` encoded.

    Args:
        joined: Names, 72 bytes each.

    Returns:
        The names in order.

    Raises:
        InvalidProposalError: The length is not a multiple of 72, or a sequence number
            is none.
    """
    if len(joined) % REF_BYTES:
        expected = f"a multiple of {REF_BYTES} bytes"
        raise InvalidProposalError("shape", expected, f"{len(joined)}")
    refs = tuple(
        ReadingRef(
            joined[start : start + 32],
            int.from_bytes(joined[start + 32 : start + 40], "big"),
            joined[start + 40 : start + REF_BYTES],
        )
        for start in range(0, len(joined), REF_BYTES)
    )
    if beyond := [ref.seq for ref in refs if ref.seq >= SEQ_LIMIT]:
        expected = f"sequence numbers below {SEQ_LIMIT}"
        raise InvalidProposalError("names", expected, str(beyond[0]))
    return refs
