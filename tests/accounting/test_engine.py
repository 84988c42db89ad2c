import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from accounting.activity import Activity, Stream, Supplied
from accounting.engine import Inventory, evaluate
from accounting.errors import InvalidActivityError, UnavailableFactorError
from accounting.quantities import Quantity, exact
from accounting.rule_schema import read_yaml
from accounting.rules import load_rule_set, load_rule_set_bytes

COMBUSTION = load_rule_set("sac/gbt32151.34-combustion/2024")
ENERGY = load_rule_set("sac/gbt32150-energy/2025")
TOTALS = load_rule_set("sac/gbt32150-totals/2025")
DAY = date(2023, 1, 1)


def fuel(
    group: str, key: str, amount: str, unit: str, **supplied: Supplied
) -> Activity:
    name = "FC_gas" if group == "gas_fuels" else "FC_t"
    stream = Stream("m", key, {name: Quantity.of(amount, unit)}, supplied)
    return Activity(DAY, streams={group: [stream]})


def energy(**more: Any) -> Activity:
    bought = [Stream("m", "", {"Q_in": Quantity.of(100, "MWh")})]
    fields: dict[str, Any] = {
        "factor_day": DAY,
        "streams": {"electricity_in": bought},
        "choices": {"grid": "average/浙江"},
    }
    return Activity(**{**fields, **more})


def result(inventory: Inventory) -> Fraction:
    return inventory.results["result"].value


class TestFuelCombustion:
    def test_a_default_used_is_a_visible_notice(self):
        inventory = evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "1", "t"))

        assert "default used: NCV_t of diesel [m] = 42.652 GJ/t" in inventory.notices
        assert inventory.lines[0].uses_default

    def test_a_measured_value_comes_before_the_default(self):
        measured = Supplied(Quantity.of(43, "GJ/t"), "laboratory report 12")
        activity = fuel("mass_fuels", "diesel", "1", "t", NCV_t=measured)

        inventory = evaluate(COMBUSTION, activity)

        factor = next(f for f in inventory.factors if f.parameter == "NCV_t")
        assert (factor.kind, factor.reference) == ("supplied", "laboratory report 12")
        assert not [n for n in inventory.notices if "NCV_t" in n]
        assert result(inventory) == 43 * exact("0.0202") * exact("0.98") * 44 / 12

    def test_all_values_measured_is_no_default(self):
        activity = fuel(
            "mass_fuels",
            "own waste oil",
            "1",
            "t",
            NCV_t=Supplied(Quantity.of(40, "GJ/t"), "report"),
            CC_t=Supplied(Quantity.of("0.02", "tC/GJ"), "report"),
            OF_t=Supplied(Quantity.of("0.98", "1"), "report"),
        )

        inventory = evaluate(COMBUSTION, activity)

        assert not inventory.lines[0].uses_default
        assert inventory.notices == ()

    @pytest.mark.parametrize(
        ("name", "value", "unit"),
        [
            ("CC_t", "20.2", "kgC/GJ"),
            ("OF_t", "98", "%"),
            ("NCV_t", "43", "GJ/kg"),
        ],
    )
    def test_a_measured_value_in_another_unit_is_refused(
        self, name: str, value: str, unit: str
    ):
        supplied = {name: Supplied(Quantity.of(value, unit), "report")}

        with pytest.raises(InvalidActivityError, match=f"unit: expected .*{unit}"):
            evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "1", "t", **supplied))

    def test_a_measured_value_out_of_range_is_refused(self):
        measured = Supplied(Quantity.of(98, "1"), "report")

        with pytest.raises(InvalidActivityError, match="expected 1/2 to 1"):
            evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "1", "t", OF_t=measured))

    def test_liquefied_gas_goes_by_mass_only(self):
        with pytest.raises(UnavailableFactorError, match="got 'lng'"):
            evaluate(COMBUSTION, fuel("gas_fuels", "lng", "1", "10^4 Nm3"))

    def test_natural_gas_goes_by_volume_only(self):
        with pytest.raises(UnavailableFactorError, match="got 'natural_gas'"):
            evaluate(COMBUSTION, fuel("mass_fuels", "natural_gas", "1", "t"))

    def test_nm3_for_ten_thousand_nm3_is_refused(self):
        with pytest.raises(InvalidActivityError, match="expected 10\\^4 Nm3, got Nm3"):
            evaluate(COMBUSTION, fuel("gas_fuels", "natural_gas", "1", "Nm3"))

    def test_a_negative_amount_is_refused(self):
        with pytest.raises(InvalidActivityError, match="got -1 t"):
            evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "-1", "t"))

    def test_the_trace_names_every_operand(self):
        inventory = evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "2", "t"))

        step = inventory.trace[0]
        assert step.formula == "E_mass"
        assert {name: str(q) for name, q in step.operands} == {
            "FC_t[m]": "2 t",
            "NCV_t[m]": "42.652 GJ/t",
            "CC_t[m]": "0.0202 tC/GJ",
            "OF_t[m]": "0.98 1",
            "CO2_per_C": "11/3 tCO2/tC",
        }
        assert [s.formula for s in inventory.trace] == ["E_mass", "E_comb"]

    def test_raw_and_reported_are_both_kept(self):
        inventory = evaluate(COMBUSTION, fuel("mass_fuels", "diesel", "1", "t"))

        (line,) = inventory.lines
        assert line.reported == "3.10"
        assert line.amount.value == exact("42.652") * exact("0.0202") * exact(
            "0.98"
        ) * Fraction(44, 12)

    def test_a_sum_of_reported_lines_is_never_fed_back(self):
        streams = [
            Stream(str(i), "gasoline", {"FC_t": Quantity.of("0.001", "t")})
            for i in range(10)
        ]

        inventory = evaluate(COMBUSTION, Activity(DAY, streams={"mass_fuels": streams}))

        assert {line.reported for line in inventory.lines} == {"0.00"}
        assert inventory.reported(inventory.results["result"]) == "0.03"


class TestPurchasedEnergy:
    def test_exports_subtract_with_the_same_factor(self):
        sold = [Stream("s", "", {"Q_out": Quantity.of(100, "MWh")})]
        streams = {**energy().streams, "electricity_out": sold}

        inventory = evaluate(ENERGY, energy(streams=streams))

        assert inventory.values["E_elec_in"] == inventory.values["E_elec_out"]
        assert result(inventory) == 0

    def test_the_factor_is_of_its_year_and_region(self):
        of_2021 = evaluate(ENERGY, energy(factor_day=date(2021, 1, 1)))

        assert result(of_2021) == exact("54.22")
        assert result(evaluate(ENERGY, energy())) == exact("49.74")

    def test_a_year_without_a_factor_is_refused(self):
        with pytest.raises(UnavailableFactorError, match="no value in force"):
            evaluate(ENERGY, energy(factor_day=date(2024, 1, 1)))

    def test_tibet_falls_back_in_the_open(self):
        inventory = evaluate(ENERGY, energy(choices={"grid": "average/西藏"}))

        assert result(inventory) == exact("53.06")
        (notice,) = [n for n in inventory.notices if "fall-back" in n]
        assert "EF_grid of average/全国 for average/西藏" in notice
        assert "decided by this rule set" in notice

    def test_the_life_cycle_factor_never_enters(self):
        with pytest.raises(UnavailableFactorError, match="product footprints"):
            evaluate(ENERGY, energy(choices={"grid": "life-cycle/全国"}))

    def test_an_unconfirmed_factor_is_a_visible_notice(self):
        activity = energy(factor_day=date(2022, 1, 1), choices={"grid": "fossil/全国"})

        inventory = evaluate(ENERGY, activity)

        assert inventory.notices == (
            "unconfirmed: EF_grid of fossil/全国 = 0.8325 tCO2/MWh",
        )

    def test_non_fossil_electricity_needs_evidence(self):
        inputs = {"Q_nonfossil": Quantity.of(10, "MWh")}

        with pytest.raises(InvalidActivityError, match="with evidence only"):
            evaluate(ENERGY, energy(inputs=inputs))

    def test_non_fossil_electricity_with_evidence_is_subtracted(self):
        inputs = {"Q_nonfossil": Quantity.of(10, "MWh")}
        evidence = {"Q_nonfossil": ("certificate 1",)}

        inventory = evaluate(ENERGY, energy(inputs=inputs, evidence=evidence))

        assert result(inventory) == 90 * exact("0.4974")

    def test_more_non_fossil_than_bought_is_refused(self):
        inputs = {"Q_nonfossil": Quantity.of(101, "MWh")}
        evidence = {"Q_nonfossil": ("certificate 1",)}

        with pytest.raises(InvalidActivityError, match="than was bought"):
            evaluate(ENERGY, energy(inputs=inputs, evidence=evidence))

    def test_the_suppliers_heat_factor_comes_first(self):
        heat = [Stream("h", "", {"H_in": Quantity.of(100, "GJ")})]
        supplied = {"EF_heat": Supplied(Quantity.of("0.06", "tCO2/GJ"), "supplier")}

        inventory = evaluate(
            ENERGY, Activity(DAY, streams={"heat_in": heat}, supplied=supplied)
        )

        assert result(inventory) == 6
        assert inventory.notices == ()

    def test_the_default_heat_factor_is_a_visible_notice(self):
        heat = [Stream("h", "", {"H_in": Quantity.of(100, "GJ")})]

        inventory = evaluate(ENERGY, Activity(DAY, streams={"heat_in": heat}))

        assert result(inventory) == 11
        assert inventory.notices == ("default used: EF_heat = 0.11 tCO2/GJ",)

    def test_factors_of_nothing_are_not_used(self):
        inventory = evaluate(ENERGY, Activity(DAY))

        assert result(inventory) == 0
        assert inventory.factors == ()

    def test_published_factors_are_not_open_to_own_values(self):
        supplied = {"EF_grid": Supplied(Quantity.of("0.1", "tCO2/MWh"), "own idea")}

        with pytest.raises(InvalidActivityError, match="unknown supplied value"):
            evaluate(ENERGY, energy(supplied=supplied))


class TestActivity:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"inputs": {"Q": Quantity.of(1, "MWh")}}, "unknown input"),
            ({"streams": {"steam": []}}, "unknown group"),
            ({"choices": {"region": "浙江"}}, "unknown choice"),
            ({"choices": {}}, "choice: expected a key for grid"),
            ({"streams": {"electricity_in": [Stream("m", "", {})]}}, "got nothing"),
            (
                {
                    "streams": {
                        "electricity_in": [
                            Stream("m", "", {"Q_out": Quantity.of(1, "MWh")})
                        ]
                    }
                },
                "unknown input",
            ),
            (
                {
                    "streams": {
                        "electricity_in": [
                            Stream("m", "", {"Q_in": Quantity.of(1, "MWh")})
                        ]
                        * 2
                    }
                },
                "each name once",
            ),
            (
                {
                    "streams": {
                        "electricity_in": [
                            Stream("m", "", {"Q_in": Quantity.of(1, "GJ")})
                        ]
                    }
                },
                "expected MWh, got GJ",
            ),
        ],
    )
    def test_that_does_not_fit_is_refused(self, change: dict[str, Any], message: str):
        with pytest.raises(InvalidActivityError, match=message):
            evaluate(ENERGY, energy(**change))


class TestMisprint:
    def test_is_told_where_the_value_is_used(self):
        cell = "0001-01-01: {value: 0.11, printed: 0.12, decided_by: the publisher}"
        data = ENERGY.source_bytes.decode().replace("0001-01-01: 0.11}", f"{cell}}}")
        heat = [Stream("h", "", {"H_in": Quantity.of(100, "GJ")})]

        inventory = evaluate(
            load_rule_set_bytes(data.encode()), Activity(DAY, streams={"heat_in": heat})
        )

        assert result(inventory) == 11
        assert inventory.factors[0].note == "printed 0.12, decided by the publisher"


class TestTotals:
    def test_more_recovered_than_arises_is_refused(self):
        inputs = {"E_comb": Quantity.of(1, "tCO2"), "R": Quantity.of(2, "tCO2")}

        with pytest.raises(InvalidActivityError, match="recovered or fixed"):
            evaluate(TOTALS, Activity(DAY, inputs))

    def test_carbon_is_not_carbon_dioxide(self):
        with pytest.raises(InvalidActivityError, match="expected tCO2, got tC"):
            evaluate(TOTALS, Activity(DAY, {"E_comb": Quantity.of(1, "tC")}))

    def test_a_total_may_be_negative(self):
        inputs = {"E_elec_out": Quantity.of(2, "tCO2")}

        inventory = evaluate(TOTALS, Activity(DAY, inputs))

        assert inventory.results["total_with_indirect"] == Quantity.of(-2, "tCO2")
        assert inventory.results["ets_direct"] == Quantity.of(0, "tCO2")


class TestOrderOfTheFile:
    @pytest.mark.parametrize("turn", [1, -1])
    def test_of_results_and_formulas_changes_nothing(self, turn: int):
        content = read_yaml(TOTALS.source_bytes, "totals")
        for name in ("results", "formulas", "inputs"):
            content[name] = dict(sorted(content[name].items())[::turn])
        turned = load_rule_set_bytes(json.dumps(content).encode())
        activity = Activity(DAY, inputs={"E_comb": Quantity.of(5, "tCO2")})

        assert turned.digest == TOTALS.digest
        assert evaluate(turned, activity).trace == evaluate(TOTALS, activity).trace
