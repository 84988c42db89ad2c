"""Results of a request, and how they travel.

    body       CBOR [results, receipts]
    results    [[status, receipt index], …] or [status, check, why] if not accepted
    receipts   [COSE_Sign1, …], each once

Shared by the inbox and its clients; needs no web framework. Pure.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import cbor2

from oracle.errors import InvalidRequestError


class Status(IntEnum):
    """What became of a message."""

    ACCEPTED = 0
    """New and stored."""
    REPLAYED = 1
    """Stored before with the same bytes."""
    REFUSED = 2
    """Refused by one of checks 1 to 5; kept as a dead letter."""
    CONFLICT = 3
    """The carrier signed other bytes for this seq; both are kept as evidence."""


class Result(NamedTuple):
    """Answer to one message."""

    status: Status
    """What became of it."""
    receipt: bytes
    """Signed receipt that covers it; empty if it was not accepted."""
    check: int
    """Check that stopped it; 0 if none did."""
    detail: str
    """Why it was not accepted; empty if it was."""


def encode_results(results: Sequence[Result]) -> bytes:
    """Encode results, each receipt once.

    Args:
        results: Results of one request.

    Returns:
        CBOR array of results and receipts, as the module's drawing says.
    """
    places: dict[bytes, int] = {}
    rows: list[tuple[Any, ...]] = []
    for status, receipt, check, detail in results:
        if receipt:
            rows.append((int(status), places.setdefault(receipt, len(places))))
        else:
            rows.append((int(status), check, detail))
    return cbor2.dumps([rows, list(places)])


def decode_results(data: bytes) -> list[Result]:
    """Decode what `encode_results` encoded.

    Args:
        data: Body of an answer.

    Returns:
        Results in the order of the messages.

    Raises:
        InvalidRequestError: The bytes are no such answer.
    """
    try:
        rows, receipts = cbor2.loads(data)
        return [_result(row, receipts) for row in rows]
    except (cbor2.CBORDecodeError, ValueError, TypeError, IndexError) as exc:
        message = f"the inbox's answer is unreadable: {exc}"
        raise InvalidRequestError(message, 502) from exc


def _result(row: list[Any], receipts: list[bytes]) -> Result:
    status = Status(row[0])
    if status in (Status.ACCEPTED, Status.REPLAYED):
        return Result(status, receipts[row[1]], 0, "")
    return Result(status, b"", row[1], row[2])
