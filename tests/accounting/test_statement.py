from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting.activity import Supplied
from accounting.boundary import Boundary, Source
from accounting.canonical import digest, parse_canonical_json
from accounting.channels import ChannelTable, Sample
from accounting.errors import (
    ConflictSampleError,
    InvalidActivityError,
    InvalidBoundaryError,
    UnavailableFactorError,
    UnavailableReadingsError,
)
from accounting.metering import Fact
from accounting.quantities import Quantity, exact
from accounting.rules import load_rule_set_bytes
from accounting.statement import (
    ETS_DIRECT,
    PARK,
    PRODUCT,
    Methods,
    compute_statement,
)

POWER = ("88.1.1/power", 1)
GAS = ("88.1.1/gas", 1)

GAS_T = exact("0.04") * exact("389.31") * exact("0.0153") * exact("0.99") * 44 / 12
"""Emission of the gas meter, worked by hand. [t CO2]"""


class TestComputeStatement:
    def test_adds_direct_and_indirect_emission(self, works: Any):
        power = (8 - exact("0.8")) * exact("0.4974")
        heat = 2 * exact("0.11")

        statement = works.statement()

        assert statement.grams == round((GAS_T + power + heat) * 10**6)
        assert statement.document["result"]["grams"] == str(statement.grams)
        assert statement.document["purpose"] == "total_with_indirect"

    def test_the_trading_system_counts_direct_emission_only(self, works: Any):
        works.purpose = ETS_DIRECT

        statement = works.statement()

        assert statement.grams == round(GAS_T * 10**6)
        assert list(statement.document["sources"]) == ["88.1.1/gas#1"]
        assert "energy" not in statement.document["rule_sets"]

    def test_the_trading_system_needs_no_electricity_readings(self, works: Any):
        works.purpose = ETS_DIRECT
        whole = works.statement()
        del works.samples[POWER]

        assert works.statement() == whole

    @pytest.mark.parametrize("purpose", [PRODUCT, PARK, 0, 99])
    def test_other_purposes_are_refused(self, works: Any, purpose: int):
        works.purpose = purpose

        with pytest.raises(InvalidBoundaryError, match="purpose: expected"):
            works.statement()

    def test_exports_can_make_a_negative_total(self, works: Any):
        works.sources = [Source("88.1.1/power", 2, "electricity_out")]

        assert works.statement().grams == -397_920

    def test_grams_are_rounded_half_to_even(self, works: Any):
        works.sources = [Source("88.1.1/power", 1, "electricity_in")]
        works.replace_channel("88.1.1/power", 1, unit="Wh", scale=Fraction(5, 4974))
        works.samples[POWER] = [
            Sample(0, works.period[0], 0),
            Sample(1, works.period[1], 1000),
        ]

        statement = works.statement()  # 5/4974 kWh at 0.4974 kg/kWh is half a gram

        assert exact(statement.document["result"]["raw"]) == Fraction(5, 10**7)
        assert statement.grams == 0

    def test_supplied_values_come_before_defaults(self, works: Any):
        heat = Supplied(Quantity.of("0.06", "tCO2/GJ"), "supplier 2023")
        heating = Supplied(Quantity.of(400, "GJ/10^4 Nm3"), "laboratory")
        supplied = {"": {"EF_heat": heat}, "88.1.1/gas#1": {"NCV_gas": heating}}
        plain = works.statement()
        works.methods = replace(works.methods, supplied=supplied)

        statement = works.statement()

        assert statement.document["lines"]["E_heat_in"]["raw"] == "0.12"
        assert statement.factor_set_digest != plain.factor_set_digest
        assert statement.rule_set_digest == plain.rule_set_digest
        assert statement.default_factor_share < plain.default_factor_share


class TestShares:
    def test_a_full_month_is_covered_and_attested(self, works: Any):
        statement = works.statement()

        assert (statement.coverage, statement.attested_share) == (1, 1)
        assert statement.substituted_share == 0

    def test_defaults_are_counted_by_their_emission(self, works: Any):
        lines = {
            name: exact(line["raw"])
            for name, line in works.statement().document["lines"].items()
        }
        default = lines["E_gas[88.1.1/gas#1]"] + lines["E_heat_in"]

        share = works.statement().default_factor_share
        assert share == default / sum(lines.values())

    def test_imported_values_are_not_attested(self, works: Any):
        works.sources = works.sources[:1]
        works.replace_channel(*POWER, provenance="imported")

        statement = works.statement()

        assert statement.attested_share == 0
        assert statement.coverage == 1

    def test_a_missing_end_is_substituted(self, works: Any):
        works.sources = works.sources[:1]
        works.samples[POWER] = works.samples[POWER][:-2]

        statement = works.statement()

        assert statement.coverage == Fraction(6, 8)
        assert statement.substituted_share == Fraction(2, 8)
        assert statement.attested_share == Fraction(6, 8)

    def test_a_missing_end_of_exports_counts_least(self, works: Any):
        key = ("88.1.1/power", 2)
        works.sources = [Source(*key, "electricity_out")]
        works.samples[key] = [
            Sample(0, works.period[0], 0),
            Sample(1, works.period[0] + 900, 10),
            Sample(2, works.period[0] + 1800, 110),
        ]

        source = works.statement().document["sources"]["88.1.1/power#2"]

        assert (source["measured"], source["substituted"]) == ("110", "60")

    def test_a_gap_lowers_coverage_and_nothing_else(self, works: Any):
        whole = works.statement()
        works.samples[POWER] = [s for s in works.samples[POWER] if s.seq not in {3, 4}]

        statement = works.statement()

        assert statement.grams == whole.grams
        assert statement.substituted_share == 0
        assert statement.coverage < 1
        assert statement.input_root != whole.input_root


class TestSharesWithoutEmission:
    def test_idle_meters_are_weighed_alike(self, works: Any):
        works.sources = works.sources[:2]
        start = works.period[0]
        for key in works.samples:
            works.samples[key] = [Sample(i, start + i * 900, 5) for i in range(9)]
        works.samples[POWER] = works.samples[POWER][:5]

        statement = works.statement()

        assert statement.grams == 0
        assert statement.coverage == Fraction(3, 4)
        assert (statement.attested_share, statement.substituted_share) == (1, 0)
        assert statement.default_factor_share == 0

    def test_nothing_to_meter_is_fully_covered(self, works: Any):
        works.sources = works.sources[:1]
        works.purpose = ETS_DIRECT

        statement = works.statement()

        assert statement.grams == 0
        assert (statement.coverage, statement.attested_share) == (1, 1)
        assert (statement.substituted_share, statement.default_factor_share) == (0, 0)


class TestUnconfirmed:
    def test_names_factors_days_and_rounding_that_were_used(self, works: Any):
        energy = works.methods.energy
        cell = "{value: 0.5422, evidence: unconfirmed}"
        text = energy.source_bytes.decode()
        text = text.replace("浙江: {2021-01-01: 0.5422", f"浙江: {{2021-01-01: {cell}")
        data = text.encode()
        works.methods = replace(works.methods, energy=load_rule_set_bytes(data))
        works.sources = works.sources[:1]
        works.year = 2021

        assert works.statement().unconfirmed == (
            "sac/gbt32150-energy/2025: EF_grid of average/浙江",
            "sac/gbt32150-energy/2025: in force",
            "sac/gbt32150-energy/2025: rounding",
            "sac/gbt32150-totals/2025: in force",
            "sac/gbt32150-totals/2025: rounding",
            "sac/gbt32151.34-combustion/2024: in force",
            "sac/gbt32151.34-combustion/2024: rounding",
        )


class TestDocument:
    def test_its_digest_is_the_result_digest(self, works: Any):
        statement = works.statement()

        assert digest(statement.document) == statement.result_digest
        document = parse_canonical_json(statement.to_bytes(), "statement")
        assert document == statement.document

    def test_carries_everything_a_result_must_carry(self, works: Any):
        statement = works.statement()
        document = statement.document

        assert document["digests"] == {
            "boundary": statement.boundary_digest.hex(),
            "factor_set": statement.factor_set_digest.hex(),
            "input_root": statement.input_root.hex(),
            "rule_sets": statement.rule_set_digest.hex(),
        }
        assert document["rule_sets"]["totals"]["edition"] == "2025"
        assert document["rule_sets"]["totals"]["rounding"]["mode"] == "half_even"
        assert document["warming_potentials"]["set"] is None
        assert set(document["result"]["subtotals"]) == {"E_direct", "E_indirect"}
        assert set(document["shares"]) == {
            "attested",
            "coverage",
            "default_factor",
            "substituted",
        }
        assert document["unconfirmed"] == list(statement.unconfirmed)
        assert document["period"]["local"][0] == "2023-01-01T00:00:00+08:00"

    def test_every_factor_has_value_source_date_and_evidence(self, works: Any):
        factors = works.statement().document["factors"]

        grid = factors["sac/gbt32150-energy/2025: EF_grid of average/浙江"]
        assert (grid["value"], grid["from"]) == ("0.4974", "2023-01-01")
        assert factors["sac/gbt32151.34-combustion/2024: CO2_per_C"]["from"] is None
        assert all(f["reference"] and f["evidence"] for f in factors.values())

    def test_the_trace_ends_with_the_total(self, works: Any):
        document = works.statement().document

        assert document["trace"][-1]["formula"] == "E_total"
        assert document["trace"][-1]["result"] == f"{document['result']['raw']} tCO2"

    def test_facts_and_substitutions_are_told(self, works: Any):
        works.samples[POWER] = works.samples[POWER][:-2]

        source = works.statement().document["sources"]["88.1.1/power#1"]

        assert [fact[0] for fact in source["facts"]] == ["substituted"]
        (record,) = source["substitutions"]
        assert (record["added_counts"], record["reason"]) == ("2000", "edge")
        assert record["original"][1] is None

    def test_facts_of_the_caller_are_told_with_the_own(self, works: Any):
        works.samples[POWER] = works.samples[POWER][:-2]
        told = Fact("revoked", works.period[0], works.period[1], "seq 9 to 9")
        readings = [
            replace(one, facts=(told,)) if one.identifier == "88.1.1/power" else one
            for one in works.readings
        ]

        facts = works.statement([*readings, *readings]).document["sources"][
            "88.1.1/power#1"
        ]["facts"]

        assert [fact[0] for fact in facts] == ["revoked", "substituted"]
        assert facts[0] == ["revoked", *works.period, "seq 9 to 9"]

    def test_uncertainty_is_not_determined_without_meter_classes(self, works: Any):
        assert works.statement().document["uncertainty"]["determined"] == "no"

    def test_uncertainty_follows_from_meter_classes(self, works: Any):
        works.sources = works.sources[:1]
        works.replace_channel(*POWER, accuracy_pct=Fraction(1, 2))

        uncertainty = works.statement().document["uncertainty"]

        assert uncertainty["expanded_pct"] == "0.50"

    def test_factors_of_another_year_are_a_notice(self, works: Any):
        works.year = 2021

        notices = works.statement().document["notices"]

        assert "factors of 2021 applied to 2023-01-01 to 2023-01-01" in notices

    def test_the_last_second_decides_the_last_day(self, works: Any):
        shift = 86_400 - (works.period[1] - works.period[0])
        works.samples = {
            key: [replace(s, ts=s.ts + shift) for s in samples]
            for key, samples in works.samples.items()
        }
        works.period = (works.period[0] + shift, works.period[1] + shift)

        assert not [n for n in works.statement().document["notices"] if "applied" in n]

    def test_the_fall_back_for_tibet_is_a_notice(self, works: Any):
        works.region = "西藏"

        notices = works.statement().document["notices"]

        assert [n for n in notices if n.startswith("fall-back used")]


class TestRefusals:
    def test_a_source_without_readings(self, works: Any):
        del works.samples[GAS]

        with pytest.raises(UnavailableReadingsError, match=r"88\.1\.1/gas#1"):
            works.statement()

    def test_a_source_without_a_channel(self, works: Any):
        works.sources.append(Source("88.1.1/power", 3, "electricity_in"))

        with pytest.raises(InvalidBoundaryError, match=r"88\.1\.1/power#3"):
            works.statement()

    @pytest.mark.parametrize(
        "period",
        [(1, 1), (2, 1), (-1, 1), (0, 2 * 366 * 86_400 + 1), (1 << 63, (1 << 63) + 1)],
    )
    def test_a_period_of_no_or_endless_length_is_refused(
        self, works: Any, period: tuple[int, int]
    ):
        works.period = period

        with pytest.raises(InvalidActivityError, match="a start before its end"):
            works.statement()

    def test_liquefied_gas_by_volume(self, works: Any):
        works.sources = [Source(*GAS, "fuel:lng")]

        with pytest.raises(InvalidActivityError, match="converts to t, got Nm3"):
            works.statement()

    def test_gas_at_an_unknown_state(self, works: Any):
        works.replace_channel(*GAS, unit="m3")

        with pytest.raises(
            InvalidActivityError, match=r"converts to 10\^4 Nm3, got m3"
        ):
            works.statement()

    def test_an_unknown_fuel(self, works: Any):
        works.sources = [Source(*GAS, "fuel:peat")]

        with pytest.raises(InvalidActivityError, match="got 'fuel:peat'"):
            works.statement()

    def test_a_year_without_factors(self, works: Any):
        works.year = 2024

        with pytest.raises(UnavailableFactorError, match="no value in force"):
            works.statement()

    def test_an_unknown_region(self, works: Any):
        works.region = "火星"

        with pytest.raises(UnavailableFactorError, match="got 'average/火星'"):
            works.statement()

    def test_supplied_values_of_an_unknown_source(self, works: Any):
        value = Supplied(Quantity.of(400, "GJ/10^4 Nm3"), "laboratory")
        supplied = {"88.1.1/gas#2": {"NCV_gas": value}}
        works.methods = replace(works.methods, supplied=supplied)

        with pytest.raises(InvalidActivityError, match="gas#2"):
            works.statement()

    def test_two_values_under_one_sequence(self, works: Any):
        first = works.samples[POWER][1]
        works.samples[POWER].append(replace(first, value=first.value + 1))

        with pytest.raises(ConflictSampleError, match="two values"):
            works.statement()

    def test_methods_without_one_role(self, methods: Methods):
        with pytest.raises(InvalidActivityError, match="rule sets"):
            Methods.of(methods.rule_sets[:2])


class TestOrderIndependence:
    @given(data=st.data())
    @settings(max_examples=40, deadline=None)
    def test_order_repetition_and_delay_change_no_byte(
        self, data: st.DataObject, make_works: Callable[[], Any]
    ):
        works = make_works()
        whole = works.statement()
        pieces = []
        for reading in works.readings:
            extra = data.draw(st.lists(st.sampled_from(reading.samples), max_size=5))
            samples = data.draw(st.permutations([*reading.samples, *extra]))
            cut = data.draw(st.integers(0, len(samples)))
            parts = (tuple(samples[:cut]), tuple(samples[cut:]))
            pieces += [replace(reading, samples=part) for part in parts]
        shuffled = data.draw(st.permutations(pieces))
        works.sources = data.draw(st.permutations(works.sources))

        statement = works.statement(shuffled)

        assert statement.to_bytes() == whole.to_bytes()
        assert statement == whole

    def test_readings_of_other_periods_change_no_byte(self, works: Any):
        whole = works.statement()
        for key, samples in works.samples.items():
            last = samples[-1]
            later = Sample(99, last.ts + 90_000, last.value + 5)
            works.samples[key] = [*samples, later]

        assert works.statement().to_bytes() == whole.to_bytes()

    def test_every_sample_is_under_the_input_root(self, works: Any):
        roots = {works.statement().input_root}
        for key in list(works.samples):
            samples = works.samples[key]
            changed = replace(samples[4], value=samples[4].value + 1)
            works.samples[key] = [*samples[:4], changed, *samples[5:]]
            roots.add(works.statement().input_root)
            works.samples[key] = samples

        assert len(roots) == 5


class TestOfflineRecomputation:
    def test_bytes_alone_give_the_same_statement(self, works: Any):
        original = works.statement()
        sources = [rule_set.source_bytes for rule_set in works.methods.rule_sets]
        tables = {
            name: ChannelTable.from_bytes(table.to_bytes())
            for name, table in works.tables.items()
        }

        again = compute_statement(
            Boundary.from_bytes(works.boundary.to_bytes()),
            tables,
            *works.period,
            works.purpose,
            works.readings,
            Methods.of([load_rule_set_bytes(data) for data in sources]),
            works.year,
        )

        assert again == original
