"""Market: block trades, delivery against payment."""

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Uint16, Uint128
from contracts.structs import BlockTrade, Signatures

TRADE_BLOCK = Function("tradeBlock", BlockTrade, Signatures, Signatures)
SET_REFERENCE_PRICE = Function("setReferencePrice", Uint16, Uint128)
HALT = Function("halt", Uint16, bool)
REFERENCE_PRICE = Function("referencePrice", Uint16, returns=Uint128)
IS_HALTED = Function("isHalted", Uint16, returns=bool)


class Market(Contract):
    """Settles both legs of a trade in one transaction."""

    def trade_block(
        self, trade: BlockTrade, seller: Signatures, buyer: Signatures
    ) -> UnsignedCall:
        """Settle a block trade.

        Args:
            trade: What both sides agreed on.
            seller: Signatures of the seller's representatives.
            buyer: Signatures of the buyer's representatives.
        """
        return self._write(TRADE_BLOCK, trade, seller, buyer)

    def set_reference_price(self, vintage: int, price_fen: int) -> UnsignedCall:
        """Set the middle of a vintage's price band; governed, for the regulator.

        Args:
            vintage: Year.
            price_fen: Price. [fen per tonne]
        """
        return self._write(SET_REFERENCE_PRICE, vintage, price_fen)

    def halt(self, vintage: int, halted: bool) -> UnsignedCall:
        """Halt a vintage or let it run again; governed, for the regulator.

        Args:
            vintage: Year; 0 for the whole market.
            halted: Whether it stops.
        """
        return self._write(HALT, vintage, halted)

    def reference_price(self, vintage: int) -> int:
        """Read a vintage's reference price, 0 where none is set. [fen per tonne].

        Args:
            vintage: Year.
        """
        price_fen: int = self._read(REFERENCE_PRICE, vintage)
        return price_fen

    def is_halted(self, vintage: int) -> bool:
        """Tell whether a vintage is halted.

        Args:
            vintage: Year; 0 for the whole market.
        """
        halted: bool = self._read(IS_HALTED, vintage)
        return halted
