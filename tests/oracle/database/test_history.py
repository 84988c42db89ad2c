"""Tables of inbox and member: made by migrations, the same on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from oracle.database.address import parse_address
from oracle.errors import ConflictDatabaseError
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
            METADATA.create_all(connection)
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
