"""`make soak` goes on where it was, and its verdict follows from what was found."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.soak import main
from tests.faults.tally import Tally


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def soak(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words])
    return code, json.loads((folder / "var/soak/summary.json").read_text())


def plant(folder: Path, **found: int) -> None:
    """A part that an earlier, killed run finished, and half a line of its next."""
    tally = Tally(cycles=30, acknowledged=900, recovery_s=[0.5, 1.0, 1.5], **found)
    tally.faults["kill inbox"] = 30
    line = json.dumps({"part": "inbox", "took_s": 12.0, **tally.to_dict()})
    path = folder / "var/soak/parts.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n{line[:40]}")


def test_goes_on_behind_finished_parts(folder: Path):
    plant(folder)
    code, summary = soak(folder, "--cycles", "30")
    assert code == 0
    assert summary["cycles"] == summary["faults"] == 30
    assert (summary["recovery_p50_s"], summary["lost"], summary["forks"]) == (1.0, 0, 0)
    assert not (folder / "var/soak/parts.jsonl").exists()


@pytest.mark.parametrize("finding", ["lost", "doubled", "altered", "forks", "stuck"])
def test_fails_on_any_finding(folder: Path, finding: str):
    plant(folder, **{finding: 1})
    code, summary = soak(folder, "--cycles", "30")
    assert code == 1
    assert summary[finding] == 1
