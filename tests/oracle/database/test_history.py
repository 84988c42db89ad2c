"""Tables of inbox and member: made by migrations, the same on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from oracle.database.address import parse_address
from oracle.database.history import _config
from oracle.errors import ConflictDatabaseError
from oracle.inbox.reader import Reader
from oracle.inbox.store import open_engine, writing
from oracle.inbox.tables import METADATA
from oracle.member import memory, signatures
from oracle.member.store import Tables

MODULES = (memory, signatures)
"""Modules that add tables to the member's."""


@contextmanager
def plain(url: str) -> Iterator[sa.Connection]:
    """Reach a database past the product."""
    engine = sa.create_engine(parse_address(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def before_the_history(connection: sa.Connection) -> None:
    """Make the tables as they were before there were revisions."""
    with as_file(files("oracle.database") / "migrations") as folder:
        config = _config(folder)
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    connection.execute(sa.text("DROP TABLE alembic_version"))


class TestOpening:
    def test_migrations_make_exactly_the_declared_tables(self, database_url: str):
        engine = open_engine(database_url)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            wanted = [METADATA, Tables.metadata]
            assert compare_metadata(context, wanted) == []
        engine.dispose()

    def test_opens_twice_without_a_change(self, database_url: str):
        open_engine(database_url).dispose()
        engine = open_engine(database_url)
        with engine.connect() as connection:
            assert (
                connection.execute(sa.text("SELECT count(*) FROM readings")).scalar()
                == 0
            )
        engine.dispose()

    def test_takes_over_a_database_from_before_the_history(self, database_url: str):
        """Its tables were made in one go, its rows stay."""
        with plain(database_url) as connection:
            before_the_history(connection)
            row = {"identifier_hash": b"1" * 32, "identifier": "88.1/a"}
            connection.execute(sa.insert(METADATA.tables["carriers"]), row)
        engine = open_engine(database_url)
        with engine.connect() as connection:
            names = connection.execute(sa.text("SELECT identifier FROM carriers"))
            assert names.scalars().all() == ["88.1/a"]
            wanted = [METADATA, Tables.metadata]
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, wanted) == []
        engine.dispose()

    def test_keeps_the_batches_of_readings_from_before_short_marks(
        self, database_url: str
    ):
        """Two streams, and a reading that waits: each keeps what it had."""
        streams = [b"1" * 32, None, b"2" * 32, b"1" * 32]
        with plain(database_url) as connection:
            before_the_history(connection)
            carrier = {"identifier_hash": b"1" * 32, "identifier": "88.1/a"}
            connection.execute(sa.insert(METADATA.tables["carriers"]), carrier)
            for seq, stream in enumerate(streams):
                connection.execute(
                    sa.text(
                        "INSERT INTO readings (carrier_id, seq, raw, digest, ts, "
                        "received_at, receipt_id, batch_stream, batch_seq, batch_index)"
                        " VALUES (1, :seq, :raw, :raw, 1, 1, 0, :stream, :batch, 0)"
                    ),
                    {
                        "seq": seq,
                        "raw": bytes([seq]) * 32,
                        "stream": stream,
                        "batch": None if stream is None else seq,
                    },
                )
        engine = open_engine(database_url)
        found = Reader(engine, database_url).readings_of("88.1/a", 0, 2)
        assert [one.batch_stream for one in found] == streams
        assert [one.batch_seq for one in found] == [0, None, 2, 3]
        engine.dispose()

    def test_refuses_tables_that_are_not_ours(self, database_url: str):
        with plain(database_url) as connection:
            connection.execute(sa.text("CREATE TABLE readings (temperature INTEGER)"))
        with pytest.raises(ConflictDatabaseError, match="foreign table readings"):
            open_engine(database_url)
        with plain(database_url) as connection:
            assert set(sa.inspect(connection).get_table_names()) == {"readings"}

    def test_refuses_a_database_of_a_newer_version(self, database_url: str):
        open_engine(database_url).dispose()
        with plain(database_url) as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num='9999'"))
        with pytest.raises(ConflictDatabaseError, match=r"revision 9999.*newer"):
            open_engine(database_url)

    @pytest.mark.parametrize("package", ["oracle.database", "node.store"])
    def test_goes_back_to_no_older_revision(self, package: str, tmp_path: Path):
        engine = sa.create_engine(f"sqlite:///{tmp_path}/some.db")
        with as_file(files(package) / "migrations") as folder:
            config = _config(folder)
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                tables = sa.inspect(connection).get_table_names()
                scripts = ScriptDirectory.from_config(config).walk_revisions()
                for script in scripts:
                    with pytest.raises(ConflictDatabaseError, match="restore a backup"):
                        script.module.downgrade()
                with pytest.raises(ConflictDatabaseError, match="cannot go back"):
                    command.downgrade(config, "base")
                assert sa.inspect(connection).get_table_names() == tables
        engine.dispose()

    def test_rolls_back_what_a_writer_did_not_finish(self, database_url: str):
        engine = open_engine(database_url)
        row = {"identifier_hash": b"1" * 32, "identifier": "88.1/a"}

        def fail() -> None:
            with writing(engine) as connection:
                connection.execute(sa.insert(METADATA.tables["carriers"]), row)
                raise InterruptedError

        with pytest.raises(InterruptedError):
            fail()
        with engine.connect() as connection:
            assert (
                connection.execute(sa.select(METADATA.tables["carriers"])).all() == []
            )
        engine.dispose()
