from fractions import Fraction

import pytest

from accounting.uncertainty import MeteredAmount, metering_uncertainty_pct


def amount(value: int, pct: Fraction | int | None) -> MeteredAmount:
    return MeteredAmount("m", Fraction(value), None if pct is None else Fraction(pct))


class TestMeteringUncertainty:
    def test_independent_meters_add_in_squares(self):
        assert metering_uncertainty_pct([amount(300, 1), amount(400, 1)]) == Fraction(
            50000 // 7, 10**4
        )

    def test_one_meter_keeps_its_class(self):
        assert metering_uncertainty_pct([amount(5, Fraction(1, 2))]) == Fraction(1, 2)

    def test_exports_widen_it(self):
        assert metering_uncertainty_pct([amount(500, 1), amount(-400, 1)]) > 6

    @pytest.mark.parametrize(
        "amounts", [[], [amount(5, None)], [amount(5, 1), amount(-5, 1)]]
    )
    def test_may_be_undetermined(self, amounts: list[MeteredAmount]):
        assert metering_uncertainty_pct(amounts) is None
