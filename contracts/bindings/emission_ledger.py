"""EmissionLedger: statements by boundary, period and purpose."""

from dataclasses import dataclass
from typing import Annotated

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.enumerations import Purpose, StatementStatus
from contracts.solidity import Address, Bytes32, Int256, Uint8, Uint64
from contracts.structs import (
    Attestation,
    ConfirmStatement,
    Signatures,
    StatementReport,
    SubmitStatement,
    VerifyStatement,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What the ledger knows of a statement."""

    status: Annotated[StatementStatus, "uint8"]
    boundary: Bytes32
    account: Address
    period_start: Uint64
    period_end: Uint64
    purpose: Uint8
    """See ``Purpose``; 0 where there is no statement."""
    grams: Int256
    """CO2 equivalent. [g]"""


@dataclass(frozen=True, slots=True)
class RegisteredBoundary:
    """Whose a boundary is, and what it holds."""

    account: Address
    digest: Bytes32
    """SHA-256 of the content."""


REGISTER_BOUNDARY = Function("registerBoundary", Bytes32, Address, bytes)
RECORD = Function("record", StatementReport, Attestation)
SUBMIT = Function("submit", SubmitStatement, Signatures)
VERIFY = Function("verify", VerifyStatement, Signatures)
CONFIRM = Function("confirm", ConfirmStatement, Signatures)
STATEMENT_OF = Function("statementOf", Bytes32, returns=Statement)
LIVE_STATEMENT = Function(
    "liveStatement", Bytes32, Uint64, Uint64, Uint8, returns=Bytes32
)
BOUNDARY_OF = Function("boundaryOf", Bytes32, returns=RegisteredBoundary)


class EmissionLedger(Contract):
    """Statements: recorded, submitted, verified, confirmed, superseded."""

    def register_boundary(
        self, boundary: bytes, account: str, content: bytes
    ) -> UnsignedCall:
        """Pin a boundary; governed, for the regulator.

        Args:
            boundary: See ``typed_data.boundary_id``.
            account: Whose it is.
            content: Canonical JSON.
        """
        return self._write(REGISTER_BOUNDARY, boundary, account, content)

    def record(self, report: StatementReport, attestation: Attestation) -> UnsignedCall:
        """Record a statement that a quorum recomputed.

        Args:
            report: What the members say.
            attestation: Their signatures.
        """
        return self._write(RECORD, report, attestation)

    def submit(
        self, instruction: SubmitStatement, signatures: Signatures
    ) -> UnsignedCall:
        """Submit a recorded statement, for its owner.

        Args:
            instruction: The statement.
            signatures: Of two representatives.
        """
        return self._write(SUBMIT, instruction, signatures)

    def verify(
        self, instruction: VerifyStatement, signatures: Signatures
    ) -> UnsignedCall:
        """Give an opinion on a submitted statement, for an auditor.

        Args:
            instruction: Statement and opinion.
            signatures: Of two representatives.
        """
        return self._write(VERIFY, instruction, signatures)

    def confirm(
        self, instruction: ConfirmStatement, signatures: Signatures
    ) -> UnsignedCall:
        """Confirm a verified statement, for the regulator.

        Args:
            instruction: The statement.
            signatures: Of two representatives.
        """
        return self._write(CONFIRM, instruction, signatures)

    def statement_of(self, statement: bytes) -> Statement:
        """Read what the ledger knows of a statement.

        Args:
            statement: Its id, 32 bytes.
        """
        found: Statement = self._read(STATEMENT_OF, statement)
        return found

    def live_statement(
        self, boundary: bytes, period_start: int, period_end: int, purpose: Purpose
    ) -> bytes:
        """Read which statement counts; zeros where there is none.

        Args:
            boundary: 32 bytes.
            period_start: Start. [unix s]
            period_end: End, not included. [unix s]
            purpose: For what it is calculated.
        """
        statement: bytes = self._read(
            LIVE_STATEMENT, boundary, period_start, period_end, purpose
        )
        return statement

    def boundary_of(self, boundary: bytes) -> RegisteredBoundary:
        """Read whose a boundary is; account and digest are zeros where it is unknown.

        Args:
            boundary: 32 bytes.
        """
        found: RegisteredBoundary = self._read(BOUNDARY_OF, boundary)
        return found
