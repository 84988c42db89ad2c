"""The write-ahead journal: SQLite in WAL mode with ``synchronous=FULL``.

Every method that writes is one committed transaction, so what it returned from
is on disk. A raw transaction goes through these states and never back:

    accepted ──plan──► planned ──seal──► mined
        ▲                 ├──────seal──► rejected   (the engine refuses it for good)
        └──────seal───────┘                         (its nonce has to wait)

A block is *planned* (height, timestamp, parent, ordered transactions) before the
engine sees it and *sealed* (its hash) afterwards. At most one block, the last,
is planned and not sealed. Each commit carries a record of the history (``records``),
which the witness beside the journal holds as well; opening the journal audits all of
it (``audit``). The journal knows no engine and decides nothing.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.engine.audit import (
    Audited,
    audit_history,
    audit_pages,
    remedy,
    require_no_traces,
    require_no_witness,
    stored_records,
)
from node.engine.journal_rows import SCHEMA, apply_payload, insert_record
from node.engine.records import BEFORE_FIRST, Record, encode_payload, next_record
from node.engine.transactions import SignedTransaction
from node.engine.witness import FILE_NAME as WITNESS_NAME
from node.engine.witness import WitnessLog
from node.errors import ConflictJournalError, UnavailableStorageError

FILE_NAME = "journal.sqlite"
FORMAT = "park-carbon-ledger/chain-journal/2"

_RETRY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
_PRIMARY_CODE_MASK = 0xFF


@dataclass(frozen=True, slots=True)
class PlannedBlock:
    """What is decided about a block before the engine mines it."""

    height: int
    timestamp: int
    """Unix seconds, later than the parent's."""

    parent_hash: bytes
    """32 bytes."""

    transactions: tuple[tuple[bytes, bytes], ...]
    """Ordered pairs of hash and raw transaction."""

    hash: bytes | None = None
    """32 bytes once sealed."""


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """What the engine made of a planned block."""

    height: int
    hash: bytes
    """32 bytes."""

    included: tuple[bytes, ...]
    """Hashes of its transactions in order."""

    rejected: dict[bytes, str] = field(default_factory=dict)
    """Hash to reason: refused for good."""

    returned: tuple[bytes, ...] = ()
    """Hashes that wait for an earlier nonce."""


class Journal:
    """The journal of one chain.

    Args:
        path: The database file; created if absent, with the witness beside it.
        busy_timeout_s: How long to wait for another process's lock. [s]

    Raises:
        UnavailableStorageError: If a file cannot be opened or written now.
        ConflictJournalError: If the file is no journal of this format, is damaged,
            or tells another history than the witness.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 2.0) -> None:
        self._path = path
        self._witness: WitnessLog | None = None
        self._last = BEFORE_FIRST
        self._is_unsure = False
        self._busy_timeout_s = busy_timeout_s
        require_no_traces(path)
        found = self._audit()
        with self._translate():
            self._db = sqlite3.connect(
                path, timeout=busy_timeout_s, isolation_level=None
            )
        try:
            self._open(found)
        except BaseException:
            self.close()
            raise

    def _audit(self) -> Audited | None:
        """Audit the file through a connection that only reads.

        So a refusal leaves every file as it is; the last connection that may write
        would empty the write-ahead log. None if there is nothing to audit yet.
        """
        path = self._path
        if not path.exists() or not path.stat().st_size:
            return None
        where = f"{path.absolute().as_uri()}?mode=ro"
        timeout_s = self._busy_timeout_s
        with (
            self._translate(),
            closing(sqlite3.connect(where, timeout_s, uri=True)) as db,
        ):
            db.execute("PRAGMA cell_size_check = ON")
            query = "SELECT 1 FROM sqlite_master WHERE name = 'meta'"
            if db.execute(query).fetchone() is None:
                require_no_witness(path)
                return None
            _require_format(db, path)
            audit_pages(db, path)
            return audit_history(db, path, path.with_name(WITNESS_NAME))

    def _open(self, found: Audited | None) -> None:
        with self._translate():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
        if found is None:
            self._create()
            found = Audited(self._last, BEFORE_FIRST, 0)
        self._require_writable()
        self._last = found.last
        self._witness = WitnessLog(
            self._path.with_name(WITNESS_NAME), found.witness_last, found.witness_length
        )
        self._complete_witness()

    def close(self) -> None:
        """Close the files."""
        self._db.close()
        if self._witness is not None:
            self._witness.close()

    def meta(self, key: str) -> str | None:
        """Return a fact recorded when the chain was created."""
        row = self._row("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else row[0]

    def record_meta(self, facts: dict[str, str]) -> None:
        """Record facts about the chain, all or none; none may exist yet."""
        self._commit("facts", facts)

    def accept(self, transactions: Sequence[SignedTransaction]) -> None:
        """Commit transactions in order of arrival; only then acknowledge them."""
        row = self._row("SELECT coalesce(max(seq), 0) FROM transactions")
        pairs = [[each.hash, each.raw] for each in transactions]
        self._commit("accept", row[0] + 1 if row else 1, pairs)
        self.confirm()

    def confirm(self) -> None:
        """Make sure that the witness has everything, before an acknowledgement.

        Raises:
            UnavailableStorageError: If it cannot be written now.
        """
        if self._witness is not None:
            self._witness.confirm()

    def plan(self, block: PlannedBlock) -> None:
        """Commit what the next block will be."""
        seqs = [self._seq(digest) for digest, _ in block.transactions]
        fields = (block.height, block.timestamp, block.parent_hash, seqs)
        self._commit("plan", *fields)

    def seal(self, block: MinedBlock) -> None:
        """Commit what became of the planned block."""
        rejected = [
            [self._seq(digest), reason] for digest, reason in block.rejected.items()
        ]
        returned = [self._seq(digest) for digest in block.returned]
        self._commit("seal", block.height, block.hash, rejected, returned)

    def vouch(self, height: int, block_hash: bytes, sha256: bytes) -> None:
        """Record that a snapshot of a height is ours."""
        self._commit("snapshot", height, block_hash, sha256)

    def vouches(self, height: int, block_hash: bytes, sha256: bytes) -> bool:
        """Tell whether a snapshot is one that was recorded."""
        body = encode_payload("snapshot", height, block_hash, sha256)
        query = "SELECT 1 FROM records WHERE kind = 'snapshot' AND body = ?"
        return self._row(query, body) is not None

    def load(self, records: Iterable[Record]) -> None:
        """Take over the history of another journal or witness, in one transaction.

        Args:
            records: All of it, into a journal that holds nothing else.
        """
        with self._transaction():
            for record in records:
                if record.number > 1:  # the first is every journal's own
                    self._apply(record.payload)
        self._complete_witness()

    def head(self) -> PlannedBlock | None:
        """Return the newest sealed block, or None before the first."""
        row = self._row("SELECT max(height) FROM blocks WHERE hash IS NOT NULL")
        return None if row is None or row[0] is None else self.block(row[0])

    def block(self, height: int) -> PlannedBlock | None:
        """Return a block, or None if there is none of that height."""
        row = self._row(
            "SELECT timestamp, parent_hash, hash FROM blocks WHERE height = ?", height
        )
        if row is None:
            return None
        planned = self._rows(
            "SELECT hash, raw FROM transactions WHERE height = ? ORDER BY position",
            height,
        )
        return PlannedBlock(height, row[0], row[1], tuple(planned), row[2])

    def blocks_after(self, height: int) -> Iterator[PlannedBlock]:
        """Yield all later blocks in order; the last may be unsealed."""
        while (block := self.block(height + 1)) is not None:
            yield block
            height += 1

    def highest(self) -> int:
        """Return the height of the newest block, planned or sealed; 0 if none."""
        row = self._row(
            "SELECT max(coalesce((SELECT max(height) FROM blocks), 0), "
            "coalesce((SELECT max(height) FROM transactions), 0))"
        )
        return 0 if row is None else int(row[0])

    def waiting(self) -> list[tuple[bytes, bytes]]:
        """Return hash and raw bytes of what waits for a block, oldest first."""
        return self._rows(
            "SELECT hash, raw FROM transactions "
            "WHERE height IS NULL AND rejection IS NULL ORDER BY seq"
        )

    def fate(self, digest: bytes) -> str | None:
        """Tell what became of a transaction.

        Returns:
            None if it was never accepted, the empty string if it waits or was
            mined, else the reason of its rejection.
        """
        row = self._row(
            "SELECT coalesce(rejection, '') FROM transactions WHERE hash = ?", digest
        )
        return None if row is None else row[0]

    def _create(self) -> None:
        with self._transaction():
            for statement in SCHEMA:
                self._db.execute(statement)
            self._apply(encode_payload("facts", {"format": FORMAT}))

    def _require_writable(self) -> None:
        with self._translate():
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("ROLLBACK")

    def _commit(self, kind: str, *fields: Any) -> None:
        """Apply a record to the tables, commit both, and tell the witness."""
        with self._transaction():
            self._apply(encode_payload(kind, *fields))
        self._complete_witness()

    def _apply(self, payload: bytes) -> None:
        record = next_record(self._last, payload)
        apply_payload(self._db, payload)
        synced = 0 if self._witness is None else self._witness.synced_count
        insert_record(self._db, record, synced)
        self._last = record

    def _complete_witness(self) -> None:
        """Write to the witness what it does not have yet."""
        if self._witness is None:
            return
        written = self._witness.written_count
        if written == self._last.number - 1 and self._last.payload:
            self._witness.append(self._last)
            return
        with self._translate():
            for record in stored_records(self._db, written):
                self._witness.append(record)

    def _seq(self, digest: bytes) -> int:
        row = self._row("SELECT seq FROM transactions WHERE hash = ?", digest)
        if row is None:
            raise ValueError(f"transaction {digest.hex()} was never accepted")
        return int(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translate():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if self._is_unsure:
                    self._read_last()
                self._is_unsure = True
                yield
                self._db.execute("COMMIT")
                self._is_unsure = False
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _read_last(self) -> None:
        """Look up the last record after a commit that failed, or only seemed to."""
        row = self._row(
            "SELECT number, digest FROM records ORDER BY number DESC LIMIT 1"
        )
        self._last = BEFORE_FIRST if row is None else Record(row[0], b"", row[1])

    def _row(self, query: str, *values: object) -> tuple | None:  # type: ignore[type-arg]
        rows = self._rows(query, *values)
        return rows[0] if rows else None

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._translate():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _translate(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & _PRIMARY_CODE_MASK
            if code in _RETRY:
                raise UnavailableStorageError(
                    f"the chain journal {self._path} cannot be used now ({exc}): free "
                    "disk space, correct its permissions, or end the program that "
                    "holds it; nothing was acknowledged that is not on disk"
                ) from exc
            raise ConflictJournalError(
                f"the chain journal {self._path} is damaged ({exc}); "
                f"{remedy(self._path.parent)}"
            ) from exc


def _require_format(db: sqlite3.Connection, path: Path) -> None:
    row = db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    found = row[0] if row else "none"
    if found != FORMAT:
        raise ConflictJournalError(
            f"{path} is no chain journal this program reads: expected format {FORMAT}, "
            f"found {found}; use the program version that wrote it, or, if it was "
            f"damaged, {remedy(path.parent)}"
        )
