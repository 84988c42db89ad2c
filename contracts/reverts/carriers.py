"""What Carriers refuses: one class a custom error."""

from contracts.reverts.tree import ConflictError, InvalidInputError, StaleError, revert


@revert(
    "CarriersBatchInvalid(uint256 given, uint256 needed)",
    "expected 1 to {needed} registrations in one call, got {given}",
)
class CarriersBatchInvalidError(InvalidInputError):
    """Raised when a call registers nothing or more carriers than the bound."""


@revert(
    "CarriersAlreadyRegistered(bytes32 idHash)",
    "carrier {id_hash} is registered already, expected a new identifier",
)
class CarriersAlreadyRegisteredError(ConflictError):
    """Raised when an identifier is registered twice."""


@revert(
    "CarriersUnknown(bytes32 idHash)",
    "carrier {id_hash} is not registered: check the identifier",
)
class CarriersUnknownError(InvalidInputError):
    """Raised when a carrier is not registered."""


@revert(
    "CarriersOwnerUnknown(bytes32 idHash, address owner)",
    "carrier {id_hash} names the owner {owner}, expected an account that was opened",
)
class CarriersOwnerUnknownError(InvalidInputError):
    """Raised when the owner of a carrier is no known account."""


@revert(
    "CarriersSuiteUnknown(uint8 given)",
    "expected suite 1 (ES256) or 2 (EdDSA), got {given}",
)
class CarriersSuiteUnknownError(InvalidInputError):
    """Raised when a suite is not one that the chain can pin."""


@revert(
    "CarriersKeyInvalid(uint8 suite, uint256 length, uint256 needed)",
    "a key of suite {suite} has {needed} bytes and lies on its curve, got {length} "
    "bytes",
)
class CarriersKeyInvalidError(InvalidInputError):
    """Raised when a public key does not fit its suite."""


@revert(
    "CarriersKidTaken(bytes8 kid, bytes32 idHash)",
    "key id {kid} belongs to carrier {id_hash} already, expected a fresh key",
)
class CarriersKidTakenError(ConflictError):
    """Raised when a key id is already that of a carrier's key."""


@revert(
    "CarriersEpochNotAfter(bytes32 idHash, uint64 given, uint64 needed)",
    "the next key of carrier {id_hash} has to count from {needed} or later, got "
    "{given}",
)
class CarriersEpochNotAfterError(StaleError):
    """Raised when an epoch does not start after the last one."""


@revert(
    "CarriersStatusRefused(bytes32 idHash, CarrierStatus given, CarrierStatus present)",
    "carrier {id_hash} is {present} and cannot become {given}",
)
class CarriersStatusRefusedError(InvalidInputError):
    """Raised when a status may not follow the present one."""


@revert(
    "CarriersCutoffInvalid(bytes32 idHash, uint64 given, uint64 needed)",
    "the cut-off of carrier {id_hash} has to be {needed}, got {given}",
)
class CarriersCutoffInvalidError(InvalidInputError):
    """Raised when the cut-off does not fit the status."""


@revert(
    "CarriersRotationUnsigned(bytes32 idHash, bool isNewKey)",
    "the rotation of carrier {id_hash} lacks a good signature (of the new key: "
    "{is_new_key}), expected one of the old and one of the new key",
)
class CarriersRotationUnsignedError(InvalidInputError):
    """Raised when a rotation is not signed by the old or the new key."""


@revert(
    "CarriersSuiteNotOnChain(uint8 suite)",
    "the chain cannot check signatures of suite {suite}, expected suite 1 (ES256)",
)
class CarriersSuiteNotOnChainError(InvalidInputError):
    """Raised when the chain cannot check a signature of a suite."""
