"""Carbon-efficiency certificates: graded by every member, then issued.

L = emission / value added of one firm; the benchmark is the plain mean of L over all
firms of the industry with a confirmed statement of the same period and a declared
value added, as the chain has them in the block to which a quorum has followed when it
signs. Rules kept: only confirmed statements with indirect emissions count; a member
signs only the report that it computes itself from chain and own statements. Which
firms were in is in the benchmark's digest, which is in the certificate: a member that
sees one firm more or less refuses by name of that field, and the proposal is computed
anew and asked again. A firm that is confirmed later does not change a certificate.
"""

import logging
from datetime import UTC, datetime
from fractions import Fraction

import cbor2

from accounting.canonical import parse_canonical_json
from accounting.efficiency_code import Benchmark, Efficiency, assess, level, load_rules
from accounting.errors import AccountingError
from contracts.enumerations import Purpose, StatementStatus
from contracts.typed_data import CodeReport, compact_signature, struct_hash
from oracle.errors import InvalidProposalError, UnavailableQuorumError
from oracle.member.collect import collect_signatures
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.statements import ATTEMPTS, Statements
from oracle.member.states import check_equal, decode_report
from oracle.member.view import Period, StatementState

logger = logging.getLogger(__name__)

VALIDITY_S = 366 * 86_400
"""How long a certificate holds behind the end of its period. [s]"""
FEN_PER_WAN_YUAN = 1_000_000
GRAMS_PER_TONNE = 1_000_000
MICRO = 1_000_000
WHOLE_BPS = 10_000


class Codes:
    """Computes, signs and proposes certificates.

    Args:
        desk: The member's key and ports.
        follower: View of the chain.
        statements: The member's statements.
    """

    def __init__(self, desk: Desk, follower: Follower, statements: Statements) -> None:
        self._desk = desk
        self._follower = follower
        self._statements = statements
        self._rules = load_rules()

    def propose(self, statement: bytes) -> int:
        """Grade a confirmed statement, have a quorum sign it, and issue the code.

        Args:
            statement: Id of the statement, 32 bytes.

        Returns:
            Token of the certificate; the live one if there is one.

        Raises:
            InvalidProposalError: No grade can be given; says why.
            UnavailableQuorumError: Too few members computed the same.
            ContractsError: The contract refuses, or the chain does not answer.
        """
        for attempt in range(1, ATTEMPTS + 1):
            self._follower.follow()
            if token := self._follower.view.codes.get(statement):
                return token
            try:
                return self._issue(self.compute(statement))
            except UnavailableQuorumError as exc:
                logger.info("code attempt=%s: %s", attempt, exc)
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
            report = decode_report(CodeReport, body)
            self._follower.follow()
            check_equal(self.compute(report.statement), report)
        except InvalidProposalError as exc:
            return cbor2.dumps({"refused": str(exc)})
        digest = self._desk.chain.report_digest(report)
        return cbor2.dumps({"vote": compact_signature(self._desk.key.private, digest)})

    def compute(self, statement: bytes) -> CodeReport:
        """Grade a confirmed statement.

        Args:
            statement: Id of the statement, 32 bytes.

        Returns:
            The report.

        Raises:
            InvalidProposalError: The statement does not serve, or there is no grade.
        """
        state = self._confirmed(statement)
        try:
            benchmark = self._benchmark(state)
            found = self._assess(state, benchmark)
        except AccountingError as exc:
            raise InvalidProposalError(
                "grade", "one that can be given", str(exc)
            ) from exc
        if found.grade is None or found.level is None or found.ratio is None:
            raise InvalidProposalError("grade", "one that can be given", found.reason)
        shares = self._shares(statement)
        return CodeReport(
            statement=statement,
            grade=found.grade,
            level_micro=_rounded(found.level * MICRO),
            ratio_micro=_rounded(found.ratio * MICRO),
            benchmark_digest=benchmark.digest,
            coverage_bps=_bps(shares["coverage"]),
            attested_bps=_bps(shares["attested"]),
            expires=state.report.period_end + VALIDITY_S,
        )

    def _issue(self, report: CodeReport) -> int:
        """Have a quorum sign a report, and carry it to the chain."""
        view, name = self._follower.view, report.statement.hex()
        votes = collect_signatures(self._desk, view, "code-proposal", report)
        self._desk.chain.submit(report, votes)
        self._follower.follow()
        logger.info("issued code statement=%s grade=%s", name, report.grade)
        return int.from_bytes(struct_hash(report), "big")

    def _confirmed(self, statement: bytes) -> StatementState:
        state = self._follower.view.statements.get(statement)
        if state is None or state.status is not StatementStatus.CONFIRMED:
            given = "none" if state is None else state.status.name.lower()
            raise InvalidProposalError("statement", "a confirmed one", given)
        if state.report.purpose != Purpose.TOTAL_WITH_INDIRECT:
            given = Purpose(state.report.purpose).name.lower()
            raise InvalidProposalError("purpose", "total_with_indirect", given)
        return state

    def _benchmark(self, state: StatementState) -> Benchmark:
        """Gather all firms of the industry that are confirmed for the period."""
        view, own = self._follower.view, state.report
        industry = view.boundaries[own.boundary][0].industry
        levels = []
        for other in view.statements.values():
            report = other.report
            boundary = view.boundaries[report.boundary][0]
            is_peer = (
                other.status is StatementStatus.CONFIRMED
                and report.purpose == own.purpose
                and (report.period_start, report.period_end)
                == (own.period_start, own.period_end)
                and boundary.industry == industry
            )
            found = self._level(other) if is_peer else None
            if found is not None:
                levels.append((boundary.name, found))
        return Benchmark.of(industry, own.period_start, own.period_end, levels)

    def _level(self, state: StatementState) -> Fraction | None:
        return level(_tonnes(state), self._value_added(state), self._rules)

    def _value_added(self, state: StatementState) -> Fraction | None:
        """Return the value added as declared. [10^4 yuan]."""
        report = state.report
        period = Period(report.boundary, report.period_start, report.period_end)
        fen = self._follower.view.value_added_fen.get(period)
        return None if fen is None else Fraction(fen, FEN_PER_WAN_YUAN)

    def _assess(self, state: StatementState, benchmark: Benchmark) -> Efficiency:
        day = datetime.fromtimestamp(state.report.period_end - 1, UTC).date()
        added = self._value_added(state)
        return assess(_tonnes(state), added, benchmark, self._rules, day)

    def _shares(self, statement: bytes) -> dict[str, str]:
        """Read the shares of the statement's document, computing it where needed."""
        stored = self._desk.store.statement(statement)
        document = (
            stored[1] if stored else self._statements.recorded(statement).document
        )
        try:
            content = parse_canonical_json(document, "statement")
        except AccountingError as exc:
            raise InvalidProposalError("document", "a statement", str(exc)) from exc
        shares: dict[str, str] = content["shares"]
        return shares


def _tonnes(state: StatementState) -> Fraction:
    return Fraction(state.report.grams, GRAMS_PER_TONNE)


def _rounded(value: Fraction) -> int:
    """Round half up; the contract's fields are not negative."""
    if value < 0:
        raise InvalidProposalError("level", "one that is not negative", str(value))
    return int(value + Fraction(1, 2))


def _bps(share: str) -> int:
    """Turn a share into parts of ten thousand, cutting off the rest."""
    return min(WHOLE_BPS, max(0, int(Fraction(share) * WHOLE_BPS)))
