"""The content of a batch depends on its readings alone."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.hashing import keccak256
from contracts.merkle import BatchLeaf, leaf_hash, verify_proof
from contracts.structs import BatchReport
from oracle.errors import InvalidProposalError
from oracle.member.proposal import (
    Batch,
    Frame,
    batch_tree,
    build_batch,
    choose_readings,
    gaps_digest,
    verify_batch,
)
from oracle.reading.checks import AuthenticReading, authenticate
from oracle.reading.facts import FactKind
from oracle.reading.state import CarrierState
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

DEVICES = [DeviceSimulator(f"meter-{index}") for index in range(3)]
REGISTRY = registry_of(*DEVICES)
RAWS = [raw for device in DEVICES for raw in device.series(12)]
READINGS = [authenticate(raw, REGISTRY, DOMAIN) for raw in RAWS]
FRAME = Frame(
    stream_id=b"\x01" * 32,
    seq=4,
    prev_head=b"\x02" * 32,
    prev_last_ts=START - 900,
    log_root=b"\x03" * 32,
    ref_block_number=9,
    ref_block_hash=b"\x04" * 32,
    data_digest=REGISTRY.root(),
    rules_version=1,
)


def chosen(readings: list[AuthenticReading]) -> list[AuthenticReading]:
    return choose_readings(readings, 4096)


def built(readings: list[AuthenticReading]) -> Batch:
    return build_batch(FRAME, chosen(readings), {}, START)


class TestChooseReadings:
    @settings(max_examples=50, deadline=None)
    @given(st.randoms(use_true_random=False))
    def test_gives_one_order_for_any_delivery(self, shuffle: random.Random):
        delivered = READINGS + shuffle.choices(READINGS, k=10)
        shuffle.shuffle(delivered)
        assert chosen(delivered) == chosen(READINGS)

    def test_keeps_carriers_together_and_rising(self):
        keys = [
            (one.carrier.identifier_hash, one.message.reading.seq)
            for one in chosen(READINGS)
        ]
        assert keys == sorted(keys)

    def test_takes_the_oldest_when_there_are_too_many(self):
        few = choose_readings(READINGS, 6)
        assert {one.message.reading.seq for one in few} == {0, 1}


class TestBuildBatch:
    def test_proves_every_reading_under_its_root(self):
        batch = built(READINGS)
        tree = batch_tree(FRAME, batch.readings)
        for index, ref in enumerate(batch.refs):
            place = (FRAME.stream_id, FRAME.seq, index)
            leaf = leaf_hash(
                BatchLeaf(*place, ref.identifier_hash, ref.seq, ref.digest)
            )
            assert verify_proof(batch.report.batch_root, leaf, tree.proof(index))

    def test_names_first_and_last_time(self):
        report = built(READINGS).report
        assert (report.first_ts, report.last_ts) == (START, START + 11 * 900)

    def test_never_lets_the_stream_run_backwards(self):
        frame = replace(FRAME, prev_last_ts=START + 10**6)
        report = build_batch(frame, chosen(READINGS), {}, START).report
        assert report.first_ts == START
        assert report.last_ts == START + 10**6

    def test_makes_a_heartbeat_of_nothing(self):
        report = build_batch(FRAME, [], {}, START).report
        assert (report.leaf_count, report.batch_root) == (0, bytes(32))
        assert report.first_ts == report.last_ts == START

    def test_records_a_gap_as_a_fact(self):
        batch = built(READINGS[:5] + READINGS[6:12])
        ((name, seq, fact),) = batch.facts
        assert (name, seq, fact.kind) == (DEVICES[0].identifier_hash, 6, FactKind.GAP)
        assert batch.report.gaps_digest == gaps_digest(batch.facts)
        assert batch.report.gaps_digest != gaps_digest([])

    def test_continues_from_the_states_of_earlier_batches(self):
        first = built(READINGS[:5])
        later = build_batch(FRAME, READINGS[5:12], first.states, START)
        assert later.facts == ()

    def test_refuses_a_reading_of_an_earlier_batch(self):
        first = built(READINGS[:5])
        with pytest.raises(InvalidProposalError, match="each seq once"):
            build_batch(FRAME, READINGS[4:12], first.states, START)

    @pytest.mark.parametrize("places", [(1, 0, 2), (0, 0, 1)])
    def test_refuses_another_order(self, places: tuple[int, ...]):
        readings = [READINGS[place] for place in places]
        with pytest.raises(InvalidProposalError, match="rising"):
            build_batch(FRAME, readings, {}, START)


class TestVerifyBatch:
    def test_accepts_what_it_would_build(self):
        batch = built(READINGS)
        assert verify_batch(batch.report, FRAME, batch.readings, {}) == batch

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("batch_root", keccak256(b"x")),
            ("leaf_count", 35),
            ("prev_head", keccak256(b"x")),
            ("log_root", keccak256(b"x")),
            ("log_size", 5),
            ("first_ts", START - 1),
            ("last_ts", START),
            ("gaps_digest", keccak256(b"x")),
            ("data_digest", keccak256(b"x")),
            ("rules_version", 2),
            ("stream_id", keccak256(b"x")),
        ],
    )
    def test_names_the_field_that_differs(self, field: str, value: object):
        batch = built(READINGS)
        report: BatchReport = replace(batch.report, **{field: value})
        with pytest.raises(InvalidProposalError, match=f"its {field}:"):
            verify_batch(report, FRAME, batch.readings, {})

    @settings(max_examples=50, deadline=None)
    @given(st.data())
    def test_gives_the_same_states_for_any_cut(self, data: st.DataObject):
        """However the series is cut into batches, facts and states come out equal."""
        cuts = sorted(data.draw(st.sets(st.integers(0, 12), max_size=4)))
        states: dict[bytes, CarrierState] = {}
        facts: list[object] = []
        series = [
            one for k, one in enumerate(READINGS) if k not in {3, 4, 14, 30, 31, 32}
        ]
        for first, last in zip([0, *cuts], [*cuts, 12], strict=True):
            part = [o for o in series if first <= o.message.reading.seq < last]
            batch = build_batch(FRAME, chosen(part), states, START)
            states |= batch.states
            facts += batch.facts
        whole = build_batch(FRAME, chosen(series), {}, START)
        assert states == whole.states
        assert sorted(map(repr, facts)) == sorted(map(repr, whole.facts))
