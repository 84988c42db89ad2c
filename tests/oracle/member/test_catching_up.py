"""A member that was away catches up, whatever peers, devices and registry did."""

import sqlite3
import time
from dataclasses import replace
from typing import Any

from contracts.enumerations import CarrierStatus
from oracle.errors import UnavailableInboxError
from oracle.member.fsck import check_everything
from oracle.member.member import MemberNode
from oracle.member.ports import Chain, ChainNews
from oracle.member.proposal import build_batch
from oracle.member.refs import join_refs, split_refs
from oracle.member.store import Proposal
from oracle.member.votes import Offer
from oracle.reading.profile import message_digest
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import OraclePark, member_key, wait_until

AWAY = 3


class MisleadingNode(MemberNode):
    """Gives a wrong order of a batch to those who missed it."""

    def _give_batch(self, sender: str, body: bytes) -> bytes:
        refs = split_refs(super()._give_batch(sender, body))
        return join_refs([replace(one, digest=bytes(32)) for one in refs])


def recent(device: DeviceSimulator, count: int) -> list[bytes]:
    start = int(time.time()) - 3600
    return [device.next(ts=start + device.seq) for _ in range(count)]


def batched(node: MemberNode, device: DeviceSimulator) -> list[bytes]:
    """Digests of the readings that count, by seq."""
    found = node._intake.batched([device.identifier], 0, 1 << 40)
    return [one.digest for one in found]


def in_database(node: MemberNode, statement: str) -> None:
    """Change a member's database from outside."""
    connection = sqlite3.connect(node.settings.data_dir / "member.db", timeout=30)
    with connection:
        connection.execute(statement)
    connection.close()


def fails_to_follow(node: MemberNode) -> bool:
    """Follow once; peers may be slow, and then it is tried again."""
    try:
        node.follower.follow()
    except UnavailableInboxError:
        return True
    return False


class TestCatchingUp:
    def test_passes_over_a_peer_that_gives_a_wrong_order(self, park: OraclePark):
        device = park.device("m1")
        with park.running((1, 2)) as nodes:
            liar = MisleadingNode(park.settings(0), key=member_key(0))
            with liar:
                nodes[1].inbox.submit(recent(device, 5))
                wait_until(lambda: len(batched(nodes[2], device)) == 5)
                with park.running((AWAY,)) as late:
                    wait_until(lambda: len(batched(late[AWAY], device)) == 5)
                    assert late[AWAY].follower.conflict is None

    def test_takes_readings_whose_carrier_was_suspended_behind_their_batch(
        self, park: OraclePark
    ):
        device = park.device("m1")
        with park.running((0, 1, 2)) as nodes:
            nodes[1].inbox.submit(recent(device, 5))
            wait_until(lambda: len(batched(nodes[2], device)) == 5)
            status = (device.identifier_hash, CarrierStatus.SUSPENDED, 0)
            call = park.ledger.carriers.set_status(*status)
            park.govern("Identity Platform", call)
            with park.running((AWAY,)) as late:
                wait_until(lambda: len(batched(late[AWAY], device)) == 5)

    def test_goes_on_where_a_database_failed_between_a_batch_and_its_marks(
        self, park: OraclePark
    ):
        device = park.device("m1")
        with park.running((0, 1, 2)) as nodes:
            nodes[1].inbox.submit(recent(device, 5))
            wait_until(lambda: len(batched(nodes[2], device)) == 5)
            late = park.node(AWAY)
            try:
                in_database(
                    late,
                    "CREATE TRIGGER full BEFORE UPDATE ON readings "
                    "BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
                )
                for _ in range(2):
                    wait_until(lambda: fails_to_follow(late), 60)
                    assert late.follower.position.seq == 0
                in_database(late, "DROP TRIGGER full")
                wait_until(
                    lambda: (
                        not fails_to_follow(late)
                        and late.follower.position == nodes[2].follower.position
                    ),
                    60,
                )
                assert late.follower.conflict is None
                assert len(batched(late, device)) == 5
            finally:
                late.stop()

    def test_counts_the_anchored_one_of_two_messages_and_keeps_both(
        self, park: OraclePark
    ):
        device = park.device("m1")
        twin = DeviceSimulator("m1", domain=park.domain)
        other = twin.next(ts=int(time.time()) - 3500)
        raws = recent(device, 3)
        with park.running((0, 1, 2)) as nodes:
            nodes[1].inbox.submit(raws)
            wait_until(lambda: len(batched(nodes[2], device)) == 3)
            late = park.node(AWAY)
            late._intake.set_registry(nodes[1].follower.view.registry)
            late.inbox.submit([other])
            with late:
                wait_until(lambda: late.follower.position.seq == park.anchored())
                digests = [message_digest(raw) for raw in raws]
                assert batched(late, device) == digests
                (pair,) = late.inbox.stored.equivocations()
                assert {pair["stored_raw"], pair["raw"]} == {other, raws[0]}
                again = late.inbox.submit(raws[:1])[0]
                assert again.receipt
            checked = check_everything(late.settings, lambda *_: None)
            assert checked.readings == 3


class TestManyRounds:
    def test_do_not_pile_up_proposals(self, park: OraclePark):
        """A stream that stands still for a day sees thousands of rounds."""
        device = park.device("m1")
        node = park.node(1)
        try:
            node.follower.follow()
            node.inbox.submit(recent(device, 30))
            follower, head = node.follower, node.follower.head
            frame = follower.frame_at(head.number, head.hash, 1)
            for round_ in range(30):
                readings, states = node.rounds._selection.choose(head.number)
                batch = build_batch(frame, readings[: round_ + 1], states, 0)
                node.voter.round = round_
                leader = member_key(round_ % 4).address
                offer = Offer(Proposal(batch.report, batch.refs), round_)
                node.voter.accept(offer, leader)
            assert len(follower.verified) <= 8
            path = park.folder / "member-1" / "member.db"
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                query = "SELECT count(*) FROM proposals"
                assert database.execute(query).fetchone()[0] <= 8
        finally:
            node.stop()


class TestLostBlocks:
    def test_are_told_and_nothing_is_proposed(self, park: OraclePark):
        """The chain starts anew from an older state, as after a wrong restore."""
        device = park.device("m1")
        client = park.client
        snapshot = client.block_number()
        with park.running() as nodes:
            nodes[1].inbox.submit(recent(device, 3))
            wait_until(lambda: len(batched(nodes[2], device)) == 3)
        node = park.node(1)
        try:
            shorter = EarlierChain(node._desk.chain, snapshot)
            desk = replace(node._desk, chain=shorter)
            node.follower._desk = desk
            node.step()
            assert "the chain has 0 batches" in node.status()["last_error"]
        finally:
            node.stop()


class EarlierChain:
    """A chain as it was at an earlier block."""

    def __init__(self, chain: Chain, block: int) -> None:
        self._chain = chain
        self._block = block

    def follow(self) -> ChainNews:
        news = self._chain.follow()
        known = (one for one in news.events if one.block_number <= self._block)
        return replace(news, events=tuple(known))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)
