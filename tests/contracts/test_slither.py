"""Every finding of slither of high or medium impact is mended or answered."""

import json
import os
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = ROOT / "contracts" / "slither.toml"
SLITHER = ROOT / ".venv" / "slither" / "bin" / "slither"
SHORTEST_REASON = 20
"""An answer of fewer characters gives no reason."""


@pytest.fixture(scope="module")
def answers() -> list[dict[str, str]]:
    """The checked-in answers."""
    return list(tomllib.loads(ANSWERS.read_text(encoding="utf-8"))["answer"])


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """(check, contract.function) of every finding of high or medium impact."""
    forge = next(iter(ROOT.glob("node_modules/@foundry-rs/forge-*/bin/forge")), None)
    assert forge is not None, "forge is missing: run `make install`"
    assert SLITHER.is_file(), "slither is missing: run `make install`"
    report = tmp_path_factory.mktemp("slither") / "report.json"
    path = f"{forge.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "FOUNDRY_PROFILE": "analysis", "PATH": path}
    _run([str(forge), "build", "--force"], environment)
    _run(
        [
            str(SLITHER),
            ".",
            "--foundry-ignore-compile",
            "--foundry-out-directory=var/slither/out",
            "--foundry-build-info-directory=var/slither/build-info",
            "--exclude-dependencies",
            "--exclude-low",
            "--exclude-informational",
            "--exclude-optimization",
            "--filter-paths=node_modules",
            "--fail-none",
            f"--json={report}",
        ],
        environment,
    )
    content = json.loads(report.read_text(encoding="utf-8"))
    assert content["success"], content["error"]
    return [
        (finding["check"], _where(finding["elements"][0]))
        for finding in content["results"].get("detectors", [])
    ]


def _run(command: list[str], environment: dict[str, str]) -> None:
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _where(element: dict[str, object]) -> str:
    """Name the function or variable and the contract it stands in."""
    fields = element["type_specific_fields"]
    parent = fields["parent"]["name"] if isinstance(fields, dict) else "?"
    return f"{parent}.{element['name']}"


@pytest.mark.timeout(600)
class TestSlither:
    def test_has_analysed_every_contract(self, findings: list[tuple[str, str]]) -> None:
        # The built-in check of view calls alone would fill this list: an empty
        # one means that slither looked at nothing.
        assert findings

    def test_every_finding_is_answered(
        self, findings: list[tuple[str, str]], answers: list[dict[str, str]]
    ) -> None:
        answered = Counter((answer["check"], answer["where"]) for answer in answers)

        assert Counter(findings) - answered == Counter()

    def test_every_answer_still_has_its_finding(
        self, findings: list[tuple[str, str]], answers: list[dict[str, str]]
    ) -> None:
        answered = Counter((answer["check"], answer["where"]) for answer in answers)

        assert answered - Counter(findings) == Counter()

    def test_every_answer_gives_a_reason(self, answers: list[dict[str, str]]) -> None:
        assert all(len(answer["reason"]) >= SHORTEST_REASON for answer in answers)
