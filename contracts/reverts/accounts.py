"""What Accounts refuses: one class a custom error."""

from contracts.reverts.tree import ConflictError, InvalidInputError, StaleError, revert


@revert(
    "AccountsNameMismatch(address given, address needed)",
    "the account of that name is {needed}, got {given}: derive the id from the "
    "registered name",
)
class AccountsNameMismatchError(InvalidInputError):
    """Raised when an account id does not follow from its name."""


@revert(
    "AccountsAlreadyOpened(address account)",
    "account {account} is open already, expected a name that is not registered",
)
class AccountsAlreadyOpenedError(ConflictError):
    """Raised when an account is opened twice."""


@revert(
    "AccountsUnknown(address account)",
    "account {account} was never opened: check the name it was derived from",
)
class AccountsUnknownError(InvalidInputError):
    """Raised when an account id was never opened."""


@revert(
    "AccountsKindMismatch(address account, Kind given, Kind needed)",
    "account {account} is of kind {given}, expected kind {needed}: another "
    "institution gives this instruction",
)
class AccountsKindMismatchError(InvalidInputError):
    """Raised when an account is not of the kind that may give the instruction."""


@revert(
    "AccountsStatusMismatch(address account, AccountStatus given, AccountStatus "
    "needed)",
    "account {account} is {given}, expected it to be {needed}: ask the regulator",
)
class AccountsStatusMismatchError(ConflictError):
    """Raised when an account that is not open gives an instruction."""


@revert(
    "AccountsStatusRefused(address account, AccountStatus given, AccountStatus "
    "present)",
    "account {account} is {present} and cannot become {given}",
)
class AccountsStatusRefusedError(InvalidInputError):
    """Raised when a status may not follow the present one."""


@revert(
    "AccountsNonceMismatch(address account, uint64 given, uint64 needed)",
    "account {account} expects instruction nonce {needed}, got {given}: build and "
    "sign the instruction anew",
)
class AccountsNonceMismatchError(StaleError):
    """Raised when an instruction does not carry the account's next nonce."""


@revert(
    "AccountsDeadlinePassed(uint64 deadline, uint64 given)",
    "the instruction was valid until {deadline}, the block came at {given}: build "
    "and sign it anew",
)
class AccountsDeadlinePassedError(StaleError):
    """Raised when an instruction arrives after its deadline."""


@revert(
    "AccountsNotAuthoriser(address given)",
    "{given} is no authoriser of the accounts, expected a contract of this ledger",
)
class AccountsNotAuthoriserError(ConflictError):
    """Raised when a contract that is no authoriser asks for an authorisation."""


@revert(
    "AccountsSignatureInvalid(address account, uint8 needed)",
    "a signature for account {account} is malformed, expected one with right "
    "{needed} (1 initiate, 2 approve) and low s",
)
class AccountsSignatureInvalidError(InvalidInputError):
    """Raised when a signature is malformed, has a high s or recovers to no key."""


@revert(
    "AccountsRightMissing(address account, address key, uint8 given, uint8 needed)",
    "key {key} has rights {given} at account {account}, expected right {needed} (1 "
    "initiate, 2 approve) under exactly this instruction",
)
class AccountsRightMissingError(InvalidInputError):
    """Raised when the key that signed lacks the right."""


@revert(
    "AccountsSignersEqual(address account, address key)",
    "key {key} signed twice for account {account}, expected two different "
    "representatives",
)
class AccountsSignersEqualError(InvalidInputError):
    """Raised when one representative signed twice."""


@revert(
    "AccountsTooFewRepresentatives(address account, uint16 representatives, uint16 "
    "initiators, uint16 approvers)",
    "account {account} would keep {representatives} representatives ({initiators} "
    "to initiate, {approvers} to approve), expected two persons of whom one "
    "initiates and another approves",
)
class AccountsTooFewRepresentativesError(InvalidInputError):
    """Raised when two distinct representatives."""


@revert(
    "AccountsTooManyRepresentatives(uint256 given, uint256 needed)",
    "expected at most {needed} representatives, got {given}",
)
class AccountsTooManyRepresentativesError(InvalidInputError):
    """Raised when a list of representatives is longer than the bound."""


@revert(
    "AccountsRightsInvalid(uint8 given)",
    "expected rights 1 (initiate), 2 (approve) or 3 (both), got {given}",
)
class AccountsRightsInvalidError(InvalidInputError):
    """Raised when rights are no combination of initiate (1) and approve (2)."""


@revert(
    "AccountsKeyInvalid(address account, address key)",
    "account {account} got the representative {key}, expected each key once and "
    "none zero",
)
class AccountsKeyInvalidError(InvalidInputError):
    """Raised when a representative is the zero key or is listed twice."""


@revert(
    "AccountsRepresentsAnother(address key, address account)",
    "key {key} cannot represent account {account}: a verifier's representative "
    "represents nobody else",
)
class AccountsRepresentsAnotherError(InvalidInputError):
    """Raised when a verifier's representative would represent another account too."""
