"""Stored readings of a member's inbox, page by page."""

from dataclasses import dataclass
from typing import Any

from node.errors import (
    InvalidReferenceError,
    InvalidRequestError,
    NodeError,
    UnavailableMemberError,
)
from node.services.ports import ReadingSource
from oracle.errors import OracleError
from oracle.inbox.reader import StoredReading

__all__ = ["ReadingPage", "ingest_counts", "list_readings"]

MAX_PERIOD_S = 31 * 86_400
"""Longest period of one question. [s]"""


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """Some readings of a carrier, by time."""

    items: list[dict[str, Any]]
    """Readings."""
    next: int | None
    """Time from which the next page begins, None at the end. [unix s]"""


def ingest_counts(source: ReadingSource | None) -> dict[str, int]:
    """Count what the inbox holds.

    Args:
        source: The inbox, None where the node has none.

    Returns:
        Rows by table.

    Raises:
        InvalidReferenceError: If the node has no inbox.
        UnavailableMemberError: If the inbox does not answer.
    """
    try:
        return _required(source).counts()
    except OracleError as exc:
        raise _unavailable(exc) from exc


def list_readings(
    source: ReadingSource | None, identifier: str, from_ts: int, to_ts: int, limit: int
) -> ReadingPage:
    """List a carrier's readings of a period.

    Args:
        source: The inbox, None where the node has none.
        identifier: The carrier.
        from_ts: Begin. [unix s]
        to_ts: End, exclusive. [unix s]
        limit: Most readings; those of the last second come whole.

    Returns:
        The page.

    Raises:
        InvalidRequestError: If the period is empty or too long.
        InvalidReferenceError: If the node has no inbox.
        UnavailableMemberError: If the inbox does not answer.
    """
    if not 0 < to_ts - from_ts <= MAX_PERIOD_S:
        raise InvalidRequestError(
            f"Parameters from_ts and to_ts: expected a period of 1 to {MAX_PERIOD_S} "
            f"s, given {to_ts - from_ts} s; ask for less at a time."
        )
    try:
        found = _required(source).readings_of(identifier, from_ts, to_ts)
    except OracleError as exc:
        raise _unavailable(exc) from exc
    by_time = sorted(found, key=lambda one: (one.ts, one.seq))
    page = [
        one for one in by_time if len(by_time) <= limit or one.ts < by_time[limit].ts
    ]
    if not page:
        page = by_time
    is_whole = len(page) == len(by_time)
    following = None if is_whole else by_time[len(page)].ts
    return ReadingPage([_row(one) for one in page], following)


def _required(source: ReadingSource | None) -> ReadingSource:
    if source is None:
        raise InvalidReferenceError(
            "This node has no inbox of readings; ask the node of an oracle member, or "
            "give the setting inbox_database."
        )
    return source


def _unavailable(exc: OracleError) -> NodeError:
    return UnavailableMemberError(f"The inbox does not answer: {exc}")


def _row(stored: StoredReading) -> dict[str, Any]:
    return {
        "identifier": stored.identifier,
        "seq": stored.seq,
        "ts": stored.ts,
        "received_at": stored.received_at,
        "digest": stored.digest,
        "raw": stored.raw,
        "facts": [fact.kind.name.lower() for fact in stored.facts],
        "batch_stream": stored.batch_stream,
        "batch_seq": stored.batch_seq,
        "batch_index": stored.batch_index,
    }
