"""The whole main job on a few days of readings, as `make demo` runs it."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from contracts.typed_data import account_id
from node.demo.park import ENTERPRISES
from node.demo.run import Demo, DemoSettings, run_demo, show
from node.demo.series import SIMULATED
from node.demo.words import is_known

DAYS = 3


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    settings = DemoSettings(folder / "run", folder, days=DAYS, may_fetch=False)
    with run_demo(settings, Console(quiet=True)) as running:
        yield running


@pytest.fixture(scope="module")
def steps(demo: Demo) -> dict[str, Any]:
    return dict(demo.summary["steps"])


class TestDemo:
    def test_names_the_simulated_plant_in_its_summary(self, demo: Demo):
        assert SIMULATED in demo.summary["input"]

    def test_anchors_every_reading_that_was_delivered(self, steps: dict[str, Any]):
        facts = steps["Readings signed, acknowledged, anchored"]

        assert facts["readings"] == 12 * (DAYS * 96 + 1)

    def test_confirms_two_statements_an_enterprise(self, steps: dict[str, Any]):
        facts = steps["Statements recomputed by all, submitted, verified, confirmed"]

        assert len(facts) == 6
        assert {one["status"] for one in facts.values()} == {"confirmed"}

    def test_grades_every_enterprise(self, steps: dict[str, Any]):
        facts = steps["Carbon-efficiency certificates issued"]

        assert all(1 <= one["grade"] <= 5 for one in facts.values())

    def test_moves_quota_against_payment(self, demo: Demo, steps: dict[str, Any]):
        facts = steps["Block trade settled, delivery against payment"]
        ledger = demo.ledger.ledger

        seller = ledger.quota.balance_of(account_id(facts["seller"]), 2023)
        cash = ledger.cash.balance_of(account_id(facts["seller"]))

        assert seller == 260_000 - 100_000
        assert cash == 1_200_000_000 + 100_000 * 8010

    def test_surrenders_the_whole_obligation(self, steps: dict[str, Any]):
        for facts in steps["Obligations surrendered"].values():
            assert facts["obligation [t]"] == facts["surrendered [t]"] > 0

    def test_package_is_accepted_and_a_flipped_byte_is_named(
        self, steps: dict[str, Any]
    ):
        facts = steps["Proof package verified offline"]

        assert facts["exit code then"] > 10
        assert Path(facts["package"]).stat().st_size == facts["bytes"]

    def test_summary_is_on_disk(self, demo: Demo):
        path = demo.settings.folder / "summary.json"

        assert json.loads(path.read_text("utf-8")) == demo.summary

    def test_next_command_works_as_printed(self, demo: Demo):
        command = demo.summary["next"][0].split()[1:]

        done = subprocess.run(
            [sys.executable, "-m", "oracle.evidence", *command],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stdout + done.stderr

    def test_has_chinese_for_all_it_says(self, demo: Demo):
        names = {one.name for one in ENTERPRISES}
        said = {demo.summary["input"], *demo.summary["steps"]}
        for facts in demo.summary["steps"].values():
            said |= {name for name in facts if name.split()[0] not in names}
            said |= {
                inner
                for value in facts.values()
                if isinstance(value, dict)
                for inner in value
            }
        assert [text for text in said if not is_known(text)] == []

    def test_shows_its_summary_in_chinese(self, demo: Demo):
        console = Console(record=True, width=200, file=io.StringIO())
        settings = replace(demo.settings, language="zh")

        show(replace(demo, settings=settings), console)

        shown = console.export_text()
        assert "清缴义务已履行" in shown
        assert "2023 年度配额 [吨]" in shown
        assert "Obligations" not in shown

    def test_shows_its_summary(self, demo: Demo):
        console = Console(record=True, width=200, file=io.StringIO())

        show(demo, console)

        assert "Obligations surrendered" in console.export_text()
