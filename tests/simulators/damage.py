"""What happens to files: bits flip, ends are cut, pages vanish, all is gone."""

import random
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path, random.Random], None]


def flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 8))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def cut(path: Path, dice: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: dice.randrange(1, len(data))])


def halve(path: Path, _dice: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path, _dice: random.Random) -> None:
    path.write_bytes(b"")


def remove(path: Path, _dice: random.Random) -> None:
    path.unlink()


def overwrite(path: Path, dice: random.Random) -> None:
    path.write_bytes(dice.randbytes(path.stat().st_size))


def zero_a_page(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    at = 4096 * dice.randrange(len(data) // 4096)
    data[at : at + 4096] = bytes(4096)
    path.write_bytes(data)


ALL: tuple[Damage, ...] = (flip, cut, halve, empty, remove, overwrite, zero_a_page)
