"""Published and hand-worked calculations, as a verifier can read them."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounting.activity import Activity, Stream
from accounting.engine import evaluate
from accounting.quantities import Quantity, exact
from accounting.rules import load_rule_set

CASES = Path(__file__).parent.parent / "cases"
FILES = ("combustion", "energy", "totals", "efficiency_code")


def read_cases(name: str) -> list[dict[str, Any]]:
    text = (CASES / f"{name}.yaml").read_text(encoding="utf-8")
    cases: list[dict[str, Any]] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # texts only, safer than safe
    return cases


def quantity(text: str) -> Quantity:
    value, unit = text.split(" ", 1)
    return Quantity.of(value, unit)


def quantities(texts: dict[str, str]) -> dict[str, Quantity]:
    return {name: quantity(text) for name, text in texts.items()}


def activity(case: dict[str, Any]) -> Activity:
    streams = {
        group: [
            Stream(s["name"], s.get("key", ""), quantities(s["inputs"]))
            for s in members
        ]
        for group, members in case.get("streams", {}).items()
    }
    return Activity(
        factor_day=date(2023, 1, 1),
        inputs=quantities(case.get("inputs", {})),
        streams=streams,
        choices=case.get("choices", {}),
        evidence={k: tuple(v) for k, v in case.get("evidence", {}).items()},
    )


class TestCases:
    @pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=case["name"])
            for name in FILES
            for case in read_cases(name)
        ],
    )
    def test_result_is_the_published_one(self, case: dict[str, Any]):
        targets = [case["target"]] if "target" in case else None

        inventory = evaluate(load_rule_set(case["rule_set"]), activity(case), targets)

        result, wanted = inventory.values[case["formula"]], quantity(case["expected"])
        assert result.unit == wanted.unit
        assert abs(result.value - wanted.value) <= exact(case["tolerance"])

    def test_every_case_names_its_source(self):
        cases = [case for name in FILES for case in read_cases(name)]

        assert [case["name"] for case in cases if not case.get("source")] == []
        assert len({case["name"] for case in cases}) == len(cases)
