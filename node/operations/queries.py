"""What the watch reads from the node's database, in one transaction."""

from sqlalchemy import Connection, and_, func, select, text

from contracts.enumerations import CarrierStatus
from node.operations.facts import ForcedFacts, StreamFacts, WorkFacts
from node.store.alarms import AlarmNotice
from node.store.desk import PendingInstruction
from node.store.facts import (
    Batch,
    Block,
    Carrier,
    CarrierStatusChange,
    ForcedInclusion,
    SettledInclusion,
    Stream,
)
from node.store.read import newest_value

__all__ = ["active_carriers", "forced_of", "streams_of", "work_of"]


def streams_of(connection: Connection, now: int) -> tuple[StreamFacts, ...]:
    """Describe every open stream.

    Args:
        connection: The transaction.
        now: Ledger time. [unix s]

    Returns:
        The streams in the order of their opening.
    """
    opened = select(Stream.stream_id, Stream.max_silence_s, Block.timestamp)
    opened = opened.join(Block, Block.block_number == Stream.block_number)
    found = connection.execute(opened.order_by(Stream.block_number)).all()
    return tuple(_stream(connection, *row, now) for row in found)


def _stream(
    connection: Connection, stream_id: bytes, silence_s: int, opened_at: int, now: int
) -> StreamFacts:
    is_own = Batch.stream_id == stream_id
    last = select(Block.timestamp).join(Batch, Block.block_number == Batch.block_number)
    last = last.where(is_own).order_by(Batch.seq.desc()).limit(1)
    totals = select(func.count(), func.coalesce(func.sum(Batch.leaf_count), 0))
    batches, readings = connection.execute(totals.where(is_own)).one()
    at = connection.execute(last).scalar()
    age_s = max(0, now - (opened_at if at is None else at))
    return StreamFacts(stream_id, silence_s, batches, int(readings), age_s)


def forced_of(connection: Connection, now: int) -> tuple[ForcedFacts, ...]:
    """List readings that were asked for and are in no batch yet.

    Args:
        connection: The transaction.
        now: Ledger time. [unix s]

    Returns:
        They, the one due first first.
    """
    settled = SettledInclusion
    is_later = (settled.block_number > ForcedInclusion.block_number) | and_(
        settled.block_number == ForcedInclusion.block_number,
        settled.log_index > ForcedInclusion.log_index,
    )
    is_settled = (
        select(settled.digest)
        .where(settled.digest == ForcedInclusion.digest)
        .where(settled.stream_id == ForcedInclusion.stream_id, is_later)
        .exists()
    )
    waiting = select(
        ForcedInclusion.stream_id, ForcedInclusion.digest, ForcedInclusion.due
    )
    rows = connection.execute(waiting.where(~is_settled).order_by(ForcedInclusion.due))
    return tuple(ForcedFacts(row.stream_id, row.digest, now - row.due) for row in rows)


def active_carriers(connection: Connection) -> dict[str, int]:
    """List active carriers: identifier → time of registration. [unix s]."""
    where = CarrierStatusChange.identifier_hash == Carrier.identifier_hash
    status = newest_value(CarrierStatusChange.status, where)
    query = select(Carrier.identifier, Block.timestamp)
    query = query.join(Block, Block.block_number == Carrier.block_number)
    query = query.where(status == int(CarrierStatus.ACTIVE))
    return {row.identifier: row.timestamp for row in connection.execute(query)}


def work_of(connection: Connection) -> WorkFacts:
    """Count what waits, and the bytes of the database."""
    by_status = select(PendingInstruction.status, func.count())
    by_status = by_status.group_by(PendingInstruction.status)
    notices = select(func.count()).where(AlarmNotice.delivered_at.is_(None))
    return WorkFacts(
        _database_bytes(connection),
        {row[0]: row[1] for row in connection.execute(by_status)},
        int(connection.execute(notices).scalar_one()),
    )


def _database_bytes(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        query = "select pg_database_size(current_database())"
    else:
        query = (
            "select page_count * page_size from pragma_page_count(), pragma_page_size()"
        )
    return int(connection.execute(text(query)).scalar_one())
