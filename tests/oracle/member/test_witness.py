"""Two reports of one number under one member's key: kept, proven, punished on chain."""

from collections.abc import Iterator
from dataclasses import replace

import cbor2
import pytest

from contracts.structs import Attestation, BatchReport
from contracts.typed_data import compact_signature
from oracle.errors import UnavailableMemberError
from oracle.member.member import MemberNode
from oracle.member.states import encode_report
from oracle.member.witness import KEPT_NUMBERS
from tests.simulators.lying_leader import LIAR, Scene
from tests.simulators.oracle_park import OraclePark, member_key, wait_until


@pytest.fixture
def scene(park: OraclePark) -> Iterator[Scene]:
    running = Scene(park)
    try:
        yield running
    finally:
        running.stop()


def signature_of(scene: Scene, place: int, report: BatchReport) -> bytes:
    digest = scene.liar._desk.chain.report_digest(report)
    return compact_signature(member_key(place).private, digest)


def show(scene: Scene, member: int, report: BatchReport, place: int = LIAR) -> None:
    """Let the liar's peer-to-peer port show a member what somebody signed."""
    seen = Attestation.collect({place: signature_of(scene, place, report)})
    body = cbor2.dumps([encode_report(report), seen.signers, seen.signatures])
    scene.liar._peers.ask(member_key(member).address, "signed", body)


def suspended(scene: Scene) -> int:
    return scene.park.ledger.anchor.suspended_members()


def kept(node: MemberNode) -> int:
    return len(node.witness._store.all())


class TestDoubleSignature:
    def test_beside_the_anchored_one_suspends_the_member_and_the_stream_goes_on(
        self, scene: Scene
    ):
        """The liar signs what is anchored, and shows one member something else."""
        raws = scene.raws(3)
        scene.liar.bodies = raws
        honest = scene.batch(raws).report
        scene.liar.inbox.submit(raws)
        scene.start_honest()
        scene.liar._cycle.start()
        wait_until(lambda: scene.park.anchored() >= 1, 30)
        show(scene, 2, replace(honest, gaps_digest=b"\x07" * 32))
        wait_until(lambda: suspended(scene) == 1 << LIAR, 30)
        scene.honest[1].inbox.submit(scene.raws(3))
        before = scene.park.anchored()
        wait_until(lambda: scene.park.anchored() > before, 30)
        last = scene.honest[1]
        wait_until(lambda: last.follower.position.seq > before)
        batch = last.batch(before)
        assert batch is not None
        votes = last._desk.chain.attestation(batch.tx_hash)
        assert votes.signers == 0b1110

    def test_shown_in_halves_to_two_members_is_put_together(self, scene: Scene):
        """Neither half is anchored; the members tell each other what they saw."""
        report = scene.batch(scene.raws(2)).report
        other = replace(report, log_root=b"\x09" * 32)
        for member, one in ((1, report), (2, other)):
            node = scene.honest[member]
            node.witness.note(one, {LIAR: signature_of(scene, LIAR, one)})
        wait_until(lambda: max(map(kept, scene.honest.values())) == 1, 10)
        scene.start_honest()
        wait_until(lambda: suspended(scene) == 1 << LIAR, 30)

    def test_is_remembered_through_a_restart(self, scene: Scene):
        report = scene.batch(scene.raws(2)).report
        for one in (report, replace(report, log_root=b"\x09" * 32)):
            show(scene, 1, one)
        scene.honest[1].stop()
        again = scene.park.node(1)
        try:
            again.follower.follow()
            assert suspended(scene) == 0
            again.witness.accuse()
            assert suspended(scene) == 1 << LIAR
            again.follower.follow()
            again.witness.accuse()  # proven once, it is not proven again
            assert again.follower.view.suspended == {LIAR}
        finally:
            again.stop()


class TestNobodyIsAccusedWithoutCause:
    def test_the_same_report_twice_is_no_double(self, scene: Scene):
        report = scene.batch(scene.raws(2)).report
        for member in (1, 1, 2):
            show(scene, member, report)
        scene.honest[1].witness.accuse()
        assert suspended(scene) == 0

    def test_a_signature_in_anothers_name_is_refused(self, scene: Scene):
        report = scene.batch(scene.raws(2)).report
        seen = Attestation.collect({3: signature_of(scene, LIAR, report)})
        body = cbor2.dumps([encode_report(report), seen.signers, seen.signatures])
        with pytest.raises(UnavailableMemberError, match="a low-s signature"):
            scene.liar._peers.ask(member_key(1).address, "signed", body)
        assert kept(scene.honest[1]) == 0

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"stream_id": b"\x01" * 32}, "its stream"),
            ({"rules_version": 2}, "its rules_version"),
            ({"seq": KEPT_NUMBERS + 1}, "its seq"),
        ],
    )
    def test_what_no_contract_would_punish_is_not_kept(
        self, scene: Scene, changes: dict[str, object], named: str
    ):
        report = scene.batch(scene.raws(2)).report
        with pytest.raises(UnavailableMemberError, match=named):
            show(scene, 1, replace(report, **changes))
        assert kept(scene.honest[1]) == 0

    def test_a_liar_cannot_fill_the_memory(self, scene: Scene):
        report = scene.batch(scene.raws(2)).report
        for number in range(5):
            show(scene, 1, replace(report, gaps_digest=bytes([number]) * 32))
        (reports,) = scene.honest[1].witness._store.all().values()
        assert len(reports) == 2

    def test_what_the_chain_anchored_is_forgotten(self, scene: Scene):
        scene.honest[1].inbox.submit(scene.raws(3))
        scene.start_honest()
        scene.liar._cycle.start()
        wait_until(lambda: scene.park.anchored() >= 1, 30)
        nodes = scene.honest.values()
        wait_until(lambda: all(n.follower.position.seq >= 1 for n in nodes), 20)
        wait_until(lambda: not any(kept(n) for n in nodes), 20)
        assert suspended(scene) == 0

    def test_votes_of_an_older_configuration_are_forgotten(self, scene: Scene):
        report = scene.batch(scene.raws(2)).report
        show(scene, 1, report)
        members = scene.park.ledger.anchor.configuration().members
        scene.park.govern("Regulator", scene.park.ledger.anchor.configure(members, 3))
        scene.honest[1].follower.follow()
        scene.honest[1].witness.accuse()
        assert kept(scene.honest[1]) == 0
