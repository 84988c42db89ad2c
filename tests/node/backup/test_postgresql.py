"""A node and a member whose databases are PostgreSQL, backed up and restored."""

from pathlib import Path

import pytest

from node import run
from node.backup.create import make_backup
from node.backup.keys import create_identity
from node.backup.restore import Order, restore_backup
from node.config import load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.errors import ConflictArchiveError
from oracle.config import load_settings as load_member_settings
from oracle.member.member import MemberNode
from tests.servers.postgresql import PostgresqlServer
from tests.simulators.oracle_park import (
    CHAIN_ID,
    OraclePark,
    member_key,
    settings_toml,
)

READINGS = 20


def ignore(_: int) -> None:
    """Nobody watches the progress."""


def test_tables_come_back_into_an_empty_database_and_into_no_other(
    postgresql_server: PostgresqlServer, tmp_path: Path
):
    folder = tmp_path / "house"
    (folder / "data").mkdir(parents=True)
    server = postgresql_server
    chain = EngineSettings(folder / "data" / "chain", CHAIN_ID)
    with (
        server.database() as index,
        server.database() as member,
        server.database() as new_index,
        server.database() as new_member,
        EmbeddedEngine(chain) as engine,
        OraclePark(engine, folder) as park,
    ):
        device = park.device("m1")
        (folder / "member.toml").write_text(
            settings_toml(park.settings(0, database_url=member))
        )
        config = folder / "node.toml"
        config.write_text(
            'data_dir = "data"\ndeployment = "deployment.json"\n'
            f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
            f'member_config = "member.toml"\ndatabase_url = "{index}"\n'
        )
        settings = load_settings(config)
        recipient = create_identity(tmp_path / "key")
        archive = tmp_path / "one.backup"
        with (
            run.open_ledger(settings, engine.rpc_url) as ledger,
            run.open_store(settings) as database,
            park.running((0,), database_url=member) as nodes,
        ):
            run.indexer_of(ledger, database).catch_up()
            nodes[0].inbox.submit(device.series(READINGS))
            make_backup(config, archive, [recipient], ignore)

        used = Order(archive, tmp_path / "to", tmp_path / "key", index, new_member)
        with pytest.raises(ConflictArchiveError, match="not empty"):
            restore_backup(used, ignore)
        order = Order(archive, tmp_path / "to", tmp_path / "key", new_index, new_member)
        done = restore_backup(order, ignore)

        assert done.checked is not None
        assert done.checked.rows > 0
        restored = load_member_settings(tmp_path / "to" / "member" / "member.toml")
        node = MemberNode(restored, key=member_key(0))
        try:
            assert node.inbox.stored.counts()["readings"] == READINGS
            node.follower.follow()
            node.inbox.submit(device.series(2))
            assert node.inbox.stored.counts()["readings"] == READINGS + 2
        finally:
            node.stop()
