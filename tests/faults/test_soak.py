"""`make soak` goes on where it was, and its verdict follows from what was found."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.hosts import ROOT
from tests.faults.tally import Tally


def soak(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.soak", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    text = (folder / "var/soak/summary.json").read_text()
    return done.returncode, json.loads(text)


def plant(folder: Path, **found: int) -> None:
    """A part that an earlier, killed run finished, and half a line of its next."""
    tally = Tally(cycles=30, acknowledged=900, recovery_s=[0.5, 1.0, 1.5], **found)
    tally.faults["kill inbox"] = 30
    line = json.dumps({"part": "inbox", "took_s": 12.0, **tally.to_dict()})
    path = folder / "var/soak/parts.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n{line[:40]}")


def test_goes_on_behind_finished_parts(tmp_path: Path):
    plant(tmp_path)
    code, summary = soak(tmp_path, "--cycles", "30")
    assert code == 0
    assert summary["cycles"] == summary["faults"] == 30
    assert (summary["recovery_p50_s"], summary["lost"], summary["forks"]) == (1.0, 0, 0)
    assert not (tmp_path / "var/soak/parts.jsonl").exists()


@pytest.mark.parametrize("finding", ["lost", "doubled", "altered", "forks", "stuck"])
def test_fails_on_any_finding(tmp_path: Path, finding: str):
    plant(tmp_path, **{finding: 1})
    code, summary = soak(tmp_path, "--cycles", "30")
    assert code == 1
    assert summary[finding] == 1
