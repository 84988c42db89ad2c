"""From which number on a member may vote: where its memory of votes begins.

    database new, stream empty      votes from 0
    database new, N batches anchored  silent for number N, votes from N + 1
    votes lost or restored            the same, from the chain's N at the next look

A vote or signature that is not remembered could be contradicted: another lock at the
same number lets two reports pass, a second signature gets the member suspended. What a
member ever signed has a number of at most N, because it votes only for the number that
follows the chain's batches, and the contract never takes a number twice. So a member
that does not know whether it voted stays silent until others have anchored number N;
it adopts that batch and goes on. A new configuration ends the silence at once: a report
of an older one can never be anchored (`oracle.member.ballot`).

Rules kept: the beginning is on disk before the first batch is adopted or voted for; it
is never moved back. Not covered: a database that is lost before the very first batch
looks like a new one; then `carbon-oracle rebuild` says that it was lost.
"""

import logging

from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    LargeBinary,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from oracle.database.address import Address
from oracle.errors import InvalidProposalError
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import ROW_NUMBER
from oracle.member.ballot import Subject
from oracle.member.store import BallotRow, BatchRow, SignedReportRow, Tables

logger = logging.getLogger(__name__)

LOST = -1
"""Beginning of a memory whose votes were lost: the next look at the chain decides."""


class MemoryRow(Tables):
    """Where the memory of one stream begins."""

    __tablename__ = "memories"
    stream_id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    first_seq: Mapped[int] = mapped_column(BigInteger)
    rules_version: Mapped[int] = mapped_column(ROW_NUMBER)


class Memory:
    """The beginning of a member's memory.

    Args:
        engine: Database of the member.
        database: Its address, for messages.
        stream_id: Stream of its batches, 32 bytes.

    Raises:
        UnavailableInboxError: From every method, when the database cannot be used.
    """

    def __init__(self, engine: Engine, database: Address, stream_id: bytes) -> None:
        self._engine = engine
        self._database = database
        self._stream_id = stream_id
        self._begun: tuple[int, int] | None = None

    @property
    def first_seq(self) -> int:
        """First number that this member votes for, under its configuration."""
        return self._begun[0] if self._begun else 0

    def begin(self, next_seq: int, rules_version: int) -> None:
        """Decide once where the memory begins; later calls change nothing.

        Args:
            next_seq: Number of batches on the chain.
            rules_version: Version of the configuration in force.
        """
        if self._begun is not None:
            return
        with translated(self._database), writing(self._engine) as connection:
            found = self._read(connection)
            if found is None or found[0] == LOST:
                is_lost = found is not None or (next_seq > 0 and _is_empty(connection))
                found = (next_seq + 1 if is_lost else 0, rules_version)
                self._write(connection, found)
        self._begun = found
        if found[0] > next_seq:
            logger.warning(
                "silent for batch=%d: this member may have voted for it and does not "
                "remember; it votes again from batch=%d on",
                next_seq,
                found[0],
            )

    def is_known(self) -> bool:
        """True once it was decided where the memory begins, or that it is lost."""
        with translated(self._database), self._engine.connect() as connection:
            return self._read(connection) is not None

    def lose(self) -> None:
        """Note that votes were lost, or may be older than the last one given."""
        with translated(self._database), writing(self._engine) as connection:
            self._write(connection, (LOST, 0))
        self._begun = None

    def require(self, subject: Subject) -> None:
        """Refuse to vote where an earlier vote may be forgotten.

        Args:
            subject: What would be voted for.

        Raises:
            InvalidProposalError: The number lies before the memory.
        """
        first, version = self._begun or (LOST, 0)
        is_covered = subject.seq >= first or subject.rules_version > version
        if first == LOST or not is_covered:
            expected = f"batch {first} or later: votes before it are not remembered"
            raise InvalidProposalError("memory", expected, f"batch {subject.seq}")

    def _read(self, connection: Connection) -> tuple[int, int] | None:
        columns = (MemoryRow.first_seq, MemoryRow.rules_version)
        query = select(*columns).where(MemoryRow.stream_id == self._stream_id)
        row = connection.execute(query).first()
        return None if row is None else (row.first_seq, row.rules_version)

    def _write(self, connection: Connection, begun: tuple[int, int]) -> None:
        is_ours = MemoryRow.stream_id == self._stream_id
        connection.execute(delete(MemoryRow).where(is_ours))
        row = {"first_seq": begun[0], "rules_version": begun[1]}
        connection.execute(insert(MemoryRow), {"stream_id": self._stream_id, **row})


def _is_empty(connection: Connection) -> bool:
    """True where no vote, signature or batch is remembered."""
    return not any(
        connection.execute(select(exists(select(table.seq)))).scalar()
        for table in (BallotRow, SignedReportRow, BatchRow)
    )
