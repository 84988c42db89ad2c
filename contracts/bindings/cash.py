"""Cash: money at the settlement bank, in fen."""

from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address, Bytes32, Uint128, Uint256
from contracts.structs import (
    CreditReceipt,
    PayoutReceipt,
    PayoutRequest,
    Signatures,
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums since the beginning; credited - paid out = balances + pending."""

    credited: Uint256
    """[fen]"""
    paid_out: Uint256
    """[fen]"""
    pending: Uint256
    """[fen]"""


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout that the bank has not made yet."""

    account: Address
    fen: Uint128
    """[fen]"""


CREDIT = Function("credit", CreditReceipt, Signatures)
REQUEST_PAYOUT = Function("requestPayout", PayoutRequest, Signatures)
PAY_OUT = Function("payOut", PayoutReceipt, Signatures)
SETTLE = Function("settle", Address, Address, Uint128)
SET_MARKET = Function("setMarket", Address)
BALANCE_OF = Function("balanceOf", Address, returns=Uint256)
PAYOUT_OF = Function("payoutOf", Bytes32, returns=Payout)
TOTALS = Function("totals", returns=Totals)


class Cash(Contract):
    """Balances that arise and end by receipts of the bank."""

    def credit(
        self, instruction: CreditReceipt, signatures: Signatures
    ) -> UnsignedCall:
        """Credit an account, for the bank.

        Args:
            instruction: Receiver, amount and the bank's reference.
            signatures: Of two representatives.
        """
        return self._write(CREDIT, instruction, signatures)

    def request_payout(
        self, instruction: PayoutRequest, signatures: Signatures
    ) -> UnsignedCall:
        """Ask for money to be paid out.

        Args:
            instruction: Amount and destination.
            signatures: Of two representatives.
        """
        return self._write(REQUEST_PAYOUT, instruction, signatures)

    def pay_out(
        self, instruction: PayoutReceipt, signatures: Signatures
    ) -> UnsignedCall:
        """Say that a payout was made, for the bank.

        Args:
            instruction: The payout and the bank's reference.
            signatures: Of two representatives.
        """
        return self._write(PAY_OUT, instruction, signatures)

    def set_market(self, market: str) -> UnsignedCall:
        """Say which market settles; governed, for the administrator.

        Args:
            market: The contract.
        """
        return self._write(SET_MARKET, market)

    def balance_of(self, account: str) -> int:
        """Read an account's balance. [fen].

        Args:
            account: Its id.
        """
        fen: int = self._read(BALANCE_OF, account)
        return fen

    def payout_of(self, payout: bytes) -> Payout:
        """Read a pending payout; account and amount are zero where none is pending.

        Args:
            payout: Digest of the request, 32 bytes.
        """
        found: Payout = self._read(PAYOUT_OF, payout)
        return found

    def totals(self) -> Totals:
        """Read the sums since the beginning."""
        totals: Totals = self._read(TOTALS)
        return totals
