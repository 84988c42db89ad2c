"""The log's hashes as files: paths and contents of C2SP tlog-tiles, as pure functions.

    tile/<level>/<index>           256 hashes of 32 bytes: full, never changes again
    tile/<level>/<index>.p/<width> the right edge, 1 to 255 hashes
    tile/entries/<index>           the entries below a level-0 tile, with their lengths

A tile of level L holds nodes of tree level 8 L, so a hash of level L + 1 is the root
of one full tile of level L. An index is written in groups of three digits, all but the
last with an x: 1234067 is x001/x234/067. Reading and writing files is the caller's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from oracle.errors import InvalidLogProofError
from oracle.log.tree import HASH_BYTES, tree_root

TILE_WIDTH = 256
"""Hashes in a full tile."""

_GROUP = 1000
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """Place of one tile."""

    level: int
    """0 holds leaf hashes, each next level the roots of full tiles."""
    index: int
    """Place in the level, from 0."""
    width: int = TILE_WIDTH
    """Number of hashes, 1 to 256."""

    @property
    def path(self) -> str:
        """Path of the file, relative to the log."""
        return f"tile/{self.level}/{_index_path(self.index)}{self._suffix}"

    @property
    def entries_path(self) -> str:
        """Path of the entries below a tile of level 0."""
        return f"tile/entries/{_index_path(self.index)}{self._suffix}"

    @property
    def _suffix(self) -> str:
        return "" if self.width == TILE_WIDTH else f".p/{self.width}"


def tiles_between(old_size: int, size: int) -> Iterator[Tile]:
    """List the tiles that a growing log adds.

    Args:
        old_size: Number of leaves whose tiles exist.
        size: Number of leaves now.

    Yields:
        Every tile that is new or wider, level by level.
    """
    level, old, new = 0, old_size, size
    while new:
        for index in range(old // TILE_WIDTH, -(-new // TILE_WIDTH)):
            width = min(TILE_WIDTH, new - index * TILE_WIDTH)
            if index * TILE_WIDTH + width > old:
                yield Tile(level, index, width)
        level, old, new = level + 1, old // TILE_WIDTH, new // TILE_WIDTH


def slice_tiles(leaves: Sequence[bytes], old_size: int = 0) -> dict[str, bytes]:
    """Cut a tree into the tiles that are to be written.

    Args:
        leaves: All leaf hashes in order, 32 bytes each.
        old_size: Number of leaves whose tiles exist already.

    Returns:
        Path → content of every new or wider tile.
    """
    tiles = {}
    for tile in tiles_between(old_size, len(leaves)):
        span = TILE_WIDTH**tile.level
        first = tile.index * TILE_WIDTH
        starts = (place * span for place in range(first, first + tile.width))
        tiles[tile.path] = b"".join(
            tree_root(leaves[start : start + span]) for start in starts
        )
    return tiles


def read_leaves(size: int, read: Callable[[str], bytes]) -> list[bytes]:
    """Read all leaf hashes back and check every other tile against them.

    Args:
        size: Number of leaves, from a checkpoint.
        read: Function from a path to the content of its file.

    Returns:
        Leaf hashes in order, 32 bytes each; their root is still to be compared with
        the checkpoint's.

    Raises:
        InvalidLogProofError: A tile has a wrong length or contradicts the level below.
    """
    leaves: list[bytes] = []
    for index in range(-(-size // TILE_WIDTH)):
        tile = Tile(0, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        leaves.extend(_hashes(tile, read(tile.path)))
    for path, content in slice_tiles(leaves).items():
        if read(path) != content:
            raise InvalidLogProofError(
                f"Tile {path}: expected the roots of the tiles below it, got others."
            )
    return leaves


def encode_entries(entries: Sequence[bytes]) -> bytes:
    """Write the entries below one tile, each with its length [2 bytes, big-endian].

    Args:
        entries: At most 256 entries of at most 65,535 bytes.

    Returns:
        Content of the file.
    """
    return b"".join(
        len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries
    )


def decode_entries(data: bytes) -> list[bytes]:
    """Read the entries below one tile.

    Args:
        data: Content of the file.

    Returns:
        Entries in order.

    Raises:
        InvalidLogProofError: A length leads beyond the end.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data):
            raise InvalidLogProofError(
                f"Entry {len(entries)} of a tile: expected {at} bytes, got {len(data)}."
            )
        entries.append(data[start:at])
    return entries


def _index_path(index: int) -> str:
    groups = [f"{index % _GROUP:03d}"]
    while index >= _GROUP:
        index //= _GROUP
        groups.append(f"x{index % _GROUP:03d}")
    return "/".join(reversed(groups))


def _hashes(tile: Tile, content: bytes) -> list[bytes]:
    if len(content) != tile.width * HASH_BYTES:
        raise InvalidLogProofError(
            f"Tile {tile.path}: expected {tile.width * HASH_BYTES} bytes, "
            f"got {len(content)}."
        )
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
