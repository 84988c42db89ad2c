"""A node with a member, both on their own folders, and the command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.config import load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.run import run_node
from tests.simulators.commands import run
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
def key(tmp_path: Path) -> tuple[Path, str]:
    """An identity file and its recipient."""
    path = tmp_path / "backup.key"
    done = run("carbon-node", "backup", "key", path)
    assert done.code == 0, done.err
    return path, done.out.strip()
