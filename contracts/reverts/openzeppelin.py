"""What OpenZeppelin's contracts refuse: one class a custom error."""

from contracts.reverts.tree import (
    ConflictError,
    InvalidInputError,
    StaleError,
    UnavailableError,
    revert,
)


@revert(
    "AccessManagerAlreadyScheduled(bytes32 operationId)",
    "operation {operation_id} is scheduled already, expected a new one",
)
class AccessManagerAlreadyScheduledError(StaleError):
    """Raised when a governed operation is scheduled twice."""


@revert(
    "AccessManagerNotScheduled(bytes32 operationId)",
    "operation {operation_id} is not scheduled, expected it to be scheduled first",
)
class AccessManagerNotScheduledError(InvalidInputError):
    """Raised when a delayed operation was never scheduled."""


@revert(
    "AccessManagerNotReady(bytes32 operationId)",
    "operation {operation_id} is not ready, expected its delay to have passed: try "
    "later",
)
class AccessManagerNotReadyError(UnavailableError):
    """Raised when the delay of an operation has not passed."""


@revert(
    "AccessManagerExpired(bytes32 operationId)",
    "operation {operation_id} has expired, expected it to be scheduled anew",
)
class AccessManagerExpiredError(StaleError):
    """Raised when a scheduled operation came too late."""


@revert(
    "AccessManagerLockedRole(uint64 roleId)",
    "role {role_id} is locked, expected one that may be changed",
)
class AccessManagerLockedRoleError(InvalidInputError):
    """Raised when a locked role is to be changed."""


@revert(
    "AccessManagerLockedFunction(bytes4 selector)",
    "function {selector} is locked, expected one that may be changed",
)
class AccessManagerLockedFunctionError(InvalidInputError):
    """Raised when a locked function is to be changed."""


@revert(
    "AccessManagerBadConfirmation()",
    "a role is renounced by its holder alone, expected the holder's own address",
)
class AccessManagerBadConfirmationError(InvalidInputError):
    """Raised when somebody renounces the role of another."""


@revert(
    "AccessManagerUnauthorizedAccount(address msgsender, uint64 roleId)",
    "{msgsender} lacks role {role_id}, expected an institution that holds it",
)
class AccessManagerUnauthorizedAccountError(ConflictError):
    """Raised when a caller lacks the role it needs."""


@revert(
    "AccessManagerUnauthorizedCall(address caller, address target, bytes4 selector)",
    "{caller} may not call {selector} of {target}, expected an institution with its"
    " role",
)
class AccessManagerUnauthorizedCallError(ConflictError):
    """Raised when a caller may not call a governed function."""


@revert(
    "AccessManagerUnauthorizedConsume(address target)",
    "{target} may not consume a scheduled operation, expected the contract it is for",
)
class AccessManagerUnauthorizedConsumeError(ConflictError):
    """Raised when a contract consumes the operation of another."""


@revert(
    "AccessManagerUnauthorizedCancel(address msgsender, address caller, address "
    "target, bytes4 selector)",
    "{msgsender} may not cancel the call of {selector} of {target} by {caller}, "
    "expected its maker or a guardian",
)
class AccessManagerUnauthorizedCancelError(ConflictError):
    """Raised when a caller may not cancel an operation."""


@revert(
    "AccessManagerInvalidInitialAdmin(address initialAdmin)",
    "{initial_admin} cannot be the first administrator, expected an address",
)
class AccessManagerInvalidInitialAdminError(InvalidInputError):
    """Raised when governance starts without an administrator."""


@revert(
    "AccessManagedUnauthorized(address caller)",
    "{caller} has no right to this function, expected an institution with its role",
)
class AccessManagedUnauthorizedError(ConflictError):
    """Raised when a caller may not call a governed function."""


@revert(
    "AccessManagedRequiredDelay(address caller, uint32 delay)",
    "{caller} has to schedule this call, expected a delay of {delay} s",
)
class AccessManagedRequiredDelayError(UnavailableError):
    """Raised when a governed call has to be scheduled first."""


@revert(
    "AccessManagedInvalidAuthority(address authority)",
    "{authority} cannot be the authority, expected a contract",
)
class AccessManagedInvalidAuthorityError(InvalidInputError):
    """Raised when the new authority is no contract."""


@revert(
    "ERC721InvalidOwner(address owner)",
    "{owner} cannot own a code, expected an account",
)
class ERC721InvalidOwnerError(InvalidInputError):
    """Raised when an address can own no token."""


@revert(
    "ERC721NonexistentToken(uint256 tokenId)",
    "code {token_id} does not exist, expected an issued one",
)
class ERC721NonexistentTokenError(InvalidInputError):
    """Raised when a token does not exist."""


@revert(
    "ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)",
    "{sender} does not own code {token_id}, expected its owner {owner}",
)
class ERC721IncorrectOwnerError(InvalidInputError):
    """Raised when the sender does not own the token."""


@revert(
    "ERC721InvalidSender(address sender)",
    "{sender} cannot send a code, expected an account",
)
class ERC721InvalidSenderError(InvalidInputError):
    """Raised when an address can send no token."""


@revert(
    "ERC721InvalidReceiver(address receiver)",
    "{receiver} cannot receive a code, expected an account",
)
class ERC721InvalidReceiverError(InvalidInputError):
    """Raised when an address can receive no token."""


@revert(
    "ERC721InsufficientApproval(address operator, uint256 tokenId)",
    "{operator} has no approval for code {token_id}, expected its owner",
)
class ERC721InsufficientApprovalError(InvalidInputError):
    """Raised when an operator has no approval."""


@revert(
    "ERC721InvalidApprover(address approver)",
    "{approver} cannot approve, expected the owner",
)
class ERC721InvalidApproverError(InvalidInputError):
    """Raised when an address can approve nothing."""


@revert(
    "ERC721InvalidOperator(address operator)",
    "{operator} cannot be approved, expected another address",
)
class ERC721InvalidOperatorError(InvalidInputError):
    """Raised when an address can be no operator."""


@revert(
    "ERC1155InsufficientBalance(address sender, uint256 balance, uint256 needed, "
    "uint256 tokenId)",
    "{sender} holds {balance} t of vintage {token_id}, needed are {needed} t",
)
class ERC1155InsufficientBalanceError(InvalidInputError):
    """Raised when a balance is too small."""


@revert(
    "ERC1155InvalidSender(address sender)",
    "{sender} cannot send quota, expected an account",
)
class ERC1155InvalidSenderError(InvalidInputError):
    """Raised when an address can send no token."""


@revert(
    "ERC1155InvalidReceiver(address receiver)",
    "{receiver} cannot receive quota, expected an account",
)
class ERC1155InvalidReceiverError(InvalidInputError):
    """Raised when an address can receive no token."""


@revert(
    "ERC1155MissingApprovalForAll(address operator, address owner)",
    "{operator} has no approval of {owner}, expected the owner",
)
class ERC1155MissingApprovalForAllError(InvalidInputError):
    """Raised when an operator has no approval."""


@revert(
    "ERC1155InvalidApprover(address approver)",
    "{approver} cannot approve, expected the owner",
)
class ERC1155InvalidApproverError(InvalidInputError):
    """Raised when an address can approve nothing."""


@revert(
    "ERC1155InvalidOperator(address operator)",
    "{operator} cannot be approved, expected another address",
)
class ERC1155InvalidOperatorError(InvalidInputError):
    """Raised when an address can be no operator."""


@revert(
    "ERC1155InvalidArrayLength(uint256 idsLength, uint256 valuesLength)",
    "expected one value an id, got {ids_length} ids and {values_length} values",
)
class ERC1155InvalidArrayLengthError(InvalidInputError):
    """Raised when ids and values differ in number."""


@revert(
    "SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)",
    "expected a number that fits {bits} bits, got {value}",
)
class SafeCastOverflowedUintDowncastError(InvalidInputError):
    """Raised when a number is too large for its type."""


@revert(
    "InvalidShortString()",
    "expected a text of at most 31 bytes, got a malformed one",
)
class InvalidShortStringError(InvalidInputError):
    """Raised when a short text is malformed."""


@revert(
    "StringTooLong(string str)",
    "expected a text of at most 31 bytes, got {str}",
)
class StringTooLongError(InvalidInputError):
    """Raised when a short text is too long."""


@revert(
    "AddressEmptyCode(address target)",
    "{target} has no code, expected a contract",
)
class AddressEmptyCodeError(InvalidInputError):
    """Raised when a call goes to an address without code."""


@revert(
    "CloneArgumentsTooLong()",
    "the arguments of a clone are too long, expected fewer",
)
class CloneArgumentsTooLongError(InvalidInputError):
    """Raised when a clone is given too many arguments."""


@revert(
    "FailedDeployment()",
    "the engine could not create a contract, expected it to succeed",
)
class FailedDeploymentError(ConflictError):
    """Raised when a contract cannot be created."""


@revert(
    "FailedCall()",
    "a call inside failed without a reason, expected it to succeed",
)
class FailedCallError(InvalidInputError):
    """Raised when an inner call fails without a reason."""


@revert(
    "InsufficientBalance(uint256 balance, uint256 needed)",
    "the contract holds {balance} wei, needed are {needed} wei",
)
class InsufficientBalanceError(InvalidInputError):
    """Raised when a contract holds too little."""


@revert(
    "Error(string reason)",
    "the contract refused: {reason}",
)
class RequireError(InvalidInputError):
    """Raised when a contract refuses with a text."""


@revert(
    "Panic(uint256 code)",
    "the contract failed with panic code {code}, expected none: this is a fault of "
    "the contract",
)
class PanicError(ConflictError):
    """Raised when a contract meets an impossible state."""
