"""What the gate asks of the chain behind it, whichever engine runs it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from node.gate.jsonrpc import Call

if TYPE_CHECKING:  # the embedded engine imports the gate, so not at run time
    from node.engine.transactions import SignedTransaction

__all__ = ["Backend", "ChainDesk"]


class Backend(Protocol):
    """A chain as the gate sees it, once it is decided that a call may pass."""

    def decode(self, raw: bytes) -> "SignedTransaction":
        """Decode a raw transaction and check what needs no chain state.

        Raises:
            InvalidTransactionError: If the chain could never execute it.
        """
        ...

    async def submit(self, transaction: "SignedTransaction") -> None:
        """Hand a transaction over; return when the chain has accepted it.

        Raises:
            NodeError: If it was refused, or nobody answered.
        """
        ...

    async def read(self, call: Call) -> bytes:
        """Return the encoded answer to a reading call.

        Raises:
            NodeError: If nobody answered.
        """
        ...

    async def read_together(self, calls: Sequence[Call]) -> list[bytes]:
        """Return the encoded answers to calls of ``PLAIN_METHODS``, in their order.

        Raises:
            NodeError: If not all of them were answered; they are then asked singly.
        """
        ...

    async def close(self) -> None:
        """Close the connections to the engine."""
        ...


class ChainDesk(Protocol):
    """What the gate asks of the embedded engine."""

    def upstream_url(self) -> str | None:
        """Return the engine's address, or None while it is restored."""
        ...

    def decode(self, raw: bytes) -> "SignedTransaction":
        """Decode a raw transaction and check what needs no chain state."""
        ...

    def waiting(self, digest: bytes) -> "SignedTransaction | None":
        """Return a transaction that is accepted and not yet mined."""
        ...

    def pending_nonce(self, sender: bytes, mined: int) -> int:
        """Return the next free nonce, given the number of mined ones."""
        ...

    async def submit(self, transaction: "SignedTransaction") -> None:
        """Accept a transaction; return when it is on disk."""
        ...
