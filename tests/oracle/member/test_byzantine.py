"""A lying leader against three honest members: whatever it does is harmless.

Member 0 lies; it leads number 0 in round 0. It keeps its key, its HTTP server and its
view of the chain, but no rounds of its own: the tests speak for it.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import cbor2
import pytest

from contracts.enumerations import CarrierStatus
from contracts.errors import (
    AnchorConfigurationMismatchError,
    AnchorQuorumMissingError,
    AnchorSeqMismatchError,
    AnchorSignatureInvalidError,
    AnchorSignaturesLengthError,
    AnchorSignerUnknownError,
)
from contracts.structs import Attestation
from contracts.typed_data import compact_signature, digest, domain, struct_hash
from oracle.errors import (
    ConflictBallotError,
    InvalidProposalError,
    UnavailableMemberError,
)
from oracle.member import ballot as rules
from oracle.member import votes
from oracle.member.ballot import Certificate, Phase, certify
from oracle.member.envelope import Mailroom
from oracle.member.proposal import Batch
from oracle.member.transport import HttpPeers
from oracle.reading.checks import Domain
from oracle.reading.profile import message_digest
from tests.servers.chain import Chain
from tests.simulators.device import DeviceSimulator
from tests.simulators.lying_leader import HONEST, LIAR, Scene
from tests.simulators.oracle_park import (
    CHAIN_ID,
    OraclePark,
    member_key,
    members_of,
    wait_until,
)

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def scene(park: OraclePark) -> Iterator[Scene]:
    running = Scene(park)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="class")
def stage(engine: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One scene for all the lies that leave nothing behind."""
    with OraclePark(engine, tmp_path_factory.mktemp("stage")) as park:
        running = Scene(park)
        try:
            yield running
        finally:
            running.stop()


class TestLyingLeader:
    def test_gets_votes_for_an_honest_proposal(self, scene: Scene):
        raws = scene.raws(5)
        scene.liar.bodies = raws
        answers = [scene.ask(i, scene.offer(scene.batch(raws))) for i in HONEST]
        assert all("vote" in answer for answer in answers)

    def test_cannot_slip_in_a_forged_reading(self, stage: Scene):
        good = stage.raws(5)
        forged = good[4][:-1] + bytes([good[4][-1] ^ 1])
        stage.liar.bodies = [*good[:4], forged]
        refs = list(stage.batch(good).refs)
        one = DeviceSimulator(
            "m1", domain=Domain(1, stage.park.domain.carriers_address)
        )
        foreign = one.next(ts=int(time.time()) - 3600)
        for bad in (forged, foreign):
            stage.liar.bodies = [*good[:4], bad]
            digest = message_digest(bad)
            lie = [*refs[:4], replace(refs[4], digest=digest)]
            assert "its bodies" in stage.refusal(stage.lying(stage.batch(good), lie))

    def test_cannot_count_a_reading_twice(self, stage: Scene):
        raws = stage.raws(3)
        stage.liar.bodies = raws
        refs = stage.batch(raws).refs
        lie = stage.lying(stage.batch(raws), [refs[0], refs[1], refs[1], refs[2]])
        assert "its order" in stage.refusal(lie)

    def test_cannot_reorder_readings(self, stage: Scene):
        raws = stage.raws(3)
        stage.liar.bodies = raws
        refs = stage.batch(raws).refs
        lie = stage.lying(stage.batch(raws), [refs[1], refs[0], refs[2]])
        assert "its order" in stage.refusal(lie)

    def test_cannot_give_a_reading_another_name(self, scene: Scene):
        raws = scene.raws(3)
        scene.liar.bodies = raws
        refs = scene.batch(raws).refs
        lie = scene.lying(scene.batch(raws), [*refs[:2], replace(refs[2], seq=9)])
        for index in HONEST:
            scene.honest[index].inbox.submit(raws)
        assert "refused for its" in scene.refusal(lie)

    def test_cannot_use_a_reading_behind_the_cut_off(self, scene: Scene):
        raws = scene.raws(5)
        for node in scene.nodes:
            node.inbox.submit(raws)
        revoke = scene.park.ledger.carriers.set_status(
            scene.device.identifier_hash, CarrierStatus.REVOKED, 2
        )
        batch = scene.batch(raws)
        scene.park.govern("Identity Platform", revoke)
        scene.liar.follower.follow()
        head, follower = scene.liar.follower.head, scene.liar.follower
        lie = scene.offer(
            batch,
            ref_block_number=head.number,
            ref_block_hash=head.hash,
            data_digest=follower.view.registry_at(head.number).root(),
        )
        assert "its carrier status" in scene.refusal(lie)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("gaps_digest", b"\x05" * 32),
            ("log_root", b"\x05" * 32),
            ("prev_head", b"\x05" * 32),
            ("ref_block_hash", b"\x05" * 32),
            ("rules_version", 2),
            ("last_ts", 2_000_000_000_000),
        ],
    )
    def test_cannot_change_a_field(self, stage: Scene, field: str, value: object):
        raws = stage.raws(3)
        stage.liar.bodies = raws
        lie = stage.offer(stage.batch(raws), **{field: value})
        assert f"its {field}" in stage.refusal(lie)

    def test_cannot_lean_on_a_block_that_the_contract_will_have_forgotten(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ):
        raws = scene.raws(3)
        scene.liar.bodies = raws
        offer = scene.offer(scene.batch(raws))
        monkeypatch.setattr(votes, "REFERENCE_BLOCKS", 2)
        others = ("m2", "m3", "m4")
        for name in others:
            scene.park.device(name)
        for node in scene.honest.values():
            node.follower.follow()
        assert "its ref_block_number: expected at least" in scene.refusal(offer)

    def test_cannot_speak_out_of_turn(self, stage: Scene):
        raws = stage.raws(3)
        stage.liar.bodies = raws
        offer = replace(stage.offer(stage.batch(raws)), round=1)
        assert "its leader" in stage.refusal(offer)

    def test_cannot_run_ahead_in_rounds(self, stage: Scene):
        raws = stage.raws(3)
        stage.liar.bodies = raws
        offer = replace(stage.offer(stage.batch(raws)), round=4)
        assert "out of turn" in stage.refusal(offer)

    def test_cannot_hide_an_equivocating_carrier(self, scene: Scene):
        raws = scene.raws(3)
        twin = DeviceSimulator("m1", domain=scene.park.domain)
        other = twin.next(ts=int(time.time()) - 3500)
        scene.liar.bodies = raws
        for index in HONEST:
            scene.honest[index].inbox.submit([*raws, other])
        assert "its equivocation" in scene.refusal(scene.offer(scene.batch(raws)))


class TestTwoProposals:
    def test_shown_to_different_members_get_no_quorum_and_the_next_round_goes_on(
        self, scene: Scene
    ):
        raws = scene.raws(6)
        scene.liar.bodies = raws
        first, second = scene.batch(raws[:3]), scene.batch(raws)
        votes = [
            scene.ask(1, scene.offer(first)),
            scene.ask(2, scene.offer(second)),
            scene.ask(3, scene.offer(second)),
        ]
        assert all("vote" in answer for answer in votes)
        assert "refused" in scene.ask(1, scene.offer(second))
        scene.start_honest()
        wait_until(lambda: scene.park.anchored() >= 1, 30)
        wait_until(
            lambda: (
                len({node.follower.position.head for node in scene.honest.values()})
                == 1
            )
        )

    def test_a_member_signs_one_report_of_a_number(self, scene: Scene):
        """Even with two valid quorums of locks, which takes two liars."""
        raws = scene.raws(4)
        scene.liar.bodies = raws
        first, second = scene.batch(raws[:2]), scene.batch(raws)
        voter, own = scene.honest[1].voter, scene.honest[1].key.address
        voter.accept(scene.offer(first), scene.liar.key.address)
        voter.accept(replace(scene.offer(second), round=1), own)
        voter.sign(stolen_quorum(scene, first, 0))
        with pytest.raises(ConflictBallotError, match="signature"):
            voter.sign(stolen_quorum(scene, second, 1))
        with pytest.raises(ConflictBallotError, match="signature"):
            voter.accept(replace(scene.offer(second), round=1), own)

    def test_a_certificate_for_an_unseen_proposal_is_not_signed(self, scene: Scene):
        batch = scene.batch(scene.raws(2))
        with pytest.raises(InvalidProposalError, match="verified here"):
            scene.honest[1].voter.sign(stolen_quorum(scene, batch, 0))


def stolen_quorum(scene: Scene, batch: Batch, round_: int) -> Certificate:
    """Locks of three members, made with their keys without asking them."""
    subject = scene.liar.voter.subject()
    vote = (Phase.LOCK, round_, struct_hash(batch.report))
    digest = subject.vote_digest(*vote)
    votes = {i: compact_signature(member_key(i).private, digest) for i in (0, 2, 3)}
    configuration = scene.liar.follower.view.configuration
    return certify(configuration, subject, vote, votes)


class TestReplay:
    def test_of_an_old_report_is_refused_by_members_and_contract(self, scene: Scene):
        raws = scene.raws(3)
        scene.liar.bodies = raws
        batch = scene.batch(raws)
        scene.start_honest()
        scene.honest[1].inbox.submit(raws)
        wait_until(lambda: scene.park.anchored() >= 1, 30)
        wait_until(lambda: scene.honest[1].follower.position.seq >= 1)
        old = scene.honest[1]._desk.store.batch(0)
        assert old is not None
        votes = scene.honest[1]._desk.chain.attestation(old.tx_hash)
        with pytest.raises(AnchorSeqMismatchError):
            scene.park.sender.send(scene.park.ledger.anchor.submit(old.report, votes))
        assert "out of turn" in str(scene.ask(1, scene.offer(batch)).get("refused"))

    def test_under_another_configuration_is_refused_by_the_contract(self, scene: Scene):
        batch = scene.batch(scene.raws(2))
        digest = scene.liar._desk.chain.report_digest(batch.report)
        signed = {
            i: compact_signature(member_key(i).private, digest) for i in (0, 2, 3)
        }
        votes = Attestation.collect(signed)
        scene.park.govern(
            "Regulator", scene.park.ledger.anchor.configure(members_of(), 3)
        )
        with pytest.raises(AnchorConfigurationMismatchError):
            scene.liar._desk.chain.submit(batch.report, votes)

    def test_of_a_message_for_another_contract_is_refused(self, scene: Scene):
        raws = scene.raws(2)
        offer = scene.offer(scene.batch(raws)).to_bytes()
        for chain_id, anchor in (
            (1, scene.park.deployment.addresses["ReadingAnchor"]),
            (20260, scene.park.deployment.addresses["EmissionLedger"]),
        ):
            room = Mailroom(
                member_key(LIAR).private, domain(chain_id, anchor), time.time
            )
            address = member_key(1).address
            peers = HttpPeers(room, {address: scene.honest[1].url}, 5)
            with pytest.raises(UnavailableMemberError, match="403"):
                peers.ask(address, "proposal", offer)
            peers.close()

    def test_of_a_strangers_message_is_refused(self, scene: Scene):
        stranger = Mailroom(
            scene.park.sender._key, scene.liar._desk.chain.domain, time.time
        )
        address = member_key(1).address
        peers = HttpPeers(stranger, {address: scene.honest[1].url}, 5)
        with pytest.raises(UnavailableMemberError, match="a member of the config"):
            peers.ask(address, "gossip", cbor2.dumps([]))
        peers.close()


class TestSilentLeader:
    def test_costs_one_time_out(self, scene: Scene):
        scene.honest[2].inbox.submit(scene.raws(3))
        scene.start_honest()
        wait_until(lambda: scene.park.anchored() >= 1, 20)


class TestRestart:
    def test_between_persist_and_sign_keeps_the_member_to_its_promise(
        self, scene: Scene
    ):
        """What was written down binds, although nobody ever saw the signature."""
        raws = scene.raws(4)
        scene.liar.bodies = raws
        first, second = scene.batch(raws[:2]), scene.batch(raws)
        member, own = scene.honest[1], scene.honest[1].key.address
        member.voter.accept(scene.offer(first), scene.liar.key.address)
        member.voter.accept(replace(scene.offer(second), round=1), own)
        locks, subject = stolen_quorum(scene, first, 0), member.voter.subject()
        promise = rules.sign(member._desk.store.ballot(subject), locks)
        member._desk.store.save_ballot(subject, promise)
        member.stop()
        again = scene.park.node(1)
        try:
            again.follower.follow()
            with pytest.raises(ConflictBallotError, match="signature"):
                again.voter.sign(stolen_quorum(scene, second, 1))
            digest = scene.liar._desk.chain.report_digest(first.report)
            expected = compact_signature(member_key(1).private, digest)
            assert again.voter.sign(locks) == expected
        finally:
            again.stop()


def high_s(signature: bytes) -> bytes:
    """The twin of a compact signature that plain ECDSA would accept as well."""
    word = int.from_bytes(signature[32:], "big")
    s_value, parity = word & (2**255 - 1), word >> 255
    twin = SECP256K1_ORDER - s_value | (parity ^ 1) << 255
    return signature[:32] + twin.to_bytes(32, "big")


class TestAttestation:
    """A transmitter bends what a quorum signed; the contract on the chain judges."""

    def votes(self, stage: Scene, anchor_domain: bytes | None = None):
        """An honest batch's report and its signatures by all four members."""
        report = stage.batch(stage.raws(2)).report
        seal = anchor_domain or stage.liar._desk.chain.domain
        signed = digest(report, seal)
        parts = [compact_signature(member_key(i).private, signed) for i in range(4)]
        return report, parts

    @pytest.mark.parametrize(
        ("name", "refusal"),
        [
            ("surplus", AnchorSignaturesLengthError),
            ("duplicate", AnchorSignatureInvalidError),
            ("zero address", AnchorSignatureInvalidError),
            ("high s", AnchorSignatureInvalidError),
            ("stranger", AnchorSignerUnknownError),
            ("too few", AnchorQuorumMissingError),
        ],
    )
    def test_bent_is_refused_and_nothing_is_anchored(
        self, stage: Scene, name: str, refusal: type[Exception]
    ):
        report, (zero, one, two, three) = self.votes(stage)
        bent = {
            "surplus": (0b0111, zero + one + two + three),
            "duplicate": (0b1101, zero + zero + three),
            "zero address": (0b1101, bytes(64) + two + three),
            "high s": (0b1101, high_s(zero) + two + three),
            "stranger": (0b11101, zero + two + three + one),
            "too few": (0b1100, two + three),
        }[name]
        with pytest.raises(refusal):
            stage.liar._desk.chain.submit(report, Attestation(*bent))
        assert stage.park.anchored() == 0

    @pytest.mark.parametrize("moved", ["chain", "contract"])
    def test_of_another_chain_or_contract_is_refused(self, stage: Scene, moved: str):
        addresses = stage.park.deployment.addresses
        foreign = {
            "chain": domain(1, addresses["ReadingAnchor"]),
            "contract": domain(CHAIN_ID, addresses["EmissionLedger"]),
        }[moved]
        report, (zero, _, two, three) = self.votes(stage, foreign)
        with pytest.raises(AnchorSignatureInvalidError):
            stage.liar._desk.chain.submit(
                report, Attestation(0b1101, zero + two + three)
            )
        assert stage.park.anchored() == 0

    def test_unbent_is_taken(self, stage: Scene):
        """So the refusals above are not for another reason."""
        report, (zero, _, two, three) = self.votes(stage)
        stage.liar._desk.chain.submit(report, Attestation(0b1101, zero + two + three))
        assert stage.park.anchored() == 1
