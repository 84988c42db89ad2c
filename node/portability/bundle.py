"""The file of an export: a tar with a manifest, equal bytes for an equal ledger.

Entries have no time, no owner and a fixed order; the manifest comes last and gives the
length and SHA-256 of each. Anything that opens tar and JSON reads it. It holds no key,
but with a member's part every reading, so the file is its owner's alone, mode 600. Who
made it nobody can tell from it: that is what its SHA-256 is compared for. The form is
described in ``docs/export-format.md``.
"""

import errno
import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.backup.archive import BLOCK_BYTES, tar_end, tar_entry
from node.engine.snapshots import sync_folder
from node.errors import InvalidArchiveError, UnavailableStorageError

__all__ = ["FORMAT", "Bundle", "BundleWriter", "open_bundle"]

FORMAT = "park-carbon-ledger/export/1"
MANIFEST = "manifest.json"
_MALFORMED = (
    tarfile.TarError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What comes of reading parts that are not as the manifest's format promises."""


class BundleWriter:
    """Writes the parts of an export into one file, whole or not at all.

    Args:
        path: File to make; must not exist.
        work: Folder for one part at a time.
    """

    def __init__(self, path: Path, work: Path) -> None:
        if path.exists():
            raise InvalidArchiveError(f"{path} exists; name another file.")
        self._path, self._work = path, work
        self._partial = path.with_name(path.name + ".partial")
        self._parts: list[dict[str, Any]] = []
        self._partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._file = os.fdopen(os.open(self._partial, flags, 0o600), "wb")

    def rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Write a part of JSON lines.

        Args:
            name: Path in the archive.
            rows: One object a line.

        Returns:
            How many rows.
        """
        count, path = 0, self._work / "part"
        with path.open("wb") as part:
            for row in rows:
                with self._writing():
                    part.write(canonical(row) + b"\n")
                count += 1
        self._add(name, path, count)
        return count

    def document(self, name: str, text: str) -> None:
        """Write a part that is one text."""
        path = self._work / "part"
        path.write_text(text, "utf-8")
        self._add(name, path, None)

    def finish(self, facts: Mapping[str, Any]) -> str:
        """Write the manifest, sync, and give the file its name.

        Args:
            facts: What the ledger is and how far it goes.

        Returns:
            SHA-256 of the file, hexadecimal.
        """
        manifest = {"format": FORMAT, **facts, "parts": self._parts}
        data = json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"
        self._put(tar_entry(MANIFEST, len(data), [data]))
        self._put([tar_end()])
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.replace(self._path)
            sync_folder(self._path.parent)
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def abandon(self) -> None:
        """Leave nothing."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _add(self, name: str, path: Path, count: int | None) -> None:
        digest, size = hashlib.sha256(), path.stat().st_size
        self._put(tar_entry(name, size, _blocks(path, digest)))
        entry = {"name": name, "size": size, "sha256": digest.hexdigest()}
        self._parts.append(entry if count is None else {**entry, "rows": count})

    def _put(self, blocks: Iterable[bytes]) -> None:
        with self._writing():
            for block in blocks:
                self._file.write(block)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise UnavailableStorageError(
                f"Export {self._path} cannot be written ({exc}); free some space."
            ) from exc


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened export whose every part was found as its manifest says."""

    manifest: Mapping[str, Any]
    _tar: tarfile.TarFile

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """Read a part of JSON lines."""
        for line in self._open(name):
            yield json.loads(line)

    def document(self, name: str) -> str:
        """Read a part that is one text."""
        return b"".join(self._open(name)).decode()

    def _open(self, name: str) -> Any:
        found = self._tar.extractfile(name)
        if found is None:
            raise InvalidArchiveError(f"The export has no part {name}.")
        return found


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open an export and verify it first.

    Args:
        path: The file.

    Yields:
        The export.

    Raises:
        InvalidArchiveError: If it is none, or a part is not what the manifest says.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            found = tar.extractfile(MANIFEST)
            manifest = json.loads(found.read() if found else b"")
            _verify(path, tar, manifest)
            yield Bundle(manifest, tar)
    except OSError as exc:
        if exc.errno == errno.ENOSPC or exc.filename not in {None, str(path)}:
            raise  # of what is made from it
        raise InvalidArchiveError(
            f"Export {path} cannot be used ({exc.strerror}); give the right path."
        ) from exc
    except _MALFORMED as exc:
        raise InvalidArchiveError(
            f"Export {path} cannot be used ({exc}); take another copy."
        ) from exc


def _verify(path: Path, tar: tarfile.TarFile, manifest: Mapping[str, Any]) -> None:
    if manifest.get("format") != FORMAT:
        raise InvalidArchiveError(
            f"Export {path} is of form {manifest.get('format')!r}, this program reads "
            f"{FORMAT}; use the program version that made it."
        )
    names = [*(part["name"] for part in manifest["parts"]), MANIFEST]
    if tar.getnames() != names:
        raise InvalidArchiveError(
            f"Export {path} holds other parts than its manifest names; it was altered, "
            "take another copy."
        )
    for part in manifest["parts"]:
        found = _digest(tar, part["name"])
        if found != part["sha256"]:
            raise InvalidArchiveError(
                f"Part {part['name']} of export {path} has SHA-256 {found}, its "
                f"manifest says {part['sha256']}; it is damaged or altered, take "
                "another copy."
            )


def _digest(tar: tarfile.TarFile, name: str) -> str:
    digest, file = hashlib.sha256(), tar.extractfile(name)
    while file is not None and (block := file.read(BLOCK_BYTES)):
        digest.update(block)
    return digest.hexdigest()


def canonical(row: Mapping[str, Any]) -> bytes:
    """Write a row as JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _blocks(path: Path, digest: Any) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            yield block
