"""HTTP in front of the gate: one POST route, in a thread of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from node.engine.gate import INVALID_REQUEST, LIMIT_EXCEEDED, Gate, failure
from node.errors import UnavailableStorageError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BACKLOG = 512
_START_S = 10.0
_KEEP_ALIVE_S = 75


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        UnavailableStorageError: If the address is taken or not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise UnavailableStorageError(
            f"the RPC gate cannot listen on {host}:{port} ({exc.strerror}): end the "
            "program that uses the port, or choose another one (0 takes a free one)"
        ) from exc
    return listener


class GateServer:
    """Serves a gate until stopped.

    Args:
        gate: What answers.
        listener: A listening socket; closed by ``stop``.
        max_request_bytes: Largest body read. [B]
    """

    def __init__(
        self, gate: Gate, listener: socket.socket, max_request_bytes: int
    ) -> None:
        self._gate = gate
        self._listener = listener
        self._max_request_bytes = max_request_bytes
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._loop_factory = config.get_loop_factory()
        self._thread = threading.Thread(target=self._run, name="rpc-gate", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        """Start serving; return when requests are answered.

        Raises:
            UnavailableStorageError: If it does not come up.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise UnavailableStorageError(
                    f"the RPC gate did not come up on port {self.port}; see the log"
                )
            time.sleep(0.005)

    def stop(self) -> None:
        """Let running requests end, close the socket and the thread."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            await self._gate.close()

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = _refuse_request(scope)
        if refusal is not None:
            await _reply(send, *refusal)
            return
        body = await self._read(receive)
        if body is None:
            text = f"request too large: at most {self._max_request_bytes} bytes"
            await _reply(send, 413, failure(None, LIMIT_EXCEEDED, text))
            return
        await _reply(send, 200, await self._gate.answer(body))

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None as soon as it is too large."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_request_bytes:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def _refuse_request(scope: Message) -> tuple[int, bytes] | None:
    if scope["method"] != "POST":
        return 405, failure(
            None, INVALID_REQUEST, "JSON-RPC expected: send a POST request"
        )
    kind = dict(scope["headers"]).get(b"content-type", b"")
    if not kind.lower().startswith(b"application/json"):
        text = "JSON-RPC expected: send content-type application/json"
        return 415, failure(None, INVALID_REQUEST, text)
    return None


async def _reply(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
