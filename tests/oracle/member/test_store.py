"""What a member promised is on disk before it leaves, and survives a restart."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contracts.enumerations import Purpose
from contracts.structs import Attestation
from contracts.typed_data import StatementReport
from oracle.errors import ConflictBallotError
from oracle.inbox.store import open_engine
from oracle.member.ballot import Ballot, Certificate, Phase, Subject
from oracle.member.proposal import Frame, build_batch
from oracle.member.store import AnchoredBatch, MemberStore, Proposal
from oracle.reading.checks import authenticate
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

SUBJECT = Subject(b"\x01" * 32, b"\x02" * 32, 0, 1)
X, Y = b"\x0a" * 32, b"\x0b" * 32
LOCKED = Certificate(Phase.ACCEPT, 3, X, Attestation(7, b"s" * 192))
DEVICE = DeviceSimulator()
REGISTRY = registry_of(DEVICE)
RAWS = DEVICE.series(20)
GAPPY = RAWS[:3] + RAWS[5:9] + RAWS[12:]
FRAME = Frame(SUBJECT.stream_id, 0, b"", 0, b"", 0, b"", b"", 1)
BATCH = build_batch(
    FRAME, [authenticate(raw, REGISTRY, DOMAIN) for raw in GAPPY], {}, START
)


class Disk:
    """Opens the same database again, as a restart does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.engines: list[object] = []

    def open(self) -> MemberStore:
        engine = open_engine(self.address)
        self.engines.append(engine)
        return MemberStore(engine, self.address)


@pytest.fixture
def disk(database_url: str) -> Iterator[Disk]:
    running = Disk(database_url)
    yield running
    for engine in running.engines:
        engine.dispose()  # type: ignore[attr-defined]  # an SQLAlchemy engine


class TestBallots:
    def test_are_empty_before_the_first_vote(self, disk: Disk):
        assert disk.open().ballot(SUBJECT) == Ballot()

    def test_survive_a_restart(self, disk: Disk):
        ballot = Ballot(3, X, LOCKED, X)
        disk.open().save_ballot(SUBJECT, ballot)
        assert disk.open().ballot(SUBJECT) == ballot

    def test_never_let_a_second_signature_of_a_number_pass(self, disk: Disk):
        """A crash between persisting and signing: only the same report is signed."""
        disk.open().save_ballot(SUBJECT, Ballot(0, X, None, X))
        again = disk.open()
        with pytest.raises(ConflictBallotError, match="signature"):
            again.save_ballot(SUBJECT, Ballot(1, Y, None, Y))
        assert again.ballot(SUBJECT).signed_hash == X

    def test_undo_the_whole_promise_when_the_signature_conflicts(self, disk: Disk):
        store = disk.open()
        store.save_ballot(SUBJECT, Ballot(0, X, None, X))
        with pytest.raises(ConflictBallotError):
            store.save_ballot(SUBJECT, Ballot(1, Y, None, Y))
        assert store.ballot(SUBJECT) == Ballot(0, X, None, X)

    def test_start_afresh_under_another_configuration(self, disk: Disk):
        store = disk.open()
        store.save_ballot(SUBJECT, Ballot(0, X, None, X))
        later = replace(SUBJECT, rules_version=2)
        store.save_ballot(later, Ballot(0, Y, None, Y))
        assert store.ballot(later).signed_hash == Y


class TestProposals:
    def test_are_kept_with_the_vote(self, disk: Disk):
        proposal = Proposal(BATCH.report, BATCH.refs)
        disk.open().save_ballot(SUBJECT, Ballot(0, X), proposal)
        assert disk.open().proposal(X) == proposal

    def test_are_unknown_without_a_vote(self, disk: Disk):
        assert disk.open().proposal(X) is None


class TestBatches:
    def adopted(self, disk: Disk) -> AnchoredBatch:
        batch = AnchoredBatch(BATCH.report, BATCH.report_hash, BATCH.refs, b"t" * 32)
        disk.open().adopt(batch, BATCH.states)
        return batch

    def test_survive_a_restart(self, disk: Disk):
        batch = self.adopted(disk)
        assert disk.open().batches(0, 9) == [batch]
        assert disk.open().heads() == [BATCH.report_hash]

    def test_bring_states_with_their_gaps(self, disk: Disk):
        self.adopted(disk)
        states = disk.open().states([DEVICE.identifier_hash, b"\x00" * 32])
        assert states == BATCH.states
        assert len(states[DEVICE.identifier_hash].gaps) == 2

    def test_are_adopted_once(self, disk: Disk):
        self.adopted(disk)
        with pytest.raises(Exception, match="nothing"):
            self.adopted(disk)


class TestStatements:
    def test_survive_a_restart(self, disk: Disk):
        digest = b"\x03" * 32
        report = StatementReport(
            *(digest, START, START + 900, Purpose.TOTAL_WITH_INDIRECT, digest, 0, 1),
            *(digest, digest, digest, digest, -5, digest, digest),
        )
        disk.open().save_statement(X, report, b"{}")
        assert disk.open().statement(X) == (report, b"{}")
        assert disk.open().statement(Y) is None
