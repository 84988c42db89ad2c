from fractions import Fraction

import pytest

from accounting.channels import Channel
from accounting.errors import UnavailableReadingsError
from accounting.substitution import (
    DAY_S,
    MAX_RATE,
    MIN_RATE,
    Observed,
    Substitution,
    SubstitutionRule,
    Unknown,
    substitute,
)

T = 100 * DAY_S
PLAIN = Channel(1, "energy", "kWh", Fraction(1, 10), None, None, "meter-signed")
BOUND = Channel(1, "energy", "kWh", Fraction(1, 10), None, Fraction(8), "meter-signed")


def derive(
    *observed: Observed,
    rule: SubstitutionRule = MAX_RATE,
    known: int = 0,
    channel: Channel = PLAIN,
) -> Substitution:
    unknown = Unknown(T, T + 1000, known, "reset", None, None)
    return substitute(unknown, observed, channel, rule)


class TestRate:
    def test_intake_takes_the_highest_and_rounds_up(self):
        found = derive(Observed(T - 900, T - 600, 10), Observed(T - 600, T, 40))

        assert found.counts == 67  # 40 / 600 * 1000 = 66.7
        assert found.basis == "window"

    def test_export_takes_the_lowest_and_rounds_down(self):
        observed = Observed(T - 900, T - 600, 10), Observed(T - 600, T, 40)

        assert derive(*observed, rule=MIN_RATE).counts == 33  # 10 / 300 * 1000

    def test_known_counts_are_not_counted_twice(self):
        assert derive(Observed(T - 600, T, 60), known=30).counts == 70

    def test_more_known_than_derived_adds_nothing(self):
        assert derive(Observed(T - 600, T, 60), known=300).counts == 0


class TestWindow:
    def test_is_the_seven_days_before(self):
        week = Observed(T - 7 * DAY_S, T - 7 * DAY_S + 600, 60)
        older = Observed(T - 7 * DAY_S - 1, T - 7 * DAY_S + 599, 600)
        later = Observed(T + 1000, T + 1600, 600)

        found = derive(older, week, later)

        assert found.counts == 100
        assert (found.window_start, found.window_end) == (T - 7 * DAY_S, T)

    def test_is_as_long_for_exports(self):
        week = Observed(T - 7 * DAY_S, T - 7 * DAY_S + 600, 60)
        older = Observed(T - 7 * DAY_S - 1, T - 7 * DAY_S + 599, 6)

        assert DAY_S == 86_400
        assert derive(older, week, rule=MIN_RATE).counts == 100
        assert derive(week, rule=MIN_RATE).window_start == T - 7 * DAY_S

    def test_is_the_seven_days_after_where_nothing_came_before(self):
        later = Observed(T + 1000, T + 1600, 60)

        found = derive(later)

        assert found.counts == 100
        assert found.window_start == T + 1000
        assert found.window_end == T + 1000 + 7 * DAY_S

    def test_its_digest_is_over_what_was_seen(self):
        one = derive(Observed(T - 600, T, 60))
        other = derive(Observed(T - 600, T, 61))

        assert len(one.window_digest) == 32
        assert one.window_digest != other.window_digest


class TestNothingObserved:
    def test_intake_takes_the_nameplate_maximum(self):
        found = derive(channel=BOUND)

        assert (found.counts, found.basis) == (23, "nameplate")  # 80 / 3600 * 1000

    def test_the_nameplate_is_by_the_hour(self):
        unknown = Unknown(T, T + 3600, 0, "edge", None, None)

        assert substitute(unknown, [], BOUND, MAX_RATE).counts == 80

    def test_export_takes_nothing(self):
        found = derive(rule=MIN_RATE, channel=BOUND)

        assert (found.counts, found.basis) == (0, "nothing")

    def test_intake_without_a_nameplate_is_refused(self):
        with pytest.raises(UnavailableReadingsError, match="nameplate maximum"):
            derive()
