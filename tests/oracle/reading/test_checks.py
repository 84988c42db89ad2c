"""The numbered checks: each one accepted, refused or recorded, and its boundary."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.channels import FLAG_RESET, FLAG_SWAP, Channel
from oracle.errors import (
    EquivocationError,
    RefusedReadingError,
    ReplayedReadingError,
)
from oracle.reading.checks import (
    CheckRules,
    Domain,
    authenticate,
    fold_readings,
    verify_reading,
)
from oracle.reading.facts import (
    Fact,
    FactKind,
    decode_facts,
    encode_facts,
)
from oracle.reading.registry import CarrierRegistry, CarrierStatus, Epoch
from oracle.reading.state import CarrierState, Neighbour
from oracle.reading.suites import P256_ORDER, Suite
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

RULES = CheckRules(ahead_s=300, window_s=86_400)
NOW = START + 9000
COUNTER = Channel(1, "energy", "kWh", Fraction(1, 10), 1000, Fraction(100), "imported")
"""Nameplate 100 kWh/h with its margin: 110 kWh/h, 1,100 counts an hour."""


def run(device, raw, state=None, received_at=NOW, registry=None):
    registry = registry or registry_of(device)
    return verify_reading(raw, registry, state, received_at, RULES, DOMAIN)


def kinds(facts):
    return [fact.kind for fact in facts]


def step(before, after, channel=COUNTER):
    """Facts of a second reading that differs from the first in these fields."""
    device = DeviceSimulator(channels=(channel,))
    first = device.reading(values=((1, 500),), **before)
    state = run(device, device.sign(first)).state
    raw = device.sign(
        device.reading(
            **{"seq": 1, "ts": START + 900, "prev": state.latest.link} | after
        )
    )
    return run(device, raw, state).facts


class TestCheck1Shape:
    def test_a_message_of_another_form_is_refused(self):
        device = DeviceSimulator()

        with pytest.raises(RefusedReadingError, match=r"check 1 \(shape\)"):
            run(device, b"\xd2" + device.next())


class TestCheck2KeyId:
    def test_an_unknown_key_is_refused(self):
        known, stranger = DeviceSimulator("known"), DeviceSimulator("stranger")

        with pytest.raises(RefusedReadingError, match=r"check 2 .*registered") as info:
            run(known, stranger.next())

        assert info.value.given == stranger.kid.hex()


def rotated(old, new, from_seq):
    """A registry in which the second key takes over the first one's carrier."""
    record = old.record
    epoch = Epoch(from_seq, new.signer.suite, new.signer.public_key, new.kid)
    record = replace(record, epochs=(*record.epochs, epoch))
    return CarrierRegistry({record.identifier_hash: record})


class TestCheck3Epoch:
    @pytest.fixture
    def old(self):
        return DeviceSimulator("meter-1")

    @pytest.fixture
    def new(self, old):
        """The successor's key in the same carrier."""
        successor = DeviceSimulator("successor")
        successor.name = old.name
        return successor

    def test_the_old_key_counts_up_to_the_rotation(self, old, new):
        raw = old.sign(old.reading(seq=9))

        assert run(old, raw, registry=rotated(old, new, 10)).reading.seq == 9

    def test_the_new_key_counts_from_the_rotation_on(self, old, new):
        raw = new.sign(new.reading(seq=10))

        assert run(old, raw, registry=rotated(old, new, 10)).reading.seq == 10

    def test_the_old_key_is_refused_after_the_rotation(self, old, new):
        raw = old.sign(old.reading(seq=10))

        with pytest.raises(RefusedReadingError, match=r"check 3 \(key of the epoch\)"):
            run(old, raw, registry=rotated(old, new, 10))

    def test_the_new_key_is_refused_before_the_rotation(self, old, new):
        raw = new.sign(new.reading(seq=9))

        with pytest.raises(RefusedReadingError, match=r"check 3 \(key of the epoch\)"):
            run(old, raw, registry=rotated(old, new, 10))

    def test_a_suite_that_is_not_the_registered_one_is_refused(self, old):
        raw = old.next().replace(b"\xa1\x01\x26", b"\xa1\x01\x27", 1)

        with pytest.raises(RefusedReadingError, match=r"check 3 .*ES256.*EDDSA"):
            run(old, raw)

    def test_an_unsupported_suite_is_refused_by_name(self, old):
        raw = b"\x84\x44\xa1\x01\x38\x2e" + old.next()[5:]

        with pytest.raises(RefusedReadingError, match=r"check 3 .*ES256K"):
            run(old, raw)


class TestCheck4Signature:
    @pytest.mark.parametrize("suite", [Suite.ES256, Suite.EDDSA])
    def test_a_good_signature_passes(self, suite):
        device = DeviceSimulator(suite=suite)

        assert run(device, device.next()).carrier.identifier == device.identifier

    @pytest.mark.parametrize("suite", [Suite.ES256, Suite.EDDSA])
    def test_an_altered_value_is_refused(self, suite):
        device = DeviceSimulator(suite=suite)
        raw = device.sign(device.reading(values=((1, 1000),)))
        forged = raw.replace(b"\x82\x01\x19\x03\xe8", b"\x82\x01\x19\x03\xe9")
        assert forged != raw

        with pytest.raises(RefusedReadingError, match=r"check 4 \(signature\)"):
            run(device, forged)

    def test_high_s_is_refused(self):
        device = DeviceSimulator()
        raw = device.next()
        s = int.from_bytes(raw[-32:])

        with pytest.raises(RefusedReadingError, match="low s"):
            run(device, raw[:-32] + (P256_ORDER - s).to_bytes(32))

    @pytest.mark.parametrize(
        "domain",
        [Domain(1, DOMAIN.carriers_address), Domain(20260, "0x" + "77" * 20)],
        ids=["another chain", "another contract"],
    )
    def test_a_reading_for_another_place_is_refused(self, domain):
        device = DeviceSimulator(domain=domain)

        with pytest.raises(RefusedReadingError, match=r"check 4 \(signature\)"):
            run(device, device.next())

    def test_a_reading_of_another_identifier_is_refused(self):
        device = DeviceSimulator("meter-1")
        raw = device.next()
        other = replace(device.record, identifier_hash=bytes(32))

        with pytest.raises(RefusedReadingError, match=r"check 4 \(signature\)"):
            run(device, raw, registry=CarrierRegistry({bytes(32): other}))


class TestCheck5Status:
    @pytest.mark.parametrize(
        "status",
        [CarrierStatus.SUSPENDED, CarrierStatus.REVOKED, CarrierStatus.RETIRED],
    )
    def test_the_cut_off_is_the_last_good_seq(self, status):
        device = DeviceSimulator()
        record = replace(device.record, status=status, cutoff_seq=7)
        registry = CarrierRegistry({record.identifier_hash: record})

        good = run(device, device.sign(device.reading(seq=7)), registry=registry)

        assert good.reading.seq == 7
        with pytest.raises(RefusedReadingError, match=r"check 5 .*at most 7"):
            run(device, device.sign(device.reading(seq=8)), registry=registry)

    def test_a_revoked_carrier_without_cut_off_has_no_good_reading(self):
        device = DeviceSimulator()
        record = replace(device.record, status=CarrierStatus.REVOKED)
        registry = CarrierRegistry({record.identifier_hash: record})

        with pytest.raises(RefusedReadingError, match=r"check 5 .*no reading"):
            run(device, device.next(), registry=registry)


class TestCheck6Sequence:
    def test_the_same_bytes_are_a_replay(self):
        device = DeviceSimulator()
        raw = device.next()
        state = run(device, raw).state

        with pytest.raises(ReplayedReadingError, match="seq 0 again") as info:
            run(device, raw, state)

        assert info.value.digest == state.stored[0]

    def test_other_bytes_are_an_equivocation(self):
        device = DeviceSimulator()
        first, second = (device.sign(device.reading(values=((1, v),))) for v in (1, 2))
        state = run(device, first).state

        with pytest.raises(EquivocationError, match="both are kept") as info:
            run(device, second, state)

        assert info.value.stored == state.stored[0]

    def test_another_signature_under_the_same_payload_is_an_equivocation(self):
        device = DeviceSimulator()
        first, second = (device.sign(device.reading()) for _ in range(2))
        assert first != second
        state = run(device, first).state

        with pytest.raises(EquivocationError):
            run(device, second, state)


class TestCheck7Links:
    def test_a_linked_series_is_silent(self):
        device, state, found = DeviceSimulator(), None, ()
        for raw in device.series(5):
            done = run(device, raw, state)
            state, found = done.state, found + done.facts

        assert found == ()
        assert state.latest.reading.seq == 4

    def test_a_missing_reading_is_a_gap(self):
        device = DeviceSimulator()
        first, _lost, third = device.series(3)
        state = run(device, first).state

        assert run(device, third, state).facts == (Fact(7, FactKind.GAP, 1, 2),)

    def test_a_first_reading_behind_seq_0_is_a_gap(self):
        device = DeviceSimulator(seq=3)

        assert kinds(run(device, device.next()).facts) == [FactKind.GAP]

    def test_a_late_reading_is_late_and_fills_the_gap(self):
        device = DeviceSimulator()
        first, second, third = device.series(3)
        state = run(device, third, run(device, first).state).state

        done = run(device, second, state)

        assert done.facts == (Fact(7, FactKind.LATE, 2, 1),)
        assert done.state.gaps == ()

    def test_a_wrong_link_to_a_known_reading_is_recorded(self):
        assert kinds(step({}, {"prev": b"\x01" * 16, "values": ((1, 500),)})) == [
            FactKind.BROKEN_LINK
        ]

    def test_a_first_reading_with_a_link_is_recorded(self):
        device = DeviceSimulator(prev=b"\x01" * 16)

        assert kinds(run(device, device.next()).facts) == [FactKind.BROKEN_LINK]

    def test_a_late_reading_that_its_successor_does_not_name_is_recorded(self):
        device, state = DeviceSimulator(), None
        first, _second, third = device.series(3)
        for raw in (first, third):
            state = run(device, raw, state).state
        link = state.gaps[0].around.below.link
        other = device.sign(
            device.reading(seq=1, ts=START + 900, prev=link, values=((1, 1010),))
        )

        found = run(device, other, state).facts

        assert kinds(found) == [FactKind.LATE, FactKind.BROKEN_LINK]


class TestCheck8Time:
    @pytest.mark.parametrize(
        ("received_at", "expected"),
        [
            (START - 300, []),
            (START - 301, [FactKind.AHEAD]),
            (START + 86_400, []),
            (START + 86_401, [FactKind.OVERDUE]),
        ],
    )
    def test_the_window_around_the_time_of_arrival(self, received_at, expected):
        device = DeviceSimulator()

        assert kinds(run(device, device.next(), None, received_at).facts) == expected

    @pytest.mark.parametrize(("ts", "expected"), [(START, []), (START - 1, [8])])
    def test_a_clock_never_runs_backward(self, ts, expected):
        found = step({}, {"ts": ts, "values": ((1, 500),)})

        assert [fact.check for fact in found] == expected

    def test_a_late_reading_younger_than_its_successor_is_recorded(self):
        device, state = DeviceSimulator(), None
        first, _second, third = device.series(3)
        for raw in (first, third):
            state = run(device, raw, state).state
        late = device.sign(device.reading(seq=1, ts=START + 1801))

        found = kinds(run(device, late, state).facts)

        assert FactKind.CLOCK_BACKWARD in found


class TestCheck9Registers:
    def test_a_register_that_is_not_in_the_table_is_recorded(self):
        device = DeviceSimulator()

        raw = device.sign(device.reading(values=((7, 1),)))

        assert run(device, raw).facts == (Fact(9, FactKind.UNKNOWN_REGISTER, 0, 7, 7),)

    def test_a_carrier_without_readable_table_knows_no_register(self):
        device = DeviceSimulator()
        record = replace(device.record, channel_table=None)
        registry = CarrierRegistry({record.identifier_hash: record})

        found = run(device, device.next(), registry=registry).facts

        assert kinds(found) == [FactKind.UNKNOWN_REGISTER]

    @pytest.mark.parametrize(
        ("value", "expected"), [(999, []), (1000, [FactKind.OUT_OF_RANGE])]
    )
    def test_a_count_stays_below_the_modulus(self, value, expected):
        device = DeviceSimulator(channels=(COUNTER,))

        raw = device.sign(device.reading(values=((1, value),)))

        assert kinds(run(device, raw).facts) == expected

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ({"values": ((1, 990),)}, {"values": ((1, 10),)}, [FactKind.ROLLOVER]),
            ({"values": ((1, 990),)}, {"values": ((1, 980),)}, [FactKind.DECREASE]),
            ({"values": ((1, 990),)}, {"values": ((1, 275),)}, [FactKind.DECREASE]),
            (
                {"values": ((1, 990),)},
                {"values": ((1, 10),), "flags": FLAG_RESET},
                [FactKind.RESET],
            ),
            (
                {"values": ((1, 990),), "boot": 1},
                {"values": ((1, 10),), "boot": 2},
                [FactKind.RESET],
            ),
            (
                {"values": ((1, 990),), "boot": 1},
                {"values": ((1, 995),), "boot": 2},
                [],
            ),
            (
                {"values": ((1, 990),)},
                {"values": ((1, 10),), "flags": FLAG_SWAP},
                [FactKind.SWAP],
            ),
        ],
        ids=[
            "short way over the modulus",
            "a few counts back",
            "over the modulus, but faster than it can",
            "declared reset",
            "lower after a start",
            "higher after a start",
            "declared swap",
        ],
    )
    def test_a_fall_has_a_name(self, before, after, expected):
        device = DeviceSimulator(channels=(COUNTER,))
        state = run(device, device.sign(device.reading(**before))).state
        raw = device.sign(
            device.reading(seq=1, ts=START + 900, prev=state.latest.link, **after)
        )

        assert kinds(run(device, raw, state).facts) == expected

    def test_a_register_without_modulus_never_rolls_over(self):
        endless = replace(COUNTER, modulus=None)

        assert kinds(step({}, {"values": ((1, 10),)}, endless)) == [FactKind.DECREASE]


class TestCheck10Rate:
    @pytest.mark.parametrize(
        ("value", "expected"), [(500 + 275, []), (500 + 276, [FactKind.IMPLAUSIBLE])]
    )
    def test_the_nameplate_with_its_margin_is_the_limit(self, value, expected):
        assert kinds(step({}, {"values": ((1, value),)})) == expected

    def test_counts_in_no_time_are_implausible(self):
        found = step({}, {"ts": START, "values": ((1, 501),)})

        assert found == (Fact(10, FactKind.IMPLAUSIBLE, 500, 501, 1),)

    def test_a_channel_without_nameplate_has_no_limit(self):
        unlimited = replace(COUNTER, nameplate_max_per_h=None)

        assert step({}, {"values": ((1, 999),)}, unlimited) == ()


class TestFacts:
    def test_facts_survive_their_encoding(self):
        facts = (Fact(9, FactKind.ROLLOVER, 990, 10, 1), Fact(7, FactKind.GAP, 1, 3))

        assert decode_facts(encode_facts(facts)) == facts


def authentic(device, messages):
    registry = registry_of(device)
    return [authenticate(raw, registry, DOMAIN) for raw in messages]


class TestFoldReadings:
    def test_gives_the_facts_in_order_with_their_reading(self):
        device = DeviceSimulator()
        messages = device.series(6)
        order = [messages[place] for place in (0, 3, 1, 5)]

        rows, states = fold_readings(authentic(device, order), {})

        name = device.identifier_hash
        assert rows == [
            (name, 3, Fact(7, FactKind.GAP, 1, 3)),
            (name, 1, Fact(7, FactKind.LATE, 3, 1)),
            (name, 5, Fact(7, FactKind.GAP, 4, 5)),
        ]
        assert [(gap.first, gap.last) for gap in states[name].gaps] == [(2, 2), (4, 4)]

    def test_a_batch_that_repeats_a_reading_is_refused(self):
        device = DeviceSimulator()
        first = device.next()

        with pytest.raises(RefusedReadingError, match=r"check 6 .*each seq once"):
            fold_readings(authentic(device, [first, first]), {})

    def test_leaves_the_states_before_it_alone(self):
        device = DeviceSimulator()
        before = {}

        fold_readings(authentic(device, device.series(2)), before)

        assert before == {}

    def test_two_folds_in_a_row_equal_one(self):
        device = DeviceSimulator()
        messages = device.series(7)
        series = authentic(device, [messages[place] for place in (0, 4, 2, 6, 5)])

        rows, states = fold_readings(series[:2], {})
        more, after = fold_readings(series[2:], states)

        assert (rows + more, after) == fold_readings(series, {})


class TestCarrierState:
    @given(order=st.permutations(range(12)), taken=st.integers(1, 12))
    @settings(max_examples=100, deadline=None)
    def test_knows_exactly_what_it_took_in_any_order(self, order, taken):
        state = CarrierState()
        device = DeviceSimulator()
        for seq in order[:taken]:
            assert not state.has(seq)
            state = state.with_reading(Neighbour(device.reading(seq=seq), bytes(16)))

        known = sorted(order[:taken])
        assert [seq for seq in range(13) if state.has(seq)] == known
        for seq in set(range(13)) - set(known):
            around = state.around(seq)
            below = max((one for one in known if one < seq), default=None)
            above = min((one for one in known if one > seq), default=None)
            assert (around.below and around.below.reading.seq) == below
            assert (around.above and around.above.reading.seq) == above

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=50, deadline=None)
    def test_any_order_with_repeats_ends_in_the_same_state(self, seed):
        chance, device = random.Random(seed), DeviceSimulator()
        readings = [Neighbour(device.reading(seq=seq), bytes(16)) for seq in range(10)]
        expected = CarrierState()
        for one in readings:
            expected = expected.with_reading(one)
        delivered = readings + chance.choices(readings, k=5)
        chance.shuffle(delivered)

        state = CarrierState()
        for one in delivered:
            state = state.with_reading(one)

        assert state == expected
