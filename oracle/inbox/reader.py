"""Questions to the inbox's store.

Every question runs on a connection of its own and never waits for the writer. What
members ask of batches, by the names of readings, is in `oracle.member.intake`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from oracle.database.address import Address
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import (
    carriers,
    dead_letters,
    equivocations,
    readings,
    receipts,
    streams,
)
from oracle.reading.facts import Fact, decode_facts


@dataclass(frozen=True, slots=True)
class StoredReading:
    """One stored reading; it passed checks 1 to 6."""

    row_id: int
    """Rises with every stored reading."""
    identifier: str
    """Identifier of the carrier."""
    identifier_hash: bytes
    """32 bytes, keccak256 of the identifier."""
    seq: int
    """Sequence number."""
    digest: bytes
    """32 bytes, keccak256 of the message."""
    raw: bytes
    """The whole message."""
    ts: int
    """Time at the device. [unix s]"""
    received_at: int
    """Time of arrival. [unix s]"""
    facts: tuple[Fact, ...]
    """What the checks found at arrival; for operators, not for consensus."""
    batch_stream: bytes | None
    """Stream of its batch, 32 bytes; None while it waits."""
    batch_seq: int | None
    """Batch that holds it; None while it waits."""
    batch_index: int | None
    """Place of its leaf in the batch; None while it waits."""


class Reader:
    """Questions to the store.

    Args:
        engine: Engine of `open_engine`.
        database: Its address, for messages.
    """

    def __init__(self, engine: sa.Engine, database: Address) -> None:
        self._engine = engine
        self._database = database

    def pending(self, limit: int, until_ts: int | None = None) -> list[StoredReading]:
        """List readings that wait for a batch, in order of arrival.

        Args:
            limit: Most readings to return.
            until_ts: Latest device time wanted [unix s]; None for all.

        Returns:
            Waiting readings; those of quarantined carriers are held back.
        """
        query = _STORED.where(*_waiting(until_ts))
        return self._list(query.order_by(readings.c.id).limit(limit))

    def count_pending(self, limit: int, until_ts: int | None = None) -> int:
        """Count what `pending` would list, without reading the bodies."""
        waiting = sa.select(readings.c.id).select_from(_JOINED)
        waiting = waiting.where(*_waiting(until_ts)).limit(limit)
        query = sa.select(sa.func.count()).select_from(waiting.subquery())
        with translated(self._database), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def readings_of(
        self, identifier: str, from_ts: int, to_ts: int
    ) -> list[StoredReading]:
        """List readings of one carrier with from_ts ≤ ts < to_ts, by seq."""
        query = _STORED.where(
            carriers.c.identifier == identifier,
            readings.c.ts >= from_ts,
            readings.c.ts < to_ts,
        )
        return self._list(query.order_by(readings.c.seq))

    def release(self, identifier: str) -> None:
        """End the quarantine of a carrier, once the identity platform has decided."""
        statement = sa.update(carriers).values(quarantined_at=None)
        statement = statement.where(carriers.c.identifier == identifier)
        with translated(self._database), writing(self._engine) as connection:
            connection.execute(statement)

    def dead_letters(self, limit: int = 100) -> list[sa.RowMapping]:
        """List the latest refused messages: reason and raw bytes."""
        return self._rows(dead_letters, limit)

    def equivocations(self, limit: int = 100) -> list[sa.RowMapping]:
        """List the latest pairs of messages that one carrier signed for one seq."""
        return self._rows(equivocations, limit)

    def last_arrivals(self) -> list[tuple[str, int]]:
        """List identifier and last arrival of every carrier ever heard. [unix s].

        One look at an index a carrier, whatever the number of readings.
        """
        newest = (
            sa.select(readings.c.received_at)
            .where(readings.c.carrier_id == carriers.c.id)
            .order_by(readings.c.seq.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(carriers.c.identifier, newest)
        with translated(self._database), self._engine.connect() as connection:
            found = connection.execute(query)
            return [(row[0], row[1]) for row in found if row[1] is not None]

    def counts(self) -> dict[str, int]:
        """Count the rows of each table that operators watch."""
        tables = (readings, receipts, dead_letters, equivocations)
        with translated(self._database), self._engine.connect() as connection:
            return {
                table.name: connection.execute(
                    sa.select(sa.func.count()).select_from(table)
                ).scalar_one()
                for table in tables
            }

    def _list(self, query: sa.Select[Any]) -> list[StoredReading]:
        with translated(self._database), self._engine.connect() as connection:
            return [_stored_reading(row) for row in connection.execute(query)]

    def _rows(self, table: sa.Table, limit: int) -> list[sa.RowMapping]:
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        with translated(self._database), self._engine.connect() as connection:
            return list(connection.execute(query).mappings())


_JOINED = readings.join(carriers, carriers.c.id == readings.c.carrier_id)
_STORED = sa.select(
    readings.c.id,
    carriers.c.identifier,
    carriers.c.identifier_hash,
    readings.c.seq,
    readings.c.digest,
    readings.c.raw,
    readings.c.ts,
    readings.c.received_at,
    readings.c.facts,
    streams.c.stream_id,
    readings.c.batch_seq,
    readings.c.batch_index,
).select_from(_JOINED.outerjoin(streams, streams.c.id == readings.c.stream_row))


def _waiting(until_ts: int | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        readings.c.batch_seq.is_(None),
        carriers.c.quarantined_at.is_(None),
    ]
    if until_ts is not None:
        conditions.append(readings.c.ts <= until_ts)
    return conditions


def _stored_reading(row: Sequence[Any]) -> StoredReading:
    fields = list(row)
    facts: bytes | None = fields[8]
    fields[8] = () if facts is None else decode_facts(facts)
    return StoredReading(*fields)
