"""A validator's own APIs beside Ethereum's: who it is, whether it has caught up.

JSON-RPC over HTTP on loopback; answers are taken as avalanchego 1.13.5 gives them.
"""

from typing import Any

import httpx

from node.errors import InvalidCallError, UnavailableEngineError

__all__ = ["ValidatorApi"]

_TIMEOUT_S = 10.0
_CHAINS = ("P", "X", "C")


class ValidatorApi:
    """The APIs of one validator.

    Args:
        base_url: For example ``http://127.0.0.1:9650``.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, service: str, method: str, **params: Any) -> Any:
        """Call a method.

        Args:
            service: Path below ``/ext/``, for example ``info`` or ``bc/P``.
            method: For example ``info.getNodeID``.
            params: Its parameters by name.

        Returns:
            The result.

        Raises:
            UnavailableEngineError: If it does not answer.
            InvalidCallError: If it answers with an error.
        """
        url = f"{self.base_url}/ext/{service}"
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            found = httpx.post(url, json=body, timeout=_TIMEOUT_S, trust_env=False)
            answer = found.json()
        except (httpx.HTTPError, ValueError) as exc:
            raise UnavailableEngineError(
                f"The validator at {self.base_url} does not answer {method} "
                f"({exc!r}); start it, or look into its logs."
            ) from exc
        if answer.get("error"):
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def is_bootstrapped(self) -> bool:
        """Tell whether it has caught up on all chains; never raises."""
        try:
            return all(
                self.ask("info", "info.isBootstrapped", chain=one)["isBootstrapped"]
                for one in _CHAINS
            )
        except (UnavailableEngineError, InvalidCallError):
            return False

    def node_id(self) -> str:
        """Give its node id."""
        return str(self.ask("info", "info.getNodeID")["nodeID"])

    def version(self) -> str:
        """Give the version of its program, ``avalanchego/1.13.5``."""
        return str(self.ask("info", "info.getNodeVersion")["version"])

    def peers(self) -> list[str]:
        """Give the node ids of the validators it is connected with."""
        found = self.ask("info", "info.peers")["peers"]
        return [str(one["nodeID"]) for one in found]
