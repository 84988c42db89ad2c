import csv
from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from accounting.errors import InvalidRuleSetError, UnavailableFactorError
from accounting.quantities import exact
from accounting.rules import (
    RuleSet,
    available_rule_sets,
    load_rule_set,
    load_rule_set_bytes,
)

COMBUSTION = "sac/gbt32151.34-combustion/2024"
ENERGY = "sac/gbt32150-energy/2025"

SMALL = """
format: ccl/rule-set/v1
id: test/small/1
role: test
standard: none
edition: "1"
title: {zh: 小, en: small}
in_force: {from: 2023-01-01, until: null, evidence: confirmed}
groups: [fuels]
keys: {coal: {zh: 煤, en: coal}}
inputs:
  FC: {description: Fuel., unit: t, over: fuels, minimum: 0}
parameters:
  NCV:
    description: Heat.
    unit: GJ/t
    kind: default
    over: fuels
    minimum: 5
    maximum: 60
    sources: {2023-01-01: {reference: a book, evidence: confirmed}}
    entries: {coal: {2023-01-01: "20", 2024-01-01: null}}
  EF:
    description: Carbon dioxide per heat.
    unit: tCO2/GJ
    kind: default
    over: fuels
    sources: {2023-01-01: {reference: a book, evidence: confirmed}}
    entries: {coal: {2023-01-01: "0.1"}}
formulas:
  E: {description: One., unit: tCO2, over: fuels, expression: FC * NCV * EF}
  E_all: {description: All., unit: tCO2, expression: "sum(E, over=fuels)"}
checks:
  - {require: E_all >= 0, message: no}
lines:
  - {formula: E, sign: +, groups: [fuels]}
results: {result: E_all}
rounding: {mode: half_up, places: 2, reference: none, evidence: confirmed}
"""


def small(old: str = "", new: str = "") -> RuleSet:
    """Load the small rule set with one passage replaced."""
    assert old in SMALL
    return load_rule_set_bytes(SMALL.replace(old, new, 1).encode())


class TestShippedRuleSets:
    @pytest.mark.parametrize("rule_set_id", available_rule_sets())
    def test_are_sound_and_named_by_their_path(self, rule_set_id: str):
        assert load_rule_set(rule_set_id).id == rule_set_id

    def test_bytes_give_the_same_rule_set(self):
        rule_set = load_rule_set(ENERGY)

        assert load_rule_set_bytes(rule_set.source_bytes).digest == rule_set.digest

    def test_an_unknown_id_is_refused(self):
        with pytest.raises(InvalidRuleSetError, match="no such rule set"):
            load_rule_set("../../etc/passwd")

    def test_recalled_factors_are_unconfirmed(self):
        unconfirmed = load_rule_set(ENERGY).unconfirmed

        assert f"{ENERGY}: EF_grid of fossil/全国 from 2022-01-01" in unconfirmed
        assert f"{ENERGY}: EF_grid of fossil/全国 from 2023-01-01" not in unconfirmed
        assert f"{ENERGY}: in force" in unconfirmed


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.fixture
def factors(data_dir: Path) -> Path:
    return data_dir / "factors"


class TestFactorsAgainstTheTables:
    def test_every_fuel_of_the_standard_is_carried(self, factors: Path):
        rule_set = load_rule_set(COMBUSTION)
        by_title = {titles["zh"]: key for key, titles in rule_set.keys.items()}
        fuels = [
            row
            for row in rows(factors / "fuel_factors.csv")
            if row["set"] == "GBT32151.34-2024"
        ]

        assert len(fuels) == len(by_title)
        for row in fuels:
            key, suffix = by_title[row["fuel_zh"]], "t" if row["unit"] == "t" else "gas"
            values = [
                rule_set.parameters[f"{name}_{suffix}"].find(key, date.max, "").value
                for name in ("NCV", "CC", "OF")
            ]
            assert values == [
                exact(row["ncv_GJ_per_unit"]),
                exact(row["carbon_kgC_per_GJ"]) / 1000,
                exact(row["oxidation_pct"]) / 100,
            ]

    def test_every_grid_factor_of_its_year_is_carried(self, factors: Path):
        kinds = {
            "average": "average",
            "average excl. market-traded non-fossil": "without-traded-non-fossil",
            "fossil electricity": "fossil",
        }
        grid = load_rule_set(ENERGY).parameters["EF_grid"]
        found = 0
        for row in rows(factors / "grid_factors.csv"):
            if row["kind"] in kinds:
                key = f"{kinds[row['kind']]}/{row['region']}"
                dated = grid.find(key, date(int(row["year"]), 6, 1), "")
                assert dated.value == exact(row["value"])
                assert (dated.evidence == "confirmed") == (row["evidence"] == "read")
                found += 1

        assert found == sum(
            dated.value is not None
            for values in grid.entries.values()
            for dated in values
        )


class TestTraps:
    def test_the_life_cycle_factor_is_refused(self):
        grid = load_rule_set(ENERGY).parameters["EF_grid"]

        with pytest.raises(UnavailableFactorError, match="never for an inventory"):
            grid.find("life-cycle/全国", date(2024, 1, 1), ENERGY)

    def test_no_life_cycle_value_is_in_the_rule_set(self):
        source = load_rule_set(ENERGY).source_bytes

        assert b"0.5777" not in source
        assert b"0.6205" not in source

    def test_a_factor_ends_with_its_year(self):
        grid = load_rule_set(ENERGY).parameters["EF_grid"]

        assert grid.find("average/浙江", date(2023, 12, 31), "").value == exact(
            "0.4974"
        )
        with pytest.raises(UnavailableFactorError, match="no value in force"):
            grid.find("average/浙江", date(2024, 1, 1), "")
        with pytest.raises(UnavailableFactorError, match="another factor year"):
            grid.find("average/浙江", date(2020, 12, 31), "")

    def test_an_unknown_region_is_refused_with_those_known(self):
        grid = load_rule_set(ENERGY).parameters["EF_grid"]

        with pytest.raises(
            UnavailableFactorError, match=r"average/浙江.*got 'average/火星'"
        ):
            grid.find("average/火星", date(2023, 1, 1), "")

    def test_kg_for_t_per_gj_fails_at_load(self):
        with pytest.raises(InvalidRuleSetError, match="unit of FC"):
            small("unit: tCO2/GJ", "unit: kgCO2/GJ")

    def test_percent_for_a_fraction_fails_at_load(self):
        text = "FC * NCV * EF * OF"
        oxidation = """
  OF:
    description: Oxidation.
    unit: "%"
    kind: default
    over: fuels
    sources: {2023-01-01: {reference: a book, evidence: confirmed}}
    entries: {coal: {2023-01-01: "98"}}
formulas:"""
        data = SMALL.replace("FC * NCV * EF", text).replace("\nformulas:", oxidation)

        with pytest.raises(InvalidRuleSetError, match="unit of FC"):
            load_rule_set_bytes(data.encode())
        sound = data.replace('"%"', '"1"').replace('"98"', '"0.98"')
        assert load_rule_set_bytes(sound.encode()).id == "test/small/1"

    def test_nm3_for_ten_thousand_nm3_fails_at_load(self):
        data = SMALL.replace("unit: t,", "unit: Nm3,")
        data = data.replace("unit: GJ/t", "unit: GJ/10^4 Nm3")

        with pytest.raises(InvalidRuleSetError, match="unit of FC"):
            load_rule_set_bytes(data.encode())
        sound = data.replace("unit: Nm3,", "unit: 10^4 Nm3,")
        assert load_rule_set_bytes(sound.encode()).id == "test/small/1"

    def test_carbon_for_carbon_dioxide_fails_at_load(self):
        with pytest.raises(InvalidRuleSetError, match="unit of FC"):
            small("unit: tCO2/GJ", "unit: tC/GJ")

    def test_a_value_out_of_range_fails_at_load(self):
        with pytest.raises(InvalidRuleSetError, match="expected 5 to 60, got 20000"):
            small('coal: {2023-01-01: "20"', 'coal: {2023-01-01: "20000"')


class TestSmallRuleSet:
    def test_is_sound(self):
        assert small().unconfirmed == ()

    def test_comments_and_layout_are_not_its_identity(self):
        assert small("role: test", "role:   test # a word").digest == small().digest

    @pytest.mark.parametrize(
        ("old", "new"), [('"20"', '"21"'), ('edition: "1"', 'edition: "2"')]
    )
    def test_every_content_is_its_identity(self, old: str, new: str):
        assert small(old, new).digest != small().digest

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("ccl/rule-set/v1", "v2", "format"),
            ("role: test", "", "role"),
            ("role: test", "role: [test]", "role"),
            ("role: test", "role: test\nmore: 1", "unknown fields"),
            ("role: test", "role: test\nrole: test", "each once"),
            ("role: test", "role: &a test\nsupersedes: *a", "no aliases"),
            ("role: test", "role: !!int 3", "no tags"),
            ("role: test", "role: !x test", "no tags"),
            ('edition: "1"', "edition: *a", "no YAML"),
            ("unit: t,", "unit: ton,", "unknown unit"),
            ("unit: t,", "unit: [t],", "unit"),
            ("minimum: 0", "minimum: 1e5", "no exact number"),
            ("minimum: 0", "minimum: 0, extra: 1", "unknown fields"),
            ("over: fuels, minimum", "over: coals, minimum", "name or group of FC"),
            ("  FC: {", "  F-C: {", "letters and digits"),
            ("  E_all: {", "  FC: {", "name or group of FC"),
            ("kind: default", "kind: guess", "kind"),
            ("evidence: confirmed}}", "evidence: sure}}", "evidence"),
            ("reference: a book, ", "", "reference"),
            ('"20", 2024-01-01: null', "", "a value a date"),
            ('"20"', "[20]", "value"),
            ("coal: {2023-01-01", "coal: {2023-13-01", "YYYY-MM-DD"),
            ("coal: {2023-01-01", "coal: {2022-01-01", "reference"),
            ('entries: {coal: {2023-01-01: "0.1"}}', "values: {2023-01-01: 1}", "keys"),
            (
                'entries: {coal: {2023-01-01: "0.1"}}',
                "entries: {gas: {2023-01-01: 1}}",
                "keys of EF",
            ),
            ("keys: {coal:", "keys: {gas:", "with a title"),
            ("FC * NCV * EF", "FC * NCV", "unit of FC"),
            ("FC * NCV * EF", "FC * NCV * E", "unit of|circle"),
            ("sum(E, over=fuels)", "E_all", "circle of formulas"),
            ("result: E_all", "result: E", "results and lines"),
            ("result: E_all", "result: nothing", "results and lines"),
            ("results: {result: E_all}", "results: {}", "results and lines"),
            ("result: E_all", "result: []", "results.*texts"),
            ("keys: {coal:", "keys: {gas: a, coal:", "keys: gas"),
            ("formula: E,", "formula: X,", "results and lines"),
            ("groups: [fuels]}", "groups: [coals]}", "results and lines"),
            ("sign: +", "sign: x", "sign"),
            ("E_all >= 0", "E_all", "condition"),
            ("E_all >= 0", "E_all >= 1", "units differ"),
            ("half_up", "down", "mode"),
            ("places: 2", "places: 1.5", "whole number"),
            ("places: 2", "places: -1", "whole number"),
            ("places: 2", "places: 999999999", "whole number"),
            ("from: 2023-01-01", "from: now", "YYYY-MM-DD"),
            ("groups: [fuels]\n", "groups: fuels\n", "list of texts"),
            ("inputs:\n", "inputs: a\nouts:\n", "a mapping"),
        ],
    )
    def test_faults_are_refused(self, old: str, new: str, message: str):
        with pytest.raises(InvalidRuleSetError, match=message):
            small(old, new)

    @pytest.mark.parametrize("opening", [b"[", b"- "])
    def test_deep_nesting_is_refused(self, opening: bytes):
        with pytest.raises(InvalidRuleSetError, match="at most 8 levels"):
            load_rule_set_bytes(opening * 100_000)

    @pytest.mark.parametrize(
        "data", [b"", b"a", b"[1]", b"\xff", b"x" * (2 << 20), b"[" * 5000, b"a: {b"]
    )
    def test_other_bytes_are_refused(self, data: bytes):
        with pytest.raises(InvalidRuleSetError):
            load_rule_set_bytes(data)


class TestMisprint:
    CELL = "{value: 0.1229, printed: 0.1228, decided_by: the publisher's erratum}"

    def test_keeps_the_printed_value_and_who_decided(self):
        rule_set = small(
            '{coal: {2023-01-01: "0.1"}}', f"{{coal: {{2023-01-01: {self.CELL}}}}}"
        )

        dated = rule_set.parameters["EF"].find("coal", date(2023, 1, 1), "")

        assert dated.value == Fraction(1229, 10000)
        assert (dated.printed, dated.decided_by) == (
            "0.1228",
            "the publisher's erratum",
        )

    def test_needs_a_name_for_the_decision(self):
        cell = "{value: 0.1229, printed: 0.1228}"

        with pytest.raises(InvalidRuleSetError, match="printed and decided_by"):
            small('{coal: {2023-01-01: "0.1"}}', f"{{coal: {{2023-01-01: {cell}}}}}")


class TestFallback:
    def change(self, use: str) -> Callable[[], Any]:
        text = f"{{gas: {{use: {use}, reason: none, decided_by: test}}}}"
        return lambda: small("maximum: 60", f"maximum: 60\n    fallbacks: {text}")

    def test_leads_to_an_entry(self):
        assert self.change("coal")().parameters["NCV"].fallbacks["gas"].use == "coal"

    def test_that_leads_nowhere_is_refused(self):
        with pytest.raises(InvalidRuleSetError, match="a known key"):
            self.change("peat")()


class TestOnePathAFuel:
    def test_a_key_in_two_groups_is_refused(self):
        second = """
  H:
    description: Heat.
    unit: GJ/t
    kind: default
    over: others
    sources: {2023-01-01: {reference: a book, evidence: confirmed}}
    entries: {coal: {2023-01-01: "20"}}
formulas:"""
        data = SMALL.replace("groups: [fuels]\n", "groups: [fuels, others]\n", 1)
        data = data.replace("\nformulas:", second, 1)

        with pytest.raises(InvalidRuleSetError, match="each in one group"):
            load_rule_set_bytes(data.encode())
