"""Names of adopted batches: kept until the marks say the same, then read from those."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from oracle.errors import ConflictDatabaseError
from oracle.member.member import MemberNode
from tests.simulators.lying_leader import HONEST, Scene
from tests.simulators.oracle_park import OraclePark, wait_until


@pytest.fixture
def member(park: OraclePark) -> Iterator[MemberNode]:
    """A member with two adopted batches of three readings."""
    scene = Scene(park)
    try:
        scene.start_honest()
        scene.liar._cycle.start()
        for number in (1, 2):
            scene.honest[1].inbox.submit(scene.raws(3))
            wait_until(lambda number=number: park.anchored() >= number, 30)
        one = scene.honest[HONEST[0]]
        wait_until(lambda: one.follower.position.seq >= 2)
        yield one
    finally:
        scene.stop()


def stored_names(member: MemberNode) -> list[bytes]:
    path = member.settings.data_dir / "member.db"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT refs FROM batches ORDER BY seq").fetchall()
    return [refs for (refs,) in rows]


class TestNames:
    def test_of_the_last_batch_are_kept_and_of_earlier_ones_follow_from_marks(
        self, member: MemberNode
    ):
        first, last = (member.batch(seq) for seq in (0, 1))
        assert [len(refs) > 0 for refs in stored_names(member)] == [False, True]
        assert first is not None
        assert last is not None
        refs = [*first.refs, *last.refs]
        assert [ref.seq for ref in refs] == list(range(6))
        held = member._intake.bodies(refs)
        assert set(held) == {ref.digest for ref in refs}

    def test_that_are_gone_are_missed_loudly(self, member: MemberNode):
        path = member.settings.data_dir / "member.db"
        first = member.batch(0)
        assert first is not None
        with closing(sqlite3.connect(path)) as database:
            database.execute(
                "UPDATE readings SET batch_seq = NULL WHERE seq = ?",
                (first.refs[-1].seq,),
            )
            database.commit()
        left = len(first.refs) - 1
        with pytest.raises(ConflictDatabaseError, match=f"{left} readings of batch 0"):
            member.batch(0)
