from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.errors import InvalidQuantityError
from accounting.quantities import (
    HALF_EVEN,
    HALF_UP,
    Quantity,
    exact,
    exact_text,
    parse_unit,
    rounded,
    rounded_text,
)

FRACTIONS = st.fractions(max_denominator=10**6)


class TestExact:
    @pytest.mark.parametrize(
        ("given_value", "value"),
        [
            ("0.5568", Fraction(5568, 10000)),
            ("-3", Fraction(-3)),
            ("44/12", Fraction(11, 3)),
            (Decimal("1.50"), Fraction(3, 2)),
            (7, Fraction(7)),
            (Fraction(1, 3), Fraction(1, 3)),
        ],
    )
    def test_reads_numbers_without_rounding(self, given_value: Any, value: Fraction):
        assert exact(given_value) == value

    @pytest.mark.parametrize("inexact", [0.5, True, None, 1j])
    def test_floats_and_booleans_are_refused(self, inexact: Any):
        with pytest.raises(TypeError, match="numbers are exact here"):
            exact(inexact)

    @pytest.mark.parametrize(
        "text", ["", "1e5", "1,5", " 1", "1.", ".5", "1/0", "NaN", "１", "9" * 121]
    )
    def test_other_spellings_are_refused(self, text: str):
        with pytest.raises(InvalidQuantityError, match="no exact number"):
            exact(text)

    def test_not_a_number_is_refused(self):
        with pytest.raises(InvalidQuantityError, match="no exact number"):
            exact(Decimal("NaN"))

    @given(FRACTIONS)
    @settings(max_examples=100, deadline=None)
    def test_text_and_number_are_inverse(self, value: Fraction):
        assert exact(exact_text(value)) == value

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (Fraction(11, 3), "11/3"),
            (Fraction(1, 8), "0.125"),
            (Fraction(-1, 800), "-0.00125"),
            (Fraction(0), "0"),
            (Fraction(120), "120"),
            (Fraction(1, 10**9), "0.000000001"),
        ],
    )
    def test_a_decimal_is_written_where_it_ends(self, value: Fraction, text: str):
        assert exact_text(value) == text


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "mode", "text"),
        [
            ("2.5", HALF_UP, "3"),
            ("2.5", HALF_EVEN, "2"),
            ("3.5", HALF_EVEN, "4"),
            ("-2.5", HALF_UP, "-3"),
            ("-2.5", HALF_EVEN, "-2"),
            ("2.50001", HALF_EVEN, "3"),
            ("2.49999", HALF_UP, "2"),
            ("-0.4", HALF_UP, "0"),
        ],
    )
    def test_halves(self, value: str, mode: str, text: str):
        assert rounded_text(exact(value), 0, mode) == text

    def test_places_are_kept(self):
        assert rounded_text(Fraction(1, 20), 3, HALF_EVEN) == "0.050"

    def test_an_unknown_mode_is_a_programming_error(self):
        with pytest.raises(ValueError, match="half_up or half_even"):
            rounded(Fraction(1), 0, "down")

    @given(FRACTIONS, st.integers(0, 6), st.sampled_from([HALF_UP, HALF_EVEN]))
    @settings(max_examples=100, deadline=None)
    def test_the_error_is_at_most_half_a_place(
        self, value: Fraction, places: int, mode: str
    ):
        result = rounded(value, places, mode)

        assert abs(result - value) <= Fraction(1, 2 * 10**places)
        assert rounded(-value, places, mode) == -result


class TestUnit:
    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ("tC", "tCO2"),
            ("tCO2", "tCO2e"),
            ("t", "tCO2"),
            ("%", "1"),
            ("Nm3", "10^4 Nm3"),
            ("m3", "Nm3"),
            ("kgC/GJ", "tC/GJ"),
            ("kWh", "MWh"),
            ("yuan", "10^4 yuan"),
            ("kWh", "kvarh"),
        ],
    )
    def test_these_never_mix(self, left: str, right: str):
        assert parse_unit(left) != parse_unit(right)

    def test_kg_per_kwh_is_t_per_mwh(self):
        assert parse_unit("kgCO2/kWh") == parse_unit("tCO2/MWh")

    def test_heat_of_gas_times_gas_is_heat(self):
        heat = parse_unit("GJ/10^4 Nm3").times(parse_unit("10^4 Nm3"))

        assert heat == parse_unit("GJ")

    def test_every_divisor_divides(self):
        unit = parse_unit("MJ/t/degC")

        assert unit.times(parse_unit("t")).times(parse_unit("degC")) == parse_unit("MJ")

    def test_a_power_multiplies_exponents(self):
        assert parse_unit("kg").power(2) == parse_unit("kg*kg")
        assert parse_unit("kg").power(-1) == parse_unit("1/kg")
        assert parse_unit("kg").power(0) == parse_unit("1")

    @pytest.mark.parametrize(
        "text", ["", "kgg", "t/", "*t", "10^4Nm3", "t GJ", "t//t", "10^0 t", "TCO2"]
    )
    def test_unknown_units_are_refused(self, text: str):
        with pytest.raises(InvalidQuantityError, match="unknown unit"):
            parse_unit(text)

    def test_a_computed_unit_describes_itself(self):
        assert str(parse_unit("t").over(parse_unit("GJ"))) == "1 × energy^-1 · mass"
        assert str(parse_unit("t").over(parse_unit("kg"))) == "1000 × number"


class TestQuantity:
    @pytest.mark.parametrize(
        ("value", "unit", "target", "result"),
        [
            ("3600", "kWh", "GJ", "12.96"),
            ("1", "MWh", "GJ", "3.6"),
            ("25000", "Nm3", "10^4 Nm3", "2.5"),
            ("94", "%", "1", "0.94"),
            ("27.4", "kgC/GJ", "tC/GJ", "0.0274"),
            ("1.5", "tCO2", "gCO2", "1500000"),
        ],
    )
    def test_converts_exactly(self, value: str, unit: str, target: str, result: str):
        assert Quantity.of(value, unit).to(target) == Quantity.of(result, target)

    @pytest.mark.parametrize(
        ("unit", "target"), [("m3", "Nm3"), ("tC", "tCO2"), ("t", "m3"), ("t", "GJ")]
    )
    def test_refuses_to_pass_between_kinds(self, unit: str, target: str):
        with pytest.raises(InvalidQuantityError, match=f"expected .*{target}, got"):
            Quantity.of(1, unit).to(target)

    def test_adds_and_subtracts_the_same_unit(self):
        three, two = Quantity.of(3, "t"), Quantity.of(2, "t")

        assert three + two == Quantity.of(5, "t")
        assert three - two == Quantity.of(1, "t")

    @pytest.mark.parametrize("other", ["kg", "tCO2"])
    def test_refuses_to_add_another_unit(self, other: str):
        with pytest.raises(InvalidQuantityError, match="convert one of them first"):
            Quantity.of(3, "t") + Quantity.of(2, other)

    def test_shows_number_and_unit(self):
        assert str(Quantity.of("44/12", "tCO2/tC")) == "11/3 tCO2/tC"
