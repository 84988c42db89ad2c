"""Make a backup while the node runs.

Each part is copied of one moment into a working folder beside the archive, hashed,
encrypted into the archive and removed again, so that beside the archive there is never
more than the largest part. A run that is killed leaves a working folder, mode 700, that
the next run removes; the node's own files are only read.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.directory import Deployment
from contracts.errors import ContractsError
from node.backup.archive import (
    BLOCK_BYTES,
    Report,
    tar_end,
    tar_entry,
    write_archive,
)
from node.backup.keys import parse_recipients
from node.backup.manifest import MANIFEST, Entry, Manifest
from node.backup.parts import Part
from node.backup.sources import list_parts
from node.config import load_settings
from node.errors import InvalidConfigError, UnavailableStorageError

__all__ = ["Backup", "make_backup", "require_space"]

_WORK_PREFIX = ".carbon-backup-"
_SPARE_BYTES = 16 << 20
"""Room beyond the parts: headers, and what grows meanwhile. [B]"""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made."""

    path: Path
    sha256: str
    """SHA-256 of the archive, hexadecimal."""
    manifest: Manifest


def make_backup(
    config: Path,
    out: Path,
    recipients: Sequence[str],
    report: Report,
    *,
    with_keys: bool = False,
) -> Backup:
    """Back up the node of a settings file, running or not.

    Args:
        config: The node's settings file.
        out: Archive to make; must not exist.
        recipients: Public keys ``age1…`` that can open it.
        report: Told of progress.
        with_keys: Whether the member's encrypted key files go in.

    Returns:
        The archive, read back and found equal to what was written.

    Raises:
        NodeError: If it cannot be made; nothing is left then.
    """
    keys = parse_recipients(recipients)
    settings = load_settings(config)
    deployment = _deployment(settings.deployment)
    with ExitStack() as stack:
        parts = list_parts(config, settings, stack, with_keys=with_keys)
        _require_room(out.parent, parts)
        work = _working_folder(out.parent, stack)
        begun = Manifest(
            int(time.time()),
            deployment.chain_id,
            deployment.addresses["ReadingAnchor"],
            (),
        )
        made: list[Manifest] = []
        content = _content(parts, work, begun, report, made)
        digest = write_archive(out, content, keys)
    return Backup(out, digest, made[0])


def _deployment(path: Path) -> Deployment:
    try:
        return Deployment.from_json(path.read_text("utf-8"))
    except (OSError, ContractsError) as exc:
        raise InvalidConfigError(f"Deployment file {path}: {exc}.") from exc


def _require_room(folder: Path, parts: Sequence[Part]) -> None:
    """Ask for the archive, and beside it the largest part in plain."""
    sizes = [part.size_hint for part in parts]
    require_space(folder, sum(sizes) + max(sizes) + _SPARE_BYTES)


def require_space(folder: Path, needed: int) -> None:
    """Refuse what will not fit.

    Args:
        folder: Where it is to be written.
        needed: How much. [B]

    Raises:
        UnavailableStorageError: If there is less room, or no such folder.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as exc:
        raise UnavailableStorageError(
            f"Folder {folder} cannot be used ({exc.strerror}); make it first."
        ) from exc
    if free < needed:
        raise UnavailableStorageError(
            f"Expected {needed >> 20} MiB free in {folder}, found {free >> 20} MiB; "
            "free some space or choose another disk, nothing was written."
        )


def _working_folder(parent: Path, stack: ExitStack) -> Path:
    """Make a private folder; remove those of runs that were killed."""
    try:
        for old in parent.glob(f"{_WORK_PREFIX}*"):
            if _is_abandoned(old):
                shutil.rmtree(old, ignore_errors=True)
        work = tempfile.TemporaryDirectory(prefix=_WORK_PREFIX, dir=parent)
    except OSError as exc:
        raise UnavailableStorageError(
            f"Folder {parent} cannot be written to ({exc.strerror}); correct its "
            "rights or choose another one."
        ) from exc
    folder = Path(stack.enter_context(work))
    stack.enter_context(_claimed(folder))
    return folder


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold a folder, so that another node's backup beside it does not remove it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _is_abandoned(folder: Path) -> bool:
    """Tell whether the run that made a working folder has ended."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _content(
    parts: Sequence[Part],
    work: Path,
    begun: Manifest,
    report: Report,
    made: list[Manifest],
) -> Iterator[bytes]:
    """Yield the tar stream; leave the finished manifest in ``made``."""
    entries: list[Entry] = []
    facts: dict[str, Any] = {}
    for part in parts:
        copy = work / "part"
        facts |= _written(part, copy)
        digest, size = hashlib.sha256(), copy.stat().st_size
        yield from tar_entry(part.name, size, _blocks(copy, digest, report))
        entries.append(Entry(part.name, size, digest.hexdigest()))
        copy.unlink()
    manifest = Manifest(
        begun.made_at, begun.chain_id, begun.anchor, tuple(entries), facts
    )
    made.append(manifest)
    data = manifest.to_bytes()
    yield from tar_entry(MANIFEST, len(data), [data])
    yield tar_end()


def _written(part: Part, copy: Path) -> Mapping[str, Any]:
    try:
        return part.write(copy)
    except OSError as exc:
        raise UnavailableStorageError(
            f"Part {part.name} of the backup cannot be copied ({exc}); check that it "
            "exists and that the disk has room."
        ) from exc


def _blocks(path: Path, digest: Any, report: Report) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            report(len(block))
            yield block
