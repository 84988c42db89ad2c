"""What the API says of quota, money and trades."""

from node.api.models import FactModel, Hex, Model


class HoldingModel(Model):
    """What an account holds of a vintage."""

    account: str
    vintage: int
    tonnes: int


class SupplyModel(Model):
    """Where the quota of a vintage is."""

    vintage: int
    issued_tonnes: int
    held_tonnes: int
    surrendered_tonnes: int
    cancelled_tonnes: int


class QuotaOperationModel(FactModel):
    """An issue, allocation, surrender or cancellation."""

    operation: str
    account: str
    receiver: str | None
    vintage: int
    tonnes: int
    reference: Hex


class CashModel(Model):
    """An account's money."""

    account: str
    fen: int


class PayoutModel(FactModel):
    """A payout; without a bank reference it waits for the bank."""

    payout: Hex
    account: str
    fen: int
    destination: Hex
    bank_reference: Hex | None


class TradeModel(FactModel):
    """A block trade."""

    trade_id: Hex
    seller: str
    buyer: str
    vintage: int
    tonnes: int
    price_fen: int


class PriceModel(Model):
    """Reference price of a vintage, and whether it is halted."""

    vintage: int
    price_fen: int
    is_halted: bool
