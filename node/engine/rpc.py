"""One JSON-RPC connection to an engine process, blocking and in order.

A transport failure leaves unknown what the engine did, so the connection is not
usable afterwards and nothing is sent twice.
"""

import http.client
import json
from typing import Any

from node.errors import InvalidCallError, UnavailableEngineError


class RpcConnection:
    """Calls to one engine over one kept-alive HTTP connection.

    Args:
        host: Address of the engine.
        port: Its port.
        timeout_s: How long one call may take. [s]
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._http = http.client.HTTPConnection(host, port, timeout=timeout_s)
        self.url = f"http://{host}:{port}"

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call.

        Raises:
            InvalidCallError: If the engine answers with an error.
            UnavailableEngineError: If it does not answer.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            headers = {"content-type": "application/json"}
            self._http.request("POST", "/", json.dumps(body).encode(), headers)
            answer = json.loads(self._http.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as exc:
            self._http.close()
            raise UnavailableEngineError(
                f"the engine at {self.url} did not answer {method} ({exc!r}); "
                "it is restarted from the journal, so try again shortly"
            ) from exc
        return _result(answer)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def _result(answer: Any) -> Any:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    raise InvalidCallError(error["code"], error["message"], error.get("data"))
