"""The inbox as rounds use it: readings by name, marks, and evidence."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.member.intake import MemberIntake
from oracle.member.refs import ReadingRef
from oracle.reading.profile import message_digest
from oracle.reading.suites import SoftwareSigner
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

STREAM = b"\x07" * 32


@pytest.fixture
def device() -> DeviceSimulator:
    return DeviceSimulator()


@pytest.fixture
def inbox(database_url: str, device: DeviceSimulator) -> Iterator[Inbox]:
    settings = InboxSettings(database_url, DOMAIN, workers=0)
    signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    with Inbox(settings, registry_of(device), signer, lambda: START) as one:
        yield one


@pytest.fixture
def intake(inbox: Inbox, database_url: str) -> MemberIntake:
    return MemberIntake(inbox, database_url)


def ref(device: DeviceSimulator, seq: int, raw: bytes) -> ReadingRef:
    return ReadingRef(device.identifier_hash, seq, message_digest(raw))


class TestMarks:
    def test_a_marked_reading_waits_no_more(
        self, inbox: Inbox, intake: MemberIntake, device: DeviceSimulator
    ):
        raws = device.series(4)
        inbox.submit(raws)
        refs = [ref(device, 2, raws[2]), ref(device, 0, raws[0])]
        for _ in range(2):
            intake.mark_batched(STREAM, 7, refs)
            assert [one.seq for one in inbox.stored.pending(10)] == [1, 3]
            assert inbox.stored.count_pending(10) == 2
        found = intake.batched([device.identifier], 0, 1 << 40)
        assert [(one.seq, one.batch_index) for one in found] == [(0, 1), (2, 0)]

    def test_a_reading_that_is_not_here_is_not_marked(
        self, inbox: Inbox, intake: MemberIntake, device: DeviceSimulator
    ):
        raws = device.series(2)
        inbox.submit(raws[:1])
        intake.mark_batched(STREAM, 7, [ref(device, 1, raws[1])])
        assert [one.seq for one in inbox.stored.pending(10)] == [0]

    def test_a_reading_that_took_anothers_place_has_one_receipt(
        self, inbox: Inbox, intake: MemberIntake, device: DeviceSimulator
    ):
        pair = [device.sign(device.reading(ts=START + shift)) for shift in (0, 1)]
        inbox.submit(pair)
        intake.mark_batched(STREAM, 7, [ref(device, 0, pair[1])])
        receipts = [inbox.submit(pair[1:])[0].receipt for _ in range(3)]
        assert receipts[0]
        assert len(set(receipts)) == 1
        assert inbox.stored.counts()["receipts"] == 2


class TestBodies:
    def test_of_both_messages_of_an_equivocation_are_found(
        self, inbox: Inbox, intake: MemberIntake, device: DeviceSimulator
    ):
        pair = [device.sign(device.reading(ts=START + shift)) for shift in (0, 1)]
        inbox.submit(pair)
        refs = [ref(device, 0, raw) for raw in pair]
        assert intake.bodies(refs) == {
            one.digest: raw for one, raw in zip(refs, pair, strict=True)
        }
        assert intake.disputed(refs[:1]) == pair

    def test_rows_behind_a_row_come_in_order(
        self, inbox: Inbox, intake: MemberIntake, device: DeviceSimulator
    ):
        raws = device.series(4)
        inbox.submit(raws)
        second = intake.after(0, 2)[1]
        assert [one.raw for one in intake.after(second.row_id, 9)] == raws[2:]
