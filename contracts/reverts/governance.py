"""What Mandate, Directory and Rulebook refuse: one class a custom error."""

from contracts.reverts.tree import (
    ConflictError,
    InvalidInputError,
    StaleError,
    revert,
)


@revert(
    "MandateBatchInvalid(uint256 targets, uint256 data, uint256 needed)",
    "expected one datum a target and at most {needed} calls, got {targets} targets "
    "and {data} data",
)
class MandateBatchInvalidError(InvalidInputError):
    """Raised when a batch has not one datum for each target."""


@revert(
    "MandateSelectorMissing(uint256 given, uint256 needed)",
    "expected call data of at least {needed} bytes, got {given}",
)
class MandateSelectorMissingError(InvalidInputError):
    """Raised when call data are too short to name a function."""


@revert(
    "MandateCallRefused(address target, bytes4 selector)",
    "a mandate may not call {selector} of {target}: it gives no instruction for others",
)
class MandateCallRefusedError(InvalidInputError):
    """Raised when a call would authorise instructions of an account."""


@revert(
    "DirectoryNameUnknown(bytes32 name)",
    "the directory has no entry {name}: check the name and the deployment",
)
class DirectoryNameUnknownError(InvalidInputError):
    """Raised when a name without an entry is asked for."""


@revert(
    "DirectoryNotAContract(bytes32 name, address given)",
    "the directory entry {name} needs a contract, got {given} without code",
)
class DirectoryNotAContractError(InvalidInputError):
    """Raised when a name is to point to an address without code."""


@revert(
    "DirectoryCodeMismatch(bytes32 name, bytes32 given, bytes32 needed)",
    "code of digest {given} was decided on for {name}, the contract's is {needed}: "
    "deploy the edition that was decided on, or decide again",
)
class DirectoryCodeMismatchError(ConflictError):
    """Raised when a contract's code is not the one that was decided on."""


@revert(
    "DirectoryVersionUnknown(bytes32 name, uint64 given, uint64 needed)",
    "expected a version of {name} from 1 to {needed}, got {given}",
)
class DirectoryVersionUnknownError(InvalidInputError):
    """Raised when a version is asked for that a name does not have."""


@revert(
    "RulebookNoValue(bytes32 name, uint64 time)",
    "the rulebook has no value of {name} at {time}: the regulator has to set one",
)
class RulebookNoValueError(InvalidInputError):
    """Raised when a rule has no value at a time."""


@revert(
    "RulebookNotAfter(bytes32 name, uint64 given, uint64 needed)",
    "a new value of {name} has to start at {needed} or later, got {given}",
)
class RulebookNotAfterError(StaleError):
    """Raised when a new value does not start after the last one."""


@revert(
    "RulebookValueTooLarge(bytes32 name, int256 given)",
    "expected a value of {name} that fits 192 bits, got {given}",
)
class RulebookValueTooLargeError(InvalidInputError):
    """Raised when a value does not fit its 192 bits."""


@revert(
    "RulebookValueOutOfRange(bytes32 name, int256 given, int256 needed)",
    "expected a value of {name} between 0 and {needed}, got {given}",
)
class RulebookValueOutOfRangeError(InvalidInputError):
    """Raised when a rule of the block trade does not fit the market."""


@revert(
    "RulebookNoCalendar(uint64 time)",
    "the rulebook has no working days of the local year of {time}: the regulator "
    "has to set them",
)
class RulebookNoCalendarError(InvalidInputError):
    """Raised when the calendar of the year of a time is not set."""


@revert(
    "RulebookYearInvalid(uint16 given, uint16 least, uint16 greatest)",
    "expected a year of {least} to {greatest}, got {given}",
)
class RulebookYearInvalidError(InvalidInputError):
    """Raised when a year is outside the calendar."""
