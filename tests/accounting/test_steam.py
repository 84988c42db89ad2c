import csv
from fractions import Fraction
from pathlib import Path

import pytest

from accounting.errors import InvalidQuantityError, UnavailableFactorError
from accounting.quantities import Quantity, exact
from accounting.steam import (
    load_steam_table,
    saturated_enthalpy,
    superheated_enthalpy,
)

TABLE = load_steam_table()


def mpa(value: str) -> Quantity:
    return Quantity.of(value, "MPa")


def degc(value: str) -> Quantity:
    return Quantity.of(value, "degC")


class TestSaturated:
    def test_is_linear_between_two_entries(self):
        """GB/T 32151.34-2024, Annex C, constructed vector (GBT34-C4)."""
        found = saturated_enthalpy(TABLE, mpa("1.75"))

        assert found.value == Quantity.of("2794.45", "kJ/kg")
        assert found.entries == ("1.7", "1.8")
        assert found.notices == ()

    def test_an_entry_is_itself(self):
        found = saturated_enthalpy(TABLE, mpa("1"))

        assert found.value == Quantity.of("2777", "kJ/kg")
        assert found.entries == ("1",)

    def test_a_flagged_entry_is_a_notice(self):
        found = saturated_enthalpy(TABLE, mpa("21.5"))

        assert [n[-2:] for n in found.notices] == ["21", "22"]

    @pytest.mark.parametrize("pressure", ["0.0009", "22.1", "-1"])
    def test_nothing_is_extrapolated(self, pressure: str):
        with pytest.raises(UnavailableFactorError, match="outside of the table"):
            saturated_enthalpy(TABLE, mpa(pressure))

    def test_other_units_of_pressure_convert(self):
        kpa = Quantity.of(1750, "kPa")

        assert saturated_enthalpy(TABLE, kpa) == saturated_enthalpy(TABLE, mpa("1.75"))

    def test_a_temperature_is_no_pressure(self):
        with pytest.raises(InvalidQuantityError, match="expected MPa"):
            saturated_enthalpy(TABLE, degc("200"))


class TestSuperheated:
    def test_an_entry_is_itself(self):
        found = superheated_enthalpy(TABLE, mpa("3"), degc("400"))

        assert found.value.value == TABLE.superheated[Fraction(400), Fraction(3)]

    def test_is_linear_in_both_directions(self):
        corners = [
            TABLE.superheated[Fraction(t), Fraction(p)]
            for t in (350, 400)
            for p in (3, 5)
        ]

        found = superheated_enthalpy(TABLE, mpa("4"), degc("375"))

        assert found.value.value == sum(corners) / 4

    def test_a_flagged_entry_is_used_as_printed_and_told(self):
        found = superheated_enthalpy(TABLE, mpa("0.5"), degc("400"))

        assert found.value == Quantity.of("3217.8", "kJ/kg")
        assert found.notices == (
            "flagged entry used: sac/gbt32151.34-steam/2024, 400 / 0.5",
        )

    def test_no_cell_across_the_line_of_saturation(self):
        with pytest.raises(UnavailableFactorError, match="line of saturation"):
            superheated_enthalpy(TABLE, mpa("0.7"), degc("170"))

    @pytest.mark.parametrize(
        ("pressure", "temperature"), [("31", "400"), ("1", "601"), ("0.001", "400")]
    )
    def test_nothing_is_extrapolated(self, pressure: str, temperature: str):
        with pytest.raises(UnavailableFactorError, match="outside of the table"):
            superheated_enthalpy(TABLE, mpa(pressure), degc(temperature))


class TestTableAgainstTheData:
    def test_every_entry_is_carried(self, data_dir: Path):
        folder = data_dir / "factors"
        with (folder / "steam_superheated.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        wanted = {
            (exact(r["T_C"]), exact(r["P_MPa"])): exact(r["h_table_kJ_kg"])
            for r in rows
        }
        suspect = {(exact(r["T_C"]), exact(r["P_MPa"])) for r in rows if r["flag"]}
        with (folder / "steam_saturated.csv").open(encoding="utf-8") as file:
            dry = {
                exact(r["P_MPa"]): (exact(r["T_C"]), exact(r["h_table_kJ_kg"]))
                for r in csv.DictReader(file)
            }

        assert TABLE.superheated == wanted
        assert TABLE.saturated == dry
        assert suspect <= TABLE.flagged
