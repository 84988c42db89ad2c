"""Ways to damage an embedded chain's folder, and more than two hundred cases of them.

Each case is drawn from one seed. Its outcome is ``same`` where the damage must not be
felt, ``refused`` where it must be, ``either`` where that depends on the place hit.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

SEED = 20_261_126
BLOCKS = 24
OLD = 10
"""Height of the older copies."""
EVERY = 8
"""Blocks between snapshots."""
NEWER, OLDER = "snapshots/000000000024.snapshot", "snapshots/000000000016.snapshot"
JOURNAL, WAL, SHM = "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"
WITNESS, GENESIS = "witness.log", "genesis.json"
BEYOND = 30
"""Height of the other chain."""
FOREIGN = "snapshots/000000000030.snapshot"
NOBODY = 65_534

Damage = Callable[[Path, "Sources", random.Random], None]


@dataclass(frozen=True)
class Sources:
    """Folders to copy from, and what the chain in them is."""

    killed: Path
    """With a write-ahead log, a planned block and waiting transactions."""
    stopped: Path
    old: Path
    """The chain at an earlier height, killed."""
    old_stopped: Path
    other: Path
    """Another chain of the same id."""
    hashes: tuple[bytes, ...]
    mined: frozenset[bytes]
    waiting: frozenset[bytes]
    rejected: frozenset[bytes]


@dataclass(frozen=True)
class Case:
    """One way to damage a folder."""

    name: str
    damage: Damage
    base: str = "killed"
    outcome: str = "either"
    """``same``, ``refused`` or either."""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.number:03}-{self.base}-{self.name}".replace(" ", "-")


# --- ways to damage -----------------------------------------------------------------


def truncate(name: str) -> Damage:
    def damage(folder: Path, _: Sources, dice: random.Random) -> None:
        size = (folder / name).stat().st_size
        os.truncate(folder / name, dice.randrange(size))

    return damage


def empty(name: str) -> Damage:
    return lambda folder, *_: os.truncate(folder / name, 0)


def delete(*names: str) -> Damage:
    def damage(folder: Path, *_: object) -> None:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def flip(name: str, bits: int = 1) -> Damage:
    def damage(folder: Path, _: Sources, dice: random.Random) -> None:
        content = bytearray((folder / name).read_bytes())
        for _ in range(bits):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        (folder / name).write_bytes(content)

    return damage


def zero_page(name: str, size: int = 4096) -> Damage:
    def damage(folder: Path, _: Sources, dice: random.Random) -> None:
        content = bytearray((folder / name).read_bytes())
        at = dice.randrange(1 + (len(content) - 1) // size) * size
        length = len(content[at : at + size])
        content[at : at + size] = bytes(length)
        (folder / name).write_bytes(content)

    return damage


def append(name: str) -> Damage:
    def damage(folder: Path, _: Sources, dice: random.Random) -> None:
        with (folder / name).open("ab") as file:
            file.write(dice.randbytes(dice.randint(1, 9_000)))

    return damage


def repeat_tail(name: str) -> Damage:
    def damage(folder: Path, _: Sources, dice: random.Random) -> None:
        content = (folder / name).read_bytes()
        at = dice.randrange(len(content))
        (folder / name).write_bytes(content + content[at:])

    return damage


def swap(first: str, second: str) -> Damage:
    def damage(folder: Path, *_: object) -> None:
        (folder / first).rename(folder / "swapped")
        (folder / second).rename(folder / first)
        (folder / "swapped").rename(folder / second)

    return damage


def take(source: str, *names: str, drop: tuple[str, ...] = ()) -> Damage:
    """Put files of another folder in the place of ours."""

    def damage(folder: Path, sources: Sources, _: random.Random) -> None:
        for name in names:
            shutil.copyfile(getattr(sources, source) / name, folder / name)
        for name in drop:
            (folder / name).unlink(missing_ok=True)

    return damage


def write(name: str, content: bytes) -> Damage:
    def damage(folder: Path, *_: object) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return damage


def make_folder(name: str) -> Damage:
    def damage(folder: Path, *_: object) -> None:
        if (folder / name).exists():
            delete(name)(folder)
        (folder / name).mkdir()

    return damage


def forbid(name: str, mode: int) -> Damage:
    return lambda folder, *_: (folder / name).chmod(mode)


def both(*ways: Damage) -> Damage:
    def damage(folder: Path, sources: Sources, dice: random.Random) -> None:
        for way in ways:
            way(folder, sources, dice)

    return damage


def change_row(statement: str) -> Damage:
    """Alter a row the way a program, not a disk, would."""

    def damage(folder: Path, *_: object) -> None:
        with sqlite3.connect(folder / JOURNAL) as database:
            assert database.execute(statement).rowcount > 0
        database.close()

    return damage


def _cases() -> list[Case]:
    random_ones = [
        (truncate, JOURNAL, "stopped", "refused", 12),
        (truncate, JOURNAL, "killed", "either", 8),
        (truncate, WAL, "killed", "refused", 24),
        (truncate, WITNESS, "killed", "either", 10),
        (truncate, WITNESS, "stopped", "either", 6),
        (truncate, NEWER, "stopped", "same", 4),
        (truncate, OLDER, "killed", "same", 2),
        (truncate, GENESIS, "killed", "same", 2),
        (flip, JOURNAL, "stopped", "either", 28),
        (flip, JOURNAL, "killed", "either", 8),
        (flip, WAL, "killed", "either", 24),
        (flip, WITNESS, "killed", "either", 10),
        (flip, WITNESS, "stopped", "either", 6),
        (flip, NEWER, "stopped", "same", 4),
        (flip, OLDER, "killed", "same", 2),
        (flip, SHM, "killed", "same", 4),
        (flip, GENESIS, "killed", "same", 2),
        (zero_page, JOURNAL, "stopped", "either", 12),
        (zero_page, WAL, "killed", "either", 12),
        (zero_page, WITNESS, "killed", "either", 4),
        (zero_page, NEWER, "stopped", "same", 2),
        (zero_page, SHM, "killed", "same", 2),
        (append, JOURNAL, "stopped", "either", 3),
        (append, WAL, "killed", "same", 3),
        (append, WITNESS, "killed", "same", 3),
        (append, NEWER, "stopped", "same", 2),
        (append, GENESIS, "stopped", "same", 1),
        (repeat_tail, WAL, "killed", "either", 3),
        (repeat_tail, WITNESS, "killed", "either", 3),
    ]
    cases = [
        Case(f"{way.__name__} {name}", way(name), base, outcome)
        for way, name, base, outcome, count in random_ones
        for _ in range(count)
    ]
    return [replace(case, number=at) for at, case in enumerate(cases + _named_cases())]


def _named_cases() -> list[Case]:
    snapshots = "snapshots"
    return [
        Case("delete journal", delete(JOURNAL), "stopped", "refused"),
        Case("delete journal and log", delete(JOURNAL, WAL), "killed", "refused"),
        Case("delete journal, keep its log", delete(JOURNAL), "killed", "refused"),
        Case("delete log", delete(WAL), "killed", "refused"),
        Case("delete shm", delete(SHM), "killed", "same"),
        Case("delete log and shm", delete(WAL, SHM), "killed", "refused"),
        Case("delete witness", delete(WITNESS), "stopped", "refused"),
        Case("delete witness after a kill", delete(WITNESS), "killed", "refused"),
        Case(
            "delete journal and witness", delete(JOURNAL, WITNESS), "stopped", "refused"
        ),
        Case(
            "delete journal, witness and snapshots",
            delete(JOURNAL, WITNESS, snapshots),
            *("stopped", "refused"),
        ),
        Case("delete genesis", delete(GENESIS), "killed", "same"),
        Case("delete snapshots", delete(snapshots), "killed", "same"),
        Case("delete newer snapshot", delete(NEWER), "stopped", "same"),
        Case("delete older snapshot", delete(OLDER), "stopped", "same"),
        Case("delete lock", delete("lock"), "killed", "same"),
        Case("empty journal", empty(JOURNAL), "stopped", "refused"),
        Case("empty journal, keep its log", empty(JOURNAL), "killed", "refused"),
        Case("empty log", empty(WAL), "killed", "refused"),
        Case("empty shm", empty(SHM), "killed", "same"),
        Case("empty witness", empty(WITNESS), "stopped", "refused"),
        Case("empty snapshot", empty(NEWER), "stopped", "same"),
        Case("empty genesis", empty(GENESIS), "stopped", "same"),
        Case("swap journal and witness", swap(JOURNAL, WITNESS), "stopped", "refused"),
        Case("swap journal and log", swap(JOURNAL, WAL), "killed", "refused"),
        Case("swap journal and snapshot", swap(JOURNAL, OLDER), "stopped", "refused"),
        Case("swap witness and snapshot", swap(WITNESS, OLDER), "stopped", "refused"),
        Case("swap snapshots", swap(NEWER, OLDER), "stopped", "same"),
        Case("journal of another chain", take("other", JOURNAL), "stopped", "refused"),
        Case("witness of another chain", take("other", WITNESS), "stopped", "refused"),
        Case("log of an older age", take("old", WAL), "killed", "refused"),
        Case("snapshot of another chain", take("other", NEWER), "stopped", "same"),
        Case(
            "snapshot of another chain under another name",
            lambda folder, sources, _: shutil.copyfile(
                sources.other / FOREIGN, folder / NEWER
            ),
            *("stopped", "same"),
        ),
        Case(
            "snapshot of another chain beyond the end",
            take("other", FOREIGN),
            *("stopped", "refused"),
        ),
        Case(
            "older snapshot under the newer name",
            lambda folder, *_: shutil.copyfile(folder / OLDER, folder / NEWER),
            *("stopped", "same"),
        ),
        Case("older journal", take("old_stopped", JOURNAL), "stopped", "refused"),
        Case(
            "older journal, newer log", take("old_stopped", JOURNAL), "killed", "either"
        ),
        Case("older journal and log", take("old", JOURNAL, WAL), "killed", "refused"),
        Case(
            "older journal and log, no snapshots",
            both(take("old", JOURNAL, WAL), delete(snapshots)),
            *("killed", "refused"),
        ),
        Case("older witness", take("old_stopped", WITNESS), "stopped", "refused"),
        Case("older witness after a kill", take("old", WITNESS), "killed", "refused"),
        Case(
            "older journal and witness beside newer snapshots",
            take("old_stopped", JOURNAL, WITNESS),
            *("stopped", "refused"),
        ),
        Case(
            "half-written snapshot",
            write("snapshots/000000000032.partial", b"{"),
            "killed",
            "same",
        ),
        Case(
            "half-written witness",
            write("witness.log.partial", b"park"),
            "killed",
            "same",
        ),
        Case(
            "half-built journal",
            write("rebuild.partial/journal.sqlite", b"SQ"),
            "killed",
            "same",
        ),
        Case(
            "garbage process record",
            write("anvil.pid", b"\xff\xfe 1"),
            "killed",
            "same",
        ),
        Case(
            "foreign snapshot name",
            write("snapshots/latest.snapshot", b"x"),
            "killed",
            "same",
        ),
        *(
            Case(f"folder for {name}", make_folder(name), "killed", outcome)
            for name, outcome in (
                (JOURNAL, "refused"),
                (WAL, "refused"),
                (SHM, "refused"),
                (WITNESS, "refused"),
                (NEWER, "same"),
                (GENESIS, "refused"),
                ("lock", "refused"),
                ("anvil.pid", "refused"),
                ("anvil.log", "refused"),
            )
        ),
        Case(
            "file for snapshots",
            both(delete(snapshots), write(snapshots, b"")),
            "killed",
            "refused",
        ),
        *(
            Case(
                f"no right to {name} {mode:o}", forbid(name, mode), "killed", "refused"
            )
            for name, mode in (
                (JOURNAL, 0o000),
                (JOURNAL, 0o400),
                (WAL, 0o000),
                (SHM, 0o000),
                (WITNESS, 0o000),
                (WITNESS, 0o400),
                (snapshots, 0o000),
                ("lock", 0o000),
                (".", 0o555),
                (".", 0o000),
            )
        ),
        Case(
            "a row of a transaction is gone",
            change_row(
                "DELETE FROM transactions WHERE height IS NULL AND rejection IS NULL"
            ),
            *("stopped", "refused"),
        ),
        Case(
            "a waiting transaction is marked rejected",
            change_row("UPDATE transactions SET rejection = 'no' WHERE height IS NULL"),
            *("stopped", "refused"),
        ),
        Case(
            "the last block is gone with its transactions",
            both(
                change_row("DELETE FROM transactions WHERE height = 24"),
                change_row("DELETE FROM blocks WHERE height = 24"),
                change_row("DELETE FROM records WHERE number > 60"),
            ),
            *("stopped", "refused"),
        ),
    ]


CASES = _cases()
