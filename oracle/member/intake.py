"""The member's inbox as its rounds use it: few questions, each about many readings.

Names of readings carry carrier and seq, so a batch is found by ranges of the unique
index instead of one look-up per digest. Tables and checks are the inbox's; nothing is
written here but the marks of batches.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from oracle.database.address import Address
from oracle.inbox.inbox import Inbox
from oracle.inbox.reader import StoredReading
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import (
    NO_RECEIPT,
    carriers,
    equivocations,
    readings,
    streams,
)
from oracle.member.ports import NewReading
from oracle.member.refs import ReadingRef
from oracle.reading.profile import decode_message
from oracle.reading.registry import CarrierRegistry

QUERY_ITEMS = 500
"""Most values of one IN list."""


class MemberIntake:
    """Adapts the inbox to the port `Readings`.

    Args:
        inbox: The member's inbox.
        database: Address of its database, for messages.

    Raises:
        UnavailableInboxError: From every method, when the database cannot be used.
    """

    def __init__(self, inbox: Inbox, database: Address) -> None:
        self._inbox = inbox
        self._database = database

    def set_registry(self, registry: CarrierRegistry) -> None:
        """Verify what comes from now on under another registry."""
        self._inbox.set_registry(registry)

    def accept(
        self, messages: Sequence[bytes], registry: CarrierRegistry | None = None
    ) -> None:
        """Verify and commit messages of peers.

        Args:
            messages: Whole messages.
            registry: Carriers at a batch's reference block; None takes the latest.

        Raises:
            UnavailableInboxError: Nothing was stored.
        """
        self._inbox.submit(messages, registry)

    def await_commit(self, seen: int, timeout_s: float) -> int:
        """Wait until more was stored than at the last call; -1 returns at once."""
        return self._inbox.await_commit(seen, timeout_s)

    def after(self, row_id: int, limit: int) -> list[NewReading]:
        """List stored readings behind a row, in the order of storing."""
        query = sa.select(readings.c.id, readings.c.digest, readings.c.raw)
        query = query.where(readings.c.id > row_id)
        query = query.order_by(readings.c.id).limit(limit)
        with self._reading() as connection:
            return [NewReading(*row) for row in connection.execute(query)]

    def pending(self, limit: int, until_ts: int) -> list[StoredReading]:
        """List unbatched readings up to a device time, in order of arrival."""
        return self._inbox.stored.pending(limit, until_ts)

    def count_pending(self, limit: int, until_ts: int) -> int:
        """Count unbatched readings up to a limit, without reading them."""
        return self._inbox.stored.count_pending(limit, until_ts)

    def first_pending_row(self) -> int:
        """Return the row before the first unbatched reading."""
        query = sa.select(sa.func.min(readings.c.id))
        query = query.where(readings.c.batch_seq.is_(None))
        with self._reading() as connection:
            found = connection.execute(query).scalar()
            if found is None:
                query = sa.select(sa.func.max(readings.c.id))
                return int(connection.execute(query).scalar() or 0)
        return int(found) - 1

    def bodies(self, refs: Sequence[ReadingRef]) -> dict[bytes, bytes]:
        """Find messages by name, evidence of equivocation included.

        Args:
            refs: Names of readings.

        Returns:
            Digest (32 bytes) → message, for those that are here.
        """
        wanted = {ref.digest for ref in refs}
        found: dict[bytes, bytes] = {}
        with self._reading() as connection:
            for row, seqs in self._by_carrier(connection, refs):
                for table in (readings, equivocations):
                    query = sa.select(table.c.digest, table.c.raw).where(
                        table.c.carrier_id == row, table.c.seq.in_(seqs)
                    )
                    if table is equivocations and wanted <= found.keys():
                        continue
                    for one in connection.execute(query):
                        found[one.digest] = one.raw
        return {digest: raw for digest, raw in found.items() if digest in wanted}

    def disputed(self, refs: Sequence[ReadingRef]) -> list[bytes]:
        """Give both messages wherever a quarantined carrier signed two for a name.

        Args:
            refs: Names of readings.

        Returns:
            Whole messages.
        """
        names = {(ref.identifier_hash, ref.seq) for ref in refs}
        query = sa.select(
            carriers.c.identifier_hash,
            equivocations.c.seq,
            equivocations.c.stored_raw,
            equivocations.c.raw,
        ).join(carriers, carriers.c.id == equivocations.c.carrier_id)
        query = query.where(carriers.c.quarantined_at.is_not(None))
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [
            raw
            for row in rows
            if (row.identifier_hash, row.seq) in names
            for raw in (row.stored_raw, row.raw)
        ]

    def mark_batched(
        self, stream_id: bytes, batch_seq: int, refs: Sequence[ReadingRef]
    ) -> None:
        """Mark readings with their batch and place; repeating changes nothing.

        Where a carrier signed two messages for one name, the one of the batch takes
        the place of the other; both stay among the equivocations as evidence.

        Args:
            stream_id: Stream of the batch, 32 bytes.
            batch_seq: Number of the batch.
            refs: Names of its readings in order.
        """
        places = {ref.digest: place for place, ref in enumerate(refs)}
        with translated(self._database), writing(self._inbox.engine) as connection:
            marks = _marks(_stream_row(connection, stream_id), batch_seq)
            settled = self._settle(connection, refs)
            for row, seqs in self._by_carrier(connection, refs):
                query = sa.select(readings.c.id, readings.c.digest).where(
                    readings.c.carrier_id == row, readings.c.seq.in_(seqs)
                )
                rows = [
                    {"row_id": one.id, "place": places[one.digest]}
                    for one in connection.execute(query)
                    if one.digest in places
                ]
                if rows:
                    connection.execute(marks, rows)
        for name in settled:
            self._inbox.forget(name)

    def batched(
        self, identifiers: Sequence[str], first_ts: int, last_ts: int
    ) -> list[StoredReading]:
        """List batched readings of carriers with first_ts ≤ ts ≤ last_ts."""
        return [
            one
            for identifier in identifiers
            for one in self._inbox.stored.readings_of(identifier, first_ts, last_ts + 1)
            if one.batch_seq is not None
        ]

    def _settle(
        self, connection: sa.Connection, refs: Sequence[ReadingRef]
    ) -> set[bytes]:
        """Put messages of a batch in the place of those that contradict them.

        Returns:
            Identifier hashes of the carriers whose readings changed.
        """
        settled: set[bytes] = set()
        if connection.execute(sa.select(equivocations.c.id).limit(1)).first() is None:
            return settled
        names = {ref.digest: ref.identifier_hash for ref in refs}
        for row, seqs in self._by_carrier(connection, refs):
            query = sa.select(equivocations).where(
                equivocations.c.carrier_id == row, equivocations.c.seq.in_(seqs)
            )
            for pair in connection.execute(query).all():
                if pair.digest in names and _promote(connection, pair):
                    settled.add(names[pair.digest])
        return settled

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with translated(self._database), self._inbox.engine.connect() as connection:
            yield connection

    def _by_carrier(
        self, connection: sa.Connection, refs: Sequence[ReadingRef]
    ) -> Iterator[tuple[int, list[int]]]:
        """Group names by carrier: its row and at most `QUERY_ITEMS` seqs at a time."""
        ordered = sorted(refs, key=lambda ref: (ref.identifier_hash, ref.seq))
        for name, group in groupby(ordered, key=lambda ref: ref.identifier_hash):
            query = sa.select(carriers.c.id).where(carriers.c.identifier_hash == name)
            row = connection.execute(query).scalar()
            if row is None:
                continue
            seqs = [ref.seq for ref in group]
            for start in range(0, len(seqs), QUERY_ITEMS):
                yield row, seqs[start : start + QUERY_ITEMS]


def _stream_row(connection: sa.Connection, stream_id: bytes) -> int:
    """Find a stream's row, or add it."""
    query = sa.select(streams.c.id).where(streams.c.stream_id == stream_id)
    row = connection.execute(query).scalar()
    if row is None:
        added = sa.insert(streams).values(stream_id=stream_id).returning(streams.c.id)
        row = connection.execute(added).scalar_one()
    return int(row)


def _marks(stream_row: int, batch_seq: int) -> sa.Update:
    """Build the change that gives a reading its batch and place."""
    return (
        sa.update(readings)
        .where(readings.c.id == sa.bindparam("row_id"))
        .values(stream_row=stream_row, batch_seq=batch_seq)
        .values(batch_index=sa.bindparam("place"))
    )


def _promote(connection: sa.Connection, pair: Any) -> bool:
    """Let the second message of an equivocation be the stored reading of its name."""
    anchored = {"raw": pair.raw, "digest": pair.digest, "facts": None}
    anchored |= {"ts": decode_message(pair.raw).reading.ts, "receipt_id": NO_RECEIPT}
    change = (
        sa.update(readings)
        .where(readings.c.carrier_id == pair.carrier_id, readings.c.seq == pair.seq)
        .where(readings.c.digest != pair.digest)
        .values(anchored)
    )
    return connection.execute(change).rowcount > 0
