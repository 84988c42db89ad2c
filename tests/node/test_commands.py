"""``carbon-node`` as a program, on a real chain."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.__main__ import main
from node.errors import InvalidConfigError
from node.relayer import transport_key

CHAIN_ID = 20260
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(park: Any, tmp_path: Path) -> Path:
    """Settings of a node on the park's chain."""
    (tmp_path / "deployment.json").write_text(park.deployment.to_json())
    path = tmp_path / "node.toml"
    path.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
        f'rpc_url = "{park.engine.rpc_url}"\n'
    )
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command line; gives exit code, output and errors."""

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["carbon-node", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        output = capsys.readouterr()
        return int(end.value.code or 0), output.out, output.err

    return command


class TestIndexCommands:
    def test_index_then_fsck_agree(self, run: Any, config: Path):
        assert run("index", "--config", config)[0] == 0
        code, out, _ = run("fsck", "--config", config)
        assert (code, "rows equal a fresh index" in out) == (0, True)

    def test_reindex_mends_what_fsck_finds(self, run: Any, config: Path):
        run("index", "--config", config)
        path = config.parent / "data" / "node.sqlite"
        _change(path)
        code, _, err = run("fsck", "--config", config)
        assert (code, "carbon-node reindex" in err) == (3, True)
        assert run("reindex", "--config", config)[0] == 0
        assert run("fsck", "--config", config)[0] == 0

    def test_a_damaged_database_is_said_to(self, run: Any, config: Path):
        (config.parent / "data").mkdir()
        path = config.parent / "data" / "node.sqlite"
        path.write_bytes(b"no database at all" * 100)
        code, _, err = run("index", "--config", config)
        assert (code, "is damaged" in err) == (3, True)


class TestRefusals:
    def test_of_a_chain_that_does_not_answer(
        self, run: Any, config: Path, free_port: int, park: Any
    ):
        away = f"http://127.0.0.1:{free_port}"
        config.write_text(config.read_text().replace(park.engine.rpc_url, away))
        code, _, err = run("index", "--config", config)
        assert (code, str(free_port) in err) == (1, True)

    def test_of_another_chain_id(self, run: Any, config: Path):
        config.write_text(config.read_text().replace(str(CHAIN_ID), "7"))
        code, _, err = run("index", "--config", config)
        assert (code, "chain id" in err or "chain_id" in err) == (1, True)

    def test_of_a_deployment_of_another_chain(self, run: Any, config: Path):
        path = config.parent / "deployment.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"chain_id": 7}))
        code, _, err = run("index", "--config", config)
        assert (code, "correct the one that is wrong" in err) == (3, True)

    def test_of_an_absent_deployment(self, run: Any, config: Path):
        (config.parent / "deployment.json").unlink()
        code, _, err = run("index", "--config", config)
        assert (code, "deploy the contracts first" in err) == (1, True)

    def test_of_a_relayer_key_that_others_can_read(self, run: Any, config: Path):
        key = config.parent / "relayer.key"
        key.write_text("11" * 32)
        key.chmod(0o644)
        config.write_text(config.read_text() + 'relayer_key = "relayer.key"\n')
        code, _, err = run("run", "--config", config)
        assert (code, "chmod 600" in err) == (1, True)
        assert "11" * 32 not in err

    @pytest.mark.parametrize(
        "words",
        [
            ("gate", "token", "steel", "--callers", "FILE/callers.toml"),
            ("permissions", "begin", "DRAFT", "--folder", "FILE/p", "--chain-id", "7"),
            ("demo", "--folder", "FILE/demo"),
        ],
    )
    def test_of_a_folder_that_cannot_be_used(
        self, run: Any, tmp_path: Path, words: tuple[str, ...]
    ):
        (tmp_path / "FILE").touch()
        keys = ", ".join(f'"0x{digit * 40}"' for digit in "12")
        draft = f'[[organisations]]\nname = "a"\nkeys = [{keys}]\n'
        (tmp_path / "DRAFT").write_text(draft)
        placed = [re.sub("FILE|DRAFT", rf"{tmp_path}/\g<0>", word) for word in words]
        code, _, err = run(*placed)
        assert (code, err.count("\n")) == (1, 1)
        assert "FILE" in err

    def test_of_a_malformed_instruction_of_a_ceremony(
        self, run: Any, config: Path, park: Any
    ):
        del park
        plan = config.parent / "plan.toml"
        people = f'["0x{"1" * 40}"]'
        plan.write_text(
            'name = "newcomer"\nkind = "enterprise"\nrights = []\n'
            f'initiators = {people}\napprovers = ["0x{"2" * 40}"]\n'
        )
        folder = config.parent / "ceremony"
        folder.mkdir()
        (folder / "regulator.json").write_text("{}")
        words = ("onboard", plan, "--config", config, "--folder", folder)
        code, _, err = run("organisation", *words)
        assert (code, "expected the members" in err) == (1, True)


class TestTransportKey:
    def test_a_killed_first_start_leaves_none_that_no_start_accepts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = tmp_path / "data" / "relayer.key"

        def killed(_: int) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", killed)
            with pytest.raises(KeyboardInterrupt):
                transport_key(path)
        first = transport_key(path)
        assert first.secret == transport_key(path).secret
        assert [one.name for one in path.parent.iterdir()] == ["relayer.key"]

    def test_a_folder_that_cannot_be_made_is_a_sentence(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(InvalidConfigError, match="cannot be made"):
            transport_key(tmp_path / "file" / "relayer.key")


class TestRun:
    def test_answers_and_stops_when_told(self, config: Path, park: Any):
        command = [sys.executable, "-m", "node", "run", "--config", str(config)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as lines:
            url = lines.readline().strip()
            status = httpx.get(f"{url}/status").json()
            assert status["chain_id"] == park.deployment.chain_id
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0

    def test_makes_a_relayer_key_for_its_owner_alone(self, config: Path):
        command = [sys.executable, "-m", "node", "run", "--config", str(config)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as lines:
            lines.readline()
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        path = config.parent / "data" / "relayer.key"
        assert path.stat().st_mode & 0o777 == 0o600


def _change(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("update accounts set name = 'somebody else'")
    # without its account of commits, only a look at every row can tell
    path.with_name(f"{path.name}.commits").unlink()
