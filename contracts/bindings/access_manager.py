"""AccessManager (OpenZeppelin): who may call which governed function, and how soon.

A holder with an execution delay announces a call with ``schedule``, waits, and then
makes that very call; it lapses a week after it became due.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address, Bytes4, Bytes32, Uint32, Uint48, Uint64

ADMIN_ROLE = 0
"""Changes roles and representatives of others, wires the contracts."""
REGULATOR_ROLE = 1
"""Accounts, rulebook, boundaries, market, members of the oracle."""
IDENTITY_ROLE = 2
"""Carriers."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether an address holds a role."""

    is_member: bool
    execution_delay_s: Uint32
    """[s]"""


GRANT_ROLE = Function("grantRole", Uint64, Address, Uint32)
REVOKE_ROLE = Function("revokeRole", Uint64, Address)
RENOUNCE_ROLE = Function("renounceRole", Uint64, Address)
SET_TARGET_FUNCTION_ROLE = Function(
    "setTargetFunctionRole", Address, tuple[Bytes4, ...], Uint64
)
SET_TARGET_CLOSED = Function("setTargetClosed", Address, bool)
SCHEDULE = Function("schedule", Address, bytes, Uint48)
CANCEL = Function("cancel", Address, Address, bytes, returns=Uint32)
HASH_OPERATION = Function("hashOperation", Address, Address, bytes, returns=Bytes32)
GET_SCHEDULE = Function("getSchedule", Bytes32, returns=Uint48)
EXECUTE = Function("execute", Address, bytes, returns=Uint32)
MULTICALL = Function("multicall", tuple[bytes, ...])
HAS_ROLE = Function("hasRole", Uint64, Address, returns=Membership)
TARGET_FUNCTION_ROLE = Function(
    "getTargetFunctionRole", Address, Bytes4, returns=Uint64
)


class AccessManager(Contract):
    """Roles and the functions they may call."""

    def grant_role(self, role: int, account: str, delay_s: int = 0) -> UnsignedCall:
        """Give a role.

        Args:
            role: The role.
            account: Who gets it.
            delay_s: How long before each call its holder must announce it. [s]
        """
        return self._write(GRANT_ROLE, role, account, delay_s)

    def revoke_role(self, role: int, account: str) -> UnsignedCall:
        """Take a role.

        Args:
            role: The role.
            account: Who loses it.
        """
        return self._write(REVOKE_ROLE, role, account)

    def renounce_role(self, role: int, account: str) -> UnsignedCall:
        """Give up one's own role.

        Args:
            role: The role.
            account: Oneself, as a confirmation.
        """
        return self._write(RENOUNCE_ROLE, role, account)

    def set_target_function_role(
        self, target: str, selectors: Sequence[bytes], role: int
    ) -> UnsignedCall:
        """Say which role may call functions of a contract.

        Args:
            target: The contract.
            selectors: Its functions, 4 bytes each.
            role: The role.
        """
        return self._write(SET_TARGET_FUNCTION_ROLE, target, tuple(selectors), role)

    def set_target_closed(self, target: str, closed: bool) -> UnsignedCall:
        """Close a contract: nobody may call its governed functions any more.

        Args:
            target: The contract.
            closed: Whether it is closed from now on.
        """
        return self._write(SET_TARGET_CLOSED, target, closed)

    def schedule(self, call: UnsignedCall) -> UnsignedCall:
        """Announce a call, to be made as soon as the sender's delay is over.

        Args:
            call: The governed call; the sender must make the same one later.
        """
        return self._write(SCHEDULE, call.to, call.data, 0)

    def cancel(self, caller: str, call: UnsignedCall) -> UnsignedCall:
        """Take back an announced call.

        Args:
            caller: Who announced it.
            call: The call.
        """
        return self._write(CANCEL, caller, call.to, call.data)

    def due_at(self, caller: str, call: UnsignedCall) -> int:
        """Read when an announced call may be made; 0 where none is announced.

        Args:
            caller: Who announced it.
            call: The call.

        Returns:
            Time. [unix s]
        """
        operation = self._read(HASH_OPERATION, caller, call.to, call.data)
        due: int = self._read(GET_SCHEDULE, operation)
        return due

    def execute(self, call: UnsignedCall) -> UnsignedCall:
        """Make a governed call through the manager.

        Args:
            call: The call; its sender must hold the role.
        """
        return self._write(EXECUTE, call.to, call.data)

    def multicall(self, calls: Sequence[UnsignedCall]) -> UnsignedCall:
        """Make several calls of the manager in one transaction.

        Args:
            calls: Calls of this contract.
        """
        return self._write(MULTICALL, tuple(call.data for call in calls))

    def has_role(self, role: int, account: str) -> bool:
        """Tell whether an address holds a role.

        Args:
            role: The role.
            account: The address.
        """
        return self.membership(role, account).is_member

    def membership(self, role: int, account: str) -> Membership:
        """Read whether an address holds a role, and with which delay.

        Args:
            role: The role.
            account: The address.
        """
        found: Membership = self._read(HAS_ROLE, role, account)
        return found

    def target_function_role(self, target: str, selector: bytes) -> int:
        """Read which role may call a function; 0 is the administrator.

        Args:
            target: The contract.
            selector: The function, 4 bytes.
        """
        role: int = self._read(TARGET_FUNCTION_ROLE, target, selector)
        return role
