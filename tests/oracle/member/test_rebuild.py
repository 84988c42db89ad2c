"""A member's database damaged or gone: refused aloud, then made anew and equal."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from contracts.enumerations import Purpose
from node.engine import EngineSettings
from oracle.errors import ConflictDatabaseError
from oracle.inbox.store import close_engine, open_engine
from oracle.member.member import MemberNode
from oracle.member.rebuild import Rebuilt, rebuild_member
from oracle.member.soundness import check_database
from oracle.member.store import BallotRow
from tests.oracle.member.test_statements import END, Scene, period_of, series
from tests.servers.chain import Chain
from tests.servers.chain import open_engine as open_chain
from tests.simulators.damage import (
    ALL,
    cut,
    empty,
    flip,
    halve,
    overwrite,
    remove,
)
from tests.simulators.oracle_park import (
    CHAIN_ID,
    OraclePark,
    member_key,
    settings_toml,
    wait_until,
)

LOST = 3
FILE = "member.db"
PARTS = ("", "-wal", ".commits")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain whose clock stands behind the period."""
    folder = tmp_path_factory.mktemp("engine")
    clock = {"clock_mode": "virtual", "genesis_time": END + 3600}
    with open_chain(EngineSettings(folder, CHAIN_ID, **clock)) as running:
        yield running


@dataclass(frozen=True)
class Home:
    """Members 0 to 2 run; the files of member 3 are kept in two states."""

    scene: Scene
    closed: Path
    """As a clean stop left them, with readings that only this member has."""
    killed: Path
    """As a kill left them: the last commits are in the write-ahead log alone."""
    only_here: list[bytes]

    def settings(self, folder: Path) -> Any:
        """The member's settings on files in another folder."""
        return self.scene.park.settings(LOST, clock="chain", data_dir=folder)

    def take(self, state: Path, folder: Path) -> Path:
        """Copy its files to a folder of the test."""
        for part in PARTS:
            if (source := state / f"{FILE}{part}").exists():
                shutil.copyfile(source, folder / source.name)
        return folder / FILE

    def rebuild(self, folder: Path) -> Rebuilt:
        told: list[str] = []
        made = rebuild_member(
            self.settings(folder), lambda what, *_: told.append(what), member_key(LOST)
        )
        assert {"batches", "statements"} <= set(told)
        return made


@pytest.fixture(scope="module")
def home(engine: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("park")
    closed, killed = (tmp_path_factory.mktemp(name) for name in ("closed", "killed"))
    with OraclePark(engine, folder) as park, park.running(clock="chain") as nodes:
        scene = Scene(park, nodes)
        raws = series(scene.devices["Steel"], 100)
        scene.deliver(0, raws[:-4])
        scene.nodes[1].propose_statement(
            period_of("Steel"), Purpose.TOTAL_WITH_INDIRECT
        )
        wait_until(lambda: _statements(nodes[LOST]) == 1)
        _copy(park.folder / f"member-{LOST}", killed)
        nodes.pop(LOST).stop()
        with closing(_Stopped(park)) as alone:
            alone.node.follower.follow()
            alone.node.inbox.submit(raws[-4:])
        _copy(park.folder / f"member-{LOST}", closed)
        yield Home(scene, closed, killed, raws[-4:])


class _Stopped:
    """Member 3 with nothing of it running but its inbox."""

    def __init__(self, park: OraclePark) -> None:
        self.node: MemberNode = park.node(LOST, clock="chain")

    def close(self) -> None:
        self.node.stop()


def _statements(node: MemberNode) -> int:
    with node.inbox.engine.connect() as connection:
        query = "SELECT count(*) FROM statements"
        return int(connection.exec_driver_sql(query).scalar_one())


def _copy(source: Path, target: Path) -> None:
    for part in PARTS:
        if (path := source / f"{FILE}{part}").exists():
            shutil.copyfile(path, target / path.name)


def _rows(path: Path) -> dict[str, list[Any]]:
    """Read every table, in a copy, past the product."""
    with closing(sqlite3.connect(path)) as connection:
        master = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = [name for (name,) in connection.execute(master)]
        return {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
            for name in sorted(names)
        }


CASES = [
    *[("closed", "", damage, seed) for damage in ALL for seed in range(2)],
    *[("closed", "", flip, seed) for seed in range(2, 10)],
    *[("killed", "", damage, 0) for damage in (halve, empty, remove, overwrite)],
    *[("killed", "-wal", damage, 0) for damage in (halve, empty, remove, overwrite)],
    *[("killed", "-wal", damage, seed) for damage in (flip, cut) for seed in range(6)],
    *[("closed", ".commits", damage, 0) for damage in (flip, empty, remove, overwrite)],
]


def _outcome(path: Path, before: dict[str, list[Any]]) -> str:
    """Say what the product makes of the files; silent loss fails here."""
    try:
        engine = open_engine(path)
    except ConflictDatabaseError as exc:
        return "refused" if "carbon-oracle rebuild" in str(exc) else str(exc)
    try:
        faults = check_database(engine, path)
    except ConflictDatabaseError as exc:
        faults = [str(exc)]
    close_engine(engine)
    if faults:
        return "found"
    assert _rows(path) == before, "silent loss"
    return "equal"


class TestDamage:
    def test_is_never_passed_over_in_silence(self, home: Home, tmp_path: Path):
        """Each case ends in a refusal, a named fault, or every row as it was."""
        before = {}
        for state in ("closed", "killed"):
            (tmp_path / state).mkdir()
            path = home.take(getattr(home, state), tmp_path / state)
            before[state] = _rows(path)
        outcomes: dict[str, int] = {}
        for number, (state, part, damage, seed) in enumerate(CASES):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = home.take(getattr(home, state), folder)
            dice = random.Random(f"{damage.__name__} {seed}")
            damage(path.with_name(f"{FILE}{part}"), dice)
            outcome = _outcome(path, before[state])
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            shutil.rmtree(folder)
        print(f"damaged {len(CASES)} databases of a member: {outcomes}")  # noqa: T201
        assert len(CASES) >= 40
        assert outcomes.keys() <= {"refused", "found", "equal"}
        assert outcomes["refused"] >= 30

    def test_keeps_a_member_from_starting(self, home: Home, tmp_path: Path):
        halve(home.take(home.closed, tmp_path), random.Random(0))
        with pytest.raises(ConflictDatabaseError, match="carbon-oracle rebuild"):
            MemberNode(home.settings(tmp_path), key=member_key(LOST))

    def test_of_a_vote_keeps_a_member_from_starting(self, home: Home, tmp_path: Path):
        path = home.take(home.closed, tmp_path)
        engine = open_engine(path)
        seq = len(home.scene.nodes[0]._desk.store.heads())
        with engine.begin() as connection:
            subject = {"stream_id": b"1", "seq": seq, "rules_version": 1}
            vote = {"voted_round": 0, "voted_hash": b"2"}
            connection.execute(insert(BallotRow), {**subject, **vote})
        close_engine(engine)
        with pytest.raises(ConflictDatabaseError, match=f"vote for batch {seq}"):
            MemberNode(home.settings(tmp_path), key=member_key(LOST))


class TestRebuild:
    def test_gives_equal_batches_and_statements_and_keeps_the_old_file(
        self, home: Home, tmp_path: Path
    ):
        """The middle is gone, so some of what only this member had is readable."""
        path = home.take(home.closed, tmp_path)
        data = bytearray(path.read_bytes())
        data[3 * 4096 : 5 * 4096] = bytes(2 * 4096)
        path.write_bytes(data)

        made = home.rebuild(tmp_path)

        assert (tmp_path / f"{FILE}.damaged-1").read_bytes() == data
        assert made.salvaged > 0
        self.assert_equal(home, tmp_path, made)

    def test_starts_from_nothing(self, home: Home, tmp_path: Path):
        home.take(home.closed, tmp_path).unlink()
        with pytest.raises(ConflictDatabaseError, match="is gone or empty"):
            MemberNode(home.settings(tmp_path), key=member_key(LOST))
        made = home.rebuild(tmp_path)
        self.assert_equal(home, tmp_path, made)

    def test_salvages_what_nobody_else_has(self, home: Home, tmp_path: Path):
        """Every reading of the old file verifies again, only its votes are false."""
        path = home.take(home.closed, tmp_path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE batches SET report_hash = zeroblob(32)")
            connection.commit()
        home.rebuild(tmp_path)
        engine = open_engine(path)
        with engine.connect() as connection:
            kept = connection.exec_driver_sql("SELECT raw FROM readings").scalars()
            assert set(home.only_here) <= set(kept)
        close_engine(engine)

    def test_leaves_a_sound_database_as_it_is(self, home: Home, tmp_path: Path):
        home.take(home.closed, tmp_path)
        made = home.rebuild(tmp_path)
        assert (made.set_aside, made.reason, made.salvaged) == (None, "", 0)
        assert made.votes_from == 0

    def test_goes_on_after_a_kill(self, home: Home, tmp_path: Path):
        halve(home.take(home.closed, tmp_path), random.Random(0))
        config = tmp_path / "member.toml"
        config.write_text(settings_toml(home.settings(tmp_path)))
        command = [sys.executable, "-m", "oracle", "rebuild", "--config", str(config)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        wait_until((tmp_path / f"{FILE}.damaged-1").exists, 60)
        time.sleep(random.Random(7).uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()

        again = subprocess.run(command, capture_output=True, check=False, timeout=120)

        assert again.returncode == 0, again.stderr.decode()
        count = len(home.scene.nodes[0]._desk.store.heads())
        assert f"batches     {count}, each" in again.stdout.decode()
        assert f"again from batch {count + 1} on" in again.stdout.decode()
        self.assert_same(home, tmp_path)

    def assert_equal(self, home: Home, folder: Path, made: Rebuilt) -> None:
        count = len(home.scene.nodes[0]._desk.store.heads())
        assert (made.batches, made.statements) == (count, 1)
        assert made.votes_from == count + 1
        self.assert_same(home, folder)

    def assert_same(self, home: Home, folder: Path) -> None:
        """Batches with the order of their readings, and statements, equal a peer's."""
        node = MemberNode(home.settings(folder), key=member_key(LOST))
        with closing(node.client):
            ours, theirs = node._desk.store, home.scene.nodes[0]._desk.store
            assert ours.batches(0, 10**6) == theirs.batches(0, 10**6)
            for statement in home.scene.nodes[0].follower.view.statements:
                assert ours.statement(statement) == theirs.statement(statement)
            node.stop()
