"""Looking at an embedded chain's files without changing them.

The journal is read from a copy, since opening a damaged database can alter it. What is
found says which of the two accounts, journal and witness, is sound, how far each
reaches, and which snapshots are of use.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from node.engine.audit import audit_pages, audit_records
from node.engine.journal import FILE_NAME
from node.engine.records import Record, decode_payload, encode_payload
from node.engine.snapshots import SnapshotFolder, read_snapshot
from node.engine.witness import FILE_NAME as WITNESS_NAME
from node.engine.witness import end_of, frame_length, read_witness
from node.errors import ConflictJournalError, UnavailableStorageError

__all__ = ["Account", "Examination", "SeenSnapshot", "copied_journal", "examine"]


@dataclass(frozen=True, slots=True)
class Account:
    """What one file, journal or witness, says of the chain."""

    records: int
    """Sound records from the first on."""

    height: int
    """Highest block, planned or sealed, that they tell of."""

    fault: str | None
    """Why it is not sound as a whole."""


@dataclass(frozen=True, slots=True)
class SeenSnapshot:
    """A snapshot's file."""

    path: Path
    height: int | None
    """Its block, None if the file is damaged."""

    is_vouched: bool
    """Whether journal or witness names it."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What an embedded chain's folder holds."""

    folder: Path
    journal: Account
    witness: Account
    common: int
    """Leading records that both tell alike."""

    synced: int
    """How many records the journal says the witness had on disk."""

    snapshots: tuple[SeenSnapshot, ...]


def examine(folder: Path) -> Examination:
    """Look at the files of a chain that is not running.

    Args:
        folder: The engine's data folder.

    Returns:
        What was found.

    Raises:
        UnavailableStorageError: If a file cannot be read or copied now.
    """
    mine, theirs = _Seen(), _Seen()
    with copied_journal(folder) as copy:
        fault, synced = _read_journal(copy, folder, mine)
    path = folder / WITNESS_NAME
    for record in read_witness(path):
        theirs.take(record)
    pairs = zip(mine.digests, theirs.digests, strict=False)
    alike = takewhile(lambda pair: pair[0] == pair[1], pairs)
    vouched = mine.snapshots | theirs.snapshots
    return Examination(
        folder,
        Account(len(mine.digests), mine.height, fault),
        Account(len(theirs.digests), theirs.height, _witness_fault(path, theirs)),
        common=sum(1 for _ in alike),
        synced=synced,
        snapshots=tuple(_see(each, vouched) for each in _snapshot_paths(folder)),
    )


@contextmanager
def copied_journal(folder: Path) -> Iterator[Path]:
    """Copy the journal's files to a place of their own for a while.

    Yields:
        Path of the copy; there may be no file.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".look-", dir=folder) as place:
            for suffix in ("", "-wal"):
                source = folder / (FILE_NAME + suffix)
                if source.exists():
                    shutil.copyfile(source, Path(place) / source.name)
            yield Path(place) / FILE_NAME
    except OSError as exc:
        raise UnavailableStorageError(
            f"the chain's files in {folder} cannot be read or copied ({exc}): correct "
            "their permissions, or free disk space for a copy of the journal"
        ) from exc


@dataclass(slots=True)
class _Seen:
    """What one account told so far."""

    digests: list[bytes] = field(default_factory=list)
    snapshots: set[bytes] = field(default_factory=set)
    height: int = 0
    length: int = 0
    """Bytes of the records in a witness."""

    def take(self, record: Record) -> None:
        kind, fields = decode_payload(record.payload)
        self.digests.append(record.digest)
        self.length += frame_length(record)
        if kind == "plan":
            self.height = fields[0]
        if kind == "snapshot":
            self.snapshots.add(record.payload)


def _read_journal(copy: Path, folder: Path, seen: _Seen) -> tuple[str | None, int]:
    """Take in a copied journal; return its fault and what it says was synced."""
    if not copy.exists():
        return f"{folder / FILE_NAME} is missing", 0
    synced = 0
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            query = "SELECT coalesce(max(witnessed), 0) FROM records"
            (synced,) = db.execute(query).fetchone()
            audit_pages(db, folder / FILE_NAME)
            for record in audit_records(db, folder / FILE_NAME):
                seen.take(record)
    except ConflictJournalError as exc:
        return str(exc).partition("; ")[0], synced
    except (sqlite3.Error, ValueError) as exc:
        return f"{folder / FILE_NAME} cannot be read ({exc})", synced
    return None, synced


def _witness_fault(path: Path, seen: _Seen) -> str | None:
    if not path.exists():
        return f"{path} is missing"
    excess = path.stat().st_size - end_of(seen.length)
    if excess:
        return f"{path} is unsound after record {len(seen.digests)}"
    return None


def _see(path: Path, vouched: set[bytes]) -> SeenSnapshot:
    snapshot = read_snapshot(path)
    if snapshot is None:
        return SeenSnapshot(path, None, is_vouched=False)
    facts = snapshot.height, snapshot.block_hash, snapshot.sha256
    payload = encode_payload("snapshot", *facts)
    return SeenSnapshot(path, snapshot.height, is_vouched=payload in vouched)


def _snapshot_paths(folder: Path) -> list[Path]:
    where = folder / "snapshots"
    return SnapshotFolder(where).paths() if where.exists() else []
