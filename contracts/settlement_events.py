"""Events of quota, cash and market; import them from ``contracts.events``."""

from dataclasses import dataclass

from contracts.event import (
    Event,
    IndexedAddress,
    IndexedBytes32,
    IndexedUint16,
)
from contracts.solidity import Bytes32, Uint128, Uint256


@dataclass(frozen=True, slots=True)
class QuotaIssued(Event):
    """The regulator issued quota."""

    account: IndexedAddress
    vintage: IndexedUint16
    tonnes: Uint128
    document: Bytes32


@dataclass(frozen=True, slots=True)
class QuotaAllocated(Event):
    """The regulator allocated quota."""

    from_: IndexedAddress
    to: IndexedAddress
    vintage: IndexedUint16
    tonnes: Uint128
    document: Bytes32


@dataclass(frozen=True, slots=True)
class QuotaSurrendered(Event):
    """An enterprise surrendered quota."""

    account: IndexedAddress
    statement: IndexedBytes32
    vintage: IndexedUint16
    tonnes: Uint128


@dataclass(frozen=True, slots=True)
class QuotaCancelled(Event):
    """A holder cancelled quota."""

    account: IndexedAddress
    vintage: IndexedUint16
    tonnes: Uint128
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class QuotaMarketSet(Event):
    """Another market settles quota."""

    market: IndexedAddress


@dataclass(frozen=True, slots=True)
class TransferSingle(Event):
    """Quota moved (ERC-1155); ``id`` is the vintage, ``value`` tonnes."""

    operator: IndexedAddress
    from_: IndexedAddress
    to: IndexedAddress
    id: Uint256
    value: Uint256


@dataclass(frozen=True, slots=True)
class CashCredited(Event):
    """The bank credited an account."""

    account: IndexedAddress
    fen: Uint128
    bank_reference: Bytes32


@dataclass(frozen=True, slots=True)
class PayoutRequested(Event):
    """A holder asked for money."""

    payout: IndexedBytes32
    account: IndexedAddress
    fen: Uint128
    destination: Bytes32


@dataclass(frozen=True, slots=True)
class CashPaidOut(Event):
    """The bank paid out."""

    payout: IndexedBytes32
    account: IndexedAddress
    fen: Uint128
    bank_reference: Bytes32


@dataclass(frozen=True, slots=True)
class CashMoved(Event):
    """Money moved from one account to another."""

    from_: IndexedAddress
    to: IndexedAddress
    fen: Uint128


@dataclass(frozen=True, slots=True)
class CashMarketSet(Event):
    """Another market settles cash."""

    market: IndexedAddress


@dataclass(frozen=True, slots=True)
class BlockTraded(Event):
    """A block trade was settled."""

    seller: IndexedAddress
    buyer: IndexedAddress
    vintage: IndexedUint16
    tonnes: Uint128
    price_fen: Uint128
    """Price. [fen per tonne]"""
    trade_id: Bytes32


@dataclass(frozen=True, slots=True)
class ReferencePriceSet(Event):
    """A vintage has a new reference price."""

    vintage: IndexedUint16
    fen: Uint128
    """Price. [fen per tonne]"""


@dataclass(frozen=True, slots=True)
class Halted(Event):
    """Trading of a vintage (0: all) stops or goes on."""

    vintage: IndexedUint16
    halted: bool
