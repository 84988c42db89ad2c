"""HTTP in front of the gate: one POST route, in a thread of its own.

A foreign web page cannot send what is read here: POST with JSON. Bodies are counted
and timed while they come; who asks is known before a body is read.
"""

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import uvicorn

from node.errors import InvalidLoginError, UnavailableStorageError
from node.gate.access import Caller
from node.gate.figures import Timed
from node.gate.gate import Gate
from node.gate.identify import Anybody, Identify
from node.gate.jsonrpc import FORBIDDEN, INVALID_REQUEST, LIMIT_EXCEEDED, failure
from oracle.connection import guarded

__all__ = ["GateServer", "Serving", "listen"]

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_METHOD = 405
_BACKLOG = 512
_START_S = 10.0


@dataclass(frozen=True, slots=True)
class Serving:
    """How a gate is served."""

    max_request_bytes: int = 2_097_152
    """Largest body that is read. [B]"""
    head_timeout_s: float = 10.0
    """How long a caller may take to send the head of a request. [s]"""
    body_timeout_s: float = 30.0
    """How long a caller may take to send a body. [s]"""
    idle_timeout_s: int = 75
    """How long a connection may stay without a request. [s]"""
    max_connections: int | None = None
    """Connections at a time; None is without limit."""
    tls: ssl.SSLContext | None = None
    """What the server needs to speak TLS; None speaks plain HTTP."""


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
        serving: Limits, and TLS.
        identify: Tells whose request it is.
    """

    def __init__(
        self,
        gate: Gate,
        listener: socket.socket,
        serving: Serving | None = None,
        identify: Identify | None = None,
    ) -> None:
        self._gate = gate
        self._listener = listener
        self._serving = serving or Serving()
        self._identify = identify or Anybody()
        config = _config(self._serve, self._serving)
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
        if self._thread.is_alive():
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
        timed = Timed(self._gate.figures)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                timed.answered(message["status"])
            await send(message)

        await self._admit(scope, timed, receive, counted)

    async def _admit(
        self, scope: Message, timed: Timed, receive: Receive, send: Send
    ) -> None:
        figures = self._gate.figures
        refusal = _refuse_request(scope)
        if refusal is not None:
            figures.refuse("http_method" if refusal[0] == _METHOD else "media_type")
            await _reply(send, *refusal)
            return
        try:
            caller = self._identify(scope)
        except InvalidLoginError as exc:
            figures.refuse("unknown_caller")
            logger.info("caller unknown from=%s", (scope.get("client") or ("?",))[0])
            body = failure(None, FORBIDDEN, str(exc))
            await _reply(send, 401, body, [(b"www-authenticate", b"Bearer")])
            return
        timed.caller = caller.name
        await self._answer(caller, receive, send)

    async def _answer(self, caller: Caller, receive: Receive, send: Send) -> None:
        serving = self._serving
        try:
            async with asyncio.timeout(serving.body_timeout_s):
                body = await self._read(receive)
        except TimeoutError:
            self._gate.figures.refuse("too_slow")
            text = f"request too slow: a body within {serving.body_timeout_s:g} s"
            await _reply(send, 408, failure(None, LIMIT_EXCEEDED, text))
            return
        if body is None:
            self._gate.figures.refuse("too_large")
            text = f"request too large: at most {serving.max_request_bytes} bytes"
            await _reply(send, 413, failure(None, LIMIT_EXCEEDED, text))
            return
        answer = await self._gate.answer(body, caller)
        if answer.retry_after_s is None:
            await _reply(send, 200, answer.body)
            return
        after = str(answer.retry_after_s).encode()
        await _reply(send, 429, answer.body, [(b"retry-after", after)])

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None as soon as it is too large."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._serving.max_request_bytes:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def _config(app: Any, serving: Serving) -> uvicorn.Config:
    tls = serving.tls
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=guarded(serving.head_timeout_s),
        proxy_headers=False,
        server_header=False,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=serving.idle_timeout_s,
        timeout_graceful_shutdown=2,
        limit_concurrency=serving.max_connections,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


def _refuse_request(scope: Message) -> tuple[int, bytes] | None:
    if scope["method"] != "POST":
        return _METHOD, failure(
            None, INVALID_REQUEST, "JSON-RPC expected: send a POST request"
        )
    kind = dict(scope["headers"]).get(b"content-type", b"")
    if not kind.lower().startswith(b"application/json"):
        text = "JSON-RPC expected: send content-type application/json"
        return 415, failure(None, INVALID_REQUEST, text)
    return None


async def _reply(
    send: Send, status: int, body: bytes, more: Headers | None = None
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *(more or ()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
