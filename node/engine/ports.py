"""What the node asks of a chain engine, whichever it is.

Everything above this package talks to the chain through ``rpc_url`` (Ethereum
JSON-RPC over HTTP) and to nothing else of an engine than these few members.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

EngineState = Literal["stopped", "starting", "ready", "recovering", "failed"]


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """One look at an engine."""

    state: EngineState
    """``ready`` means calls are answered and transactions accepted."""

    height: int | None
    """Number of the newest block, if known."""

    pending: int | None
    """Accepted transactions that wait for a block, if the engine knows."""

    message: str
    """One sentence for the operator."""


class Clock(Protocol):
    """The time that the next block will carry."""

    def now(self) -> int:
        """Return the chain's present time in unix seconds."""
        ...


class ChainEngine(Protocol):
    """A chain that can be started, asked and stopped."""

    @property
    def rpc_url(self) -> str:
        """HTTP address of the JSON-RPC service."""
        ...

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        ...

    @property
    def clock(self) -> Clock:
        """The chain's clock."""
        ...

    def start(self) -> None:
        """Bring the engine up; return when it answers.

        Raises:
            UnavailableEngineError: If it cannot be reached or started.
            ConflictJournalError: If its records contradict each other.
            InvalidConfigError: If it is another chain than configured.
        """
        ...

    def stop(self) -> None:
        """Stop what ``start`` began; a second call does nothing."""
        ...

    def health(self) -> EngineHealth:
        """Report the engine's state; never raises."""
        ...
