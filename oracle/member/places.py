"""Order of the readings in adopted batches: from their marks, once those are there.

A batch is committed with the names of its readings, 72 bytes each; the marks on the
readings follow, in a transaction of their own that every start repeats for the last
batch. When the next batch is adopted the marks are there, and say the same as the
names: the names go, which saves a third of the disk.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, Table, Update, select, update

from oracle.errors import ConflictDatabaseError
from oracle.inbox.tables import carriers, readings
from oracle.member.refs import ReadingRef


def forgotten_names(batches: Table, seq: int) -> Update:
    """Build the change that lets go of the names of the batches below a number.

    Args:
        batches: Table of adopted batches.
        seq: Number of the batch that is being adopted.

    Returns:
        The change; of the batch just before it, as older ones have none any more.
    """
    is_before = batches.c.seq == seq - 1
    return update(batches).where(is_before).values(refs=b"")


def marked_names(
    connection: Connection, seq: int, leaf_count: int
) -> tuple[ReadingRef, ...]:
    """Read the names of a batch from the marks of its readings.

    Args:
        connection: Connection to the member's database.
        seq: Number of the batch.
        leaf_count: Number of its readings.

    Returns:
        The names in batch order.

    Raises:
        ConflictDatabaseError: Marks are missing or doubled.
    """
    names = tuple(_names(connection, seq))
    if len(names) != leaf_count:
        raise ConflictDatabaseError(
            f"the database has {len(names)} readings of batch {seq}, expected "
            f"{leaf_count}: rows are missing, restore it from a backup or rebuild it"
        )
    return names


def _names(connection: Connection, seq: int) -> Iterator[ReadingRef]:
    for row in connection.execute(_query(seq)):
        yield ReadingRef(row.identifier_hash, row.seq, row.digest)


def _query(seq: int) -> Select[tuple[bytes, int, bytes]]:
    columns = (carriers.c.identifier_hash, readings.c.seq, readings.c.digest)
    joined = readings.join(carriers, carriers.c.id == readings.c.carrier_id)
    query = select(*columns).select_from(joined)
    return query.where(readings.c.batch_seq == seq).order_by(readings.c.batch_index)
