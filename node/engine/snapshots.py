"""Snapshots of the engine's state: they shorten a replay and decide nothing.

A snapshot is one file, ``<height>.snapshot``: a line of JSON (height, block hash,
SHA-256 of the rest) and the dump as the engine gave it. It is written to a
temporary file, synced and renamed; two generations are kept. A damaged one is
passed over for the older one, or for a replay from block 0. That one is ours, and not
of another chain or age, is what the journal vouches for.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.errors import UnavailableStorageError

GENERATIONS = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The engine's whole state after a block."""

    height: int
    block_hash: bytes
    """32 bytes."""

    dump: str
    """What ``anvil_dumpState`` returned."""

    @property
    def sha256(self) -> bytes:
        """Digest of the dump, 32 bytes."""
        return hashlib.sha256(self.dump.encode("ascii")).digest()


class SnapshotFolder:
    """The snapshots of one chain.

    Args:
        folder: Where they are; created if absent.

    Raises:
        UnavailableStorageError: If the folder cannot be read or created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _unreadable(folder, exc) from exc
        self.paths()

    def write(self, snapshot: Snapshot) -> Path:
        """Write a snapshot durably and drop generations beyond the second.

        Raises:
            UnavailableStorageError: If it cannot be written; none is lost then.
        """
        body = snapshot.dump.encode("ascii")
        path = self._path(snapshot.height)
        temporary = path.with_suffix(".partial")
        try:
            with temporary.open("wb") as file:
                file.write(_head_line(snapshot, body) + body)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(self.folder)
        except OSError as exc:
            temporary.unlink(missing_ok=True)
            raise UnavailableStorageError(
                f"snapshot {path} could not be written ({exc}): free disk space; the "
                "journal is complete without it"
            ) from exc
        for old in self.paths()[GENERATIONS:]:
            old.unlink(missing_ok=True)
        return path

    def read(self, height: int) -> Snapshot | None:
        """Read the snapshot of a height, None if it is absent or damaged."""
        return read_snapshot(self._path(height))

    def newest_first(self) -> Iterator[Snapshot | None]:
        """Yield each snapshot, or None in place of one that is damaged."""
        for path in self.paths():
            yield read_snapshot(path)

    def heights(self) -> list[int]:
        """Return the heights of undamaged snapshots, newest first."""
        return [each.height for each in self.newest_first() if each is not None]

    def _path(self, height: int) -> Path:
        return self.folder / f"{height:012d}.snapshot"

    def paths(self) -> list[Path]:
        """Return the files, newest first, damaged ones too.

        Raises:
            UnavailableStorageError: If the folder cannot be read.
        """
        try:  # glob would take a folder that it may not read for an empty one
            found = list(self.folder.iterdir())
        except OSError as exc:
            raise _unreadable(self.folder, exc) from exc
        return sorted((p for p in found if p.suffix == ".snapshot"), reverse=True)


def _head_line(snapshot: Snapshot, body: bytes) -> bytes:
    head = {
        "height": snapshot.height,
        "block_hash": snapshot.block_hash.hex(),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return json.dumps(head).encode("ascii") + b"\n"


def read_snapshot(path: Path) -> Snapshot | None:
    """Read a snapshot, None if it is damaged or bears another height's name."""
    try:
        head_line, _, body = path.read_bytes().partition(b"\n")
        head = json.loads(head_line)
        if hashlib.sha256(body).hexdigest() != head["sha256"]:
            return None
        if int(head["height"]) != int(path.stem):
            return None
        block_hash = bytes.fromhex(head["block_hash"])
        return Snapshot(int(head["height"]), block_hash, body.decode("ascii"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unreadable(folder: Path, exc: OSError) -> UnavailableStorageError:
    return UnavailableStorageError(
        f"the chain's snapshots in {folder} cannot be read ({exc}): correct the "
        "folder's permissions, or move it away to replay the whole journal"
    )


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk.

    Args:
        folder: Where a file got its name.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
