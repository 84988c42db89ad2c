from fractions import Fraction

from node.demo.park import ENTERPRISES, GAS, Meter

USAGE_WH = (3170, 4000, 3240, 3310) * 24


class TestMeter:
    def test_real_meter_counts_the_series(self):
        enterprise = ENTERPRISES[0]
        registers = enterprise.meters[0].registers(USAGE_WH, "any")

        assert registers[0] == 0
        assert registers[-1] * 10 == sum(USAGE_WH)

    def test_simulated_meter_repeats_itself_by_its_identifier(self):
        meter = Meter("gas", GAS, Fraction(1, 10), shift_rows=3)

        assert meter.registers(USAGE_WH, "a") == meter.registers(USAGE_WH, "a")
        assert meter.registers(USAGE_WH, "a") != meter.registers(USAGE_WH, "b")

    def test_simulated_meter_stays_within_its_wobble(self):
        meter = Meter("gas", GAS, Fraction(1, 10))
        total = Fraction(meter.registers(USAGE_WH, "a")[-1], 100)
        plain = Fraction(sum(USAGE_WH), 1000) / 10

        assert abs(total - plain) < plain / 20

    def test_register_wraps_at_its_modulus(self):
        meter = Meter("gas", GAS, Fraction(1), modulus=1000, start=900)
        registers = meter.registers(USAGE_WH, "a")

        assert max(registers) < 1000
        assert any(after < before for before, after in zip(registers, registers[1:]))  # noqa: B905, RUF007  # shifted by one


class TestCast:
    def test_has_enough_carriers_with_every_fault(self):
        meters = [meter for one in ENTERPRISES for meter in one.meters]

        assert len(ENTERPRISES) >= 3
        assert len(meters) >= 12
        assert sum(meter.is_real for meter in meters) == 1
        assert any(meter.modulus for meter in meters)
        assert any(len(meter.lost_rows) for meter in meters)
        assert any(len(meter.offline_rows) for meter in meters)
