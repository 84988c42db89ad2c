"""One write transaction of the inbox: what the writer asks and what it adds.

New readings are collected and inserted together; a question about stored readings
inserts the collected ones first, so it sees them. The insert is compiled once and
runs on plain tuples, because this is the hot path.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from oracle.inbox.tables import (
    carriers,
    dead_letters,
    equivocations,
    readings,
    receipts,
)
from oracle.reading.profile import decode_message, prev_link
from oracle.reading.state import Around, Neighbour

KEPT_DEAD_LETTERS = 100_000
"""How many messages without a valid signature are kept; the oldest go first."""
FIRST_SIGNED_CHECK = 5
"""A message refused by this check or a later one was truly signed."""


class NewReading(NamedTuple):
    """Row of `readings` as the inbox inserts it."""

    carrier_id: int
    seq: int
    raw: bytes
    digest: bytes
    ts: int
    received_at: int
    facts: bytes | None
    receipt_id: int


class StoredMark(NamedTuple):
    """What check 6 needs of a stored reading."""

    digest: bytes
    receipt_id: int
    raw: bytes


class DeadLetter(NamedTuple):
    """Row of `dead_letters` as the inbox inserts it."""

    received_at: int
    check_number: int
    name: str
    expected: str
    given: str
    raw: bytes


_COLUMNS = ", ".join(NewReading._fields)
_INSERT = f"""INSERT INTO readings ({_COLUMNS})
VALUES ({", ".join("?" * len(NewReading._fields))})"""  # noqa: S608  # our own names
_COPY = f"COPY readings ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_COPY_TYPES = ("int4", "int8", "bytea", "bytea", "int8", "int8", "bytea", "int8")
MAX_SEQ = (1 << 63) - 1

# Built once: building a query costs more than running it.
_OF_CARRIER = readings.c.carrier_id == sa.bindparam("carrier")
_AT: sa.BindParameter[int] = sa.bindparam("at", type_=sa.BigInteger)
_STORED = sa.select(readings.c.digest, readings.c.receipt_id, readings.c.raw).where(
    _OF_CARRIER, readings.c.seq == _AT
)
_BELOW = (
    sa.select(readings.c.raw)
    .where(_OF_CARRIER, readings.c.seq < _AT)
    .order_by(readings.c.seq.desc())
    .limit(1)
)
_ABOVE = (
    sa.select(readings.c.raw)
    .where(_OF_CARRIER, readings.c.seq > _AT)
    .order_by(readings.c.seq)
    .limit(1)
)


class Transaction:
    """Reads and writes inside one transaction of the writer.

    Args:
        connection: Connection inside a write transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._new: list[NewReading] = []

    def carrier(self, identifier_hash: bytes, identifier: str) -> tuple[int, bool]:
        """Find or add a carrier.

        Args:
            identifier_hash: 32 bytes.
            identifier: Its identifier.

        Returns:
            Its row number, and whether it is quarantined.
        """
        query = sa.select(carriers.c.id, carriers.c.quarantined_at).where(
            carriers.c.identifier_hash == identifier_hash
        )
        row = self._connection.execute(query).one_or_none()
        if row is not None:
            return row.id, row.quarantined_at is not None
        values = {"identifier_hash": identifier_hash, "identifier": identifier}
        insert = sa.insert(carriers).returning(carriers.c.id)
        return int(self._connection.execute(insert, values).scalar_one()), False

    def add_reading(self, reading: NewReading) -> None:
        """Collect a reading; `flush` inserts it."""
        self._new.append(reading)

    def flush(self) -> None:
        """Insert the collected readings."""
        if self._new:
            rows, self._new = self._new, []
            if self._connection.dialect.name == "postgresql":
                _copy(self._connection, rows)
            else:
                self._connection.exec_driver_sql(_INSERT, rows)

    def stored(self, carrier_id: int, seq: int) -> StoredMark | None:
        """Find what is stored under a sequence number."""
        self.flush()
        values = {"carrier": carrier_id, "at": seq}
        row = self._connection.execute(_STORED, values).one_or_none()
        return None if row is None else StoredMark(*row)

    def note_receipt(self, carrier_id: int, seq: int, receipt_id: int) -> None:
        """Give a stored reading the receipt under which it is acknowledged."""
        self._connection.execute(
            sa.update(readings)
            .where(readings.c.carrier_id == carrier_id, readings.c.seq == seq)
            .values(receipt_id=receipt_id)
        )

    def around(self, carrier_id: int, seq: int) -> Around:
        """Find the nearest stored readings of a carrier beside a seq."""
        self.flush()
        below = self._nearest(_BELOW, carrier_id, seq)
        return Around(below, self._nearest(_ABOVE, carrier_id, seq))

    def latest(self, carrier_id: int) -> Neighbour | None:
        """Find the stored reading with the highest seq of a carrier."""
        self.flush()
        return self._nearest(_BELOW, carrier_id, MAX_SEQ)

    def next_receipt_id(self) -> int:
        """Return the number of the next receipt."""
        query = sa.select(sa.func.coalesce(sa.func.max(receipts.c.id), 0))
        return int(self._connection.execute(query).scalar_one()) + 1

    def add_receipts(self, signed: dict[int, bytes]) -> None:
        """Store receipts, number → message."""
        if signed:
            rows = [{"id": number, "message": one} for number, one in signed.items()]
            self._connection.execute(sa.insert(receipts), rows)

    def receipts(self, numbers: Iterable[int]) -> dict[int, bytes]:
        """Load stored receipts, number → message."""
        found: dict[int, bytes] = {}
        for number in numbers:
            query = sa.select(receipts.c.message).where(receipts.c.id == number)
            found[number] = self._connection.execute(query).scalar_one()
        return found

    def add_dead_letters(self, letters: list[DeadLetter]) -> None:
        """Store refused messages; the oldest unsigned ones make room."""
        if not letters:
            return
        rows = [letter._asdict() for letter in letters]
        self._connection.execute(sa.insert(dead_letters), rows)
        newest = sa.select(sa.func.max(dead_letters.c.id)).scalar_subquery()
        self._connection.execute(
            sa.delete(dead_letters).where(
                dead_letters.c.id <= newest - KEPT_DEAD_LETTERS,
                dead_letters.c.check_number < FIRST_SIGNED_CHECK,
            )
        )

    def add_equivocation(
        self, carrier_id: int, seq: int, now: int, pair: tuple[StoredMark, StoredMark]
    ) -> None:
        """Keep both messages as evidence and hold the carrier back.

        Args:
            carrier_id: Row number of the carrier.
            seq: Sequence number that both carry.
            now: Time of arrival of the second. [unix s]
            pair: The message stored first and the one that came now.
        """
        stored, other = pair
        key = (equivocations.c.carrier_id, equivocations.c.seq, equivocations.c.digest)
        is_known = sa.select(sa.literal(1)).where(
            key[0] == carrier_id, key[1] == seq, key[2] == other.digest
        )
        if self._connection.execute(is_known).scalar() is None:
            values: dict[str, Any] = {
                "carrier_id": carrier_id,
                "seq": seq,
                "received_at": now,
                "stored_digest": stored.digest,
                "stored_raw": stored.raw,
                "digest": other.digest,
                "raw": other.raw,
            }
            self._connection.execute(sa.insert(equivocations), values)
        self._connection.execute(
            sa.update(carriers)
            .where(carriers.c.id == carrier_id, carriers.c.quarantined_at.is_(None))
            .values(quarantined_at=now)
        )

    def _nearest(
        self, query: sa.Select[Any], carrier_id: int, seq: int
    ) -> Neighbour | None:
        values = {"carrier": carrier_id, "at": seq}
        raw: bytes | None = self._connection.execute(query, values).scalar()
        if raw is None:
            return None
        return Neighbour(decode_message(raw).reading, prev_link(raw))


def _copy(connection: sa.Connection, rows: list[NewReading]) -> None:
    """Insert with PostgreSQL's COPY, several times as fast as statements."""
    driver: Any = connection.connection.driver_connection
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_COPY_TYPES)
            for row in rows:
                copy.write_row(row)
    except errors as exc:
        dialect = connection.dialect
        raise DBAPIError.instance(_COPY, None, exc, errors, dialect=dialect) from exc
