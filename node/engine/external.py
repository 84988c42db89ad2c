"""An engine that somebody else runs, known by the address of its RPC service.

Starting it means checking that it answers and is the expected chain; its
durability and its clock are its own.
"""

import httpx

from node.engine.clock import WallClock
from node.engine.ports import EngineHealth
from node.errors import InvalidConfigError, UnavailableEngineError

_TIMEOUT_S = 10.0


class ExternalEngine:
    """A ``ChainEngine`` by URL.

    Args:
        rpc_url: HTTP address of its JSON-RPC service.
        chain_id: The chain that must answer there.
    """

    def __init__(self, rpc_url: str, chain_id: int) -> None:
        self._rpc_url = rpc_url
        self._chain_id = chain_id
        self._clock = WallClock()

    @property
    def rpc_url(self) -> str:
        """HTTP address of the JSON-RPC service."""
        return self._rpc_url

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self._chain_id

    @property
    def clock(self) -> WallClock:
        """The wall clock, which the engine's validators follow."""
        return self._clock

    def start(self) -> None:
        """Check that the right chain answers.

        Raises:
            UnavailableEngineError: If nothing usable answers.
            InvalidConfigError: If it is another chain.
        """
        found = self._ask("eth_chainId")
        if found != self._chain_id:
            raise InvalidConfigError(
                f"the engine at {self._rpc_url} has chain id {found}, expected "
                f"{self._chain_id}; correct the address or the chain id"
            )

    def stop(self) -> None:
        """Leave the engine to whoever runs it."""

    def health(self) -> EngineHealth:
        """Report whether it answers, and its newest block."""
        try:
            height = self._ask("eth_blockNumber")
        except UnavailableEngineError as exc:
            return EngineHealth("recovering", None, None, str(exc))
        return EngineHealth("ready", height, None, "the chain is ready")

    def _ask(self, method: str) -> int:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
        try:
            answer = httpx.post(
                self._rpc_url, json=body, timeout=_TIMEOUT_S, trust_env=False
            )
            return int(answer.json()["result"], 16)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as exc:
            raise UnavailableEngineError(
                f"the chain's engine at {self._rpc_url} does not answer {method} "
                f"({exc!r}); start it, or correct the address"
            ) from exc
