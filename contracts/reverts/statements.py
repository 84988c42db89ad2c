"""What EmissionLedger and CarbonCodes refuse: one class a custom error."""

from contracts.reverts.tree import (
    ConflictError,
    InvalidInputError,
    StaleError,
    UnavailableError,
    revert,
)


@revert(
    "LedgerBoundaryRegistered(bytes32 boundary)",
    "boundary {boundary} is registered already, expected a new name",
)
class LedgerBoundaryRegisteredError(ConflictError):
    """Raised when a boundary is registered twice."""


@revert(
    "LedgerBoundaryUnknown(bytes32 boundary)",
    "boundary {boundary} is not registered: the regulator has to register it",
)
class LedgerBoundaryUnknownError(InvalidInputError):
    """Raised when a boundary is not registered."""


@revert(
    "LedgerAccountUnknown(address account)",
    "the boundary names account {account}, expected one that was opened",
)
class LedgerAccountUnknownError(InvalidInputError):
    """Raised when a boundary is registered for an unknown account."""


@revert(
    "LedgerBoundaryMismatch(bytes32 given, bytes32 needed)",
    "the report was computed over boundary content {given}, registered is {needed}:"
    " compute it anew",
)
class LedgerBoundaryMismatchError(InvalidInputError):
    """Raised when a report was computed over other content of the boundary."""


@revert(
    "LedgerPeriodInvalid(uint64 periodStart, uint64 periodEnd)",
    "expected a period that ends after its start, got {period_start} to {period_end}",
)
class LedgerPeriodInvalidError(InvalidInputError):
    """Raised when a period is empty."""


@revert(
    "LedgerPurposeUnknown(uint8 given)",
    "expected a purpose of 1 to 4, got {given}",
)
class LedgerPurposeUnknownError(InvalidInputError):
    """Raised when a purpose is not one of 1 … 4."""


@revert(
    "LedgerBatchesInvalid(uint64 firstBatch, uint64 lastBatch, uint64 needed)",
    "the report relies on batches {first_batch} to {last_batch}, anchored are those"
    " below {needed}",
)
class LedgerBatchesInvalidError(UnavailableError):
    """Raised when a report relies on batches that are not anchored, or on none."""


@revert(
    "LedgerSupersedesMismatch(bytes32 given, bytes32 needed)",
    "the report supersedes {given}, the live statement is {needed}: read it and "
    "attest anew",
)
class LedgerSupersedesMismatchError(StaleError):
    """Raised when a report does not supersede exactly the live statement."""


@revert(
    "LedgerAlreadyRecorded(bytes32 statement)",
    "statement {statement} is recorded already, expected a new one",
)
class LedgerAlreadyRecordedError(StaleError):
    """Raised when a statement was recorded before."""


@revert(
    "LedgerStatusMismatch(bytes32 statement, StatementStatus given, StatementStatus"
    " needed)",
    "statement {statement} is {given}, expected it to be {needed}",
)
class LedgerStatusMismatchError(ConflictError):
    """Raised when a statement is not in the state that an instruction needs."""


@revert(
    "LedgerNotOwner(address given, address needed)",
    "account {given} does not own the statement, expected its owner {needed}",
)
class LedgerNotOwnerError(InvalidInputError):
    """Raised when an account submits the statement of another."""


@revert(
    "LedgerOpinionUnknown(uint8 given)",
    "expected opinion 1 (positive), 2 (qualified) or 3 (adverse), got {given}",
)
class LedgerOpinionUnknownError(InvalidInputError):
    """Raised when an opinion is not one of 1 positive, 2 qualified, 3 adverse."""


@revert(
    "CodesStatementNotConfirmed(bytes32 statement)",
    "statement {statement} is not confirmed, expected a confirmed one",
)
class CodesStatementNotConfirmedError(InvalidInputError):
    """Raised when a code is asked for a statement that is not confirmed."""


@revert(
    "CodesPurposeMismatch(uint8 given, uint8 needed)",
    "the statement has purpose {given}, expected purpose {needed}",
)
class CodesPurposeMismatchError(InvalidInputError):
    """Raised when a statement does not serve a code's purpose."""


@revert(
    "CodesAlreadyIssued(bytes32 statement, uint256 tokenId)",
    "statement {statement} has code {token_id} already, expected none",
)
class CodesAlreadyIssuedError(StaleError):
    """Raised when a statement already has a live code."""


@revert(
    "CodesGradeInvalid(uint8 given)",
    "expected a grade of 1 to 5, got {given}",
)
class CodesGradeInvalidError(InvalidInputError):
    """Raised when a grade is not one of 1 … 5."""


@revert(
    "CodesShareInvalid(uint16 given, uint16 needed)",
    "expected a share of at most {needed} hundredths of a percent, got {given}",
)
class CodesShareInvalidError(InvalidInputError):
    """Raised when a share exceeds the whole."""


@revert(
    "CodesExpiryInvalid(uint64 given, uint64 needed)",
    "expected an expiry of {needed} or later, got {given}",
)
class CodesExpiryInvalidError(InvalidInputError):
    """Raised when a code would expire at once."""


@revert(
    "CodesUnknown(uint256 tokenId)",
    "code {token_id} does not exist, expected an issued one",
)
class CodesUnknownError(InvalidInputError):
    """Raised when a code does not exist."""


@revert(
    "CodesRevoked(uint256 tokenId)",
    "code {token_id} was revoked already, expected a live one",
)
class CodesRevokedError(StaleError):
    """Raised when a code was revoked before."""


@revert(
    "CodesLocked()",
    "a carbon-efficiency code stays with its account, expected no transfer and no "
    "approval",
)
class CodesLockedError(InvalidInputError):
    """Raised when someone tries to move a code or to let others move it."""


@revert(
    "CodesNotOwner(address given, address needed)",
    "account {given} does not own the boundary, expected its owner {needed}",
)
class CodesNotOwnerError(InvalidInputError):
    """Raised when an account declares value added for the boundary of another."""


@revert(
    "CodesPeriodInvalid(uint64 periodStart, uint64 periodEnd)",
    "expected a period that ends after its start, got {period_start} to {period_end}",
)
class CodesPeriodInvalidError(InvalidInputError):
    """Raised when a period is empty."""


@revert(
    "CodesOutOfOffice(address successor)",
    "the certificates moved to {successor}: ask that contract",
)
class CodesOutOfOfficeError(StaleError):
    """Raised when a retired contract is to do something."""


@revert(
    "CodesNotComplete(uint64 given)",
    "only {given} certificates of the predecessor are here: finish the upgrade first",
)
class CodesNotCompleteError(ConflictError):
    """Raised when a contract is to act before it took over every code."""


@revert(
    "CodesNothingToAdopt(uint64 total)",
    "all {total} certificates are here, none is left to be taken over",
)
class CodesNothingToAdoptError(StaleError):
    """Raised when every code is taken over already."""


@revert(
    "CodesNotSuccessor(address successor, address predecessor)",
    "{successor} and {predecessor} do not name each other as successor and "
    "predecessor: deploy the edition with the right predecessor, and retire that one",
)
class CodesNotSuccessorError(ConflictError):
    """Raised when two contracts do not name each other."""


@revert(
    "CodesTooMany(uint256 given, uint256 needed)",
    "expected at most {needed} certificates in one step, got {given}",
)
class CodesTooManyError(InvalidInputError):
    """Raised when one step is to take over too many codes."""
