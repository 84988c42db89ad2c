"""Holding the journal's tables against its own records, and both against the witness.

 1. the database's pages and indexes are sound, and the tables are as created
 2. every record has its number and its digest over all before it
 3. the tables are what the records make, row for row
 4. the witness tells the same history, reaches at least as far as the journal says it
    was synced, and no further than the journal

So a flipped bit, a lost row, a dropped write-ahead log and an older copy of either
file each have a name. Nothing is changed here.
"""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.engine.journal_rows import SCHEMA, stored_payload
from node.engine.records import BEFORE_FIRST, Record, decode_payload, next_record
from node.engine.witness import FILE_NAME, end_of, frame_length, read_witness
from node.errors import ConflictJournalError

__all__ = [
    "Audited",
    "audit_history",
    "audit_pages",
    "audit_records",
    "remedy",
    "require_no_traces",
    "require_no_witness",
    "stored_records",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Audited:
    """Where two sound accounts of one chain end."""

    last: Record
    """The journal's last record."""

    witness_last: Record
    """The witness's last record."""

    witness_length: int
    """Where that ends in its file, 0 where there is none. [B]"""


def remedy(folder: Path) -> str:
    """Say what to do about damaged files."""
    return (
        "stop, keep a copy of the folder, look with 'carbon-node engine check "
        f"--data-dir {folder}' and mend with 'carbon-node engine salvage --data-dir "
        f"{folder}', or restore a backup"
    )


def audit_pages(db: sqlite3.Connection, path: Path) -> None:
    """Check pages, indexes and table definitions.

    Raises:
        ConflictJournalError: If one of them is damaged.
        sqlite3.DatabaseError: If the file cannot even be read so far.
    """
    (finding, *_) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if finding != "ok":
        raise _damaged(path, f"its pages or indexes ({finding})")
    found = {row[0] for row in db.execute("SELECT sql FROM sqlite_master") if row[0]}
    if found != set(SCHEMA):
        raise _damaged(path, "its table definitions")


def audit_history(db: sqlite3.Connection, path: Path, witness: Path) -> Audited:
    """Check records, rows and witness against each other.

    Args:
        db: The journal, its pages sound.
        path: Its path.
        witness: The witness's path.

    Returns:
        Where both end.

    Raises:
        ConflictJournalError: At the first disagreement.
    """
    last = witness_last = BEFORE_FIRST
    length = 0
    seen = read_witness(witness)
    for record in audit_records(db, path):
        last = record
        other = next(seen, None)
        if other is not None and other.digest != record.digest:
            raise ConflictJournalError(
                f"{path} and {witness} tell different histories from record "
                f"{record.number} on: one of them is of another chain or an altered "
                f"copy; {remedy(path.parent)}"
            )
        if other is not None:
            witness_last, length = other, length + frame_length(other)
    beyond = sum(1 for _ in seen)
    _check_reach(db, (path, witness), (last.number, witness_last.number, beyond))
    return Audited(last, witness_last, end_of(length) if length else 0)


def audit_records(db: sqlite3.Connection, path: Path) -> Iterator[Record]:
    """Yield every record after checking its number, its digest and its rows.

    Raises:
        ConflictJournalError: At the first fault, or at the end if rows do not add up.
    """
    fold = _Fold(db)
    last, where = BEFORE_FIRST, "record 1"
    try:
        for stored in stored_records(db, 0):
            record = next_record(last, stored.payload)
            if stored != record:
                raise ValueError(  # noqa: TRY301  # named below
                    "its rows or its digest were altered"
                )
            fold.take(*decode_payload(record.payload))
            last, where = record, f"record {record.number + 1}"
            yield record
        where = "its tables"
        fold.finish()
    except ValueError as exc:
        raise _damaged(path, f"{where} ({exc})") from exc


def stored_records(db: sqlite3.Connection, after: int) -> Iterator[Record]:
    """Yield the journal's records after a number, their digests as stored.

    Raises:
        ValueError: If one cannot be read.
    """
    query = "SELECT number, kind, body, digest FROM records WHERE number > ?"
    for number, kind, body, digest in db.execute(f"{query} ORDER BY number", (after,)):
        yield Record(number, stored_payload(db, kind, body), digest)


def require_no_traces(path: Path) -> None:
    """Refuse to begin a chain where one has been.

    Args:
        path: Where the journal should be.

    Raises:
        ConflictJournalError: If it is missing or empty, but other files tell of it.
    """
    if path.exists() and path.stat().st_size:
        return
    require_no_witness(path)
    traces = [path.with_name("genesis.json"), *path.parent.glob("snapshots/*.snapshot")]
    for trace in traces:
        if trace.exists():
            raise ConflictJournalError(
                f"the chain journal {path} is missing, but {trace} shows that a chain "
                f"was here; {remedy(path.parent)}; for a new chain choose another "
                "folder"
            )


def require_no_witness(path: Path) -> None:
    """Refuse an empty journal beside a witness that knows more.

    Raises:
        ConflictJournalError: If there is such a witness.
    """
    witness = path.with_name(FILE_NAME)
    if next(read_witness(witness), None) is not None:
        raise ConflictJournalError(
            f"the chain journal {path} is missing or empty, but {witness} holds its "
            f"records; {remedy(path.parent)}"
        )


def _check_reach(
    db: sqlite3.Connection, files: tuple[Path, Path], counts: tuple[int, int, int]
) -> None:
    path, witness = files
    recorded, witnessed, beyond = counts
    if beyond:
        raise ConflictJournalError(
            f"{path} ends at record {recorded}, but {witness} holds "
            f"{recorded + beyond}: an older copy of the journal was put back, or its "
            f"-wal file was lost; {remedy(path.parent)}"
        )
    (synced,) = db.execute("SELECT coalesce(max(witnessed), 0) FROM records").fetchone()
    if witnessed < synced:
        raise ConflictJournalError(
            f"{witness} ends at record {witnessed}, but held {synced}: it is damaged, "
            f"missing or an older copy; {remedy(path.parent)}"
        )
    if witnessed < recorded:
        logger.info("witness is completed from=%s to=%s", witnessed, recorded)


@dataclass(slots=True)
class _Fold:
    """The state that the records make, compared with the rows as it grows."""

    db: sqlite3.Connection
    facts: dict[str, str] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    accepted: int = 0
    rejected: int = 0
    planned: tuple[Any, ...] | None = None
    """Height, time, parent and seqs of the block that is not sealed."""
    height: int = 0

    def take(self, kind: str, fields: list[Any]) -> None:
        """Take in a record.

        Raises:
            ValueError: If it does not fit those before it, or its rows do not fit it.
        """
        if kind != "snapshot":
            getattr(self, f"_{kind}")(*fields)

    def finish(self) -> None:
        """Compare what only the whole history decides."""
        if self.planned is not None:
            self._check_block(None, self.planned[3])
        self._expect("facts", dict(self._rows("SELECT key, value FROM meta")))
        waiting = self._rows(
            "SELECT seq FROM transactions NOT INDEXED "
            "WHERE height IS NULL AND rejection IS NULL"
        )
        self._expect("waiting", {seq for (seq,) in waiting})
        count = "SELECT count(*) FROM transactions NOT INDEXED"
        self._expect("accepted", self._rows(count)[0][0])
        count += " WHERE rejection IS NOT NULL"
        self._expect("rejected", self._rows(count)[0][0])
        count = "SELECT count(*) FROM blocks"
        self._expect("height", self._rows(count)[0][0])
        count = "SELECT 1 FROM records WHERE witnessed NOT BETWEEN 0 AND number - 1"
        if self._rows(count):
            raise ValueError("what the witness had synced was altered")

    def _expect(self, name: str, found: object) -> None:
        if getattr(self, name) != found:
            raise ValueError(f"{name}: rows are missing or were altered")

    def _facts(self, facts: dict[str, str]) -> None:
        self.facts |= facts

    def _accept(self, first: int, transactions: list[Any]) -> None:
        if first != self.accepted + 1:
            raise ValueError(f"transaction {self.accepted + 1} is missing")
        self.accepted += len(transactions)
        self.waiting.update(range(first, self.accepted + 1))

    def _plan(self, height: int, timestamp: int, parent: bytes, seqs: Any) -> None:
        if self.planned is not None or height != self.height + 1:
            raise ValueError(f"expected a plan of block {self.height + 1}")
        if not self.waiting.issuperset(seqs):
            raise ValueError(f"block {height} plans transactions that do not wait")
        self.waiting.difference_update(seqs)
        self.planned = (height, timestamp, parent, seqs)
        self.height = height

    def _seal(self, height: int, digest: bytes, rejected: Any, returned: Any) -> None:
        if self.planned is None or self.planned[0] != height:
            raise ValueError(f"block {height} is sealed without a plan")
        reasons = {seq: reason for seq, reason in rejected}  # noqa: C416  # pairs are lists
        gone = reasons.keys() | set(returned)
        self._check_block(digest, [s for s in self.planned[3] if s not in gone])
        for seq, reason in reasons.items():
            query = "SELECT rejection, height FROM transactions WHERE seq = ?"
            if self._rows(query, seq) != [(reason, None)]:
                raise ValueError(f"rejected transaction {seq} was altered")
        self.rejected += len(reasons)
        self.waiting.update(returned)
        self.planned = None

    def _check_block(self, digest: bytes | None, seqs: list[int]) -> None:
        height, timestamp, parent, planned = self.planned or (0, 0, b"", [])
        query = "SELECT timestamp, parent_hash, hash FROM blocks WHERE height = ?"
        if self._rows(query, height) != [(timestamp, parent, digest)]:
            raise ValueError(f"block {height} was altered")
        query = "SELECT seq, position FROM transactions WHERE height = ?"
        where = {seq: position for position, seq in enumerate(planned)}
        expected = {(seq, where[seq]) for seq in seqs}
        if set(self._rows(query, height)) != expected:
            raise ValueError(f"transactions of block {height} were altered")

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self.db.execute(query, values).fetchall()


def _damaged(path: Path, what: str) -> ConflictJournalError:
    return ConflictJournalError(
        f"the chain journal {path} is damaged: {what}; {remedy(path.parent)}"
    )
