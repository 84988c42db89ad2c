"""Open a backup: every entry held against the manifest, then the whole against itself.

1. a given key opens the archive, and each 64 KiB block is authentic (age)
2. the manifest is there, of a form that this program reads
3. every entry is as long as the manifest says and has its SHA-256; none more, none less
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from pyrage import x25519

from node.backup.archive import BLOCK_BYTES, Report, entries_of
from node.backup.manifest import MANIFEST, Entry, Manifest
from node.errors import InvalidArchiveError, UnavailableStorageError

__all__ = ["read_backup"]

_MAX_MANIFEST_BYTES = 64 << 20


def read_backup(
    path: Path,
    identities: Sequence[x25519.Identity],
    folder: Path | None,
    report: Report,
) -> Manifest:
    """Read a whole backup, and unpack it where a folder is given.

    Args:
        path: The archive.
        identities: Keys, one of which must open it.
        folder: Where the entries go; None only verifies.
        report: Told of progress.

    Returns:
        The manifest, every entry found as it says.

    Raises:
        InvalidArchiveError: If no key opens it, or anything is altered or missing.
        UnavailableStorageError: If the folder cannot be written to.
    """
    found: list[Entry] = []
    manifest: Manifest | None = None
    with entries_of(path, identities) as entries:
        for name, size, content in entries:
            if manifest is not None:
                raise _altered(path, f"entry {name} behind the manifest")
            if name == MANIFEST:
                manifest = Manifest.from_bytes(content.read(_MAX_MANIFEST_BYTES))
                continue
            digest = _take(content, folder and folder / name, report)
            found.append(Entry(name, size, digest))
    if manifest is None:
        raise _altered(path, "no manifest")
    _compare(path, manifest, found)
    return manifest


def _compare(path: Path, manifest: Manifest, found: Sequence[Entry]) -> None:
    if len(manifest.entries) != len(found):
        counts = f"{len(manifest.entries)} entries, {len(found)} found"
        raise _altered(path, counts)
    for expected, given in zip(manifest.entries, found, strict=True):
        if expected != given:
            raise _altered(path, f"expected {expected}, found {given}")


def _take(content: IO[bytes], target: Path | None, report: Report) -> str:
    """Hash an entry and write it out; return its SHA-256."""
    digest = hashlib.sha256()
    try:
        if target is None:
            _pump(content, None, digest, report)
        else:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with target.open("xb") as file:
                target.chmod(0o600)
                _pump(content, file, digest, report)
                file.flush()
                os.fsync(file.fileno())
    except FileExistsError as exc:
        raise InvalidArchiveError(
            f"The backup has {exc.filename} twice; it was altered, use another copy."
        ) from exc
    except OSError as exc:
        if target is None or exc.errno is None:
            raise
        raise UnavailableStorageError(
            f"{target} cannot be written ({exc.strerror}); free some space and start "
            "the restore again."
        ) from exc
    return digest.hexdigest()


def _pump(
    content: IO[bytes],
    file: IO[bytes] | None,
    digest: "hashlib._Hash",
    report: Report,
) -> None:
    while block := content.read(BLOCK_BYTES):
        digest.update(block)
        if file is not None:
            file.write(block)
        report(len(block))


def _altered(path: Path, what: str) -> InvalidArchiveError:
    return InvalidArchiveError(
        f"Backup {path} contradicts itself ({what}); nothing was restored, use another "
        "copy."
    )
