import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from contracts import errors, typed_data
from contracts.bindings.carriers import EpochKey
from contracts.bindings.reading_anchor import SignedReport
from contracts.enumerations import NO_CUTOFF, CarrierStatus, Kind
from contracts.events import BatchAnchored, CarrierRegistered, MemberSuspended
from contracts.hashing import keccak256
from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from contracts.structs import Attestation, ReadingProof, Registration, RotateKey
from contracts.typed_data import compact_signature, struct_hash
from oracle.log.tree import prove_inclusion
from oracle.reading.profile import Reading, external_aad, message_digest, sign_message
from oracle.reading.suites import SoftwareSigner, Suite, key_id_of

CURVE = ec.SECP256R1()
TABLE = b'{"channels":[]}'


def device(name: str) -> SoftwareSigner:
    secret = int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 1
    return SoftwareSigner(ec.derive_private_key(secret, CURVE))


def registration(park: Any, name: str, owner: str = "Steel") -> Registration:
    key = device(name).public_key
    return Registration(name, park.account(owner), Suite.ES256, key, TABLE)


def enrol(park: Any, name: str) -> bytes:
    call = park.ledger.carriers.register([registration(park, name)])
    park.govern("Identity Platform", call)
    return keccak256(name.encode())


def message_of(park: Any, name: str, seq: int) -> bytes:
    signer = device(name)
    aad = external_aad(20260, park.ledger.carriers.address, keccak256(name.encode()))
    kid = key_id_of(Suite.ES256, signer.public_key)
    reading = Reading(kid, seq, park.now(), ((1, 1000 + seq),), bytes(16))
    return sign_message(reading, signer, aad)


class TestCarriers:
    def test_are_enrolled_by_the_identity_platform(self, park: Any):
        call = park.ledger.carriers.register([registration(park, "88.1.1/a")])
        receipt = park.govern("Identity Platform", call)
        id_hash = keccak256(b"88.1.1/a")
        found = park.ledger.carriers.carrier(id_hash)
        assert (found.owner, found.status) == (
            park.account("Steel"),
            CarrierStatus.ACTIVE,
        )
        assert (found.cutoff_seq, found.epochs) == (NO_CUTOFF, 1)
        assert found.channel_table_hash == keccak256(TABLE)
        (event,) = [e for e in park.events(receipt) if isinstance(e, CarrierRegistered)]
        assert (event.identifier, event.channel_table) == ("88.1.1/a", TABLE)

    def test_are_refused_from_the_regulator(self, park: Any):
        call = park.ledger.carriers.register([registration(park, "88.1.1/b")])
        with pytest.raises(errors.AccessManagedUnauthorizedError, match="no right"):
            park.govern("Regulator", call)

    def test_are_refused_a_second_time(self, park: Any):
        enrol(park, "88.1.1/c")
        with pytest.raises(errors.CarriersAlreadyRegisteredError, match="already"):
            enrol(park, "88.1.1/c")

    def test_need_an_owner(self, park: Any):
        call = park.ledger.carriers.register(
            [registration(park, "88.1.1/d", owner="Nobody")]
        )
        with pytest.raises(errors.CarriersOwnerUnknownError, match="was opened"):
            park.govern("Identity Platform", call)

    def test_need_a_key_of_their_suite(self, park: Any):
        short = replace(registration(park, "88.1.1/e"), public_key=b"\x01" * 32)
        with pytest.raises(errors.CarriersKeyInvalidError, match="has 64 bytes"):
            park.govern("Identity Platform", park.ledger.carriers.register([short]))

    def test_sign_with_another_key_from_a_number_on(self, park: Any):
        carriers, id_hash = park.ledger.carriers, enrol(park, "88.1.1/f")
        new = EpochKey(Suite.ES256, device("88.1.1/f new").public_key)
        park.govern("Identity Platform", carriers.rotate_by_authority(id_hash, new, 10))
        assert carriers.key_at(id_hash, 10) == new
        assert carriers.key_at(id_hash, 9).public_key == device("88.1.1/f").public_key
        other = EpochKey(Suite.ES256, device("88.1.1/f other").public_key)
        call = carriers.rotate_by_authority(id_hash, other, 10)
        with pytest.raises(errors.CarriersEpochNotAfterError, match="from 11"):
            park.govern("Identity Platform", call)

    def test_are_not_rotated_without_their_signatures(self, park: Any):
        id_hash = enrol(park, "88.1.1/g")
        new = EpochKey(Suite.ES256, device("88.1.1/g new").public_key)
        call = park.ledger.carriers.rotate(id_hash, new, 5, bytes(64), bytes(64))
        with pytest.raises(errors.CarriersRotationUnsignedError, match="lacks a good"):
            park.send(call)

    def test_change_their_key_themselves(self, park: Any):
        carriers, id_hash = park.ledger.carriers, enrol(park, "88.1.1/i")
        new = EpochKey(Suite.ES256, device("88.1.1/i new").public_key)
        rotation = RotateKey(id_hash, new.suite, new.public_key, 7)
        digest = typed_data.digest(rotation, park.domain(rotation))
        signatures = [
            device(name).sign(digest) for name in ("88.1.1/i", "88.1.1/i new")
        ]
        park.send(carriers.rotate(id_hash, new, 7, *signatures))
        assert carriers.key_at(id_hash, 7) == new

    def test_stop_at_a_cut_off(self, park: Any):
        carriers, id_hash = park.ledger.carriers, enrol(park, "88.1.1/h")
        stop = carriers.set_status(id_hash, CarrierStatus.REVOKED, 41)
        park.govern("Identity Platform", stop)
        assert carriers.carrier(id_hash).cutoff_seq == 41
        again = carriers.set_status(id_hash, CarrierStatus.ACTIVE)
        with pytest.raises(errors.CarriersStatusRefusedError, match="is revoked"):
            park.govern("Identity Platform", again)

    def test_are_unknown_before(self, park: Any):
        with pytest.raises(errors.CarriersUnknownError, match="not registered"):
            park.ledger.carriers.key_at(bytes(32), 0)


@pytest.fixture
def stream(park: Any, request: pytest.FixtureRequest) -> str:
    """A stream of this test's own."""
    name = f"stream of {request.node.name}"
    call = park.ledger.anchor.open_stream(typed_data.stream_id(name), 900)
    park.govern("Regulator", call)
    return name


class TestSubmit:
    def test_anchors_a_batch_with_three_of_four(self, park: Any, stream: str):
        report = park.report(stream, [bytes([i]) * 32 for i in range(5)])
        receipt = park.anchor(report, stream)
        head = park.ledger.anchor.head(report.stream_id)
        assert (head.head, head.seq) == (struct_hash(report), 1)
        (event,) = park.events(receipt)
        assert isinstance(event, BatchAnchored)
        assert (event.report, event.signers) == (report, 0b1101)
        fresh = park.ledger.anchor.fresh_head(report.stream_id, 900)
        assert fresh == head

    def test_chains_batches_and_heartbeats(self, park: Any, stream: str):
        for leaves in ([b"\x01" * 32], [], [b"\x02" * 32, b"\x03" * 32]):
            park.anchor(park.report(stream, leaves), stream)
        assert park.ledger.anchor.head(typed_data.stream_id(stream)).seq == 3

    def submit(self, park: Any, report: Any, attestation: Attestation) -> None:
        park.send(park.ledger.anchor.submit(report, attestation))

    def test_refuses_two_of_four(self, park: Any, stream: str):
        report = park.report(stream)
        with pytest.raises(errors.AnchorQuorumMissingError, match="of 3 members"):
            self.submit(park, report, park.attest(report, (0, 2)))

    def test_refuses_a_foreign_signature(self, park: Any, stream: str):
        report = park.report(stream)
        good = park.attest(report)
        forged = compact_signature(park.sender._key, b"\x01" * 32)
        bad = replace(good, signatures=forged + good.signatures[64:])
        with pytest.raises(errors.AnchorSignatureInvalidError, match="of member 0"):
            self.submit(park, report, bad)

    def test_refuses_surplus_signatures(self, park: Any, stream: str):
        report = park.report(stream)
        good = park.attest(report)
        bad = replace(good, signatures=good.signatures + bytes(64))
        with pytest.raises(errors.AnchorSignaturesLengthError, match="got 256"):
            self.submit(park, report, bad)

    def test_refuses_a_report_a_second_time(self, park: Any, stream: str):
        report = park.report(stream)
        park.anchor(report, stream)
        with pytest.raises(errors.AnchorSeqMismatchError, match="came first"):
            self.submit(park, report, park.attest(report))

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"prev_head": b"\x01" * 32}, errors.AnchorHeadMismatchError),
            ({"log_size": 7}, errors.AnchorLogSizeMismatchError),
            ({"rules_version": 77}, errors.AnchorConfigurationMismatchError),
            ({"ref_block_hash": b"\x01" * 32}, errors.AnchorReferenceMismatchError),
            ({"first_ts": 2**40}, errors.AnchorTimeBackwardError),
            ({"last_ts": 2**40}, errors.AnchorTimeAheadError),
            ({"leaf_count": 3}, errors.AnchorLeavesInvalidError),
            ({"stream_id": bytes(32)}, errors.AnchorStreamUnknownError),
        ],
    )
    def test_refuses_a_report_that_does_not_fit(
        self, park: Any, stream: str, changed: dict[str, Any], error: type[Exception]
    ):
        report = replace(park.report(stream), **changed)
        with pytest.raises(error, match=r"expected|here|current|never|head"):
            self.submit(park, report, park.attest(report))

    def test_refuses_a_stream_that_is_open(self, park: Any, stream: str):
        call = park.ledger.anchor.open_stream(typed_data.stream_id(stream), 1)
        with pytest.raises(errors.AnchorStreamOpenedError, match="open already"):
            park.govern("Regulator", call)


class TestVerifyReading:
    def proof(self, park: Any, stream: str, name: str) -> tuple[bytes, ReadingProof]:
        """Anchor three readings, then a heartbeat, and prove the second one."""
        id_hash = enrol(park, name)
        messages = [message_of(park, name, seq) for seq in range(3)]
        number = typed_data.stream_id(stream)
        leaves = [
            leaf_hash(BatchLeaf(number, 0, i, id_hash, i, message_digest(message)))
            for i, message in enumerate(messages)
        ]
        batch = park.report(stream, leaves)
        park.anchor(batch, stream)
        latest = park.report(stream)
        park.anchor(latest, stream)
        log_path = prove_inclusion(park.log[stream][:1], 0)
        path = BatchTree(leaves).proof(1)
        return messages[1], ReadingProof(batch, latest, log_path, 1, 1, id_hash, path)

    def test_accepts_a_reading_in_the_log(self, park: Any, stream: str):
        message, proof = self.proof(park, stream, "88.1.1/p")
        assert park.ledger.anchor.verify_reading(message, proof)

    def test_refuses_another_message(self, park: Any, stream: str):
        _, proof = self.proof(park, stream, "88.1.1/q")
        other = message_of(park, "88.1.1/q", 1)
        with pytest.raises(errors.AnchorProofNotInBatchError, match="not in the batch"):
            park.ledger.anchor.verify_reading(other + b"\x00", proof)

    def test_refuses_an_old_head(self, park: Any, stream: str):
        message, proof = self.proof(park, stream, "88.1.1/r")
        old = replace(proof, latest=proof.batch)
        with pytest.raises(errors.AnchorProofNotLatestError, match="anew"):
            park.ledger.anchor.verify_reading(message, old)


class TestMembers:
    def test_know_their_quorum(self, park: Any, stream: str):
        report = park.report(stream)
        anchor, digest = park.ledger.anchor, b"\x01" * 32
        good = Attestation.collect(
            {
                index: compact_signature(park.member_key(index), digest)
                for index in (0, 1, 3)
            }
        )
        anchor.require_quorum(digest, good)
        with pytest.raises(errors.AnchorSignatureInvalidError, match="recovers to"):
            anchor.require_quorum(b"\x02" * 32, park.attest(report))

    def test_that_contradict_themselves_are_suspended(self, park: Any, stream: str):
        anchor = park.ledger.anchor
        configuration = anchor.configuration()
        first = park.report(stream)
        second = replace(first, gaps_digest=b"\x01" * 32)
        signed = [
            SignedReport(
                report,
                compact_signature(
                    park.member_key(1),
                    typed_data.digest(report, park.domain(report)),
                ),
            )
            for report in (first, second)
        ]
        with pytest.raises(errors.AnchorNoEquivocationError, match="contradict"):
            park.send(anchor.prove_equivocation(1, signed[0], signed[0]))
        receipt = park.send(anchor.prove_equivocation(1, *signed))
        assert anchor.suspended_members() == 0b10
        assert isinstance(park.events(receipt)[0], MemberSuspended)
        with pytest.raises(errors.AnchorMemberSuspendedError, match="suspended"):
            park.send(anchor.submit(first, park.attest(first, (0, 1, 2))))
        call = anchor.configure(configuration.members, configuration.threshold)
        park.govern("Regulator", call)
        assert anchor.suspended_members() == 0
        assert anchor.configuration().version == configuration.version + 1
        assert len(anchor.config_digest()) == 32

    def test_need_a_threshold_above_two_thirds(self, park: Any):
        members = park.ledger.anchor.configuration().members
        call = park.ledger.anchor.configure(members, 2)
        with pytest.raises(errors.AnchorThresholdInvalidError, match="of 3 to 4"):
            park.govern("Regulator", call)

    def test_need_an_auditor_or_a_regulator(self, park: Any):
        members = tuple(
            replace(member, role=Kind.PARK_OPERATOR)
            for member in park.ledger.anchor.configuration().members
        )
        with pytest.raises(errors.AnchorRoleMissingError, match="verifier or a reg"):
            park.govern("Regulator", park.ledger.anchor.configure(members, 3))


class TestSuitesOnChain:
    def test_an_ed25519_key_is_pinned_and_not_checked(self, park: Any):
        key = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
        public = SoftwareSigner(key).public_key
        item = Registration(
            "88.1.1/ed", park.account("Glass"), Suite.EDDSA, public, TABLE
        )
        park.govern("Identity Platform", park.ledger.carriers.register([item]))
        found = park.ledger.carriers.key_at(keccak256(b"88.1.1/ed"), 0)
        assert found == EpochKey(Suite.EDDSA, public)
