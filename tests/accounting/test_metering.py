from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from accounting.errors import (
    ConflictSampleError,
    InvalidSampleError,
    UnavailableReadingsError,
)
from accounting.metering import (
    FLAG_LATE,
    FLAG_RESET,
    FLAG_SWAP,
    Channel,
    MeterLedger,
    Sample,
    build_intervals,
)
from accounting.quantities import Quantity
from accounting.substitution import MIN_RATE

STEP = 900
START = 1_672_502_400  # 2023-01-01 00:00 +08:00

Drawn = tuple[list[int], list[Sample]]


def channel(**changes: Any) -> Channel:
    fields = {
        "register": 1,
        "quantity": "active energy import",
        "unit": "kWh",
        "scale": Fraction(1, 100),
        "modulus": 1_000_000,
        "nameplate_max_per_h": None,
        "provenance": "meter-signed",
    }
    return Channel(**{**fields, **changes})


def steady(
    count: int, counts: int = 10, first: int = 100, start: int = START, step: int = STEP
) -> list[Sample]:
    """Return samples that rise evenly, one at every step."""
    return [Sample(i, start + i * step, first + i * counts) for i in range(count)]


def ledger(samples: list[Sample], steps: int = 4, **options: Any) -> MeterLedger:
    used = options.pop("channel", channel())
    return build_intervals(samples, used, START, START + steps * STEP, **options)


def kinds(result: MeterLedger) -> list[str]:
    return [fact.kind for fact in result.facts]


class TestPlainReadings:
    def test_intervals_are_register_differences(self):
        samples = [Sample(i, START + i * STEP, v) for i, v in enumerate([5, 8, 8, 20])]

        result = ledger(samples, steps=3)

        assert [i.measured for i in result.intervals] == [3, 0, 12]
        assert result.measured == Quantity.of("0.15", "kWh")
        assert result.coverage == 1
        assert result.facts == ()

    def test_the_last_interval_may_be_shorter(self):
        result = build_intervals(steady(3), channel(), START, START + 1200)

        assert [(i.start - START, i.end - START) for i in result.intervals] == [
            (0, 900),
            (900, 1200),
        ]
        assert [i.measured for i in result.intervals] == [10, 3]

    def test_an_edge_between_two_readings_is_read_in_proportion(self):
        samples = [Sample(0, START - 300, 0), Sample(1, START + 600, 100)]

        result = build_intervals(samples, channel(), START, START + 600, 600)

        assert result.measured == Quantity.of("0.67", "kWh")  # 100 - floor(33.3)

    def test_adjoining_periods_share_every_count(self):
        samples = [Sample(i, START + 7 + i * 1000, 37 * i) for i in range(12)]
        middle, end = START + 4500, START + 9000

        parts = [
            build_intervals(samples, channel(), START + 7, middle),
            build_intervals(samples, channel(), middle, end),
        ]
        whole = build_intervals(samples, channel(), START + 7, end)

        assert parts[0].measured + parts[1].measured == whole.measured

    def test_samples_outside_the_period_change_nothing(self):
        inside = [Sample(s.seq + 5, s.ts, s.value) for s in steady(5)]
        before = [Sample(1, START - 2 * STEP, 3), Sample(2, START - STEP, 50)]
        after = [Sample(19, START + 9 * STEP, 700), Sample(20, START + 99 * STEP, 900)]

        assert ledger(before + inside + after) == ledger(inside)
        assert ledger(before + inside + after).samples == tuple(inside)

    def test_a_meter_read_hourly_has_no_gaps(self):
        samples = steady(5, step=3600)

        result = build_intervals(samples, channel(), START, START + 4 * 3600)

        assert result.coverage == 1
        assert kinds(result) == []

    def test_a_clock_that_trembles_makes_no_gaps(self):
        trembles = [0, 7, -20, 12, 0]
        samples = [
            Sample(s.seq, s.ts + by, s.value)
            for s, by in zip(steady(5), trembles, strict=True)
        ]

        result = ledger(samples)

        assert result.coverage == 1
        assert kinds(result) == []

    def test_one_missing_reading_is_a_gap_of_a_trembling_clock(self):
        samples = [Sample(s.seq, s.ts + s.seq % 3, s.value) for s in steady(9)]
        del samples[4]

        result = ledger(samples, steps=8)

        assert [f.kind for f in result.facts if f.kind == "gap"] == ["gap"]

    def test_a_meter_read_every_two_hours_has_gaps(self):
        samples = steady(5, step=7200)

        result = build_intervals(samples, channel(), START, START + 4 * 7200)

        assert result.coverage == 0
        assert kinds(result) == ["gap"] * 4

    def test_two_readings_at_one_second_count_once_each(self):
        samples = [
            Sample(0, START, 0),
            Sample(1, START + STEP, 10),
            Sample(2, START + STEP, 13),
            Sample(3, START + 2 * STEP, 20),
        ]

        first = ledger(samples, steps=1)
        second = build_intervals(samples, channel(), START + STEP, START + 2 * STEP)

        assert [first.measured, second.measured] == [
            Quantity.of("0.13", "kWh"),
            Quantity.of("0.07", "kWh"),
        ]


class TestGap:
    def test_a_gap_loses_no_energy(self):
        samples = [s for s in steady(9) if s.seq not in {3, 4, 5}]

        result = ledger(samples, steps=8)

        assert result.measured == Quantity.of("0.8", "kWh")
        assert result.substituted == Quantity.of(0, "kWh")
        assert kinds(result) == ["gap"]

    def test_a_gap_lowers_the_coverage_by_its_time(self):
        samples = [s for s in steady(9) if s.seq not in {3, 4, 5}]

        result = ledger(samples, steps=8)

        assert result.coverage == Fraction(4, 8)
        assert [i.quality for i in result.intervals] == (
            ["measured"] * 2 + ["distributed"] * 4 + ["measured"] * 2
        )

    def test_a_gap_is_spread_in_whole_counts(self):
        samples = [Sample(0, START, 0), Sample(1, START + STEP, 5)]
        samples += [Sample(2, START + 2 * STEP, 9), Sample(6, START + 5 * STEP, 19)]

        result = ledger(samples, steps=5)

        assert [i.measured for i in result.intervals] == [5, 4, 3, 3, 4]


class TestRollover:
    def test_the_declared_modulus_is_added(self):
        samples = [Sample(0, START, 990), Sample(1, START + STEP, 15)]

        result = ledger(samples, steps=1, channel=channel(modulus=1000))

        assert result.intervals[0].measured == 25
        assert kinds(result) == ["rollover"]

    def test_without_a_modulus_a_decrease_is_unknown(self):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 7)]

        result = ledger(samples, steps=3, channel=channel(modulus=None))

        assert kinds(result) == ["implausible", "substituted"]
        assert result.measured == Quantity.of("0.2", "kWh")
        assert result.substituted == Quantity.of("0.1", "kWh")

    def test_a_fall_of_a_few_counts_is_no_rollover(self):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 119)]

        result = ledger(samples, steps=3)

        assert kinds(result) == ["implausible", "substituted"]
        assert result.total == Quantity.of("0.3", "kWh")

    def test_a_rollover_faster_than_the_nameplate_is_unknown(self):
        bound = channel(modulus=1000, nameplate_max_per_h=Fraction(1))
        samples = [Sample(0, START, 960), Sample(1, START + STEP, 980)]
        samples.append(Sample(2, START + 2 * STEP, 300))

        result = ledger(samples, steps=2, channel=bound)

        assert kinds(result) == ["implausible", "substituted"]
        assert result.total == Quantity.of("0.4", "kWh")

    @pytest.mark.parametrize("value", [950, 10])
    def test_a_gap_long_enough_for_another_turn_is_unknown(self, value: int):
        bound = channel(modulus=1000, nameplate_max_per_h=Fraction(5))
        samples = [*steady(3, 90, 720), Sample(40, START + 12 * STEP, value)]

        result = ledger(samples, steps=12, channel=bound)

        rise = (value - 900) % 1000
        assert "rollover" in kinds(result)
        assert result.measured == Quantity.of(Fraction(180 + rise, 100), "kWh")
        assert result.total == Quantity.of("10.8", "kWh")

    def test_a_value_at_the_modulus_is_refused(self):
        with pytest.raises(InvalidSampleError, match="expected 0 to 999, got 1000"):
            ledger([Sample(0, START, 1000)], channel=channel(modulus=1000))

    def test_a_negative_value_is_refused(self):
        with pytest.raises(InvalidSampleError, match="got -1"):
            ledger([Sample(0, START, -1)], channel=channel(modulus=None))


class TestReset:
    @pytest.mark.parametrize(
        ("boot", "flags"), [(1, 0), (0, FLAG_RESET), (1, FLAG_RESET)]
    )
    def test_the_restarted_register_counts_and_the_rest_is_derived(
        self, boot: int, flags: int
    ):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 4, boot, flags)]

        result = ledger(samples, steps=3)

        assert result.measured == Quantity.of("0.24", "kWh")
        assert result.substituted == Quantity.of("0.06", "kWh")
        assert kinds(result) == ["reset", "substituted"]
        assert result.coverage == Fraction(2, 3)

    def test_a_restart_that_kept_the_register_is_no_reset(self):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 130, boot=1)]

        result = ledger(samples, steps=3)

        assert kinds(result) == []
        assert result.measured == Quantity.of("0.3", "kWh")

    def test_the_record_keeps_the_original_and_the_window(self):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 4, boot=1)]

        (record,) = ledger(samples, steps=3).substitutions

        assert (record.unknown.before, record.unknown.after) == (samples[2], samples[3])
        assert record.unknown.known_counts == 4
        assert record.basis == "window"
        assert record.rule == "highest-rate-of-7-days/v1"
        assert len(record.window_digest) == 32

    def test_a_reset_in_a_gap_is_derived_for_the_whole_gap(self):
        samples = [*steady(3), Sample(9, START + 6 * STEP, 12, boot=1)]

        result = ledger(samples, steps=6)

        assert result.measured == Quantity.of("0.32", "kWh")
        assert result.substituted == Quantity.of("0.28", "kWh")
        assert [i.quality for i in result.intervals[2:]] == ["substituted"] * 4


class TestSwap:
    def test_the_new_meter_starts_its_own_count(self):
        samples = [*steady(3), Sample(3, START + 2 * STEP, 7000, flags=FLAG_SWAP)]
        samples.append(Sample(4, START + 3 * STEP, 7010))

        result = ledger(samples, steps=3)

        assert result.measured == Quantity.of("0.3", "kWh")
        assert result.substituted == Quantity.of(0, "kWh")
        assert kinds(result) == ["swap"]

    def test_time_between_the_meters_is_derived(self):
        samples = [*steady(3), Sample(3, START + 3 * STEP, 7000, flags=FLAG_SWAP)]

        result = ledger(samples, steps=3)

        assert result.substituted == Quantity.of("0.1", "kWh")
        assert kinds(result) == ["substituted", "swap"]


class TestEdgesWithoutReading:
    def test_intake_takes_the_highest_rate_of_the_window(self):
        values = [0, 10, 40, 50]
        samples = [Sample(i, START + i * STEP, v) for i, v in enumerate(values)]

        result = ledger(samples, steps=4)

        assert result.intervals[3].substituted == 30
        assert result.coverage == Fraction(3, 4)

    def test_export_takes_the_lowest_rate_of_the_window(self):
        values = [0, 10, 40, 50]
        samples = [Sample(i, START + i * STEP, v) for i, v in enumerate(values)]

        result = ledger(samples, steps=4, rule=MIN_RATE)

        assert result.intervals[3].substituted == 10

    def test_a_missing_start_looks_forward(self):
        result = ledger(steady(5)[1:])

        assert [i.substituted for i in result.intervals] == [10, 0, 0, 0]
        assert [i.measured for i in result.intervals] == [0, 10, 10, 10]
        assert result.intervals[0].quality == "substituted"

    def test_the_nameplate_serves_where_nothing_was_observed(self):
        samples = [Sample(0, START, 9), Sample(1, START + STEP, 2, boot=1)]

        result = ledger(
            samples, steps=1, channel=channel(nameplate_max_per_h=Fraction(4))
        )

        assert result.substitutions[0].basis == "nameplate"
        assert result.total == Quantity.of(1, "kWh")

    def test_without_a_nameplate_the_ledger_is_refused(self):
        samples = [Sample(0, START, 9), Sample(1, START + STEP, 2, boot=1)]

        with pytest.raises(UnavailableReadingsError, match="nameplate maximum"):
            ledger(samples, steps=1)

    @pytest.mark.parametrize("count", [0, 1])
    def test_one_reading_is_no_ledger(self, count: int):
        with pytest.raises(UnavailableReadingsError, match="at least two"):
            ledger(steady(count, start=START + STEP))

    def test_readings_of_one_second_are_no_ledger(self):
        samples = [Sample(0, START + STEP, 5), Sample(1, START + STEP, 9)]

        with pytest.raises(UnavailableReadingsError, match="at least two"):
            ledger(samples)

    def test_an_edge_keeps_the_reading_beside_it(self):
        samples = steady(5)[1:4]

        first, last = ledger(samples).substitutions

        assert (first.unknown.before, first.unknown.after) == (None, samples[0])
        assert (last.unknown.before, last.unknown.after) == (samples[-1], None)
        assert (first.unknown.known_counts, last.unknown.known_counts) == (0, 0)

    def test_an_implausible_rate_is_no_model_for_others(self):
        bound = channel(nameplate_max_per_h=Fraction(1))
        values = [0, 20, 300, 310]
        samples = [Sample(i, START + i * STEP, v) for i, v in enumerate(values)]

        result = ledger(samples, channel=bound)

        assert result.intervals[3].substituted == 20

    @pytest.mark.parametrize("shift", [-2, -3, 4, 5])
    def test_readings_outside_of_the_period_are_no_ledger(self, shift: int):
        samples = steady(3, start=START + shift * STEP)

        with pytest.raises(UnavailableReadingsError, match="touch the period"):
            ledger(samples)


class TestDoubtfulReadings:
    def test_a_rate_above_the_nameplate_is_flagged_and_kept(self):
        bound = channel(nameplate_max_per_h=Fraction(1))
        samples = [Sample(0, START, 0), Sample(1, START + STEP, 28)]

        result = ledger(samples, steps=1, channel=bound)

        assert kinds(result) == ["implausible"]
        assert result.measured == Quantity.of("0.28", "kWh")

    def test_a_tenth_above_the_nameplate_is_tolerated(self):
        bound = channel(nameplate_max_per_h=Fraction(1), scale=Fraction(1, 1000))
        samples = [Sample(0, START, 0), Sample(1, START + STEP, 275)]

        assert kinds(ledger(samples, steps=1, channel=bound)) == []

    def test_a_clock_that_runs_backward_moves_the_register_only(self):
        samples = steady(5)
        samples[2] = Sample(2, START - 50, 120)

        result = ledger(samples)

        assert "implausible" in kinds(result)
        assert result.measured == Quantity.of("0.4", "kWh")

    def test_late_readings_are_one_fact_a_run(self):
        samples = steady(5)
        for i in (2, 3):
            samples[i] = Sample(i, samples[i].ts, samples[i].value, flags=FLAG_LATE)

        result = ledger(samples)

        assert [(f.kind, f.detail) for f in result.facts] == [
            ("late", "2 readings sent after their time")
        ]

    def test_two_values_for_one_sequence_stop_the_ledger(self):
        samples = [*steady(3), Sample(1, START + STEP, 111)]

        with pytest.raises(ConflictSampleError, match="two values for sequence 1"):
            ledger(samples, steps=2)

    @pytest.mark.parametrize(("end", "step"), [(START, 900), (START + 900, 0)])
    def test_an_empty_period_or_step_is_a_programming_error(self, end: int, step: int):
        with pytest.raises(ValueError, match="are positive"):
            build_intervals(steady(3), channel(), START, end, step)

    def test_the_share_of_derived_amounts_is_told(self):
        result = ledger(steady(4))

        assert result.substituted_share == Fraction(1, 4)

    def test_an_idle_meter_has_no_derived_share(self):
        assert ledger(steady(5, counts=0)).substituted_share == 0


@st.composite
def registers(draw: st.DrawFn) -> tuple[list[int], list[Sample]]:
    """Draw increments of a register that rolls over, and which samples arrive."""
    rises = draw(st.lists(st.integers(0, 499), min_size=2, max_size=40))
    first = draw(st.integers(0, 999))
    values = [first]
    for rise in rises:
        values.append((values[-1] + rise) % 1000)
    samples = [Sample(i, START + i * STEP, v) for i, v in enumerate(values)]
    return rises, samples


@st.composite
def rough_registers(draw: st.DrawFn) -> list[Sample]:
    """Draw a register with gaps, jumps of the clock, resets, swaps and falls."""
    steps = st.tuples(
        st.sampled_from([1, 1, 1, 3]),
        st.sampled_from([900, 900, 900, 0, 1, 5000, -300]),
        st.sampled_from(["rise", "rise", "rise", "boot", "reset", "swap", "fall"]),
        st.integers(0, 400),
    )
    seq, moment, value, boot = 0, START, 500, 0
    samples = [Sample(seq, moment, value)]
    for by, seconds, event, amount in draw(st.lists(steps, min_size=2, max_size=20)):
        flags = {"reset": FLAG_RESET, "swap": FLAG_SWAP}.get(event, 0)
        seq, moment, boot = seq + by, moment + seconds, boot + (event == "boot")
        rising = (value + amount) % 1000
        value = {"rise": rising, "fall": max(0, value - 3)}.get(event, amount)
        samples.append(Sample(seq, moment, value, boot, flags))
    return samples


class TestManyResets:
    def test_derived_counts_are_spread_over_their_own_time(self):
        samples = [*steady(3), Sample(3, START + 4 * STEP, 3, boot=1)]
        samples += [Sample(4, START + 5 * STEP, 13, boot=1)]
        samples += [Sample(5, START + 6 * STEP, 4, boot=2)]

        result = ledger(samples, steps=6)

        assert [i.substituted for i in result.intervals] == [0, 0, 8, 9, 0, 6]
        assert [i.measured for i in result.intervals] == [10, 10, 1, 2, 10, 4]


class TestLaws:
    @given(registers(), st.sampled_from([300, 900, 1000, 3600]))
    @settings(max_examples=80, deadline=None)
    def test_intervals_sum_to_the_register_difference(self, drawn: Drawn, step: int):
        rises, samples = drawn
        end = START + len(rises) * STEP

        result = build_intervals(samples, channel(modulus=1000), START, end, step)

        assert sum(i.measured for i in result.intervals) == sum(rises)
        assert result.substituted.value == 0
        assert result.measured == Quantity.of(Fraction(sum(rises), 100), "kWh")

    @given(registers(), st.data())
    @settings(max_examples=80, deadline=None)
    def test_order_and_repetition_of_deliveries_change_nothing(
        self, drawn: Drawn, data: st.DataObject
    ):
        rises, samples = drawn
        repeated = data.draw(st.lists(st.sampled_from(samples), max_size=20))
        shuffled = data.draw(st.permutations(samples + repeated))
        end = START + len(rises) * STEP
        used = channel(modulus=1000)

        assert build_intervals(shuffled, used, START, end) == build_intervals(
            samples, used, START, end
        )

    @given(registers(), st.data())
    @settings(max_examples=80, deadline=None)
    def test_any_cut_of_a_period_conserves_every_count(
        self, drawn: Drawn, data: st.DataObject
    ):
        rises, samples = drawn
        end = START + len(rises) * STEP
        cut = data.draw(st.integers(START + 1, end - 1))
        used = channel(modulus=1000)

        parts = [
            build_intervals(samples, used, START, cut),
            build_intervals(samples, used, cut, end),
        ]

        assert sum(p.measured.value for p in parts) * 100 == sum(rises)

    @given(
        rough_registers(),
        st.tuples(st.integers(-900, 3000), st.integers(1, 5000), st.integers(1, 5000)),
        st.sampled_from([None, Fraction(3), Fraction(50)]),
    )
    @settings(max_examples=100, deadline=None)
    def test_rough_readings_conserve_every_count(
        self,
        samples: list[Sample],
        cuts: tuple[int, int, int],
        nameplate: Fraction | None,
    ):
        used = channel(modulus=1000, nameplate_max_per_h=nameplate)
        start, middle = START + cuts[0], START + cuts[0] + cuts[1]
        end = middle + cuts[2]
        try:
            whole = build_intervals(samples, used, start, end)
            parts = [
                build_intervals(samples, used, start, middle),
                build_intervals(samples, used, middle, end),
            ]
        except UnavailableReadingsError:
            reject()

        assert parts[0].measured + parts[1].measured == whole.measured
        assert build_intervals(whole.samples, used, start, end) == whole
        assert 0 <= whole.coverage <= 1
        assert all(i.measured >= 0 <= i.substituted for i in whole.intervals)
