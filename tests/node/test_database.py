"""The node's database: tables, durability settings, translated faults."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    UnavailableStorageError,
)
from node.store.database import open_database
from node.store.desk import LoginToken
from node.store.facts import FACT_TABLES
from node.store.schema import Base


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/node.sqlite"


class TestOpenDatabase:
    def test_migrations_make_exactly_the_declared_tables(self, database_url: str):
        database = open_database(database_url)
        with database.begin() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, Base.metadata) == []
        database.close()

    def test_opens_twice_without_a_change(self, database_url: str):
        open_database(database_url).close()
        database = open_database(database_url)
        with database.begin() as connection:
            assert connection.execute(text("select 1")).scalar() == 1
        database.close()

    def test_commits_survive_a_power_cut(self, tmp_path: Path):
        database = open_database(_url(tmp_path))
        with database.begin() as connection:
            assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
            assert connection.execute(text("pragma synchronous")).scalar() == 2
        database.close()

    def test_refuses_what_is_no_address(self):
        with pytest.raises(InvalidConfigError, match="database_url"):
            open_database("somewhere")

    def test_says_what_to_do_about_a_missing_folder(self, tmp_path: Path):
        with pytest.raises(UnavailableStorageError, match="check folder and rights"):
            open_database(_url(tmp_path / "absent"))

    def test_says_what_to_do_about_a_damaged_file(self, tmp_path: Path):
        (tmp_path / "node.sqlite").write_bytes(b"no database at all" * 100)
        with pytest.raises(ConflictLedgerError, match="carbon-node reindex"):
            open_database(_url(tmp_path))

    def test_every_ledger_table_is_stamped_with_its_block(self):
        assert all("block_number" in table.primary_key.columns for table in FACT_TABLES)

    def test_stays_in_use_for_others_while_it_is_open(self, tmp_path: Path):
        """Who looks at it from outside is not the last to close it."""
        open_database(_url(tmp_path)).close()
        database = open_database(_url(tmp_path))
        look = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); "
        look += "c.execute('select count(*) from alarms').fetchone(); c.close()"
        log = tmp_path / "node.sqlite-wal"
        row = {"token_hash": b"1" * 32, "address": "0x", "expires_at": 1}
        with database.begin() as connection:
            connection.execute(insert(LoginToken).values(row))
        same = log.stat().st_ino
        command = [sys.executable, "-c", look, str(tmp_path / "node.sqlite")]
        subprocess.run(command, check=True, timeout=60)
        assert log.stat().st_ino == same
        database.close()


class TestBegin:
    def test_rolls_back_on_an_error(self, database_url: str):
        database = open_database(database_url)
        row = {"token_hash": b"1" * 32, "address": "0x", "expires_at": 1}

        def fail() -> None:
            with database.begin() as connection:
                connection.execute(insert(LoginToken).values(row))
                raise InterruptedError

        with pytest.raises(InterruptedError):
            fail()
        with database.begin() as connection:
            assert connection.execute(select(LoginToken.address)).all() == []
        database.close()

    def test_says_what_to_do_when_another_process_holds_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("node.store.database._BUSY_TIMEOUT_S", 0.05)
        database = open_database(_url(tmp_path))
        holder = sqlite3.connect(tmp_path / "node.sqlite", isolation_level=None)
        holder.execute("begin immediate")
        row = {"token_hash": b"1" * 32, "address": "0x", "expires_at": 1}

        def write() -> None:
            with database.begin() as connection:
                connection.execute(insert(LoginToken).values(row))

        with pytest.raises(UnavailableStorageError, match="locked by another process"):
            write()
        holder.close()
        database.close()

    def test_says_what_to_do_about_a_full_disk(self, tmp_path: Path):
        database = open_database(_url(tmp_path))

        def overfill() -> None:
            with database.begin() as connection:
                connection.execute(text("pragma max_page_count = 1"))
                rows = [
                    {"token_hash": n.to_bytes(32), "address": "0x", "expires_at": 1}
                    for n in range(5000)
                ]
                connection.execute(insert(LoginToken), rows)

        with pytest.raises(UnavailableStorageError, match="is full: free space"):
            overfill()
        database.close()
