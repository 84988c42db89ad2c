"""Questions to the inbox's store, and the marks that members set.

Every question runs on a connection of its own and never waits for the writer. The
index by digest is built when it is asked for, in sorted runs: digests are random,
and a run of many costs a fraction of what each alone would cost on the way in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from oracle.inbox.store import translated, writing
from oracle.inbox.tables import (
    carriers,
    dead_letters,
    digest_keys,
    equivocations,
    readings,
    receipts,
)
from oracle.reading.facts import Fact, decode_facts

_RUN = 20_000


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
        database: File of the database, for messages.
    """

    def __init__(self, engine: sa.Engine, database: Path) -> None:
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

    def after(self, row_id: int, limit: int) -> list[StoredReading]:
        """List stored readings behind a row, in order of arrival."""
        query = _STORED.where(readings.c.id > row_id)
        return self._list(query.order_by(readings.c.id).limit(limit))

    def batch(self, stream_id: bytes, batch_seq: int) -> list[StoredReading]:
        """List the readings of one batch in the order of its leaves."""
        query = _STORED.where(
            readings.c.batch_seq == batch_seq, readings.c.batch_stream == stream_id
        )
        return self._list(query.order_by(readings.c.batch_index))

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

    def by_digests(self, digests: Iterable[bytes]) -> dict[bytes, StoredReading]:
        """Find stored readings by their digests (32 bytes)."""
        self._index_digests()
        query = _STORED.join(digest_keys, digest_keys.c.reading_id == readings.c.id)
        query = query.where(digest_keys.c.key == sa.bindparam("key"))
        found: dict[bytes, StoredReading] = {}
        with translated(self._database), self._engine.connect() as connection:
            for digest in digests:
                for row in connection.execute(query, {"key": _key(digest)}):
                    if row.digest == digest:
                        found[digest] = _stored_reading(row)
        return found

    def bodies(self, digests: Iterable[bytes]) -> dict[bytes, bytes]:
        """Find messages by digest, evidence of equivocation included.

        Args:
            digests: 32 bytes each.

        Returns:
            Digest → message, for those that are here.
        """
        wanted = list(digests)
        found = {name: one.raw for name, one in self.by_digests(wanted).items()}
        query = sa.select(equivocations.c.raw).where(
            equivocations.c.digest == sa.bindparam("digest")
        )
        with translated(self._database), self._engine.connect() as connection:
            for digest in wanted:
                raw = connection.execute(query, {"digest": digest}).scalar()
                if digest not in found and raw is not None:
                    found[digest] = raw
        return found

    def rivals(self, digests: Iterable[bytes]) -> list[bytes]:
        """Return messages here that contradict those with these digests."""
        table = equivocations
        found: list[bytes] = []
        with translated(self._database), self._engine.connect() as connection:
            for digest in digests:
                against = sa.select(table.c.raw).where(table.c.stored_digest == digest)
                stored = sa.select(table.c.stored_raw).where(table.c.digest == digest)
                found += connection.execute(against).scalars().all()
                found += connection.execute(stored).scalars().all()
        return found

    def mark_batched(
        self,
        batch: tuple[bytes, int],
        digests: Sequence[bytes],
        connection: sa.Connection | None = None,
    ) -> int:
        """Note that a batch holds these readings.

        Args:
            batch: Stream (32 bytes) and sequence number of the batch.
            digests: Readings in the order of the leaves.
            connection: Transaction to take part in; None makes an own one.

        Returns:
            How many of them are here and now marked; marking again changes nothing.
        """
        stored = self.by_digests(digests)
        rows = [
            {"row_id": stored[digest].row_id, "place": place}
            for place, digest in enumerate(digests)
            if digest in stored
        ]
        statement = (
            sa.update(readings)
            .where(readings.c.id == sa.bindparam("row_id"))
            .values(batch_stream=batch[0], batch_seq=batch[1])
            .values(batch_index=sa.bindparam("place"))
        )
        if rows and connection is not None:
            connection.execute(statement, rows)
        elif rows:
            with translated(self._database), writing(self._engine) as own:
                own.execute(statement, rows)
        return len(rows)

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

    def _index_digests(self) -> None:
        """Bring the index by digest up to the latest reading."""
        newest = sa.select(sa.func.coalesce(sa.func.max(digest_keys.c.reading_id), 0))
        rows = sa.select(readings.c.id, readings.c.digest).order_by(readings.c.id)
        is_behind = True
        while is_behind:
            with translated(self._database), self._engine.connect() as connection:
                last = connection.execute(newest).scalar_one()
                query = rows.where(readings.c.id > last).limit(_RUN)
                run = connection.execute(query).all()
            if run:
                keys = sorted((_key(row.digest), row.id) for row in run)
                self._add_keys(keys)
            is_behind = len(run) == _RUN

    def _add_keys(self, keys: list[tuple[int, int]]) -> None:
        values = [{"key": key, "reading_id": number} for key, number in keys]
        statement = sa.insert(digest_keys).prefix_with("OR IGNORE", dialect="sqlite")
        with translated(self._database), writing(self._engine) as connection:
            connection.execute(statement, values)

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
    readings.c.batch_stream,
    readings.c.batch_seq,
    readings.c.batch_index,
).select_from(_JOINED)


def _waiting(until_ts: int | None) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [
        readings.c.batch_seq.is_(None),
        carriers.c.quarantined_at.is_(None),
    ]
    if until_ts is not None:
        conditions.append(readings.c.ts <= until_ts)
    return conditions


def _key(digest: bytes) -> int:
    """Shorten a digest to a signed 64-bit key; equal keys are told apart by it."""
    return int.from_bytes(digest[:8], "big", signed=True)


def _stored_reading(row: Sequence[Any]) -> StoredReading:
    fields = list(row)
    facts: bytes | None = fields[8]
    fields[8] = () if facts is None else decode_facts(facts)
    return StoredReading(*fields)
