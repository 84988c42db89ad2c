"""The archive file: a tar stream in an age file, written whole or not at all.

    parts ─► tar ─► age (X25519, ChaCha20-Poly1305) ─► OUT.partial ─► fsync ─► read back
                                                            └─ rename ─► OUT, OUT.sha256

Rules: nothing overwrites an archive; what stands under the final name was read back
from the disk and had the digest of what was written; a run that was killed leaves a
``.partial`` file that the next run replaces. Plain text is never written here.
"""

import hashlib
import os
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyrage
from pyrage import x25519

from node.engine.snapshots import sync_folder
from node.errors import InvalidArchiveError, UnavailableStorageError

__all__ = [
    "BLOCK_BYTES",
    "Report",
    "check_digest",
    "digest_path",
    "entries_of",
    "file_digest",
    "is_plain_name",
    "tar_end",
    "tar_entry",
    "write_archive",
]

BLOCK_BYTES = 1 << 20
"""How much is read and hashed at once. [B]"""
_MOST_STEPS = 4
"""Steps of a path in an archive."""
_FAILURES = (pyrage.DecryptError, tarfile.TarError, EOFError)

Report = Callable[[int], None]
"""Told how many bytes were done since the last call. [B]"""


def write_archive(
    path: Path, content: Iterable[bytes], recipients: Sequence[x25519.Recipient]
) -> str:
    """Encrypt a stream into a new file, and read it back.

    Args:
        path: File to make, mode 600; must not exist.
        content: The stream, from ``tar_entry`` and ``tar_end``.
        recipients: Who can open it.

    Returns:
        SHA-256 of the file, hexadecimal; also written beside it for ``sha256sum -c``.

    Raises:
        InvalidArchiveError: If the file exists, or reads back differently.
        UnavailableStorageError: If it cannot be written.
    """
    if path.exists():
        raise InvalidArchiveError(
            f"{path} exists and no backup is ever overwritten; name another file."
        )
    partial = path.with_name(path.name + ".partial")
    try:
        written = _write(partial, content, recipients)
        if file_digest(partial) != written:
            raise InvalidArchiveError(
                f"{partial} reads back differently from what was written; the disk "
                "is failing: write the backup to another one."
            )
        line = f"{written}  {path.name}\n"
        digest_path(path).write_text(line, "utf-8")
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as exc:
        raise UnavailableStorageError(
            f"Backup {path} cannot be written ({exc}); check the folder's rights and "
            "free some space, nothing of the node was changed."
        ) from exc
    finally:
        partial.unlink(missing_ok=True)
    return written


def _write(
    partial: Path, content: Iterable[bytes], recipients: Sequence[x25519.Recipient]
) -> str:
    source = _Source(content)
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        sink = _Hashing(file)
        try:
            pyrage.encrypt_io(source, sink, list(recipients))
        except Exception as exc:  # noqa: BLE001  # raised again, or its cause
            # The library wraps what the source raised; the cause says it better.
            raise source.fault or exc from None
        file.flush()
        os.fsync(file.fileno())
    digest: str = sink.digest.hexdigest()
    return digest


def file_digest(path: Path) -> str:
    """Hash a file.

    Args:
        path: The file.

    Returns:
        SHA-256, hexadecimal.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_path(path: Path) -> Path:
    """Name the file beside an archive that holds its digest."""
    return path.with_name(path.name + ".sha256")


def check_digest(path: Path) -> str:
    """Hold an archive against the digest beside it; needs no key.

    Args:
        path: The archive.

    Returns:
        SHA-256 of the archive, hexadecimal.

    Raises:
        InvalidArchiveError: If a file is absent or the digests differ.
    """
    try:
        words = digest_path(path).read_text("utf-8").split()
        found = file_digest(path)
    except OSError as exc:
        raise InvalidArchiveError(
            f"Backup {path} cannot be verified ({exc}); keep it together with its "
            f"{digest_path(path).name}, or verify it with --identity."
        ) from exc
    if words[:1] != [found]:
        raise InvalidArchiveError(
            f"Backup {path} is damaged: its SHA-256 is {found}, it was "
            f"{(words or ['unknown'])[0]} when made; use another copy."
        )
    return found


def is_plain_name(name: str) -> bool:
    """Tell whether an entry's name stays below the folder it is unpacked into.

    Args:
        name: Path in the archive, in any script.
    """
    steps = name.split("/")
    is_below = len(steps) <= _MOST_STEPS and not {"", ".", ".."} & set(steps)
    return is_below and name.isprintable()


def tar_entry(name: str, size: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Write one file as a tar entry, the same bytes for the same content.

    Args:
        name: Path in the archive.
        size: Its length. [B]
        blocks: Its bytes.
    """
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    yield info.tobuf(tarfile.PAX_FORMAT)
    yield from blocks
    yield bytes(-size % tarfile.BLOCKSIZE)


def tar_end() -> bytes:
    """Give what ends a tar stream."""
    return bytes(2 * tarfile.BLOCKSIZE)


@contextmanager
def entries_of(
    path: Path, identities: Sequence[x25519.Identity]
) -> Iterator[Iterator[tuple[str, int, IO[bytes]]]]:
    """Open an archive and yield its entries in order.

    Args:
        path: The archive.
        identities: Keys, one of which must open it.

    Yields:
        Name, length [B] and content of each entry, to be read at once.

    Raises:
        InvalidArchiveError: If no key opens it, or it was altered or cut off.
    """
    reading, writing = os.pipe()
    faults: list[Exception] = []
    arguments = (path, writing, identities, faults)
    thread = threading.Thread(target=_decrypt, args=arguments, name="decrypt")
    thread.start()
    try:
        with os.fdopen(reading, "rb") as stream:
            try:
                yield _walk(stream)
                _drain(stream)
            except _FAILURES as exc:
                thread.join(timeout=1.0)
                raise _unusable(path, faults[0] if faults else exc) from exc
    finally:
        thread.join()
    if faults:
        raise _unusable(path, faults[0])


def _decrypt(
    path: Path,
    writing: int,
    identities: Sequence[x25519.Identity],
    faults: list[Exception],
) -> None:
    try:
        with os.fdopen(writing, "wb") as sink, path.open("rb") as source:
            pyrage.decrypt_io(source, sink, list(identities))
    except BrokenPipeError:
        pass  # the reader gave up and says why
    except (OSError, pyrage.DecryptError) as exc:
        faults.append(exc)


def _walk(stream: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not is_plain_name(member.name):
                raise tarfile.ReadError(f"unexpected entry {member.name!r}")
            yield member.name, member.size, content


def _drain(stream: IO[bytes]) -> None:
    """Read on to the end, so that the last block is authenticated too."""
    while stream.read(BLOCK_BYTES):
        pass


def _unusable(path: Path, exc: Exception) -> InvalidArchiveError:
    if isinstance(exc, FileNotFoundError | PermissionError | IsADirectoryError):
        return InvalidArchiveError(
            f"Backup {path} cannot be read ({exc.strerror}); give the right path."
        )
    if "matching keys" in str(exc):
        return InvalidArchiveError(
            f"Backup {path} is not encrypted to the given identity; use the key whose "
            "public part was named when it was made."
        )
    return InvalidArchiveError(
        f"Backup {path} is damaged, cut off or no backup ({exc}); nothing was "
        "restored, use another copy."
    )


class _Source:
    """Pulls from a generator as from a file, and keeps what it raised."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._blocks = iter(content)
        self._rest = memoryview(b"")
        self.fault: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._blocks))
        except StopIteration:
            return b""
        except Exception as exc:
            self.fault = exc
            raise
        size = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:size], self._rest[size:]
        return bytes(given)


class _Hashing:
    """A file that hashes what goes into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest: Any = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()
