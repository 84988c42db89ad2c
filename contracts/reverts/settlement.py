"""What Quota, Cash and Market refuse: one class a custom error."""

from contracts.reverts.tree import (
    ConflictError,
    InvalidInputError,
    UnavailableError,
    revert,
)


@revert(
    "QuotaAmountZero()",
    "expected at least 1 t of quota, got 0",
)
class QuotaAmountZeroError(InvalidInputError):
    """Raised when an amount is zero."""


@revert(
    "QuotaVintageInvalid(uint16 given)",
    "expected a vintage of 2000 to 2199, got {given}",
)
class QuotaVintageInvalidError(InvalidInputError):
    """Raised when a vintage is not a year of 2000 … 2199."""


@revert(
    "QuotaReceiverInvalid(address account)",
    "account {account} cannot receive quota, expected an open enterprise",
)
class QuotaReceiverInvalidError(InvalidInputError):
    """Raised when quota is allocated to an account that is no open enterprise."""


@revert(
    "QuotaStatementNotConfirmed(bytes32 statement)",
    "statement {statement} is not confirmed, expected a confirmed one",
)
class QuotaStatementNotConfirmedError(InvalidInputError):
    """Raised when a statement that is not confirmed is to be met."""


@revert(
    "QuotaPurposeMismatch(uint8 given, uint8 needed)",
    "the statement has purpose {given}, expected purpose {needed} that creates an "
    "obligation",
)
class QuotaPurposeMismatchError(InvalidInputError):
    """Raised when a statement does not create an obligation."""


@revert(
    "QuotaNotOwner(address given, address needed)",
    "account {given} does not own the statement, expected its owner {needed}",
)
class QuotaNotOwnerError(InvalidInputError):
    """Raised when an account surrenders for the statement of another."""


@revert(
    "QuotaBeyondObligation(uint256 given, uint256 needed)",
    "{given} t would be surrendered in all, due are {needed} t: surrender less",
)
class QuotaBeyondObligationError(InvalidInputError):
    """Raised when more would be surrendered than is due."""


@revert(
    "QuotaNotMarket(address given, address needed)",
    "{given} may not settle quota, expected the market {needed}",
)
class QuotaNotMarketError(ConflictError):
    """Raised when someone else than the market settles."""


@revert(
    "QuotaTransferClosed()",
    "quota moves only by instructions and trades, expected no free transfer and no "
    "approval",
)
class QuotaTransferClosedError(InvalidInputError):
    """Raised on any free transfer or approval: quota moves by the rules only."""


@revert(
    "CashAmountZero()",
    "expected at least 1 fen, got 0",
)
class CashAmountZeroError(InvalidInputError):
    """Raised when an amount is zero."""


@revert(
    "CashReferenceUsed(bytes32 bankReference)",
    "bank reference {bank_reference} was used before, expected a new receipt number",
)
class CashReferenceUsedError(ConflictError):
    """Raised when a bank reference is used a second time."""


@revert(
    "CashReceiverInvalid(address account)",
    "account {account} cannot receive cash, expected one that is known and not closed",
)
class CashReceiverInvalidError(InvalidInputError):
    """Raised when cash is credited to an unknown or closed account."""


@revert(
    "CashInsufficient(address account, uint256 given, uint256 needed)",
    "account {account} holds {given} fen, needed are {needed} fen",
)
class CashInsufficientError(InvalidInputError):
    """Raised when an account holds too little."""


@revert(
    "CashPayoutUnknown(bytes32 payout)",
    "payout {payout} is not pending, expected one that was asked for and not done",
)
class CashPayoutUnknownError(InvalidInputError):
    """Raised when a payout is not pending."""


@revert(
    "CashNotMarket(address given, address needed)",
    "{given} may not settle cash, expected the market {needed}",
)
class CashNotMarketError(ConflictError):
    """Raised when someone else than the market settles."""


@revert(
    "MarketSelfTrade(address account)",
    "account {account} is buyer and seller, expected two different accounts",
)
class MarketSelfTradeError(InvalidInputError):
    """Raised when buyer and seller are one account (rule: no self-trade)."""


@revert(
    "MarketBlockTooSmall(uint128 given, uint128 needed)",
    "a block trade needs {needed} t or more (rule block.min_tonnes), got {given} t",
)
class MarketBlockTooSmallError(InvalidInputError):
    """Raised when a block is too small (rule block.min_tonnes)."""


@revert(
    "MarketPriceOutsideBand(uint128 given, uint128 low, uint128 high)",
    "expected a price of {low} to {high} fen/t (rule block.band_bps), got {given} "
    "fen/t",
)
class MarketPriceOutsideBandError(InvalidInputError):
    """Raised when a price is too far from the reference price."""


@revert(
    "MarketNoReferencePrice(uint16 vintage)",
    "vintage {vintage} has no reference price: the regulator has to set one",
)
class MarketNoReferencePriceError(InvalidInputError):
    """Raised when a vintage has no reference price."""


@revert(
    "MarketVintageInvalid(uint16 given)",
    "expected a vintage of 2000 to 2199, got {given}",
)
class MarketVintageInvalidError(InvalidInputError):
    """Raised when a vintage is not a year of 2000 … 2199."""


@revert(
    "MarketReferencePriceInvalid(uint128 given, uint128 needed)",
    "expected a reference price of 1 to {needed} fen/t, got {given}",
)
class MarketReferencePriceInvalidError(InvalidInputError):
    """Raised when a reference price is zero or too large."""


@revert(
    "MarketSessionClosed(uint24 given, uint24 open, uint24 close)",
    "block trades run from second {open} to {close} of the local day (rules "
    "block.open_s, block.close_s), got {given}: try in the session",
)
class MarketSessionClosedError(UnavailableError):
    """Raised outside the session (rules block.open_s, block.close_s)."""


@revert(
    "MarketNotWorkingDay(uint64 time)",
    "the local day of {time} is no working day of the rulebook, expected one: try "
    "on the next",
)
class MarketNotWorkingDayError(UnavailableError):
    """Raised on a day that is no working day (calendar of the rulebook)."""


@revert(
    "MarketHalted(uint16 vintage)",
    "trading of vintage {vintage} (0 = all) is halted by the regulator, expected it"
    " to run: try later",
)
class MarketHaltedError(UnavailableError):
    """Raised while the market or a vintage is halted (rule."""


@revert(
    "MarketAmountTooLarge(uint256 given)",
    "expected an amount that fits 128 bits, got {given} fen",
)
class MarketAmountTooLargeError(InvalidInputError):
    """Raised when the amount of a trade does not fit its 128 bits."""
