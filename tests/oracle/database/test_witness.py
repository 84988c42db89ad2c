"""The account of commits leaves a database's locks alone, so that others may look."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from oracle.database.witness import is_open_here
from oracle.inbox.store import close_engine, open_engine, writing
from oracle.inbox.tables import METADATA

LOOK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
print(database.execute("SELECT count(*) FROM carriers").fetchone()[0])
database.close()
"""


def look(path: Path) -> int:
    """Open, count and close in another process, as a check or a tool does."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


def add(engine: sa.Engine, number: int) -> None:
    row = {"identifier_hash": bytes([number]) * 32, "identifier": f"88.1/{number}"}
    with writing(engine) as connection:
        connection.execute(sa.insert(METADATA.tables["carriers"]), row)


class TestWhoLooks:
    def test_takes_no_running_database_for_an_unused_one(self, tmp_path: Path):
        """The last one to close deletes the log; it must not think that it is."""
        path = tmp_path / "member.db"
        log = path.with_name("member.db-wal")
        first = open_engine(path)
        add(first, 1)
        close_engine(first)  # with a seal, which the next start holds the file against
        running = open_engine(path)
        add(running, 2)
        same = log.stat().st_ino

        assert look(path) == 2
        assert log.stat().st_ino == same
        add(running, 3)
        assert look(path) == 3
        close_engine(running)

    def test_is_told_by_a_second_engine_of_the_same_process_too(self, tmp_path: Path):
        path = tmp_path / "member.db"
        close_engine(open_engine(path))
        running = open_engine(path)
        close_engine(open_engine(path))
        add(running, 1)
        assert look(path) == 1
        add(running, 2)
        assert look(path) == 2
        close_engine(running)


class TestIsOpenHere:
    def test_knows_a_file_by_any_name(self, tmp_path: Path):
        path, other = tmp_path / "some.db", tmp_path / "other.db"
        assert not is_open_here(path)
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE t (x)")
        other.hardlink_to(path)
        assert is_open_here(other)
        database.close()
        assert not is_open_here(path)
