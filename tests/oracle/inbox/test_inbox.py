"""The inbox: acknowledged means stored, once, unchanged; everything else is named."""

import random
import sqlite3
from concurrent.futures import Future
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oracle.errors import UnavailableInboxError
from oracle.inbox.receipts import MAX_ENTRIES, read_receipt
from oracle.inbox.results import Status
from oracle.reading.checks import authenticate, fold_readings
from oracle.reading.facts import FactKind
from oracle.reading.profile import message_digest
from oracle.reading.registry import CarrierRegistry, CarrierStatus
from tests.oracle.inbox.conftest import sqlite_only
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

STREAM = b"\x51" * 32


@pytest.fixture
def device():
    return DeviceSimulator()


@pytest.fixture
def inbox(open_inbox, device):
    return open_inbox(device)


def statuses(results):
    return [result.status for result in results]


def kinds(inbox):
    return [[fact.kind for fact in one.facts] for one in inbox.stored.pending(100)]


class TestAcceptance:
    def test_a_signed_reading_is_stored_whole(self, inbox, device, clock):
        raw = device.next()

        assert statuses(inbox.submit([raw])) == [Status.ACCEPTED]

        [stored] = inbox.stored.pending(10)
        assert (stored.raw, stored.digest) == (raw, message_digest(raw))
        assert (stored.identifier, stored.seq) == (device.identifier, 0)
        assert (stored.ts, stored.received_at) == (START, clock.now)

    def test_a_receipt_is_the_members_word(self, inbox, device, clock, member_key):
        raw = device.next()

        [result] = inbox.submit([raw])

        suite, public = member_key.suite, member_key.public_key
        receipt = read_receipt(result.receipt, suite, public, DOMAIN)
        assert receipt.entries == ((device.kid, 0, message_digest(raw)),)
        assert (receipt.received_at, receipt.promise_at) == (clock.now, clock.now + 60)

    def test_a_receipt_covers_at_most_64_readings_of_one_request(self, inbox, device):
        results = inbox.submit(device.series(MAX_ENTRIES + 1))

        assert len({result.receipt for result in results}) == 2

    def test_results_come_in_the_order_of_the_messages(self, inbox, device):
        good, stranger = device.series(2), DeviceSimulator("stranger").next()

        results = inbox.submit([good[1], b"noise", good[0], stranger, good[0]])

        assert statuses(results) == [
            Status.ACCEPTED,
            Status.REFUSED,
            Status.ACCEPTED,
            Status.REFUSED,
            Status.REPLAYED,
        ]
        assert [result.check for result in results] == [0, 1, 0, 2, 0]

    def test_one_who_gives_up_waiting_stops_nobody_else(self, inbox, device):
        waiting = [inbox.enqueue([raw]) for raw in device.series(20)]

        assert not any(one.cancel() for one in waiting)
        assert statuses(inbox.submit([device.next()])) == [Status.ACCEPTED]
        assert inbox.stored.counts()["readings"] == 21

    def test_an_empty_request_has_no_results(self, inbox):
        assert inbox.submit([]) == []

    def test_gossip_takes_the_same_way(self, inbox, device):
        raw = device.next()

        assert statuses(inbox.submit([raw, b""])) == [
            Status.ACCEPTED,
            Status.REFUSED,
        ]


class TestReplay:
    def test_the_same_bytes_get_the_stored_receipt(self, inbox, device, clock):
        messages = device.series(3)
        first = inbox.submit(messages)
        clock.now += 500

        again = inbox.submit(messages[1:])

        assert statuses(again) == [Status.REPLAYED] * 2
        assert [one.receipt for one in again] == [one.receipt for one in first[1:]]
        assert inbox.stored.counts()["readings"] == 3

    def test_a_repeat_within_one_request_has_the_same_receipt(self, inbox, device):
        raw = device.next()

        first, second = inbox.submit([raw, raw])

        assert statuses([first, second]) == [Status.ACCEPTED, Status.REPLAYED]
        assert first.receipt == second.receipt

    def test_a_restart_forgets_nothing(self, open_inbox, device):
        messages = device.series(4)
        with open_inbox(device) as before:
            first = before.submit(messages[:2])

        after = open_inbox(device)

        assert after.submit(messages[:1])[0].receipt == first[0].receipt
        after.submit(messages[3:])
        assert kinds(after) == [[], [], [FactKind.GAP]]


class TestRefusal:
    def test_a_refused_message_is_kept_with_its_reason(self, inbox, clock):
        [result] = inbox.submit([b"\x84\x00"])

        assert result.detail.startswith("check 1 (shape): expected")
        [letter] = inbox.stored.dead_letters()
        assert (letter.check_number, letter.raw) == (1, b"\x84\x00")
        assert letter.received_at == clock.now

    def test_no_more_is_kept_of_it_than_a_message_may_be_long(self, inbox):
        inbox.submit([b"\x5f" * 1_000_000])

        [letter] = inbox.stored.dead_letters()
        assert letter.raw == b"\x5f" * 4096

    def test_a_revoked_carrier_is_refused_behind_its_cut_off(self, inbox, device):
        messages = device.series(3)
        record = replace(device.record, status=CarrierStatus.REVOKED, cutoff_seq=1)

        inbox.set_registry(CarrierRegistry({record.identifier_hash: record}))
        results = inbox.submit(messages)

        assert [result.check for result in results] == [0, 0, 5]
        assert inbox.stored.dead_letters()[0].raw == messages[2]

    def test_a_new_registry_counts_for_what_comes_after(self, inbox):
        newcomer = DeviceSimulator("newcomer")
        raw = newcomer.next()
        before = inbox.submit([raw])

        inbox.set_registry(registry_of(newcomer))

        assert statuses(before + inbox.submit([raw])) == [
            Status.REFUSED,
            Status.ACCEPTED,
        ]


class TestEquivocation:
    @pytest.fixture
    def pair(self, device):
        """Two messages of one device for one seq."""
        return [device.sign(device.reading(values=((1, v),))) for v in (1, 2)]

    def test_both_messages_are_kept(self, inbox, pair):
        inbox.submit(pair[:1])

        [result] = inbox.submit(pair[1:])

        assert (result.status, result.check) == (Status.CONFLICT, 6)
        [evidence] = inbox.stored.equivocations()
        assert [evidence.stored_raw, evidence.raw] == pair

    def test_within_one_request_the_first_one_stands(self, inbox, pair):
        results = inbox.submit(pair)

        assert statuses(results) == [Status.ACCEPTED, Status.CONFLICT]

    def test_the_carrier_is_held_back_until_released(self, inbox, device, pair):
        inbox.submit(pair)
        device.next()
        inbox.submit([device.next()])
        assert inbox.stored.pending(10) == []

        inbox.release(device.identifier)

        assert [one.seq for one in inbox.stored.pending(10)] == [0, 1]
        assert FactKind.QUARANTINED in kinds(inbox)[1]

    def test_other_carriers_go_on(self, open_inbox, device, pair):
        other = DeviceSimulator("other")
        inbox = open_inbox(device, other)

        inbox.submit([*pair, other.next()])

        assert [one.identifier for one in inbox.stored.pending(9)] == [other.identifier]

    def test_the_same_evidence_is_kept_once(self, inbox, pair):
        for _ in range(3):
            inbox.submit(pair)

        assert inbox.stored.counts()["equivocations"] == 1


class TestFactsAtArrival:
    def test_a_gap_and_what_fills_it(self, inbox, device):
        messages = device.series(4)
        for place in (0, 3, 2):
            inbox.submit([messages[place]])

        assert kinds(inbox) == [[], [FactKind.GAP], [FactKind.LATE]]

    def test_a_shuffled_request_is_taken_in_the_devices_order(self, inbox, device):
        messages = device.series(20)
        random.Random(5).shuffle(messages)

        inbox.submit(messages)

        assert kinds(inbox) == [[]] * 20

    def test_an_overdue_reading_is_kept_and_marked(self, inbox, device, clock):
        clock.now = START + 86_401

        inbox.submit([device.next()])

        assert kinds(inbox) == [[FactKind.OVERDUE]]


class TestQuestions:
    def test_readings_up_to_a_time_only(self, inbox, device):
        inbox.submit(device.series(4))

        waiting = inbox.stored.pending(10, until_ts=START + 900)

        assert [one.seq for one in waiting] == [0, 1]
        assert inbox.stored.count_pending(10, until_ts=START + 900) == 2

    def test_readings_of_one_carrier_in_a_half_open_span(self, open_inbox, device):
        other = DeviceSimulator("other")
        inbox = open_inbox(device, other)
        inbox.submit(device.series(4) + other.series(4))

        found = inbox.stored.readings_of(device.identifier, START + 900, START + 2700)

        assert [(one.identifier, one.seq) for one in found] == [
            (device.identifier, 1),
            (device.identifier, 2),
        ]


class TestBackPressure:
    def test_a_full_queue_refuses_at_once(self, open_inbox, device, monkeypatch):
        inbox = open_inbox(device, queue_messages=3)
        stuck = Future()
        monkeypatch.setattr(inbox._pool, "submit", lambda _messages: stuck)
        waiting = inbox.enqueue(device.series(3))

        with pytest.raises(UnavailableInboxError, match="is full") as info:
            inbox.enqueue([device.next()])

        assert info.value.is_overload
        stuck.set_exception(UnavailableInboxError("over", 1, is_overload=False))
        with pytest.raises(UnavailableInboxError):
            waiting.result(5)

    def test_the_queue_is_free_again_after_the_commit(self, open_inbox, device):
        inbox = open_inbox(device, queue_messages=3)

        for _ in range(4):
            assert statuses(inbox.submit(device.series(3))) == [Status.ACCEPTED] * 3

    def test_a_closed_inbox_takes_nothing(self, inbox, device):
        inbox.close()

        with pytest.raises(UnavailableInboxError, match="stopping"):
            inbox.submit([device.next()])


class TestFailures:
    @sqlite_only
    def test_a_locked_database_acknowledges_nothing(self, inbox, device, tmp_path):
        inbox.submit([device.next()])
        raw = device.next()
        pragma = "PRAGMA busy_timeout=50"
        with inbox.engine.connect() as connection:
            connection.exec_driver_sql(pragma)
        other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(UnavailableInboxError, match="locked by another process"):
            inbox.submit([raw])

        other.execute("ROLLBACK")
        other.close()
        assert statuses(inbox.submit([raw])) == [Status.ACCEPTED]
        assert kinds(inbox) == [[], []]

    @sqlite_only
    def test_a_full_disk_acknowledges_nothing(self, inbox, device):
        first = device.series(50)
        inbox.submit(first)
        with inbox.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        more = device.series(2000)

        with pytest.raises(UnavailableInboxError, match="is full: free space"):
            inbox.submit(more)

        with inbox.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert set(statuses(inbox.submit(more))) == {Status.ACCEPTED}
        assert inbox.stored.counts()["readings"] == 2050

    @sqlite_only
    def test_a_folder_that_is_missing_is_named(self, open_inbox, device):
        with pytest.raises(UnavailableInboxError, match="check folder and rights"):
            open_inbox(device, name="missing/inbox.db")


@pytest.fixture(scope="module")
def devices():
    return [DeviceSimulator(f"meter-{number}") for number in range(3)]


@pytest.fixture(scope="module")
def series(devices):
    """Twelve readings of each device; the fourth of the first never arrives."""
    signed = [device.series(12) for device in devices]
    del signed[0][3]
    return signed


class TestOrderOfDelivery:
    @given(data=st.data())
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_no_permutation_repetition_or_delay_changes_what_is_stored(
        self, open_inbox, devices, series, data
    ):
        """Facts at arrival may differ (late, overdue); what members fold may not."""
        messages = [raw for one in series for raw in one]
        repeats = data.draw(st.lists(st.sampled_from(messages), max_size=10))
        delivered = data.draw(st.permutations(messages + repeats))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(delivered)), max_size=4)))
        name = f"{data.draw(st.uuids())}.db"
        with open_inbox(*devices, name=name) as inbox:
            for start, end in zip([0, *cuts], [*cuts, len(delivered)], strict=True):
                inbox.submit(delivered[start:end])
            stored = [inbox.stored.pending(100), self.facts(inbox, devices)]

        assert sorted(one.raw for one in stored[0]) == sorted(messages)
        name = devices[0].identifier_hash
        assert [(row[0], row[1], row[2].kind) for row in stored[1]] == [
            (name, 4, FactKind.GAP)
        ]

    @staticmethod
    def facts(inbox, devices):
        rows = inbox.stored.pending(100)
        rows.sort(key=lambda one: (one.identifier, one.seq))
        registry = registry_of(*devices)
        return fold_readings([authenticate(r.raw, registry, DOMAIN) for r in rows], {})[
            0
        ]


@sqlite_only
class TestWorkers:
    def test_processes_give_the_same_results_as_verifying_in_place(
        self, open_inbox, device
    ):
        messages = [*device.series(40), b"noise", DeviceSimulator("stranger").next()]
        inside = open_inbox(device, name="inside.db").submit(messages)

        outside = open_inbox(device, name="outside.db", workers=2, chunk_messages=7)

        results = outside.submit(messages)
        assert [one[0:1] + one[2:] for one in results] == [
            one[0:1] + one[2:] for one in inside
        ]

    def test_a_killed_worker_is_replaced(self, open_inbox, device):
        inbox = open_inbox(device, workers=1)
        inbox.submit([device.next()])
        [worker] = inbox._pool._workers
        worker._process.kill()

        assert statuses(inbox.submit([device.next()])) == [Status.ACCEPTED]

    def test_workers_follow_a_new_registry(self, open_inbox, device):
        inbox = open_inbox(device, workers=1)
        newcomer = DeviceSimulator("newcomer")
        inbox.submit([device.next()])

        inbox.set_registry(registry_of(device, newcomer))

        assert statuses(inbox.submit([newcomer.next()])) == [Status.ACCEPTED]
