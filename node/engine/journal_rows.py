"""What each record of the history does to the journal's tables.

The tables hold the present state for quick questions, the records how it came about;
this module is the one place that turns one into the other. It works inside the
caller's transaction and checks nothing: see ``audit``.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import cbor2

from node.engine.records import Record, decode_payload, encode_payload

__all__ = ["SCHEMA", "apply_payload", "insert_record", "stored_payload"]

SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    (
        "CREATE TABLE blocks (height INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, "
        "parent_hash BLOB NOT NULL, hash BLOB) STRICT"
    ),
    (
        "CREATE TABLE transactions (seq INTEGER PRIMARY KEY, "
        "hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, "
        "height INTEGER REFERENCES blocks (height), "
        "position INTEGER, rejection TEXT) STRICT"
    ),
    "CREATE UNIQUE INDEX transactions_by_block ON transactions (height, position)",
    (
        "CREATE INDEX transactions_waiting ON transactions (seq) "
        "WHERE height IS NULL AND rejection IS NULL"
    ),
    (
        "CREATE TABLE records (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
        "body BLOB NOT NULL, digest BLOB NOT NULL, witnessed INTEGER NOT NULL) STRICT"
    ),
    "CREATE INDEX vouched_snapshots ON records (body) WHERE kind = 'snapshot'",
)
"""``records.body`` is the payload, but for ``accept`` only first seq and count: its
transactions are stored once. ``witnessed``: how many records the witness had synced."""


def apply_payload(db: sqlite3.Connection, payload: bytes) -> None:
    """Do to the tables what a record says."""
    kind, fields = decode_payload(payload)
    _APPLY[kind](db, *fields)


def insert_record(db: sqlite3.Connection, record: Record, witnessed: int) -> None:
    """Store a record beside what it did."""
    kind, fields = decode_payload(record.payload)
    body = record.payload
    if kind == "accept":
        body = cbor2.dumps([fields[0], len(fields[1])])
    db.execute(
        "INSERT INTO records VALUES (?, ?, ?, ?, ?)",
        (record.number, kind, body, record.digest, witnessed),
    )


def stored_payload(db: sqlite3.Connection, kind: str, body: bytes) -> bytes:
    """Write a stored record's payload again.

    Raises:
        ValueError: If its body cannot be read.
    """
    if kind != "accept":
        return body
    try:
        first, count = cbor2.loads(body)
        bounds = int(first), int(first) + int(count)
    except (cbor2.CBORError, TypeError, OverflowError) as exc:
        raise ValueError(f"its body cannot be read ({exc})") from exc
    rows = db.execute(
        "SELECT hash, raw FROM transactions WHERE seq >= ? AND seq < ? ORDER BY seq",
        bounds,
    )
    return encode_payload("accept", first, [list(row) for row in rows])


def _facts(db: sqlite3.Connection, facts: dict[str, str]) -> None:
    db.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())


def _accept(
    db: sqlite3.Connection, first: int, transactions: Sequence[Sequence[bytes]]
) -> None:
    db.executemany(
        "INSERT INTO transactions (seq, hash, raw) VALUES (?, ?, ?)",
        [(first + at, digest, raw) for at, (digest, raw) in enumerate(transactions)],
    )


def _plan(
    db: sqlite3.Connection, height: int, timestamp: int, parent: bytes, seqs: list[int]
) -> None:
    db.execute(
        "INSERT INTO blocks (height, timestamp, parent_hash) VALUES (?, ?, ?)",
        (height, timestamp, parent),
    )
    db.executemany(
        "UPDATE transactions SET height = ?, position = ? WHERE seq = ?",
        [(height, position, seq) for position, seq in enumerate(seqs)],
    )


def _seal(
    db: sqlite3.Connection,
    height: int,
    block_hash: bytes,
    rejected: Sequence[tuple[int, str]],
    returned: Sequence[int],
) -> None:
    db.execute(
        "UPDATE blocks SET hash = ? WHERE height = ? AND hash IS NULL",
        (block_hash, height),
    )
    release = "UPDATE transactions SET height = NULL, position = NULL"
    db.executemany(
        f"{release}, rejection = ? WHERE seq = ?",
        [(reason, seq) for seq, reason in rejected],
    )
    db.executemany(f"{release} WHERE seq = ?", [(seq,) for seq in returned])


def _snapshot(*_: object) -> None:
    """Nothing but the record itself."""


_APPLY: dict[str, Callable[..., Any]] = {
    "facts": _facts,
    "accept": _accept,
    "plan": _plan,
    "seal": _seal,
    "snapshot": _snapshot,
}
