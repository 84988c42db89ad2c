"""Members on a real chain: batches go on, whoever stops, starts late or leads."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from contracts.bindings.reading_anchor import SignedReport
from contracts.enumerations import CarrierStatus
from contracts.errors import ContractsError
from contracts.structs import BatchReport, ReadingProof
from contracts.typed_data import compact_signature, digest, struct_hash
from oracle.errors import InvalidProposalError, UnavailableQuorumError
from oracle.log.tree import leaf_hash as log_leaf
from oracle.log.tree import prove_inclusion
from oracle.member.leader import leader_of
from oracle.member.member import MemberNode
from oracle.member.proposal import build_batch, tree_of
from oracle.member.store import Proposal
from oracle.member.votes import Offer
from tests.servers.chain import Chain
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import (
    STREAM_ID,
    OraclePark,
    member_key,
    members_of,
    wait_until,
)

NOTHING = BatchReport(
    *(STREAM_ID, 0, bytes(32), bytes(32), 1, 0, bytes(32), 0, bytes(32), 0, 0),
    *(bytes(32), bytes(32), 1),
)


def recent(device: DeviceSimulator, count: int) -> list[bytes]:
    """Sign readings of the last seconds."""
    start = int(time.time()) - 3600
    return [device.next(ts=start + device.seq) for _ in range(count)]


def batched(node: MemberNode) -> list[tuple[bytes, int]]:
    """Carrier and seq of everything the member has in batches, in order."""
    batches = node._desk.store.batches(0, 10**6)
    return [(ref.identifier_hash, ref.seq) for b in batches for ref in b.refs]


@dataclass(frozen=True)
class Together:
    """A park whose four members run for all tests of one class."""

    park: OraclePark
    nodes: dict[int, MemberNode]

    def device(self, name: str) -> DeviceSimulator:
        """Enrol a carrier and wait until every member knows it."""
        device = self.park.device(name)
        block = self.park.client.block_number()
        wait_until(
            lambda: all(node.status()["block"] >= block for node in self.nodes.values())
        )
        return device

    def batched(self, device: DeviceSimulator, count: int) -> None:
        """Wait until every member has so many readings of a carrier in batches."""
        name = device.identifier_hash
        wait_until(
            lambda: all(
                [one for one, _ in batched(node)].count(name) == count
                for node in self.nodes.values()
            ),
            30,
        )


@pytest.fixture(scope="class")
def together(
    engine: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Together]:
    folder = tmp_path_factory.mktemp("together")
    with OraclePark(engine, folder) as park, park.running() as nodes:
        yield Together(park, nodes)


def all_batched(
    nodes: dict[int, MemberNode], count: int, timeout_s: float = 30
) -> None:
    wait_until(
        lambda: all(len(batched(node)) == count for node in nodes.values()),
        timeout_s,
    )


class TestTogether:
    def test_anchor_what_any_member_received(self, together: Together):
        device = together.device("any")
        for node in together.nodes.values():
            node.inbox.submit(recent(device, 20))
        together.batched(device, 80)
        name = device.identifier_hash
        expected = [(name, seq) for seq in range(80)]
        for node in together.nodes.values():
            assert sorted(one for one in batched(node) if one[0] == name) == expected

    def test_agree_on_heads_with_the_chain(self, together: Together):
        device, park = together.device("heads"), together.park
        together.nodes[1].inbox.submit(recent(device, 5))
        together.batched(device, 5)
        wait_until(
            lambda: (
                {node.follower.position.head for node in together.nodes.values()}
                == {park.ledger.anchor.head(STREAM_ID).head}
            )
        )

    def test_prove_a_reading_of_an_old_batch_on_chain(self, together: Together):
        device, park = together.device("old"), together.park
        raws = recent(device, 7)
        together.nodes[0].inbox.submit(raws)
        together.batched(device, 7)
        together.nodes[0].inbox.submit(recent(device, 3))
        together.batched(device, 10)
        batches = together.nodes[3]._desk.store.batches(0, 100)
        old = next(batch for batch in batches if batch.report.leaf_count == 7)
        latest, seq = batches[-1].report, old.report.seq
        rows = [(r.identifier_hash, r.seq, r.digest) for r in old.refs]
        leaves = [log_leaf(struct_hash(b.report)) for b in batches[: latest.seq]]
        proof = ReadingProof(
            old.report,
            latest,
            prove_inclusion(leaves, seq),
            2,
            old.refs[2].seq,
            device.identifier_hash,
            tree_of(STREAM_ID, seq, rows).proof(2),
        )
        assert park.ledger.anchor.verify_reading(raws[2], proof)

    def test_refuse_a_heartbeat_in_the_place_of_readings(self, together: Together):
        device = together.device("beat")
        together.nodes[0].inbox.submit(recent(device, 3))
        together.batched(device, 3)
        voter, follower = together.nodes[2].voter, together.nodes[2].follower
        head, seq = follower.head, follower.position.seq
        frame = follower.frame_at(head.number, head.hash, 1)
        beat = build_batch(frame, [], {}, int(time.time()))
        leader = member_key(leader_of(seq, 0, 4)).address
        with pytest.raises(InvalidProposalError, match="its heartbeat"):
            voter.accept(Offer(Proposal(beat.report, ()), 0), leader)

    def test_batch_a_late_reading_behind_its_successors(self, together: Together):
        device = together.device("late")
        raws = recent(device, 10)
        together.nodes[0].inbox.submit(raws[:4] + raws[6:])
        together.batched(device, 8)
        together.nodes[3].inbox.submit(raws[4:6])
        together.batched(device, 10)
        last = together.nodes[1]._desk.store.batch(together.park.anchored() - 1)
        assert last is not None
        assert [ref.seq for ref in last.refs] == [4, 5]


class TestRounds:
    def test_beats_when_nothing_comes(self, park: OraclePark):
        with park.running(heartbeat_s=1) as nodes:
            wait_until(lambda: park.anchored() >= 2)
            batch = nodes[0]._desk.store.batch(0)
        assert batch is not None
        assert batch.report.leaf_count == 0

    def test_goes_on_without_a_suspended_member(self, park: OraclePark):
        device = park.device("m1")
        reports = [
            replace(NOTHING, seq=9, batch_root=root) for root in (b"a" * 32, b"b" * 32)
        ]
        domain = park.deployment.domain("ReadingAnchor")
        signed = [
            SignedReport(
                one, compact_signature(member_key(0).private, digest(one, domain))
            )
            for one in reports
        ]
        park.sender.send(park.ledger.anchor.prove_equivocation(0, *signed))
        with park.running() as nodes:
            for _ in range(3):
                nodes[0].inbox.submit(recent(device, 2))
                all_batched(nodes, device.seq)
            votes = [
                nodes[1]._desk.chain.attestation(batch.tx_hash)
                for batch in nodes[1]._desk.store.batches(0, 100)
            ]
        assert {attestation.signers for attestation in votes} == {0b1110}

    def test_goes_on_with_three_of_four(self, park: OraclePark):
        device = park.device("m1")
        with park.running((0, 1, 2)) as nodes:
            for count in range(1, 5):
                nodes[count % 3].inbox.submit(recent(device, 1))
                all_batched(nodes, count)
        assert park.anchored() >= 4

    def test_next_leader_takes_over_from_a_silent_one(self, park: OraclePark):
        device = park.device("m1")
        leader = leader_of(0, 0, 4)
        others = [index for index in range(4) if index != leader]
        with park.running(others, timeout_s=1.0) as nodes:
            started = time.monotonic()
            nodes[others[0]].inbox.submit(recent(device, 3))
            all_batched(nodes, 3)
            assert 0.9 < time.monotonic() - started < 10

    def test_makes_no_batch_with_two_of_four(self, park: OraclePark):
        device = park.device("m1")
        with park.running((2, 3), timeout_s=0.5) as nodes:
            nodes[2].inbox.submit(recent(device, 3))
            time.sleep(2.5)
            assert park.anchored() == 0
            wait_until(
                lambda: (
                    "expected answers of 3 members" in nodes[2]._last_error
                    or "expected answers of 3 members" in nodes[3]._last_error
                )
            )

    def test_a_member_that_was_away_fetches_and_verifies_what_it_missed(
        self, park: OraclePark
    ):
        device = park.device("m1")
        with park.running((0, 1, 2)) as nodes:
            nodes[0].inbox.submit(recent(device, 30))
            all_batched(nodes, 30)
            with park.running((3,)) as late:
                all_batched(late, 30)
                assert late[3].follower.position == nodes[0].follower.position

    def test_a_restarted_member_goes_on_where_it_was(self, park: OraclePark):
        device = park.device("m1")
        with park.running() as nodes:
            nodes[0].inbox.submit(recent(device, 10))
            all_batched(nodes, 10)
            position = nodes[2].follower.position
        again = park.node(2)
        assert again.follower.position == position
        again.stop()
        with park.running() as nodes:
            nodes[2].inbox.submit(recent(device, 10))
            all_batched(nodes, 20)

    def test_cuts_what_is_too_much_for_one_batch(self, park: OraclePark):
        device = park.device("m1")
        with park.running(max_batch=16) as nodes:
            nodes[1].inbox.submit(recent(device, 40))
            all_batched(nodes, 40)
            batches = nodes[0]._desk.store.batches(0, 100)
        assert max(batch.report.leaf_count for batch in batches) == 16

    def test_sets_aside_what_was_revoked_before_its_batch(self, park: OraclePark):
        device, other = park.device("m1"), park.device("m2")
        nodes = {index: park.node(index) for index in range(4)}
        try:
            for node in nodes.values():
                node.follower.follow()
                node.inbox.submit(recent(device, 6) if device.seq == 0 else [])
            hash_ = device.identifier_hash
            revoked = CarrierStatus.REVOKED
            park.govern(
                "Identity Platform",
                park.ledger.carriers.set_status(hash_, revoked, 2),
            )
            for node in nodes.values():
                node.start()
            nodes[1].inbox.submit(recent(other, 1))
            all_batched(nodes, 4)
            seqs = [seq for name, seq in batched(nodes[3]) if name == hash_]
            assert sorted(seqs) == [0, 1, 2]
        finally:
            for node in nodes.values():
                node.stop()


class TestConfigurationChange:
    def test_members_vote_afresh_under_the_new_configuration(self, park: OraclePark):
        device = park.device("m1")
        with park.running((0, 1, 2, 3), window_s=0.1) as nodes:
            for step in range(1, 4):
                nodes[step].inbox.submit(recent(device, 5))
                call = park.ledger.anchor.configure(members_of(), 3)
                park.govern("Regulator", call)
                all_batched(nodes, 5 * step)
            assert nodes[0].status()["configuration"] == 4

    def test_a_signature_under_the_old_one_does_not_block_its_number(
        self, park: OraclePark
    ):
        """Three members sign number 0, the configuration changes, nothing was sent."""
        device = park.device("m1")
        nodes = {index: park.node(index, window_s=0.1) for index in range(4)}
        try:
            for node in nodes.values():
                node.follower.follow()
            leader = nodes[0]
            leader._desk.chain.submit = lambda *_: None  # type: ignore[method-assign]  # the transaction is lost
            for node in nodes.values():
                node._server.start()
            leader.inbox.submit(recent(device, 5))
            leader.step()
            leader.step()
            assert leader.rounds._decided is not None
            park.govern("Regulator", park.ledger.anchor.configure(members_of(), 3))
            for node in nodes.values():
                node.gossip.start()
                node._cycle.start()
            all_batched({1: nodes[1], 2: nodes[2], 3: nodes[3]}, 5)
        finally:
            for node in nodes.values():
                node.stop()

    def test_a_lock_under_the_old_one_is_not_proposed_again(self, park: OraclePark):
        """A leader that led behind its lock must not keep that lock for ever."""
        device = park.device("m1")
        nodes = {index: park.node(index) for index in range(4)}
        leader, started = nodes[0], time.monotonic()

        def refuse(*_: object) -> None:
            raise ContractsError("the chain does not take it")

        try:
            for node in nodes.values():
                node.follower.follow()
                node.voter.round = 8
                node._server.start()
            submit = leader._desk.chain.submit
            leader._desk.chain.submit = refuse  # type: ignore[method-assign]  # as behind a forgotten block
            leader.inbox.submit(recent(device, 5))
            leader.rounds._pacemaker.begin(0, 8)
            for lead in range(2):
                leader.rounds.step(started + 2 * lead)
            park.govern("Regulator", park.ledger.anchor.configure(members_of(), 3))
            for node in nodes.values():
                node.follower.follow()
            leader._desk.chain.submit = submit  # type: ignore[method-assign]  # the real one
            leader.rounds.step(started + 4)
            assert leader.voter.round == 8
            assert park.anchored() == 1
        finally:
            for node in nodes.values():
                node.stop()


class TestLongRound:
    def test_is_used_by_its_leader_again_and_again(self, park: OraclePark):
        """Peers that come back within it are enough: no next leader is waited for."""
        device = park.device("m1")
        nodes = {index: park.node(index) for index in range(4)}
        leader = nodes[0]
        try:
            for node in nodes.values():
                node.follower.follow()
                node.voter.round = 4
            leader._server.start()
            leader.inbox.submit(recent(device, 3))
            leader.rounds._pacemaker.begin(0, 4)
            started = time.monotonic()
            with pytest.raises(UnavailableQuorumError):
                leader.rounds.step(started)
            for index in (1, 2, 3):
                nodes[index]._server.start()
            leader.rounds.step(started + 1)
            assert park.anchored() == 0
            leader.rounds.step(started + 2)
            assert leader.voter.round == 4
            assert park.anchored() == 1
        finally:
            for node in nodes.values():
                node.stop()


class TestCrash:
    def test_between_signature_and_transaction_the_same_report_is_anchored(
        self, park: OraclePark
    ):
        device = park.device("m1")
        nodes = {index: park.node(index) for index in range(4)}
        try:
            for node in nodes.values():
                node.follower.follow()
                node._server.start()
            leader = nodes[0]
            leader._desk.chain.submit = lambda *_: None  # type: ignore[method-assign]  # the transaction is lost
            leader.inbox.submit(recent(device, 5))
            leader.step()
            signed = {
                node._desk.store.ballot(node.voter.subject()).signed_hash
                for node in nodes.values()
            } - {b""}
            assert len(signed) == 1
        finally:
            for node in nodes.values():
                node.stop()
        with park.running() as nodes:
            nodes[1].inbox.submit(recent(device, 5))
            all_batched(nodes, 10)
            first = nodes[2]._desk.store.batch(0)
        assert first is not None
        assert signed == {first.report_hash}
