"""Store and forward of one carrier: nothing unsent is lost, nothing is signed twice.

    sample ─► sign, with seq and prev of the last message ─► commit ─► send ─► receipt

Rules kept: message, seq and link are on disk in one commit before a message leaves,
so a power loss can neither lose a reading nor make a second one with its seq; a
signed message is sent again and again as the same bytes until a receipt names its
digest; messages leave in order of seq. The outbox belongs to one carrier on one
contract and refuses every other.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from contracts.hashing import keccak256
from oracle.carrier.sources import MeterReading
from oracle.errors import ConflictOutboxError
from oracle.reading.checks import Domain
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    external_aad,
    message_digest,
    prev_link,
    sign_message,
)
from oracle.reading.suites import Signer, key_id_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS owner (carrier TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, raw BLOB NOT NULL,
    digest BLOB NOT NULL, receipt BLOB, problem TEXT
);
CREATE INDEX IF NOT EXISTS unsent ON messages (seq)
    WHERE receipt IS NULL AND problem IS NULL;
"""


@dataclass(frozen=True, slots=True)
class CarrierIdentity:
    """Who signs, and for which contract."""

    identifier: str
    """Identifier of the carrier."""
    domain: Domain
    """Chain and contract."""


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Where an outbox stands."""

    next_seq: int
    """Sequence number of the next reading."""
    unsent: int
    """Messages without receipt."""
    receipted: int
    """Messages that a member has on disk."""
    refused: int
    """Messages that the inbox refused for good."""
    last_ts: int | None
    """Time of the last reading [unix s]; None before the first."""


def read_status(path: Path) -> tuple[str, OutboxStatus]:
    """Look into an outbox without its key.

    Args:
        path: File of the database.

    Returns:
        Identifier of the carrier, and where the outbox stands.

    Raises:
        ConflictOutboxError: The file is no outbox or cannot be read.
    """
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with closing(database):
            row = database.execute("SELECT carrier FROM owner").fetchone()
            owner = json.loads(row[0])["identifier"] if row else "nobody yet"
            return owner, _status(database)
    except sqlite3.Error as exc:
        raise ConflictOutboxError(f"{path} is no readable outbox: {exc}") from exc


def _status(database: sqlite3.Connection) -> OutboxStatus:
    query = """SELECT coalesce(max(seq) + 1, 0),
        coalesce(sum(receipt IS NULL AND problem IS NULL), 0),
        count(receipt), count(problem), max(ts) FROM messages"""
    return OutboxStatus(*database.execute(query).fetchone())


class Outbox:
    """Signs readings and keeps them until a receipt comes.

    Args:
        path: File of the database; its folder exists.
        identity: Who signs, and for which contract.
        signer: Key of the carrier.

    Raises:
        ConflictOutboxError: The file belongs to another carrier or cannot be used.
    """

    def __init__(self, path: Path, identity: CarrierIdentity, signer: Signer) -> None:
        self._path = path
        self._signer = signer
        self._kid = key_id_of(signer.suite, signer.public_key)
        domain, name = identity.domain, keccak256(identity.identifier.encode())
        self._aad = external_aad(domain.chain_id, domain.carriers_address, name)
        with self._translated():
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_SCHEMA)
        self._claim(identity)

    def append(
        self, readings: Iterable[MeterReading], step_s: int | None = None
    ) -> int:
        """Sign readings and store them, all in one commit.

        Args:
            readings: Registers of the meter, in order of time.
            step_s: Nominal distance between readings. [s]

        Returns:
            How many were signed. Those not after the last stored one are left out:
            they were signed before.
        """
        with self._translated(), self._writing():
            seq, last_ts, prev = self._tip()
            first = seq
            for one in readings:
                if last_ts is not None and one.ts <= last_ts:
                    continue
                reading = Reading(self._kid, seq, one.ts, one.values, prev, step_s)
                raw = sign_message(reading, self._signer, self._aad)
                self._database.execute(
                    "INSERT INTO messages (seq, ts, raw, digest) VALUES (?, ?, ?, ?)",
                    (seq, one.ts, raw, message_digest(raw)),
                )
                seq, last_ts, prev = seq + 1, one.ts, prev_link(raw)
            return seq - first

    def unsent(self, limit: int) -> list[tuple[int, bytes]]:
        """List messages without receipt, in order of seq: seq and message."""
        query = """SELECT seq, raw FROM messages
            WHERE receipt IS NULL AND problem IS NULL ORDER BY seq LIMIT ?"""
        with self._translated():
            return self._database.execute(query, (limit,)).fetchall()

    def settle(self, receipts: dict[int, bytes], problems: dict[int, str]) -> None:
        """Store what the inbox answered.

        Args:
            receipts: Sequence number → receipt that covers it.
            problems: Sequence number → why the inbox will never take it.
        """
        with self._translated(), self._writing():
            self._database.executemany(
                "UPDATE messages SET receipt = ? WHERE seq = ?",
                [(receipt, seq) for seq, receipt in receipts.items()],
            )
            self._database.executemany(
                "UPDATE messages SET problem = ? WHERE seq = ?",
                [(problem, seq) for seq, problem in problems.items()],
            )

    def status(self) -> OutboxStatus:
        """Count what is stored."""
        with self._translated():
            return _status(self._database)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        """Return the open outbox."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def _claim(self, identity: CarrierIdentity) -> None:
        """Bind a new file to its carrier, and refuse another carrier's file."""
        domain = identity.domain
        wanted = json.dumps(
            {
                "identifier": identity.identifier,
                "chain_id": domain.chain_id,
                "carriers": domain.carriers_address.lower(),
            }
        )
        with self._translated(), self._writing():
            row = self._database.execute("SELECT carrier FROM owner").fetchone()
            if row is None:
                self._database.execute("INSERT INTO owner VALUES (?)", (wanted,))
        if row is not None and row[0] != wanted:
            message = (
                f"{self._path} belongs to another carrier: expected {wanted}, given "
                f"{row[0]}; use one outbox a carrier"
            )
            raise ConflictOutboxError(message)

    def _tip(self) -> tuple[int, int | None, bytes]:
        """Return the next seq, the last time and the link to the last message."""
        query = "SELECT seq, ts, raw FROM messages ORDER BY seq DESC LIMIT 1"
        row = self._database.execute(query).fetchone()
        if row is None:
            return 0, None, NO_PREV
        return row[0] + 1, row[1], prev_link(row[2])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            message = (
                f"the outbox {self._path} cannot be used ({exc}): check folder, rights "
                "and space, and that no other process uses it"
            )
            raise ConflictOutboxError(message) from exc
