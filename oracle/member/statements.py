"""Statements: recomputed by every member from its own readings, then signed.

    compute ─► persist ─► sign ─► peers compute and compare ─► quorum ─► record

Rules kept: a member signs only the report that it computes itself, field by field; the
readings are those of anchored batches that this member adopted; the range of batches
is that of the readings found; of these count those that the registry at the last
batch's reference block admits, so that what a revoked carrier signed above its cut-off
drops out of the next restatement; report and document are stored before the signature,
so that every signer can build the proof package.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import cbor2

from accounting.boundary import Boundary
from accounting.errors import AccountingError
from accounting.statement import (
    LAST_MOMENT,
    MAX_PERIOD_S,
    Methods,
    Statement,
    compute_statement,
)
from contracts.enumerations import Purpose
from contracts.typed_data import StatementReport, compact_signature, struct_hash
from oracle.errors import InvalidProposalError, UnavailableQuorumError
from oracle.evidence.samples import source_readings
from oracle.inbox.reader import StoredReading
from oracle.member.collect import collect_signatures
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.states import check_equal, decode_report
from oracle.member.view import Period
from oracle.reading.profile import decode_message
from oracle.reading.registry import CarrierRegistry

logger = logging.getLogger(__name__)

MARGIN_S = 86_400
"""How far beyond the period the readings at its edges may lie. [s]"""
ATTEMPTS = 3
"""How often a proposal is repeated when members are not at the same batch yet."""
NO_STATEMENT = bytes(32)

_LOCAL = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class ComputedStatement:
    """A statement with what it was computed from."""

    report: StatementReport
    """What the members sign."""
    document: bytes
    """Canonical JSON of the result."""
    readings: tuple[StoredReading, ...]
    """Readings of the batches, those that no longer count too."""

    @property
    def statement(self) -> bytes:
        """Id of the statement, struct hash of the report. 32 bytes."""
        return struct_hash(self.report)


def factor_year(period_start: int) -> int:
    """Return the year whose factors apply: that of the period's start, local time.

    Args:
        period_start: First second of the period. [unix s]

    Returns:
        Calendar year in Asia/Shanghai.
    """
    return datetime.fromtimestamp(period_start, _LOCAL).year


class Statements:
    """Computes, signs and proposes statements.

    Args:
        desk: The member's key and ports.
        follower: View of the chain and position in the stream.
        methods: Rule sets in force.
    """

    def __init__(self, desk: Desk, follower: Follower, methods: Methods) -> None:
        self._desk = desk
        self._follower = follower
        self.methods = methods

    def propose(self, period: Period, purpose: Purpose) -> bytes:
        """Compute a statement, have a quorum sign it, and record it.

        Args:
            period: Boundary and time.
            purpose: For what it is calculated.

        Returns:
            Id of the statement, 32 bytes; of the live one if nothing has changed.

        Raises:
            InvalidProposalError: The boundary is unknown or cannot be calculated.
            UnavailableQuorumError: Too few members computed the same.
            ContractsError: The contract refuses, or the chain does not answer.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self._follower.follow()
            live = self._follower.view.live_statement(period, purpose)
            computed = self.compute(period, purpose, live or NO_STATEMENT)
            if live is not None and self._says_the_same(live, computed.report):
                return live
            try:
                return self._record(computed)
            except UnavailableQuorumError as exc:
                logger.info("statement attempt=%s: %s", attempt, exc)
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def answer(self, _sender: str, body: bytes) -> bytes:
        """Answer a peer's proposal with a signature or a refusal.

        Args:
            body: Report as `encode_report` made it.

        Returns:
            CBOR map with `vote` or `refused`.
        """
        try:
            report = decode_report(StatementReport, body)
            self._follower.follow()
            signature = self._check_and_sign(report)
        except InvalidProposalError as exc:
            return cbor2.dumps({"refused": str(exc)})
        return cbor2.dumps({"vote": signature})

    def compute(
        self,
        period: Period,
        purpose: int,
        supersedes: bytes,
        until_batch: int | None = None,
    ) -> ComputedStatement:
        """Compute a statement from this member's readings.

        Args:
            period: Boundary and time.
            purpose: For what it is calculated.
            supersedes: Statement that this one restates, 32 bytes; zeros for none.
            until_batch: Last batch whose readings count; None for all adopted ones.

        Returns:
            Report, document and readings.

        Raises:
            InvalidProposalError: The boundary is unknown or cannot be calculated.
        """
        _check_period(period)
        boundary = self._boundary(period.boundary)
        used = self._readings(boundary, period, until_batch)
        batches = [one.batch_seq for one in used if one.batch_seq is not None]
        last_batch = self._settled_batch(used, max(batches), until_batch)
        registry = self._registry_of(last_batch)
        result = self._calculate(boundary, period, purpose, used, registry)
        report = StatementReport(
            boundary=period.boundary,
            period_start=period.start,
            period_end=period.end,
            purpose=Purpose(purpose),
            stream_id=self._desk.stream_id,
            first_batch=min(batches),
            last_batch=last_batch,
            input_root=result.input_root,
            rule_set_digest=result.rule_set_digest,
            factor_set_digest=result.factor_set_digest,
            boundary_digest=result.boundary_digest,
            grams=result.grams,
            result_digest=result.result_digest,
            supersedes=supersedes,
        )
        return ComputedStatement(report, result.to_bytes(), tuple(used))

    def recorded(self, statement: bytes) -> ComputedStatement:
        """Compute a recorded statement again and demand equality.

        Args:
            statement: Id of the statement, 32 bytes.

        Returns:
            Report, document and readings.

        Raises:
            InvalidProposalError: It is unknown, or this member finds another result.
        """
        state = self._follower.view.statements.get(statement)
        if state is None:
            given = statement.hex()
            raise InvalidProposalError("statement", "a recorded one", given)
        report = state.report
        period = Period(report.boundary, report.period_start, report.period_end)
        computed = self.compute(
            period, report.purpose, report.supersedes, report.last_batch
        )
        check_equal(computed.report, report)
        return computed

    def restore(self, statement: bytes) -> None:
        """Compute a recorded statement again and keep it, as after losing it.

        Args:
            statement: Id of the statement, 32 bytes.

        Raises:
            InvalidProposalError: As from `recorded`.
        """
        self._keep(self.recorded(statement))

    def _calculate(
        self,
        boundary: Boundary,
        period: Period,
        purpose: int,
        used: Sequence[StoredReading],
        registry: CarrierRegistry,
    ) -> Statement:
        """Hand readings and channel tables to the calculation."""
        tables = {
            record.identifier: record.channel_table
            for record in registry.carriers.values()
            if record.channel_table is not None
        }
        pairs = [(one.identifier, decode_message(one.raw).reading) for one in used]
        try:
            return compute_statement(
                boundary,
                tables,
                period.start,
                period.end,
                purpose,
                source_readings(boundary, pairs, registry),
                self.methods,
                factor_year(period.start),
            )
        except (AccountingError, ValueError) as exc:
            raise InvalidProposalError("calculation", "a result", str(exc)) from exc

    def _settled_batch(
        self, used: Sequence[StoredReading], last_used: int, until_batch: int | None
    ) -> int:
        """Find the first batch, from the last used one on, that knows what counts.

        That is what counts under the newest batch; so a revocation behind the last
        reading is seen, and without one the last used batch stays the last.
        """
        newest = self._follower.position.seq - 1 if until_batch is None else until_batch
        highest: dict[str, int] = {}
        for one in used:
            highest[one.identifier] = max(one.seq, highest.get(one.identifier, 0))
        wanted = _admitted(self._registry_of(newest), highest)
        for seq in range(last_used, newest):
            if _admitted(self._registry_of(seq), highest) == wanted:
                return seq
        return newest

    def _registry_of(self, batch_seq: int) -> CarrierRegistry:
        """Find the carriers at the reference block of an adopted batch."""
        batch = self._desk.store.batch(batch_seq)
        if batch is None:
            expected = f"batch {batch_seq} adopted here"
            raise InvalidProposalError("batches", expected, "none")
        place = self._follower.place_of(batch.report)
        return self._follower.view.registry_at(place)

    def _check_and_sign(self, report: StatementReport) -> bytes:
        period = Period(report.boundary, report.period_start, report.period_end)
        live = self._follower.view.live_statement(period, report.purpose)
        if report.supersedes != (live or NO_STATEMENT):
            expected = (live or NO_STATEMENT).hex()
            raise InvalidProposalError("supersedes", expected, report.supersedes.hex())
        computed = self.compute(period, report.purpose, report.supersedes)
        check_equal(computed.report, report)
        self._keep(computed)
        return self._sign(report)

    def _record(self, computed: ComputedStatement) -> bytes:
        self._keep(computed)
        view, report = self._follower.view, computed.report
        votes = collect_signatures(self._desk, view, "statement-proposal", report)
        self._desk.chain.submit(computed.report, votes)
        self._follower.follow()
        logger.info("recorded statement=%s", computed.statement.hex())
        return computed.statement

    def _keep(self, computed: ComputedStatement) -> None:
        """Persist before the signature."""
        self._desk.store.save_statement(
            computed.statement, computed.report, computed.document
        )

    def _sign(self, report: StatementReport) -> bytes:
        digest = self._desk.chain.report_digest(report)
        return compact_signature(self._desk.key.private, digest)

    def _says_the_same(self, live: bytes, report: StatementReport) -> bool:
        known = self._follower.view.statements[live].report
        return (known.result_digest, known.input_root) == (
            report.result_digest,
            report.input_root,
        )

    def _boundary(self, boundary_id: bytes) -> Boundary:
        found = self._follower.view.boundaries.get(boundary_id)
        if found is None:
            expected = "a boundary that is registered and can be read"
            raise InvalidProposalError("boundary", expected, boundary_id.hex())
        return found[0]

    def _readings(
        self, boundary: Boundary, period: Period, until_batch: int | None
    ) -> list[StoredReading]:
        """Find the readings from the start of the period to its end, edges included."""
        identifiers = sorted({source.identifier for source in boundary.sources})
        used = []
        for identifier in identifiers:
            found = self._desk.inbox.batched(
                [identifier], period.start - MARGIN_S, period.end + MARGIN_S
            )
            if until_batch is not None:
                found = [one for one in found if (one.batch_seq or 0) <= until_batch]
            used.extend(_within(found, period))
        if not used:
            expected = f"anchored readings of {', '.join(identifiers)}"
            raise InvalidProposalError("readings", expected, "none in the period")
        return used


def _check_period(period: Period) -> None:
    """Refuse what is never calculated before its readings are looked for."""
    latest = min(period.start + MAX_PERIOD_S, LAST_MOMENT)
    if not 0 <= period.start < period.end <= latest:
        expected = f"a start before its end and at most {MAX_PERIOD_S} s"
        given = f"{period.start} to {period.end}"
        raise InvalidProposalError("period", expected, given)


def _admitted(registry: CarrierRegistry, highest: Mapping[str, int]) -> list[int]:
    """Give the last seq that counts of each carrier, -1 for none."""
    found = []
    for identifier, seq in highest.items():
        record = registry.by_identifier(identifier)
        cutoff = record.cutoff_seq if record is not None else None
        is_whole = record is not None and record.admits(seq)
        found.append(seq if is_whole else -1 if cutoff is None else cutoff)
    return found


def _within(found: Sequence[StoredReading], period: Period) -> list[StoredReading]:
    """Keep what lies between the nearest readings at or beyond the period's edges."""
    before = [one.ts for one in found if one.ts <= period.start]
    behind = [one.ts for one in found if one.ts >= period.end]
    first = max(before, default=period.start)
    last = min(behind, default=period.end)
    return [one for one in found if first <= one.ts <= last]
