"""What a backup says of itself: its parts with their digests, and its point in time.

The manifest is the last entry of the archive, so that it can name the digest of every
entry before it. A reader that finds it has seen the whole archive.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from node.errors import InvalidArchiveError

__all__ = ["FORMAT", "MANIFEST", "Entry", "Manifest"]

FORMAT = "park-carbon-ledger/backup/1"
MANIFEST = "manifest.json"
"""Name of the manifest in the archive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup."""

    name: str
    """Path in the archive."""
    size: int
    """Length. [B]"""
    sha256: str
    """SHA-256 of its bytes, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole backup."""

    made_at: int
    """When it was begun. [unix s]"""
    chain_id: int
    """EIP-155 chain id."""
    anchor: str
    """Address of ``ReadingAnchor``: which ledger it is."""
    entries: tuple[Entry, ...]
    """Every file but the manifest, in the archive's order."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What each part holds: heights, counts, revisions."""
    format: str = FORMAT
    """Name and version of this form."""

    def to_bytes(self) -> bytes:
        """Write the manifest as JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Read what ``to_bytes`` wrote.

        Args:
            data: JSON.

        Returns:
            The manifest.

        Raises:
            InvalidArchiveError: If it has another form or version.
        """
        try:
            found = json.loads(data)
            given = found.get("format")
            if given == FORMAT:
                entries = tuple(Entry(**entry) for entry in found.pop("entries"))
                return cls(entries=entries, **found)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            message = f"The backup's manifest cannot be read ({exc}); take another one."
            raise InvalidArchiveError(message) from exc
        raise InvalidArchiveError(
            f"The backup is of form {given!r}, this program reads {FORMAT}; restore it "
            "with the program version that made it."
        )
