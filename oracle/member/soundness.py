"""A member's database held against itself: every row that something else fixes.

1. readings: digest, number and time are those of the signed message
2. equivocations: both digests are those of their messages
3. batches: numbers without gap, each the hash of its report, each naming the one before
   and the root of its readings in their order
4. proposals: the hash of their report
5. votes for the number at hand: for a proposal that is here, in the round it says
6. statements: the hash of their report, the document's digest in it

Rules kept: nothing is changed; the first fault of each kind is named. What only the
chain can tell (is this batch anchored?) and receipts are not judged here.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from contracts.errors import ContractsError
from contracts.hashing import keccak256
from contracts.structs import BatchReport
from contracts.typed_data import StatementReport, struct_hash
from oracle.database.address import Address
from oracle.errors import OracleError
from oracle.inbox.store import translated
from oracle.inbox.tables import carriers, equivocations, readings
from oracle.member.ballot import Certificate
from oracle.member.proposal import root_of
from oracle.member.states import decode_report, decode_state
from oracle.member.store import (
    BallotRow,
    BatchRow,
    CarrierStateRow,
    MemberStore,
    ProposalRow,
    SignedReportRow,
    StatementRow,
)
from oracle.reading.profile import decode_message

ROWS_AT_ONCE = 2_000
Check = Callable[[sa.Connection], Iterator[str]]


def check_database(engine: sa.Engine, database: Address) -> list[str]:
    """Check every row of a member's database against what fixes it.

    Args:
        engine: Engine of `open_engine`.
        database: Its address, for messages.

    Returns:
        Faults, the first of each kind; empty if all is sound.

    Raises:
        UnavailableInboxError: The database cannot be used now.
        ConflictDatabaseError: A page of it cannot be read.
    """
    faults = _first_faults(engine, database, (_check_readings, *_CHECKS))
    return faults or _check_roots(MemberStore(engine, database))


def check_votes(engine: sa.Engine, database: Address) -> list[str]:
    """Check what a member is about to vote on, at its start.

    Args:
        engine: Engine of `open_engine`.
        database: Its address, for messages.

    Returns:
        As for `check_database`.

    Raises:
        UnavailableInboxError: The database cannot be used now.
        ConflictDatabaseError: A page of it cannot be read.
    """
    return _first_faults(engine, database, (_check_proposals, _check_votes))


def _first_faults(
    engine: sa.Engine, database: Address, checks: tuple[Check, ...]
) -> list[str]:
    faults = []
    with translated(database), engine.connect() as connection:
        for check in checks:
            try:
                fault = next(check(connection), None)
            except (OracleError, ContractsError, ValueError, TypeError) as exc:
                fault = f"{check.__name__.removeprefix('_check_')}: {exc}"
            if fault is not None:
                faults.append(fault)
    return faults


def _rows(connection: sa.Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query))


def _check_roots(store: MemberStore) -> list[str]:
    """Compute the root of every batch again from the names of its readings."""
    for seq in range(len(store.heads())):
        try:
            batch = store.batch(seq)
        except (OracleError, ValueError) as exc:
            return [f"batch {seq}: {exc}"]
        if batch is None:
            return [f"batch {seq} is missing"]
        report = batch.report
        if report.leaf_count and root_of(report, batch.refs) != report.batch_root:
            return [f"batch {seq}: its readings have another root"]
    return []


def _check_readings(connection: sa.Connection) -> Iterator[str]:
    query = sa.select(
        readings.c.id,
        readings.c.seq,
        readings.c.ts,
        readings.c.digest,
        readings.c.raw,
        carriers.c.identifier,
        carriers.c.identifier_hash,
    ).join_from(readings, carriers, isouter=True)
    for row in _rows(connection, query):
        where = f"reading {row.id}"
        if keccak256(row.raw) != row.digest:
            yield f"{where}: its message has another digest"
        reading = decode_message(row.raw).reading
        if (reading.seq, reading.ts) != (row.seq, row.ts):
            yield f"{where}: expected seq {reading.seq} at {reading.ts}, found others"
        if row.identifier is None or keccak256(row.identifier.encode()) != (
            row.identifier_hash
        ):
            yield f"{where}: its carrier is not the one of that name"


def _check_equivocations(connection: sa.Connection) -> Iterator[str]:
    for row in _rows(connection, sa.select(equivocations)):
        found = (keccak256(row.stored_raw), keccak256(row.raw))
        if found != (row.stored_digest, row.digest):
            yield f"equivocation {row.id}: its messages have other digests"


def _check_batches(connection: sa.Connection) -> Iterator[str]:
    columns = (BatchRow.seq, BatchRow.report_hash, BatchRow.report)
    query = sa.select(*columns).order_by(BatchRow.seq)
    head, count = bytes(32), 0
    for row in _rows(connection, query):
        report = decode_report(BatchReport, row.report)
        if (row.seq, report.seq) != (count, count):
            yield f"batch {row.seq}: expected batch {count} in its place"
        if struct_hash(report) != row.report_hash or report.prev_head != head:
            yield f"batch {row.seq}: its report does not follow batch {count - 1}"
        head, count = row.report_hash, count + 1


def _check_states(connection: sa.Connection) -> Iterator[str]:
    query = sa.select(CarrierStateRow.state)
    for row in _rows(connection, query):
        decode_state(row.state)
    yield from ()


def _check_proposals(connection: sa.Connection) -> Iterator[str]:
    query = sa.select(ProposalRow.report_hash, ProposalRow.report)
    for row in _rows(connection, query):
        if struct_hash(decode_report(BatchReport, row.report)) != row.report_hash:
            yield f"proposal {row.report_hash.hex()}: its report has another hash"


def _check_votes(connection: sa.Connection) -> Iterator[str]:
    """Votes below the number at hand bind nobody any more and their proposals go."""
    count = sa.select(sa.func.count()).select_from(BatchRow).scalar_subquery()
    query = sa.select(BallotRow.__table__).where(BallotRow.seq >= count)
    votes = sa.select(ProposalRow.report_hash, ProposalRow.voted_round)
    known = {row.report_hash: row.voted_round for row in connection.execute(votes)}
    for row in connection.execute(query).all():
        if known.get(row.voted_hash) != row.voted_round:
            yield f"vote for batch {row.seq}: its proposal is not here"
        if row.locked and Certificate.from_bytes(row.locked).report_hash not in known:
            yield f"lock of batch {row.seq}: its proposal is not here"
    signed = sa.select(SignedReportRow.seq, SignedReportRow.report_hash)
    for seq, report_hash in connection.execute(
        signed.where(SignedReportRow.seq >= count)
    ):
        if report_hash not in known:
            yield f"signature of batch {seq}: its proposal is not here"


def _check_statements(connection: sa.Connection) -> Iterator[str]:
    query = sa.select(StatementRow.__table__)
    for row in _rows(connection, query):
        report = decode_report(StatementReport, row.report)
        document = hashlib.sha256(row.document).digest()
        if (struct_hash(report), report.result_digest) != (row.statement, document):
            yield f"statement {row.statement.hex()}: report or document is another"


_CHECKS: tuple[Check, ...] = (
    _check_equivocations,
    _check_batches,
    _check_states,
    _check_proposals,
    _check_votes,
    _check_statements,
)
