"""Who may do what at a gate: the caller's rights, and its organisation's.

Rules it keeps:

1. A caller has no right that its entry does not give it.
2. Where a permissions file is in force, a caller has no right that its organisation
   lacks there, and no transaction passes whose sender it does not list.
3. A contract is created by a permitted deployer alone; with a permissions file that is
   a sender listed as one, without it a caller with the right to deploy.

It knows no chain state: what a transaction may do is for the contracts to decide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from node.errors import InvalidAccessError, InvalidCallError, InvalidTransactionError
from node.gate.jsonrpc import METHOD_NOT_FOUND
from node.gate.methods import PASSED_METHODS, SEND_METHOD, why_refused
from node.gate.permissions import Permissions

if TYPE_CHECKING:  # the embedded engine imports the gate, so not at run time
    from node.engine.transactions import SignedTransaction

__all__ = ["RIGHTS", "AccessRules", "Caller", "Right", "local_caller", "no_permissions"]

Right = Literal["read", "send", "deploy"]
RIGHTS: tuple[Right, ...] = ("read", "send", "deploy")
"""What a caller may be allowed to do."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks."""

    name: str
    """Name in the callers file, for the log."""
    rights: frozenset[Right]
    organisation: str | None = None
    """Name in the permissions file; None has no part in it."""
    methods: frozenset[str] | None = None
    """Methods it may call; None is every one that its rights cover."""
    senders: frozenset[bytes] | None = None
    """Senders whose transactions it may bring, 20 bytes each; None is everybody's."""
    requests_per_s: int | None = None
    """Calls it may make in the long run; None is without limit. [1/s]"""
    burst: int = 1
    """Calls it may make at once."""


def local_caller(senders: frozenset[str] | None = None) -> Caller:
    """Give the caller of a gate that only this machine can reach.

    Args:
        senders: Addresses whose transactions it may bring; None is everybody's.
    """
    raw = None if senders is None else frozenset(bytes.fromhex(s[2:]) for s in senders)
    return Caller("local", frozenset(RIGHTS), senders=raw)


def no_permissions() -> Permissions | None:
    """Give the permissions of a gate without a permissions file: none."""
    return None


class AccessRules:
    """Decides whether a caller may make a call.

    Args:
        permissions: Gives the permissions in force, None where there is no file.
    """

    def __init__(
        self, permissions: Callable[[], Permissions | None] = no_permissions
    ) -> None:
        self._permissions = permissions

    def check_method(self, caller: Caller, method: str) -> None:
        """Refuse a method that does not exist here, or not for this caller.

        Raises:
            InvalidCallError: If no caller may use it.
            InvalidAccessError: If this one may not.
        """
        if method == SEND_METHOD:
            needed: Right = "send"
        elif method in PASSED_METHODS:
            needed = "read"
        else:
            raise InvalidCallError(METHOD_NOT_FOUND, why_refused(method))
        if caller.methods is not None and method not in caller.methods:
            raise InvalidAccessError(
                f"caller {caller.name} may not call {method}; ask the gate's operator "
                "to add it to the methods of its entry"
            )
        self._require(caller, needed)

    def check_transaction(
        self, caller: Caller, transaction: "SignedTransaction"
    ) -> None:
        """Refuse a transaction of a sender, or a deployer, that is not permitted.

        Raises:
            InvalidTransactionError: Says who may not send or create what.
        """
        sender, is_creation = transaction.sender, not transaction.to
        if caller.senders is not None and sender not in caller.senders:
            raise _not_permitted(sender, "the node's operator to permit it")
        permissions = self._permissions()
        if permissions is None:
            if is_creation and "deploy" not in caller.rights:
                raise _no_creation(sender, f"caller {caller.name} has no right to it")
            return
        number = f"permissions version {permissions.version}"
        if is_creation:
            if not permissions.may_deploy(sender):
                raise _no_creation(sender, f"it is no deployer of {number}")
        elif not permissions.may_send(sender):
            raise _not_permitted(
                sender, f"the node's operator which organisation has it in {number}"
            )

    def _require(self, caller: Caller, needed: Right) -> None:
        if needed not in caller.rights:
            raise InvalidAccessError(
                f"caller {caller.name} has no right to {needed}; ask the gate's "
                "operator to give it"
            )
        permissions = self._permissions()
        if permissions is None or caller.organisation is None:
            return
        if not permissions.has_right(caller.organisation, needed):
            raise InvalidAccessError(
                f"organisation {caller.organisation} of caller {caller.name} has no "
                f"right to {needed} in permissions version {permissions.version}; the "
                "organisations decide on it together"
            )


def _not_permitted(sender: bytes, ask: str) -> InvalidTransactionError:
    return InvalidTransactionError(
        f"sender 0x{sender.hex()} may not send transactions here; ask {ask}"
    )


def _no_creation(sender: bytes, why: str) -> InvalidTransactionError:
    return InvalidTransactionError(
        f"sender 0x{sender.hex()} may not create contracts here: {why}; contracts come "
        "by governance, through a permitted deployer"
    )
