"""A node with a member, both on their own folders, and the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.__main__ import main
from node.config import load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.run import run_node
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, settings_toml


@dataclass(frozen=True)
class House:
    """An organisation's node and member in one folder, both running."""

    park: OraclePark
    folder: Path
    config: Path
    """Settings file of the node."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A park whose first member belongs to the node."""
    folder = tmp_path / "house"
    folder.mkdir()
    chain = EngineSettings(folder / "data" / "chain", CHAIN_ID)
    with EmbeddedEngine(chain) as engine, OraclePark(engine, folder) as park:
        config = folder / "node.toml"
        config.write_text(
            'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
            'member_config = "member-0.toml"\n'
            'inbox_database = "member-0/member.db"\n'
        )
        (folder / "member-0.toml").write_text(settings_toml(park.settings(0)))
        with run_node(load_settings(config), engine):
            yield House(park, folder, config)


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


@pytest.fixture
def key(run: Any, tmp_path: Path) -> tuple[Path, str]:
    """An identity file and its recipient."""
    path = tmp_path / "backup.key"
    code, out, _ = run("backup", "key", path)
    assert code == 0
    return path, out.strip()
