"""Quota: allowances by vintage, whole tonnes."""

from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address, Bytes32, Uint16, Uint128, Uint256
from contracts.structs import (
    AllocateQuota,
    CancelQuota,
    IssueQuota,
    Signatures,
    SurrenderQuota,
)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where the quota of a vintage is; issued = held + surrendered + cancelled."""

    issued: Uint256
    """[t]"""
    held: Uint256
    """[t]"""
    surrendered: Uint256
    """[t]"""
    cancelled: Uint256
    """[t]"""


ISSUE = Function("issue", IssueQuota, Signatures)
ALLOCATE = Function("allocate", AllocateQuota, Signatures)
SURRENDER = Function("surrender", SurrenderQuota, Signatures)
CANCEL = Function("cancel", CancelQuota, Signatures)
SETTLE = Function("settle", Address, Address, Uint16, Uint128)
SET_MARKET = Function("setMarket", Address)
SUPPLY_OF = Function("supplyOf", Uint16, returns=Supply)
SURRENDERED_FOR = Function("surrenderedFor", Bytes32, returns=Uint256)
OBLIGATION_OF = Function("obligationOf", Bytes32, returns=Uint256)
BALANCE_OF = Function("balanceOf", Address, Uint256, returns=Uint256)


class Quota(Contract):
    """Rights to emit a tonne each, by vintage."""

    def issue(self, instruction: IssueQuota, signatures: Signatures) -> UnsignedCall:
        """Issue quota, for the regulator.

        Args:
            instruction: Vintage and tonnes.
            signatures: Of two representatives.
        """
        return self._write(ISSUE, instruction, signatures)

    def allocate(
        self, instruction: AllocateQuota, signatures: Signatures
    ) -> UnsignedCall:
        """Allocate quota to an enterprise, for the regulator.

        Args:
            instruction: Receiver, vintage and tonnes.
            signatures: Of two representatives.
        """
        return self._write(ALLOCATE, instruction, signatures)

    def surrender(
        self, instruction: SurrenderQuota, signatures: Signatures
    ) -> UnsignedCall:
        """Surrender quota against a confirmed statement, for its owner.

        Args:
            instruction: Statement, vintage and tonnes.
            signatures: Of two representatives.
        """
        return self._write(SURRENDER, instruction, signatures)

    def cancel(self, instruction: CancelQuota, signatures: Signatures) -> UnsignedCall:
        """Cancel quota of one's own will.

        Args:
            instruction: Vintage and tonnes.
            signatures: Of two representatives.
        """
        return self._write(CANCEL, instruction, signatures)

    def set_market(self, market: str) -> UnsignedCall:
        """Say which market settles; governed, for the administrator.

        Args:
            market: The contract.
        """
        return self._write(SET_MARKET, market)

    def balance_of(self, account: str, vintage: int) -> int:
        """Read what an account holds. [t].

        Args:
            account: Its id.
            vintage: Year.
        """
        tonnes: int = self._read(BALANCE_OF, account, vintage)
        return tonnes

    def supply_of(self, vintage: int) -> Supply:
        """Read where the quota of a vintage is.

        Args:
            vintage: Year.
        """
        supply: Supply = self._read(SUPPLY_OF, vintage)
        return supply

    def surrendered_for(self, statement: bytes) -> int:
        """Read what was surrendered for a statement. [t].

        Args:
            statement: 32 bytes.
        """
        tonnes: int = self._read(SURRENDERED_FOR, statement)
        return tonnes

    def obligation_of(self, statement: bytes) -> int:
        """Read what is due for a confirmed statement. [t].

        Args:
            statement: 32 bytes.
        """
        tonnes: int = self._read(OBLIGATION_OF, statement)
        return tonnes
