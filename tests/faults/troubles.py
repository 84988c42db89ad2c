"""Every kind of trouble that members meet, each as something that begins and ends.

What a trouble does is in its context: it holds between entering and leaving, and is
over, with everything started again, when it is left.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.faults.field import EVERYBODY, Field
from tests.faults.hosts import Host, wait_for
from tests.faults.lines import Line
from tests.faults.tally import Tally
from tests.faults.weather import Disk

LONGEST_S = 0.8
"""How long a trouble holds at most. [s]"""
OUTSIDE_WINDOW_S = 200.0
"""A clock so far off that peers refuse a member's messages. [s]"""
Trouble = Callable[[Field, Tally], AbstractContextManager[None]]


def hold(field: Field) -> None:
    time.sleep(field.chance.uniform(0.1, LONGEST_S))


def kill(hosts: Sequence[Host], tally: Tally, name: str) -> None:
    """Kill at once; one cycle, however many are hit."""
    for host in hosts:
        host.kill()
    tally.fault(name, kills=1)


@contextmanager
def member_killed(field: Field, tally: Tally) -> Iterator[None]:
    victim = field.chance.choice(field.members)
    kill([victim], tally, "kill member")
    yield
    victim.start()


@contextmanager
def two_members_killed(field: Field, tally: Tally) -> Iterator[None]:
    """Too few are left: nothing is anchored, nothing is lost."""
    victims = field.chance.sample(field.members, 2)
    kill(victims, tally, "kill two members")
    yield
    for victim in victims:
        victim.start()


@contextmanager
def all_members_killed(field: Field, tally: Tally) -> Iterator[None]:
    kill(field.members, tally, "kill all members")
    yield
    for victim in field.members:
        victim.start()


@contextmanager
def chain_killed(field: Field, tally: Tally) -> Iterator[None]:
    """The file that a kill could have cut short is cut short now and then."""
    kill([field.chain], tally, "kill chain")
    yield
    snapshots = sorted((field.folder / "chain").rglob("*.snapshot"))
    if snapshots and field.chance.random() < 0.5:
        os.truncate(snapshots[-1], snapshots[-1].stat().st_size // 2)
        tally.fault("truncate snapshot")
    field.chain.start()


@contextmanager
def member_paused(field: Field, tally: Tally) -> Iterator[None]:
    victim = field.chance.choice(field.members)
    victim.pause()
    tally.fault("pause member")
    try:
        yield
    finally:
        victim.resume()


@contextmanager
def chain_paused(field: Field, tally: Tally) -> Iterator[None]:
    field.chain.pause()
    tally.fault("pause chain")
    try:
        yield
    finally:
        field.chain.resume()


@contextmanager
def member_cut_off(field: Field, tally: Tally) -> Iterator[None]:
    """One member sees neither peers nor chain; its carriers still reach it."""
    victim = field.chance.choice(EVERYBODY)
    lines = [*field.lines_of([victim]), field.to_chain[victim]]
    with cut(lines):
        tally.fault("cut member off")
        yield


@contextmanager
def members_parted(field: Field, tally: Tally) -> Iterator[None]:
    """Two and two: neither side has a quorum."""
    side = field.chance.sample(EVERYBODY, 2)
    with cut(field.lines_of(side)):
        tally.fault("part members")
        yield


@contextmanager
def chain_cut_off(field: Field, tally: Tally) -> Iterator[None]:
    with cut(field.to_chain):
        tally.fault("cut chain off")
        yield


@contextmanager
def cut(lines: Sequence[Line]) -> Iterator[None]:
    for line in lines:
        line.mood.is_cut = True
    try:
        yield
    finally:
        for line in lines:
            line.mood.is_cut = False


@contextmanager
def lines_slow(field: Field, tally: Tally) -> Iterator[None]:
    """Delays differ, so messages overtake each other."""
    for line in field.all_lines:
        line.mood.delay_s = 0.25
    tally.fault("delay and reorder")
    try:
        yield
    finally:
        for line in field.all_lines:
            line.mood.delay_s = 0.0


@contextmanager
def messages_repeated(field: Field, tally: Tally) -> Iterator[None]:
    for line in field.all_lines:
        line.mood.repeats = 0.5
    tally.fault("repeat messages")
    try:
        yield
    finally:
        for line in field.all_lines:
            line.mood.repeats = 0.0


def weather(name: str, **kind: object) -> Trouble:
    """Bad weather over one member."""

    @contextmanager
    def trouble(field: Field, tally: Tally) -> Iterator[None]:
        victim = field.chance.choice(field.members)
        victim.weather.set(**kind)  # type: ignore[arg-type]  # its own parameters
        tally.fault(name)
        try:
            yield
        finally:
            victim.weather.set()

    return trouble


TROUBLES: dict[str, Trouble] = {
    "kill member": member_killed,
    "kill two members": two_members_killed,
    "kill all members": all_members_killed,
    "kill chain": chain_killed,
    "pause member": member_paused,
    "pause chain": chain_paused,
    "cut member off": member_cut_off,
    "part members": members_parted,
    "cut chain off": chain_cut_off,
    "delay and reorder": lines_slow,
    "repeat messages": messages_repeated,
    "clock ahead": weather("clock ahead", clock_s=OUTSIDE_WINDOW_S),
    "clock behind": weather("clock behind", clock_s=-OUTSIDE_WINDOW_S),
    "disk full": weather("disk full", disk=Disk.FULL),
    "disk broken": weather("disk broken", disk=Disk.BROKEN),
    "disk slow": weather("disk slow", write_delay_ms=10),
}
"""Name → trouble."""


def strike_members(
    folder: Path, cycles: int, seed: int, progress: Callable[[], None]
) -> Tally:
    """Go through troubles in random order, all kinds before one comes again."""
    tally = Tally()
    names: list[str] = []
    with Field(folder, seed) as field:
        field.wait_until_well()
        for _ in range(cycles):
            names = names or field.chance.sample(list(TROUBLES), len(TROUBLES))
            name = names.pop()
            try:
                go_through(field, name, tally)
            except TimeoutError as exc:
                field.tell_stacks()
                raise TimeoutError(f"after {name}: {exc}") from exc
            progress()
        tally.judge(field.judge())
    return tally


def go_through(field: Field, name: str, tally: Tally) -> None:
    """Let one trouble begin, hold and end, and wait until all are well again.

    Raises:
        TimeoutError: They did not recover.
    """
    with TROUBLES[name](field, tally):
        hold(field)
    with tally.recovery():
        for member in field.members:
            if not member.is_alive():  # it stopped by itself, as its disk was no good
                member.start()
                tally.fault("restart member")
        wait_for(lambda: all(field.adopted(index) >= 0 for index in EVERYBODY))
        field.wait_until_well()
