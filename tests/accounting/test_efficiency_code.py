from datetime import date
from fractions import Fraction

import pytest

from accounting.efficiency_code import (
    Benchmark,
    Efficiency,
    assess,
    level,
    load_rules,
)
from accounting.errors import InvalidActivityError

RULES = load_rules()
DAY = date(2023, 6, 1)
LEVELS = [("a", Fraction(1)), ("b", Fraction(2)), ("c", Fraction(3))]


def benchmark(levels: list[tuple[str, Fraction]] | None = None) -> Benchmark:
    return Benchmark.of("steel", 0, 100, LEVELS if levels is None else levels)


def assessed(
    emission: int = 120,
    value_added: Fraction | int | None = 100,
    held_against: Benchmark | None = None,
) -> Efficiency:
    value = None if value_added is None else Fraction(value_added)
    against = held_against or benchmark()
    return assess(Fraction(emission), value, against, RULES, DAY, Fraction(30))


class TestAssess:
    def test_gives_level_ratio_and_grade(self):
        result = assessed()

        assert (result.level, result.band) == (Fraction(6, 5), "middle")
        assert (result.ratio, result.grade, result.reason) == (Fraction(3, 5), 1, "")

    @pytest.mark.parametrize(
        ("emission", "grade"),
        [
            (120, 1),
            (121, 2),
            (160, 2),
            (161, 3),
            (240, 3),
            (241, 4),
            (400, 4),
            (401, 5),
        ],
    )
    def test_upper_bounds_are_inclusive(self, emission: int, grade: int):
        assert assessed(emission).grade == grade

    def test_the_neutral_rate_is_neutralised_over_total(self):
        assert assessed().neutral_rate == Fraction(1, 4)

    def test_there_is_no_neutral_rate_without_emission(self):
        assert assessed(0).neutral_rate is None
        assert assessed(0).grade == 1

    @pytest.mark.parametrize(
        ("value_added", "reason"),
        [
            (None, "value added is missing"),
            (0, "value added is not positive: 0"),
            (-5, "value added is not positive: -5"),
        ],
    )
    def test_without_value_added_there_is_no_grade(
        self, value_added: int | None, reason: str
    ):
        result = assessed(value_added=value_added)

        assert (result.level, result.band, result.grade) == (None, None, None)
        assert result.reason.startswith(reason)

    def test_two_firms_are_no_benchmark(self):
        result = assessed(held_against=benchmark(LEVELS[:2]))

        assert result.grade is None
        assert result.level == Fraction(6, 5)
        assert result.reason == "the benchmark has 2 firms, at least 3 are needed"

    def test_without_a_benchmark_there_is_no_grade(self):
        result = assess(Fraction(1), Fraction(1), None, RULES, DAY)

        assert (result.grade, result.reason) == (None, "there is no benchmark")
        assert result.benchmark_digest is None

    def test_a_benchmark_of_nothing_gives_no_grade(self):
        nothing = benchmark([(name, Fraction(0)) for name, _ in LEVELS])

        result = assessed(held_against=nothing)

        assert "mean level of the benchmark is not positive" in result.reason

    def test_negative_neutralisation_is_refused(self):
        with pytest.raises(InvalidActivityError, match="E_neutralised"):
            assess(Fraction(1), Fraction(1), benchmark(), RULES, DAY, Fraction(-1))

    def test_names_the_rules_by_digest(self):
        assert assessed().rule_set_digest == RULES.digest


class TestBenchmark:
    def test_order_of_firms_does_not_matter(self):
        assert benchmark(LEVELS[::-1]).digest == benchmark().digest

    def test_every_level_is_under_its_digest(self):
        changed = [*LEVELS[:2], ("c", Fraction(4))]

        assert benchmark(changed).digest != benchmark().digest

    def test_the_mean_is_plain(self):
        assert benchmark().mean == 2

    def test_a_firm_counts_once(self):
        with pytest.raises(InvalidActivityError, match="each firm once"):
            benchmark([*LEVELS, ("a", Fraction(9))])


class TestLevel:
    def test_is_emission_per_value_added(self):
        assert level(Fraction(3), Fraction(2)) == Fraction(3, 2)

    @pytest.mark.parametrize("value_added", [None, Fraction(0), Fraction(-1)])
    def test_needs_positive_value_added(self, value_added: Fraction | None):
        assert level(Fraction(3), value_added) is None
