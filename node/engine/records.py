"""The chain's history as numbered records, each sealed by a digest over all before it.

    digest(n) = SHA-256(digest(n-1) ‖ payload(n))        digest(0) = 32 zero bytes

A payload is deterministic CBOR: an array of the kind and its fields.

    facts     {key: text}                          what is fixed for the chain
    accept    first seq, [[hash, raw], …]          transactions in order of arrival
    plan      height, time, parent, [seq, …]       what the next block will be
    seal      height, hash, [[seq, reason], …], [seq, …]   rejected, and waiting again
    snapshot  height, hash, SHA-256                a state the journal vouches for

Whoever holds the records up to a number can build the journal up to it, and the
journal can write the records again, byte for byte. Pure: no file, no clock.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2

__all__ = ["BEFORE_FIRST", "Record", "decode_payload", "encode_payload", "next_record"]

_KINDS = {"facts": 1, "accept": 2, "plan": 4, "seal": 4, "snapshot": 3}


@dataclass(frozen=True, slots=True)
class Record:
    """One step of the chain's history."""

    number: int
    """1, 2, 3, …"""

    payload: bytes
    """Deterministic CBOR."""

    digest: bytes
    """32 bytes, over this and all earlier payloads."""


BEFORE_FIRST = Record(0, b"", bytes(32))
"""What the first record follows."""


def encode_payload(kind: str, *fields: Any) -> bytes:
    """Write a record's payload."""
    return cbor2.dumps([kind, *fields], canonical=True)


def decode_payload(payload: bytes) -> tuple[str, list[Any]]:
    """Read a record's payload.

    Returns:
        Its kind and its fields.

    Raises:
        ValueError: If it is no record of this format.
    """
    try:
        kind, *fields = cbor2.loads(payload)
    except (cbor2.CBORError, TypeError, ValueError, RecursionError) as exc:
        raise ValueError(f"a record that is no CBOR array ({exc})") from exc
    if not isinstance(kind, str) or _KINDS.get(kind) != len(fields):
        raise ValueError(f"a record of unknown kind {kind!r}")
    return kind, fields


def next_record(last: Record, payload: bytes) -> Record:
    """Seal a payload as the record after ``last``."""
    digest = hashlib.sha256(last.digest + payload).digest()
    return Record(last.number + 1, payload, digest)
