"""The one way rows come into the ledger's tables: new ones in, known ones left."""

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["insert_new"]


def insert_new(connection: Connection, table: Table) -> Insert:
    """Write an insert that leaves rows with a known key as they are.

    Args:
        connection: Where it will run.
        table: The table.

    Returns:
        The statement, to be executed with rows.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
