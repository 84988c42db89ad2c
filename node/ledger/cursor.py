"""Where the index stands, and the two ways it moves: on with rows, back without.

Every function works inside the caller's transaction and never commits.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from node.store.desk import Cursor
from node.store.facts import FACT_TABLES
from node.store.schema import table_of
from node.store.write import insert_new

__all__ = ["Position", "clear", "drop_above", "move", "position", "start"]

_ONLY_ROW = 1


@dataclass(frozen=True, slots=True)
class Position:
    """The block up to which the tables are complete."""

    number: int
    """The block; one below the first where nothing was read yet."""
    hash: bytes
    """Its hash, 32 bytes."""
    chain_id: int
    """The chain."""
    genesis_hash: bytes
    """Hash of its block 0, 32 bytes."""


def position(connection: Connection) -> Position | None:
    """Read where the index stands, None where it has not begun."""
    found = connection.execute(
        select(
            Cursor.block_number, Cursor.block_hash, Cursor.chain_id, Cursor.genesis_hash
        )
    ).one_or_none()
    return None if found is None else Position(*found)


def start(connection: Connection, at: Position) -> None:
    """Write the first position, unless somebody else has."""
    row = {
        "id": _ONLY_ROW,
        "block_number": at.number,
        "block_hash": at.hash,
        "chain_id": at.chain_id,
        "genesis_hash": at.genesis_hash,
    }
    connection.execute(insert_new(connection, table_of(Cursor)), [row])


def move(connection: Connection, old: Position, number: int, block_hash: bytes) -> bool:
    """Move the cursor, unless somebody else has.

    Args:
        connection: The transaction.
        old: Where the caller found it.
        number: Where it goes.
        block_hash: Hash of that block, 32 bytes.

    Returns:
        Whether it was still where the caller found it.
    """
    moved = connection.execute(
        update(Cursor)
        .where(Cursor.block_number == old.number, Cursor.block_hash == old.hash)
        .values(block_number=number, block_hash=block_hash)
    )
    return moved.rowcount == 1


def drop_above(connection: Connection, block_number: int) -> None:
    """Delete every fact above a block."""
    for table in FACT_TABLES:
        connection.execute(delete(table).where(table.c.block_number > block_number))


def clear(connection: Connection) -> None:
    """Forget every fact and the position; the desk's own rows stay."""
    for table in FACT_TABLES:
        connection.execute(delete(table))
    connection.execute(delete(Cursor))
