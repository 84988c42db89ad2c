"""The witness: a second, append-only account of everything the journal committed.

SQLite drops a damaged or absent write-ahead log without a word, and an older copy of
the journal is a sound journal. The witness knows better: one file, ``witness.log``,
that holds every record of the journal after a first line naming the format:

    length (4 bytes, big endian) ‖ payload ‖ digest (32 bytes)

A record is written here after the journal's commit and before the acknowledgement, so
the witness is never ahead of a sound journal. It is synced once a second and at the
stop; the journal notes how far that was, so the witness is never behind that either.
It decides nothing and mends nothing; whoever compares the two does.
"""

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from node.engine.records import BEFORE_FIRST, Record, next_record
from node.errors import UnavailableStorageError

__all__ = ["FILE_NAME", "WitnessLog", "end_of", "frame_length", "read_witness"]

logger = logging.getLogger(__name__)

FILE_NAME = "witness.log"
_HEAD = b"park-carbon-ledger/chain-witness/1\n"
_LENGTH_BYTES = 4
_DIGEST_BYTES = 32
_LONGEST_PAYLOAD = 2**30
_SYNC_INTERVAL_S = 1.0


def read_witness(path: Path) -> Iterator[Record]:
    """Yield the witness's records from the first on, up to the first that is unsound.

    Args:
        path: The file; an absent one has no records.

    Raises:
        UnavailableStorageError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_HEAD)) != _HEAD:
                return
            last = BEFORE_FIRST
            while (payload := _read_payload(file)) is not None:
                last = next_record(last, payload)
                if file.read(_DIGEST_BYTES) != last.digest:
                    return
                yield last
    except FileNotFoundError:
        return
    except OSError as exc:
        raise _unusable(path, exc) from exc


class WitnessLog:
    """The open witness, at the end of its records.

    Args:
        path: The file; created if absent.
        last: The last record that is kept.
        length: Bytes up to its end, 0 where there is none; the rest is cut off.

    Raises:
        UnavailableStorageError: If it cannot be opened or written now.
    """

    def __init__(self, path: Path, last: Record, length: int) -> None:
        self._path = path
        self._written_count = self._synced_count = last.number
        self._synced_length = max(length, len(_HEAD))
        self._unsynced = bytearray()
        self._written = 0
        self._sync_at = time.monotonic() + _SYNC_INTERVAL_S
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            self._begin(length)
        except OSError as exc:
            raise _unusable(path, exc) from exc

    @property
    def written_count(self) -> int:
        """How many records were appended."""
        return self._written_count

    @property
    def synced_count(self) -> int:
        """How many records are known to be on the disk."""
        return self._synced_count

    def append(self, record: Record) -> None:
        """Write a record; what could not be written is written with the next one."""
        self._unsynced += _frame(record)
        self._written_count = record.number
        try:
            self._write()
            if time.monotonic() >= self._sync_at:
                self._sync()
        except OSError as exc:
            logger.warning("witness is behind records=%s why=%s", record.number, exc)

    def confirm(self) -> None:
        """Make sure that everything appended is written.

        Raises:
            UnavailableStorageError: If it is not.
        """
        try:
            self._write()
        except OSError as exc:
            raise _unusable(self._path, exc) from exc

    def close(self) -> None:
        """Sync and close the file."""
        if self._file < 0:
            return
        try:
            self._write()
            self._sync()
        except OSError as exc:
            logger.warning("witness not synced at the stop: %s", exc)
        os.close(self._file)
        self._file = -1

    def _begin(self, length: int) -> None:
        if os.fstat(self._file).st_size > length:
            os.ftruncate(self._file, length)
        if not length:
            os.pwrite(self._file, _HEAD, 0)
        os.fdatasync(self._file)

    def _write(self) -> None:
        while self._written < len(self._unsynced):
            rest = bytes(self._unsynced[self._written :])
            at = self._synced_length + self._written
            self._written += os.pwrite(self._file, rest, at)

    def _sync(self) -> None:
        try:
            os.fdatasync(self._file)
        except OSError:
            # The system may have dropped the pages: write them again.
            self._written = 0
            raise
        self._synced_length += len(self._unsynced)
        self._synced_count = self._written_count
        self._unsynced = bytearray()
        self._written = 0
        self._sync_at = time.monotonic() + _SYNC_INTERVAL_S


def frame_length(record: Record) -> int:
    """Return how many bytes a record takes in the file."""
    return _LENGTH_BYTES + len(record.payload) + _DIGEST_BYTES


def end_of(count_bytes: int) -> int:
    """Return where records of so many bytes end in the file."""
    return len(_HEAD) + count_bytes


def _frame(record: Record) -> bytes:
    return len(record.payload).to_bytes(_LENGTH_BYTES) + record.payload + record.digest


def _read_payload(file: BinaryIO) -> bytes | None:
    length = int.from_bytes(file.read(_LENGTH_BYTES))
    if not 0 < length < _LONGEST_PAYLOAD:
        return None
    payload = file.read(length)
    return payload if len(payload) == length else None


def _unusable(path: Path, exc: OSError) -> UnavailableStorageError:
    return UnavailableStorageError(
        f"the chain's witness {path} cannot be used now ({exc}): free disk space or "
        "correct its permissions; nothing was acknowledged that is not on disk"
    )
