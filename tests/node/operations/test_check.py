"""``carbon-node check``: what it finds and advises, and that it changes nothing."""

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.__main__ import main
from node.store.database import open_database

pytestmark = pytest.mark.embedded_only("changes the chain's code and clock")

CHAIN_ID = 20260


@dataclass(frozen=True)
class Checked:
    """How a check ended."""

    code: int
    findings: dict[str, tuple[str, str]]
    """Subject → level and detail."""

    def of(self, subject: str) -> tuple[str, str]:
        return next(v for k, v in self.findings.items() if k.startswith(subject))


Check = Callable[..., Checked]


def write_settings(folder: Path, park: Any, **settings: Any) -> Path:
    (folder / "deployment.json").write_text(park.deployment.to_json())
    (folder / "data").mkdir(exist_ok=True)
    values = {
        "data_dir": "data",
        "deployment": "deployment.json",
        "chain_id": CHAIN_ID,
        "public_url": "http://node.example",
        "rpc_url": park.client.url,
    }
    tables = {k: v for k, v in settings.items() if isinstance(v, dict)}
    plain = values | {k: v for k, v in settings.items() if k not in tables}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    for table, entries in tables.items():
        lines += [f"[{table}]", *(f"{k} = {json.dumps(v)}" for k, v in entries.items())]
    path = folder / "node.toml"
    path.write_text("\n".join(lines).replace('": "', '" = "'))
    return path


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Check:
    """Run the command; gives code and findings."""

    def run(config: Path) -> Checked:
        words = ["carbon-node", "check", "--json", "--config", str(config)]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            main()
        found = json.loads(capsys.readouterr().out)
        findings = {one["subject"]: (one["level"], one["detail"]) for one in found}
        return Checked(int(end.value.code or 0), findings)

    return run


class TestCheck:
    def test_is_content_and_changes_nothing(
        self, check: Check, park: Any, tmp_path: Path
    ):
        config = write_settings(tmp_path, park, clock_mode="virtual")
        before = sorted(tmp_path.rglob("*"))
        found = check(config)
        assert found.code == 0, found.findings
        assert {level for level, _ in found.findings.values()} == {"ok"}
        assert found.of("contracts")[1].startswith("11 in office")
        assert sorted(tmp_path.rglob("*")) == before

    def test_prints_a_line_a_finding(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: Any,
        park: Any,
        tmp_path: Path,
    ):
        config = write_settings(tmp_path, park, clock_mode="virtual")
        words = ["carbon-node", "check", "--config", str(config)]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit):
            main()
        lines = capsys.readouterr().out.splitlines()
        assert all(line.startswith("ok  ") for line in lines)

    def test_says_what_to_do_about_everything_at_once(
        self, check: Check, park: Any, tmp_path: Path
    ):
        watched = {
            "disk_free_mb": 10**9,
            "token_file": "token",
            "members": {"0xAbsent": "http://127.0.0.1:9"},
        }
        config = write_settings(
            tmp_path, park, clock_mode="virtual", operations=watched
        )
        for name in ("token", "data/relayer.key"):
            (tmp_path / name).write_text("00" * 31 + "01")
            (tmp_path / name).chmod(0o644)
        open_database(f"sqlite:///{tmp_path}/data/node.sqlite").close()
        with sqlite3.connect(tmp_path / "data" / "node.sqlite") as database:
            database.execute("update alembic_version set version_num = '9999'")
        found = check(config)
        assert found.code == 1
        wanted = {
            "disk": "free some space",
            "operators' token": "chmod 600",
            "relayer key": "chmod 600",
            "database": "install the release that wrote it",
            "peer 0xAbsent": "start it",
        }
        for subject, words in wanted.items():
            level, detail = found.of(subject)
            assert (level, words in detail) == ("fail", True), (subject, detail)
        assert found.of("chain")[0] == "ok"

    def test_leaves_the_embedded_chain_to_its_node(
        self, check: Check, park: Any, tmp_path: Path
    ):
        found = check(write_settings(tmp_path, park, rpc_url=""))
        assert found.code == 4
        assert "set rpc_port" in found.of("chain")[1]
        assert found.of("engine") == ("ok", "anvil 1.7.1")

    def test_names_a_chain_that_does_not_answer(
        self, check: Check, park: Any, tmp_path: Path, free_port: int
    ):
        absent = f"http://127.0.0.1:{free_port}"
        found = check(write_settings(tmp_path, park, rpc_url=absent))
        assert (found.code, found.of("chain")[0]) == (1, "fail")


class TestForeignChanges:
    def test_are_found_in_code_and_clock(
        self, check: Check, fragile_park: Any, tmp_path: Path
    ):
        client = fragile_park.client
        ahead = int(time.time()) + 400
        client.request("evm_setNextBlockTimestamp", ahead)
        client.request("evm_mine")
        quota = fragile_park.deployment.addresses["Quota"]
        client.request("anvil_setCode", quota, "0x6001")
        found = check(write_settings(tmp_path, fragile_park))
        assert found.code == 1
        level, detail = found.of("contracts")
        assert (level, detail.startswith("Quota (version 1) differ")) == ("fail", True)
        level, detail = found.of("chain")
        assert (level, "set the clocks" in detail) == ("fail", True)
