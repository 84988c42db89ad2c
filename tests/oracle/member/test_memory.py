"""A member that may have forgotten its votes stays silent where that could matter."""

import time

import pytest

from oracle.errors import InvalidProposalError
from oracle.inbox.store import open_engine
from oracle.member.ballot import Ballot, Subject
from oracle.member.member import MemberNode
from oracle.member.memory import Memory
from oracle.member.store import MemberStore
from tests.simulators.oracle_park import OraclePark, wait_until

LOST = 3
STREAM = b"\x02" * 32


def subject(seq: int, version: int = 1) -> Subject:
    return Subject(b"\x01" * 32, STREAM, seq, version)


def memory_at(database_url: str) -> Memory:
    return Memory(open_engine(database_url), database_url, STREAM)


class TestMemory:
    def test_of_the_first_members_begins_with_the_stream(self, database_url: str):
        memory = memory_at(database_url)
        memory.begin(0, 1)
        memory.require(subject(0))

    def test_that_is_new_to_a_stream_leaves_out_the_number_in_flight(
        self, database_url: str
    ):
        memory = memory_at(database_url)
        memory.begin(7, 1)
        with pytest.raises(InvalidProposalError, match="expected batch 8 or later"):
            memory.require(subject(7))
        memory.require(subject(8))

    def test_begins_where_it_began_whatever_comes(self, database_url: str):
        memory_at(database_url).begin(7, 1)
        again = memory_at(database_url)
        again.begin(30, 2)
        assert again.first_seq == 8

    def test_of_a_member_from_before_the_table_is_whole(self, database_url: str):
        engine = open_engine(database_url)
        MemberStore(engine, database_url).save_ballot(subject(7), Ballot(0, b"h" * 32))
        memory = Memory(engine, database_url, STREAM)
        memory.begin(7, 1)
        memory.require(subject(7))

    def test_that_was_lost_or_restored_is_silent_once_more(self, database_url: str):
        memory = memory_at(database_url)
        memory.begin(0, 1)
        memory.lose()
        with pytest.raises(InvalidProposalError, match="not remembered"):
            memory.require(subject(9))
        again = memory_at(database_url)
        again.begin(9, 1)
        with pytest.raises(InvalidProposalError, match="expected batch 10 or later"):
            again.require(subject(9))
        again.require(subject(10))

    def test_under_a_new_configuration_lacks_nothing(self, database_url: str):
        memory = memory_at(database_url)
        memory.begin(7, 1)
        memory.require(subject(7, version=2))


class TestSilence:
    def test_lasts_for_the_number_in_flight(self, park: OraclePark):
        """Then the member votes again, and its vote carries a batch."""
        device = park.device("m1")

        def send(node: MemberNode) -> None:
            node.inbox.submit([device.next(ts=int(time.time()) - 600 + device.seq)])

        with park.running((0, 1)) as nodes:
            with park.running((2, LOST)) as others:
                send(nodes[0])
                wait_until(lambda: park.anchored() == 1)
                wait_until(lambda: others[LOST].follower.position.seq == 1)
            path = park.folder / f"member-{LOST}"
            for part in ("", "-wal", "-shm", ".commits"):
                (path / f"member.db{part}").unlink(missing_ok=True)
            with park.running((LOST,)) as lost:
                node = lost[LOST]
                send(nodes[0])
                wait_until(lambda: nodes[0].voter.round >= 3)
                assert park.anchored() == 1
                assert node._desk.store.ballot(node.voter.subject()) == Ballot()
                with pytest.raises(InvalidProposalError, match="not remembered"):
                    node._desk.memory.require(node.voter.subject())
                with park.running((2,)):
                    wait_until(lambda: park.anchored() == 2, 60)
                wait_until(lambda: node.follower.position.seq == 2)
                send(nodes[0])
                wait_until(lambda: park.anchored() == 3, 60)
                assert node.status()["votes_from"] == 2
