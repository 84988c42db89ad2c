"""What a backup is made of: one part a file, made at the moment it is written."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Part", "file_part"]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the archive to be."""

    name: str
    """Path in the archive."""
    size_hint: int
    """About how large it will be. [B]"""
    write: Callable[[Path], Mapping[str, Any]]
    """Makes it at a path, of one consistent moment; returns facts for the manifest."""


def file_part(name: str, path: Path) -> Part:
    """Make a part of a file that is only ever replaced as a whole.

    Args:
        name: Path in the archive.
        path: The file.

    Returns:
        The part.
    """

    def write(target: Path) -> dict[str, Any]:
        shutil.copyfile(path, target)
        return {}

    return Part(name, path.stat().st_size, write)
