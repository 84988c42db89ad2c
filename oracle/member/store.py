"""A member's memory: votes, signatures, batches, carrier states, statements.

Rules kept: a vote, lock or signature is committed to disk before it leaves the member
(SQLite with synchronous=FULL); the primary key (stream, seq, rules version) of
`signed_reports` makes a second signature for one number impossible even for a faulty
caller; a batch and the carrier states after it commit together. Readings themselves
are kept by the inbox in the same database; their marks follow (`places`).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from contracts.structs import BatchReport
from contracts.typed_data import StatementReport
from oracle.database.address import Address
from oracle.errors import ConflictBallotError
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import ROW_NUMBER
from oracle.member.ballot import Ballot, Certificate, Subject
from oracle.member.places import forgotten_names, marked_names
from oracle.member.refs import ReadingRef, join_refs, split_refs
from oracle.member.states import (
    decode_report,
    decode_state,
    encode_report,
    encode_state,
)
from oracle.reading.state import CarrierState

QUERY_ITEMS = 500
"""Most values of one IN list."""
KEPT_ROUNDS = 8
"""Proposals of how many rounds are kept, beside the locked and the signed one."""


class Tables(DeclarativeBase):
    """The member's own tables."""


class BallotRow(Tables):
    """What the member has promised for one number."""

    __tablename__ = "ballots"
    stream_id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    rules_version: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    voted_round: Mapped[int] = mapped_column(ROW_NUMBER)
    voted_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    locked: Mapped[bytes | None] = mapped_column(LargeBinary)


class SignedReportRow(Tables):
    """The one report that the member signs for a number."""

    __tablename__ = "signed_reports"
    stream_id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    rules_version: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    report_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class ProposalRow(Tables):
    """A proposal that the member verified and voted for."""

    __tablename__ = "proposals"
    report_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    voted_round: Mapped[int] = mapped_column(BigInteger)
    report: Mapped[bytes] = mapped_column(LargeBinary)
    refs: Mapped[bytes] = mapped_column(LargeBinary)


class BatchRow(Tables):
    """An anchored batch that the member verified."""

    __tablename__ = "batches"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    report_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    report: Mapped[bytes] = mapped_column(LargeBinary)
    refs: Mapped[bytes] = mapped_column(LargeBinary)
    tx_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class CarrierStateRow(Tables):
    """State of a carrier after the latest batch."""

    __tablename__ = "carrier_states"
    identifier_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    state: Mapped[bytes] = mapped_column(LargeBinary)


class StatementRow(Tables):
    """A statement that the member recomputed and signed."""

    __tablename__ = "statements"
    statement: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    report: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A report with the order of its readings."""

    report: BatchReport
    """The report."""
    refs: tuple[ReadingRef, ...]
    """Names of the readings in batch order."""


@dataclass(frozen=True, slots=True)
class AnchoredBatch:
    """A batch on the chain."""

    report: BatchReport
    """The report."""
    report_hash: bytes
    """32 bytes, struct hash of the report."""
    refs: tuple[ReadingRef, ...]
    """Names of the readings in batch order."""
    tx_hash: bytes
    """32 bytes, transaction that anchored it."""


class MemberStore:
    """Durable memory of one member.

    Args:
        engine: Database of the member, which the inbox uses as well.
        database: Its address, for messages.

    Raises:
        UnavailableInboxError: From every method, when the database cannot be used.
    """

    def __init__(self, engine: Engine, database: Address) -> None:
        self._engine = engine
        self._database = database

    def ballot(self, subject: Subject) -> Ballot:
        """Read what was promised for a subject.

        Args:
            subject: Stream, number and configuration.

        Returns:
            The ballot; an empty one before the first vote.
        """
        columns = (BallotRow.voted_round, BallotRow.voted_hash, BallotRow.locked)
        query = select(*columns).where(*_is_of(BallotRow, subject))
        with self._reading() as connection:
            row = connection.execute(query).first()
            signed_hash = _signed_hash(connection, subject) or b""
        if row is None:
            return Ballot(signed_hash=signed_hash)
        locked = Certificate.from_bytes(row.locked) if row.locked else None
        return Ballot(row.voted_round, row.voted_hash, locked, signed_hash)

    def save_ballot(
        self, subject: Subject, ballot: Ballot, proposal: Proposal | None = None
    ) -> None:
        """Commit a promise; only then may it leave the member.

        Args:
            subject: Stream, number and configuration.
            ballot: Ballot after the vote, lock or signature.
            proposal: Verified proposal that was voted for.

        Raises:
            ConflictBallotError: Another report of this number was signed before.
        """
        key = _key_of(subject)
        locked = ballot.locked.to_bytes() if ballot.locked else None
        votes = {"voted_round": ballot.voted_round, "voted_hash": ballot.voted_hash}
        with self._writing() as connection:
            connection.execute(delete(BallotRow).where(*_is_of(BallotRow, subject)))
            connection.execute(insert(BallotRow), {**key, **votes, "locked": locked})
            if proposal is not None:
                _keep_proposal(connection, ballot, proposal)
            if ballot.signed_hash:
                _keep_signature(connection, subject, ballot.signed_hash)

    def proposal(self, report_hash: bytes) -> Proposal | None:
        """Find a proposal that was verified before.

        Args:
            report_hash: 32 bytes, struct hash of its report.

        Returns:
            The proposal, None if it is not known.
        """
        query = select(ProposalRow.report, ProposalRow.refs)
        query = query.where(ProposalRow.report_hash == report_hash)
        with self._reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        report = decode_report(BatchReport, row.report)
        return Proposal(report, split_refs(row.refs))

    def adopt(self, batch: AnchoredBatch, states: Mapping[bytes, CarrierState]) -> None:
        """Commit an anchored batch with the states after it, all or none.

        Args:
            batch: Batch as anchored, verified.
            states: Identifier hash (32 bytes) → state after the batch.
        """
        row = {
            "seq": batch.report.seq,
            "report_hash": batch.report_hash,
            "report": encode_report(batch.report),
            "refs": join_refs(batch.refs),
            "tx_hash": batch.tx_hash,
        }
        rows = [
            {"identifier_hash": name, "state": encode_state(state)}
            for name, state in states.items()
        ]
        with self._writing() as connection:
            connection.execute(forgotten_names(_BATCHES, batch.report.seq))
            connection.execute(insert(BatchRow), row)
            for start in range(0, len(rows), QUERY_ITEMS):
                part = rows[start : start + QUERY_ITEMS]
                names = [one["identifier_hash"] for one in part]
                known = CarrierStateRow.identifier_hash.in_(names)
                connection.execute(delete(CarrierStateRow).where(known))
                connection.execute(insert(CarrierStateRow), part)

    def batch(self, seq: int) -> AnchoredBatch | None:
        """Find an adopted batch by its sequence number."""
        found = self._batches(seq, seq)
        return found[0] if found else None

    def batches(self, first: int, last: int) -> list[AnchoredBatch]:
        """List adopted batches from one sequence number to another, both included."""
        return self._batches(first, last)

    def heads(self) -> list[bytes]:
        """List the report hashes of all adopted batches in order, 32 bytes each."""
        query = select(BatchRow.report_hash).order_by(BatchRow.seq)
        with self._reading() as connection:
            return list(connection.execute(query).scalars())

    def states(self, names: Iterable[bytes]) -> dict[bytes, CarrierState]:
        """Read carrier states.

        Args:
            names: Identifier hashes, 32 bytes each.

        Returns:
            Identifier hash → state, for carriers that had a batch before.
        """
        wanted, found = list(names), {}
        query = select(CarrierStateRow.identifier_hash, CarrierStateRow.state)
        with self._reading() as connection:
            for start in range(0, len(wanted), QUERY_ITEMS):
                part = wanted[start : start + QUERY_ITEMS]
                is_wanted = CarrierStateRow.identifier_hash.in_(part)
                for row in connection.execute(query.where(is_wanted)):
                    found[row.identifier_hash] = decode_state(row.state)
        return found

    def save_statement(
        self, statement: bytes, report: StatementReport, document: bytes
    ) -> None:
        """Keep a statement that the member is about to sign.

        Args:
            statement: 32 bytes, its id.
            report: Report.
            document: Canonical JSON of the result.
        """
        row = {"report": encode_report(report), "document": document}
        is_known = StatementRow.statement == statement
        with self._writing() as connection:
            connection.execute(delete(StatementRow).where(is_known))
            connection.execute(insert(StatementRow), {"statement": statement, **row})

    def statement(self, statement: bytes) -> tuple[StatementReport, bytes] | None:
        """Find a statement's report and document.

        Args:
            statement: 32 bytes, its id.

        Returns:
            Report and canonical JSON, None if this member never recomputed it.
        """
        query = select(StatementRow.report, StatementRow.document)
        query = query.where(StatementRow.statement == statement)
        with self._reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return decode_report(StatementReport, row.report), row.document

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._database), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(self._database), writing(self._engine) as connection:
            yield connection

    def _batches(self, first: int, last: int) -> list[AnchoredBatch]:
        columns = (BatchRow.report, BatchRow.report_hash, BatchRow.refs)
        query = select(*columns, BatchRow.tx_hash).order_by(BatchRow.seq)
        query = query.where(BatchRow.seq.between(first, last))
        with self._reading() as connection:
            rows = connection.execute(query).all()
            return [_batch(connection, row) for row in rows]


_BATCHES = cast("Table", BatchRow.__table__)


def _batch(connection: Connection, row: Any) -> AnchoredBatch:
    """Build a batch; where its names are gone, from the marks of its readings."""
    report = decode_report(BatchReport, row.report)
    refs = split_refs(row.refs)
    if len(refs) != report.leaf_count:
        refs = marked_names(connection, report.seq, report.leaf_count)
    return AnchoredBatch(report, row.report_hash, refs, row.tx_hash)


def _key_of(subject: Subject) -> dict[str, bytes | int]:
    return {
        "stream_id": subject.stream_id,
        "seq": subject.seq,
        "rules_version": subject.rules_version,
    }


def _is_of(
    table: type[BallotRow] | type[SignedReportRow], subject: Subject
) -> tuple[ColumnElement[bool], ...]:
    """Build the conditions that select one subject's row."""
    return (
        table.stream_id == subject.stream_id,
        table.seq == subject.seq,
        table.rules_version == subject.rules_version,
    )


def _signed_hash(connection: Connection, subject: Subject) -> bytes | None:
    query = select(SignedReportRow.report_hash)
    query = query.where(*_is_of(SignedReportRow, subject))
    return connection.execute(query).scalar()


def _keep_signature(
    connection: Connection, subject: Subject, report_hash: bytes
) -> None:
    """Insert the signature's row; the primary key refuses a second report."""
    earlier = _signed_hash(connection, subject)
    if earlier is None:
        row = {**_key_of(subject), "report_hash": report_hash}
        connection.execute(insert(SignedReportRow), row)
    elif earlier != report_hash:
        raise ConflictBallotError("signature", earlier, report_hash)


def _keep_proposal(connection: Connection, ballot: Ballot, proposal: Proposal) -> None:
    """Keep the proposal that was voted for; those that have served go.

    A stream that stands still sees a proposal a round; those of long past rounds, but
    for the locked and the signed one, can no longer get a quorum.
    """
    seq = proposal.report.seq
    connection.execute(delete(ProposalRow).where(ProposalRow.seq < seq))
    locked = ballot.locked.report_hash if ballot.locked else b""
    bound = ProposalRow.report_hash.in_([locked, ballot.signed_hash])
    is_old = ProposalRow.voted_round <= ballot.voted_round - KEPT_ROUNDS
    connection.execute(delete(ProposalRow).where(is_old, ~bound))
    is_known = ProposalRow.report_hash == ballot.voted_hash
    connection.execute(delete(ProposalRow).where(is_known))
    row = {
        "report_hash": ballot.voted_hash,
        "seq": seq,
        "voted_round": ballot.voted_round,
        "report": encode_report(proposal.report),
        "refs": join_refs(proposal.refs),
    }
    connection.execute(insert(ProposalRow), row)
