from collections.abc import Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.errors import InvalidActivityError, InvalidRuleSetError
from accounting.formula import Units, parse_expression
from accounting.quantities import Unit, parse_unit

UNITS = Units(
    names={
        "m": parse_unit("t"),
        "n": parse_unit("t"),
        "kg": parse_unit("kg"),
        "ncv": parse_unit("GJ/t"),
        "share": parse_unit("1"),
        "percent": parse_unit("%"),
    },
    groups={"fuels": {"x": parse_unit("t"), "h": parse_unit("GJ/t")}},
)


class Values:
    """Values of names and of the streams of one group."""

    def __init__(
        self, names: Mapping[str, int], streams: Sequence[Mapping[str, int]] = ()
    ) -> None:
        self._names = names
        self._streams = streams

    def value(self, name: str) -> Fraction:
        return Fraction(self._names[name])

    def streams(self, group: str) -> list["Values"]:
        assert group == "fuels"
        return [Values({**self._names, **stream}) for stream in self._streams]


def unit(text: str) -> Unit | None:
    return parse_expression(text, "test").unit(UNITS)


def calculate(text: str, **names: int) -> Fraction:
    return parse_expression(text, "test").evaluate(Values(names))


class TestUnits:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("m + n", "t"),
            ("m * ncv", "GJ"),
            ("m * ncv / n", "GJ/t"),
            ("-m", "t"),
            ("m ** 2 / n", "t"),
            ("m ** -1 * n", "1"),
            ("m ** 6 / m ** 5", "t"),
            ("min(m, n, 0)", "t"),
            ("max(0, m)", "t"),
            ("m if m > n else n", "t"),
            ("m if m > 0 and n > 0 or share == 1 else 0", "t"),
            ("sum(x * h, over=fuels)", "GJ"),
            ("sum(x * ncv, over=fuels) / sum(x, over=fuels)", "GJ/t"),
            ("44 / 12", "1"),
        ],
    )
    def test_follow_the_algebra(self, text: str, expected: str):
        assert unit(text) == parse_unit(expected)

    def test_a_plain_zero_fits_every_unit(self):
        assert unit("0") is None
        assert unit("0 * m") is None

    @pytest.mark.parametrize(
        "text",
        [
            "m + kg",
            "m - ncv",
            "m + 1",
            "share + percent",
            "min(m, kg)",
            "m if m > kg else m",
            "m if m > n else ncv",
            "m + x",
        ],
    )
    def test_that_differ_are_refused(self, text: str):
        with pytest.raises(InvalidRuleSetError, match=r"units differ|unknown name"):
            unit(text)

    @pytest.mark.parametrize(
        "text",
        [
            "1.5 * m",
            "True",
            "'a'",
            "m.real",
            "m[0]",
            "__import__('os')",
            "abs(m)",
            "min()",
            "min(m, key=n)",
            "sum(m)",
            "sum(x, over=coals)",
            "sum(x, group=fuels)",
            "sum(x, n, over=fuels)",
            "sum(sum(x, over=fuels), over=fuels)",
            "m // n",
            "m % n",
            "m ** n",
            "m ** 7",
            "(m ** 6) ** 6",
            "(-(m ** 2) * n) ** 2",
            "m ** 0.5",
            "m / 0",
            "not m",
            "+m",
            "m < n",
            "m if m else n",
            "m if m < n < m else n",
            "m if m is n else n",
            "[m for m in n]",
            "lambda: m",
            "(m := n)",
            "f'{m}'",
        ],
    )
    def test_other_forms_are_refused(self, text: str):
        with pytest.raises(InvalidRuleSetError):
            unit(text)

    @pytest.mark.parametrize(
        "text", ["", "m +", "m = n", "import os", "m; n", "m" * 1001]
    )
    def test_other_texts_are_refused(self, text: str):
        with pytest.raises(InvalidRuleSetError, match="formula"):
            parse_expression(text, "test")

    def test_the_longest_text_is_read(self):
        assert unit("m" + " + m" * 249 + "   ") == parse_unit("t")

    def test_deep_nesting_is_refused(self):
        with pytest.raises(InvalidRuleSetError, match="formula"):
            parse_expression("(" * 400 + "m" + ")" * 400, "test")


class TestEvaluate:
    @pytest.mark.parametrize(
        ("text", "result"),
        [
            ("a * 44 / 12", Fraction(22, 3)),
            ("-a + b", Fraction(1)),
            ("a - b * a", Fraction(-4)),
            ("a ** 2 / b ** -1", Fraction(12)),
            ("min(a, b)", Fraction(2)),
            ("max(a, b, 9)", Fraction(9)),
            ("a if a < b else b", Fraction(2)),
            ("a if a > b or a == 2 else b", Fraction(2)),
            ("a if a > b and a == 2 else b", Fraction(3)),
            ("1 if a <= 2 else 0", Fraction(1)),
            ("1 if a >= 3 else 0", Fraction(0)),
            ("1 if a != 2 else 0", Fraction(0)),
        ],
    )
    def test_is_exact(self, text: str, result: Fraction):
        assert calculate(text, a=2, b=3) == result

    def test_sums_over_streams(self):
        expression = parse_expression("sum(x * f, over=fuels)", "test")

        assert expression.evaluate(Values({"f": 2}, [{"x": 3}, {"x": 4}])) == 14
        assert expression.evaluate(Values({"f": 2})) == 0

    def test_the_annual_mean_is_weighted_by_mass(self):
        expression = parse_expression(
            "sum(m * x, over=fuels) / sum(m, over=fuels)", "test"
        )
        months = [{"m": 1, "x": 10}, {"m": 3, "x": 20}]

        assert expression.evaluate(Values({}, months)) == Fraction(35, 2)

    def test_division_by_zero_is_refused(self):
        with pytest.raises(InvalidActivityError, match="division by zero"):
            calculate("a / b", a=1, b=0)

    def test_a_condition_by_zero_is_refused(self):
        with pytest.raises(InvalidActivityError, match="division by zero"):
            parse_expression("a / b > 1", "test").holds(Values({"a": 1, "b": 0}))

    def test_numbers_beyond_all_measure_are_refused(self):
        value = 1 << 40_000
        with pytest.raises(InvalidActivityError, match="at most 65536 bits"):
            calculate("a * a", a=value)
        with pytest.raises(InvalidActivityError, match="at most 65536 bits"):
            parse_expression("a ** 2 > 1", "test").holds(Values({"a": value}))

    def test_a_factor_of_nothing_is_not_asked_for(self):
        assert calculate("a * missing", a=0) == 0

    def test_the_other_branch_is_not_evaluated(self):
        assert calculate("a if b == 0 else a / b", a=5, b=0) == 5

    @given(st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 99))
    @settings(max_examples=60, deadline=None)
    def test_agrees_with_fractions(self, a: int, b: int, c: int):
        expected = (Fraction(a) - b) * c / 7 + max(a, b)

        assert calculate("(a - b) * c / 7 + max(a, b)", a=a, b=b, c=c) == expected
