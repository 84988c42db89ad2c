from dataclasses import replace
from typing import Any

import pytest

from contracts import errors, typed_data
from contracts.enumerations import Opinion, Purpose, StatementStatus
from contracts.events import CodeIssued, StatementRecorded, StatementVerified
from contracts.structs import CodeReport, DeclareValueAdded, SubmitStatement
from contracts.typed_data import struct_hash

EXPIRES = 1_900_000_000


@pytest.fixture
def recorded(park: Any) -> bytes:
    """A statement of Steel that supersedes whatever there was."""
    report = park.statement("Steel", Purpose.ETS_DIRECT, 1_234_567)
    statement: bytes = park.record(report)
    return statement


class TestBoundary:
    def test_is_pinned_by_the_regulator(self, park: Any):
        report = park.statement("Glass", Purpose.PARK, 1)
        found = park.ledger.emissions.boundary_of(report.boundary)
        assert found.account == park.account("Glass")
        assert found.digest == report.boundary_digest

    def test_is_refused_a_second_time(self, park: Any):
        report = park.statement("Glass", Purpose.PARK, 1)
        call = park.ledger.emissions.register_boundary(
            report.boundary, park.account("Glass"), b"{}"
        )
        with pytest.raises(errors.LedgerBoundaryRegisteredError, match="already"):
            park.govern("Regulator", call)

    def test_needs_an_account(self, park: Any):
        call = park.ledger.emissions.register_boundary(
            b"\x01" * 32, park.account("Nobody"), b"{}"
        )
        with pytest.raises(errors.LedgerAccountUnknownError, match="was opened"):
            park.govern("Regulator", call)


class TestRecord:
    def test_takes_what_a_quorum_recomputed(self, park: Any):
        report = park.statement("Steel", Purpose.PRODUCT, -5)
        call = park.ledger.emissions.record(report, park.attest(report))
        receipt = park.send(call)
        statement = struct_hash(report)
        found = park.ledger.emissions.statement_of(statement)
        assert (found.status, found.grams) == (StatementStatus.RECORDED, -5)
        assert found.account == park.account("Steel")
        live = park.ledger.emissions.live_statement(
            report.boundary, report.period_start, report.period_end, Purpose.PRODUCT
        )
        assert live == statement
        (event,) = park.events(receipt)
        assert isinstance(event, StatementRecorded)
        assert (event.report, event.signers) == (report, 0b1101)

    def test_lets_a_restatement_take_the_place(self, park: Any, recorded: bytes):
        again = park.record(park.statement("Steel", Purpose.ETS_DIRECT, 7))
        found = park.ledger.emissions.statement_of(recorded)
        assert found.status == StatementStatus.SUPERSEDED
        status = park.ledger.emissions.statement_of(again).status
        assert status == StatementStatus.RECORDED

    def test_refuses_too_few_members(self, park: Any):
        report = park.statement("Steel", Purpose.ETS_DIRECT, 8)
        call = park.ledger.emissions.record(report, park.attest(report, (0, 2)))
        with pytest.raises(errors.AnchorQuorumMissingError, match="of 3 members"):
            park.send(call)

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"boundary": b"\x09" * 32}, errors.LedgerBoundaryUnknownError),
            ({"boundary_digest": bytes(32)}, errors.LedgerBoundaryMismatchError),
            ({"period_end": 1}, errors.LedgerPeriodInvalidError),
            ({"purpose": 9}, errors.LedgerPurposeUnknownError),
            ({"last_batch": 10**6}, errors.LedgerBatchesInvalidError),
            ({"supersedes": b"\x01" * 32}, errors.LedgerSupersedesMismatchError),
        ],
    )
    def test_refuses_a_report_that_does_not_fit(
        self, park: Any, changed: dict[str, Any], error: type[Exception]
    ):
        report = replace(park.statement("Steel", Purpose.PARK, 9), **changed)
        call = park.ledger.emissions.record(report, park.attest(report))
        with pytest.raises(error, match=r"boundary|expected|batches|supersedes"):
            park.send(call)

    def test_refuses_a_statement_that_is_recorded(self, park: Any):
        report = park.statement("Glass", Purpose.ETS_DIRECT, 3)
        park.record(report)
        call = park.ledger.emissions.record(report, park.attest(report))
        with pytest.raises(errors.LedgerAlreadyRecordedError, match="already"):
            park.send(call)


class TestSteps:
    def test_lead_from_recorded_to_confirmed(self, park: Any, recorded: bytes):
        emissions = park.ledger.emissions
        park.submit("Steel", recorded)
        assert emissions.statement_of(recorded).status == StatementStatus.SUBMITTED
        park.verify(recorded, Opinion.QUALIFIED)
        assert emissions.statement_of(recorded).status == StatementStatus.VERIFIED
        park.confirm(recorded)
        assert emissions.statement_of(recorded).status == StatementStatus.CONFIRMED

    def test_do_not_let_another_enterprise_submit(self, park: Any, recorded: bytes):
        with pytest.raises(errors.LedgerNotOwnerError, match="expected its owner"):
            park.submit("Glass", recorded)

    def test_do_not_let_the_owner_verify(self, park: Any, recorded: bytes):
        park.submit("Steel", recorded)
        with pytest.raises(errors.AccountsKindMismatchError, match="kind verifier"):
            park.verify(recorded, Opinion.POSITIVE, "Steel")

    def test_do_not_skip_the_auditor(self, park: Any, recorded: bytes):
        park.submit("Steel", recorded)
        with pytest.raises(errors.LedgerStatusMismatchError, match="to be verified"):
            park.confirm(recorded)

    def test_do_not_verify_on_an_adverse_opinion(self, park: Any, recorded: bytes):
        park.submit("Steel", recorded)
        receipt = park.verify(recorded, Opinion.ADVERSE)
        found = park.ledger.emissions.statement_of(recorded)
        assert found.status == StatementStatus.SUBMITTED
        event = next(
            e for e in park.events(receipt) if isinstance(e, StatementVerified)
        )
        assert event.opinion is Opinion.ADVERSE

    def test_do_not_know_other_opinions(self, park: Any, recorded: bytes):
        park.submit("Steel", recorded)
        with pytest.raises(errors.LedgerOpinionUnknownError, match="got 4"):
            park.verify(recorded, 4)

    def test_do_not_let_the_bank_confirm(self, park: Any, recorded: bytes):
        park.submit("Steel", recorded)
        park.verify(recorded, Opinion.POSITIVE)
        with pytest.raises(errors.AccountsKindMismatchError, match="kind regulator"):
            park.confirm(recorded, "Bank")

    def test_need_both_signatures(self, park: Any, recorded: bytes):
        instruction, good = park.order("Steel", SubmitStatement, recorded)
        broken = replace(good, approver=bytes(64))
        with pytest.raises(errors.AccountsSignatureInvalidError, match="right 2"):
            park.send(park.ledger.emissions.submit(instruction, broken))


@pytest.mark.usefixtures("recorded")
class TestValueAdded:
    def declare(self, park: Any, name: str, start: int = 1_640_966_400) -> None:
        boundary = typed_data.boundary_id("Steel")
        order = park.order(
            name,
            DeclareValueAdded,
            boundary,
            start,
            1_648_742_400,
            123_456_789_00,
            b"\x07" * 32,
        )
        park.send(park.ledger.codes.declare_value_added(*order))

    def test_is_declared_by_the_owner(self, park: Any):
        before = park.nonce("Steel")
        self.declare(park, "Steel")
        assert park.nonce("Steel") == before + 1

    def test_is_refused_from_another(self, park: Any):
        with pytest.raises(errors.CodesNotOwnerError, match="its owner"):
            self.declare(park, "Glass")

    def test_needs_a_period(self, park: Any):
        with pytest.raises(errors.CodesPeriodInvalidError, match="ends after"):
            self.declare(park, "Steel", 1_648_742_400)


@pytest.fixture
def total(park: Any) -> bytes:
    """A confirmed statement of the purpose that codes need."""
    number = park.nonce("Steel")
    statement: bytes = park.confirmed("Steel", Purpose.TOTAL_WITH_INDIRECT, number)
    return statement


class TestCodes:
    def report(self, confirmed: bytes, **changed: Any) -> CodeReport:
        report = CodeReport(
            confirmed, 2, 1_500_000, 900_000, b"\x08" * 32, 9_900, 9_800, EXPIRES
        )
        return replace(report, **changed)

    def issue(self, park: Any, report: CodeReport) -> Any:
        return park.send(park.ledger.codes.issue(report, park.attest(report)))

    def test_are_issued_for_a_confirmed_statement(self, park: Any, total: bytes):
        report = self.report(total)
        receipt = self.issue(park, report)
        event = next(e for e in park.events(receipt) if isinstance(e, CodeIssued))
        assert event.report == report
        codes, token = park.ledger.codes, event.token_id
        assert codes.live_code(total) == token
        assert codes.is_valid(token)
        assert codes.locked(token)
        assert codes.owner_of(token) == park.account("Steel")
        code = codes.code_of(token)
        assert (code.statement, code.grade, code.revoked) == (total, 2, False)

    def test_are_issued_once(self, park: Any, total: bytes):
        self.issue(park, self.report(total))
        with pytest.raises(errors.CodesAlreadyIssuedError, match="already"):
            self.issue(park, self.report(total, grade=3))

    def test_are_revoked_by_the_regulator(self, park: Any, total: bytes):
        codes = park.ledger.codes
        self.issue(park, self.report(total))
        token = codes.live_code(total)
        park.govern("Regulator", codes.revoke(token, b"\x01" * 32))
        assert not codes.is_valid(token)
        with pytest.raises(errors.CodesRevokedError, match="revoked already"):
            park.govern("Regulator", codes.revoke(token, b"\x01" * 32))

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"statement": b"\x01" * 32}, errors.CodesStatementNotConfirmedError),
            ({"grade": 6}, errors.CodesGradeInvalidError),
            ({"coverage_bps": 10_001}, errors.CodesShareInvalidError),
            ({"expires": 1}, errors.CodesExpiryInvalidError),
        ],
    )
    def test_are_refused_where_they_do_not_fit(
        self, park: Any, total: bytes, changed: dict[str, Any], error: type[Exception]
    ):
        with pytest.raises(error, match="expected"):
            self.issue(park, self.report(total, **changed))

    def test_are_refused_for_another_purpose(self, park: Any):
        statement = park.confirmed("Glass", Purpose.ETS_DIRECT, 10**9)
        with pytest.raises(errors.CodesPurposeMismatchError, match="has purpose 1"):
            self.issue(park, self.report(statement))

    def test_are_refused_without_a_quorum(self, park: Any, total: bytes):
        report = self.report(total)
        call = park.ledger.codes.issue(report, park.attest(report, (0, 1)))
        with pytest.raises(errors.AnchorQuorumMissingError, match="of 3 members"):
            park.send(call)

    def test_that_do_not_exist_are_unknown(self, park: Any):
        with pytest.raises(errors.CodesUnknownError, match="code 77 does not exist"):
            park.ledger.codes.code_of(77)
