"""The write-ahead journal: SQLite in WAL mode with ``synchronous=FULL``.

Every method that writes is one committed transaction, so what it returned from
is on disk. A raw transaction goes through these states and never back:

    accepted ──plan──► planned ──seal──► mined
        ▲                 ├──────seal──► rejected   (the engine refuses it for good)
        └──────seal───────┘                         (its nonce has to wait)

A block is *planned* (height, timestamp, parent, ordered transactions) before the
engine sees it and *sealed* (its hash) afterwards. At most one block, the last,
is planned and not sealed. The journal knows no engine and decides nothing.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node.engine.transactions import SignedTransaction
from node.errors import ConflictJournalError, UnavailableStorageError

FORMAT = "park-carbon-ledger/chain-journal/1"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    parent_hash BLOB NOT NULL,
    hash BLOB
) STRICT;
CREATE TABLE transactions (
    seq INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL,
    height INTEGER REFERENCES blocks (height),
    position INTEGER,
    rejection TEXT
) STRICT;
CREATE UNIQUE INDEX transactions_by_block ON transactions (height, position);
CREATE INDEX transactions_waiting ON transactions (seq)
    WHERE height IS NULL AND rejection IS NULL;
"""

_RETRY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
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
        path: The database file; created if absent.
        busy_timeout_s: How long to wait for another process's lock. [s]

    Raises:
        UnavailableStorageError: If the file cannot be opened or written now.
        ConflictJournalError: If the file is no journal of this format.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 2.0) -> None:
        self._path = path
        with self._translate():
            self._db = sqlite3.connect(
                path,
                timeout=busy_timeout_s,
                isolation_level=None,
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
        self._create_or_check()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def meta(self, key: str) -> str | None:
        """Return a fact recorded when the chain was created."""
        row = self._row("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else row[0]

    def record_meta(self, facts: dict[str, str]) -> None:
        """Record facts about the chain, all or none; none may exist yet."""
        with self._transaction():
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())

    def accept(self, transactions: Sequence[SignedTransaction]) -> None:
        """Commit transactions in order of arrival; only then acknowledge them."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO transactions (hash, raw) VALUES (?, ?)",
                [(each.hash, each.raw) for each in transactions],
            )

    def plan(self, block: PlannedBlock) -> None:
        """Commit what the next block will be."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO blocks (height, timestamp, parent_hash) VALUES (?, ?, ?)",
                (block.height, block.timestamp, block.parent_hash),
            )
            self._db.executemany(
                "UPDATE transactions SET height = ?, position = ? WHERE hash = ?",
                [
                    (block.height, position, digest)
                    for position, (digest, _) in enumerate(block.transactions)
                ],
            )

    def seal(self, block: MinedBlock) -> None:
        """Commit what became of the planned block."""
        with self._transaction():
            self._db.execute(
                "UPDATE blocks SET hash = ? WHERE height = ? AND hash IS NULL",
                (block.hash, block.height),
            )
            release = "UPDATE transactions SET height = NULL, position = NULL"
            self._db.executemany(
                f"{release}, rejection = ? WHERE hash = ?",
                [(reason, digest) for digest, reason in block.rejected.items()],
            )
            self._db.executemany(
                f"{release} WHERE hash = ?", [(digest,) for digest in block.returned]
            )

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

    def _create_or_check(self) -> None:
        present = self._row("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        if present is None:
            with self._transaction():
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
        found = self.meta("format")
        if found != FORMAT:
            raise ConflictJournalError(
                f"{self._path} is no chain journal this program reads: expected "
                f"format {FORMAT}, found {found}; use the program version that wrote it"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translate():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

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
                    "disk space, or end the program that holds it; nothing was "
                    "acknowledged that is not on disk"
                ) from exc
            raise ConflictJournalError(
                f"the chain journal {self._path} is damaged ({exc}): stop, keep a copy "
                "of the folder, and restore the journal from a backup"
            ) from exc
