"""One JSON-RPC connection to an engine process, blocking and in order.

Speaks just enough HTTP/1.1 for one kept-alive loopback connection. One call at a
time: the engine does not keep the order of a JSON-RPC batch, and answers pipelined
requests slowly. A transport failure leaves unknown what the engine did, so nothing
is ever sent twice.
"""

import json
import socket
from collections.abc import Sequence
from typing import Any, BinaryIO

from node.errors import InvalidCallError, UnavailableEngineError


class RpcConnection:
    """Calls to one engine.

    Args:
        host: Address of the engine.
        port: Its port.
        timeout_s: How long one call may take. [s]
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._answers: BinaryIO | None = None
        self.url = f"http://{host}:{port}"

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call.

        Raises:
            InvalidCallError: If the engine answers with an error.
            UnavailableEngineError: If it does not answer.
        """
        try:
            outgoing, answers = self._connect()
            outgoing.sendall(self._request(method, params))
            answer = json.loads(_read_body(answers))
        except (OSError, ValueError) as exc:
            self.close()
            raise UnavailableEngineError(
                f"the engine at {self.url} did not answer {method} ({exc!r}); "
                "it is restarted from the journal, so try again shortly"
            ) from exc
        if "error" in answer:
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def close(self) -> None:
        """Close the connection."""
        if self._answers is not None:
            self._answers.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._answers = None

    def _connect(self) -> tuple[socket.socket, BinaryIO]:
        if self._socket is None or self._answers is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._answers = self._socket.makefile("rb")
        return self._socket, self._answers

    def _request(self, method: str, params: Sequence[Any]) -> bytes:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        body = json.dumps(call).encode()
        head = (
            f"POST / HTTP/1.1\r\nhost: {self._address[0]}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body


def _read_body(answers: BinaryIO) -> bytes:
    """Read one HTTP response that states its length."""
    status = answers.readline()
    if not status.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"HTTP status 200 expected, got {status!r}")
    length = None
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length is None:
        raise ConnectionError("a response without content-length")
    body = answers.read(length)
    if len(body) < length:
        raise ConnectionError("the response broke off")
    return body
