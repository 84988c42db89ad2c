"""The unit, fuzz and invariant tests of the contracts, run by forge."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEAST_TESTS = 380
"""Fewer tests than these mean that forge did not find them."""


@pytest.fixture(scope="module")
def forge() -> Path:
    """The pinned forge of this machine's system."""
    found = sorted(ROOT.glob("node_modules/@foundry-rs/forge-*/bin/forge"))
    assert found, "forge is missing: run `make install`"
    return found[0]


@pytest.mark.timeout(900)
def test_every_contract_test_passes(forge: Path) -> None:
    run = subprocess.run(
        [str(forge), "test", "--json"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=850,
        check=False,
    )

    assert run.stdout.startswith("{"), f"forge did not run:\n{run.stdout}{run.stderr}"
    results = {
        f"{suite} {name}": result
        for suite, content in json.loads(run.stdout).items()
        for name, result in content["test_results"].items()
    }
    failed = {
        name: result["reason"]
        for name, result in results.items()
        if result["status"] != "Success"
    }
    assert not failed
    assert len(results) > LEAST_TESTS
    campaigns = [name for name in results if "invariant_" in name]
    assert len(campaigns) >= 2, campaigns


class TestCoverage:
    def test_every_error_of_every_contract_is_expected_by_a_test(self) -> None:
        tests = "".join(
            path.read_text(encoding="utf-8")
            for path in (ROOT / "contracts" / "test").rglob("*.t.sol")
        )
        errors = {
            name
            for path in (ROOT / "contracts" / "src").rglob("*.sol")
            for name in re.findall(
                r"^    error (\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE
            )
        }

        assert errors
        assert not {name for name in errors if f"{name}.selector" not in tests}
