"""HTTP between members: every request is a signed envelope.

    POST /<kind>   envelope ─► handler ─► CBOR or raw bytes
    GET  /status   what an operator may know

Rules kept: each peer has its own few threads and time-outs, so a stopped member
blocks nobody; a message of a stranger, an old or a repeated one gets 403; a handler's
refusal is an answer, not an error. With TLS files in the settings connections are TLS
1.3 both ways, and only who shows a certificate of the members' CA may send envelopes;
authenticity does not depend on it.
"""

import asyncio
import logging
import queue
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import ContractsError
from oracle.connection import TlsFiles, client_context, peer_certificate
from oracle.errors import InvalidEnvelopeError, OracleError, UnavailableMemberError
from oracle.member.envelope import Mailroom
from oracle.member.wire import one_line

logger = logging.getLogger(__name__)

THREADS_PER_PEER = 3
MAX_BODY_BYTES = 8_000_000
"""Largest envelope that is read: a push of the longest readings. [bytes]"""
MAX_BODIES_BYTES = 128_000_000
"""Most bytes of envelopes that are read at a time, whoever sends them. [bytes]"""
MAX_ANSWER_BYTES = 256_000_000
"""Largest answer that is read: a proof package with all its readings. [bytes]"""
BODY_TIMEOUT_S = 30.0
"""How long a sender may take to send an envelope. [s]"""

Handler = Callable[[str, bytes], bytes]
"""Takes sender and body, gives the answer."""

_CBOR = "application/cbor"


class HttpPeers:
    """The other members behind their addresses.

    Args:
        mailroom: Seals messages.
        urls: Address of a member's key → its URL; the own one is left out.
        timeout_s: How long one request may take. [s]
        tls: Own identity and the members' CA; None trusts the system's CAs.
    """

    def __init__(
        self,
        mailroom: Mailroom,
        urls: Mapping[str, str],
        timeout_s: float,
        tls: TlsFiles | None = None,
    ) -> None:
        self._mailroom = mailroom
        self._urls = dict(urls)
        self._timeout_s = timeout_s
        trusted = tls_context(tls)  # once: it takes a while
        self._clients = {
            address: httpx.Client(
                base_url=url, timeout=timeout_s, trust_env=False, verify=trusted
            )
            for address, url in urls.items()
        }
        self._pools = {
            address: ThreadPoolExecutor(THREADS_PER_PEER, "peer") for address in urls
        }
        self._waiting = dict.fromkeys(urls, 0)
        self._lock = threading.Lock()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses of the peers' keys."""
        return tuple(self._urls)

    def ask(self, address: str, kind: str, body: bytes) -> bytes:
        """Send one request and wait for the answer.

        Args:
            address: Address of the peer's key.
            kind: What the body is.
            body: Content.

        Returns:
            The answer's bytes.

        Raises:
            UnavailableMemberError: It does not answer in time, or not with success.
        """
        client = self._clients.get(address)
        if client is None:
            message = f"member {address} has no URL in the settings: add it to [peers]"
            raise UnavailableMemberError(message)
        sealed = self._mailroom.seal(address, kind, body)
        try:
            status, answer = self._exchange(client, kind, sealed)
        except (httpx.HTTPError, RuntimeError) as exc:  # the latter: closed meanwhile
            reason = str(exc) or type(exc).__name__
            message = f"member {address} at {self._urls[address]}: {reason}"
            raise UnavailableMemberError(message) from exc
        if status != httpx.codes.OK:
            message = (
                f"member {address} answered {kind} with HTTP status "
                f"{status}: {one_line(answer)}"
            )
            raise UnavailableMemberError(message)
        return answer

    def ask_all(self, kind: str, body: bytes) -> Iterator[tuple[str, bytes]]:
        """Send to all peers at once.

        Args:
            kind: What the body is.
            body: Content.

        Yields:
            Address and answer of each peer that answers in time, as they come.
        """
        answers: queue.SimpleQueue[tuple[str, bytes | None]] = queue.SimpleQueue()
        started = [a for a in self._urls if self._start(a, kind, body, answers)]
        for _ in started:
            address, answer = answers.get()
            if answer is not None:
                yield address, answer

    def tell_all(self, kind: str, body: bytes) -> None:
        """Send to all peers without waiting.

        Args:
            kind: What the body is.
            body: Content.
        """
        nowhere: queue.SimpleQueue[tuple[str, bytes | None]] = queue.SimpleQueue()
        for address in self._urls:
            self._start(address, kind, body, nowhere)

    def close(self) -> None:
        """Close the connections; requests under way are not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    def _exchange(
        self, client: httpx.Client, kind: str, sealed: bytes
    ) -> tuple[int, bytes]:
        """Send and read as the bytes come: not unpacked, not without end, not for ever.

        Returns:
            HTTP status and answer.
        """
        headers = {"content-type": _CBOR, "accept-encoding": "identity"}
        deadline = time.monotonic() + self._timeout_s
        answer = bytearray()
        with client.stream(
            "POST", f"/{kind}", content=sealed, headers=headers
        ) as response:
            for part in response.iter_raw():
                answer += part
                if len(answer) > MAX_ANSWER_BYTES:
                    limit = f"expected an answer of at most {MAX_ANSWER_BYTES} bytes"
                    raise httpx.ReadError(limit)
                if time.monotonic() > deadline:
                    limit = f"expected an answer within {self._timeout_s} s"
                    raise httpx.ReadTimeout(limit)
        return response.status_code, bytes(answer)

    def _start(
        self,
        address: str,
        kind: str,
        body: bytes,
        answers: "queue.SimpleQueue[tuple[str, bytes | None]]",
    ) -> bool:
        """Ask in the peer's threads, unless it holds them all up already."""
        with self._lock:
            if self._waiting[address] >= THREADS_PER_PEER:
                return False
            self._waiting[address] += 1

        def run() -> bytes | None:
            try:
                return self.ask(address, kind, body)
            except UnavailableMemberError as exc:
                logger.debug("no answer kind=%s: %s", kind, exc)
                return None

        def done(future: "Future[bytes | None]") -> None:
            with self._lock:
                self._waiting[address] -= 1
            # Whatever went wrong, who waits must hear of it.
            is_lost = future.cancelled() or future.exception() is not None
            answers.put((address, None if is_lost else future.result()))

        try:
            self._pools[address].submit(run).add_done_callback(done)
        except RuntimeError:  # the pool was closed
            with self._lock:
                self._waiting[address] -= 1
            return False
        return True


class _Budget:
    """Bytes that may be in memory at a time before anybody knows who sent them."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """Read a body, and hold its bytes in the budget while it is worked on."""
        data = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for part in request.stream():
                    data += part
                    self._left -= len(part)
                    self._check(len(data))
            yield bytes(data)
        except TimeoutError as exc:
            message = f"expected the whole message within {BODY_TIMEOUT_S} s"
            raise HTTPException(408, message) from exc
        finally:
            self._left += len(data)

    def _check(self, size: int) -> None:
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"expected at most {MAX_BODY_BYTES} bytes")
        if self._left < 0:
            message = "too many messages at a time: send it again"
            raise HTTPException(503, message, {"Retry-After": "1"})


def tls_context(tls: TlsFiles | None) -> ssl.SSLContext:
    """Give what a client of members needs: their CA, or the system's without files."""
    return client_context(tls) if tls else httpx.create_ssl_context(trust_env=False)


def only_certified(app: ASGIApp, kinds: Collection[str]) -> ASGIApp:
    """Let envelopes in only from who showed a certificate of the members' CA.

    Carriers, on every other path, need none: their messages are signed.

    Args:
        app: A member's application.
        kinds: Kinds of envelopes.

    Returns:
        The application behind the check.
    """

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        is_envelope = scope["type"] == "http" and scope["path"].strip("/") in kinds
        if is_envelope and peer_certificate(scope) is None:
            message = "members show a certificate of their CA: set [tls] and use it"
            await JSONResponse({"error": message}, 403)(scope, receive, send)
            return
        await app(scope, receive, send)

    return checked


def create_app(
    mailroom: Mailroom,
    handlers: Mapping[str, Handler],
    members: Callable[[], list[str]],
    status: Callable[[], dict[str, Any]],
    inbox: ASGIApp,
) -> Starlette:
    """Build a member's HTTP application.

    Args:
        mailroom: Opens messages.
        handlers: Kind → handler.
        members: Addresses of the members' keys as the chain has them now.
        status: What `/status` shows.
        inbox: Application for carriers, at every other path.

    Returns:
        The application.
    """

    def handle(kind: str, data: bytes) -> Response:
        try:
            envelope = mailroom.open(data, kind, members())
            answer = handlers[kind](envelope.sender, envelope.body)
        except InvalidEnvelopeError as exc:
            return PlainTextResponse(str(exc), 403)
        except OracleError as exc:
            return PlainTextResponse(str(exc), 409)
        except ContractsError as exc:
            return PlainTextResponse(str(exc), 503)
        return Response(answer, media_type=_CBOR)

    budget = _Budget(MAX_BODIES_BYTES)

    async def receive(request: Request) -> Response:
        kind = request.url.path.strip("/")
        async with budget.body(request) as data:
            return await run_in_threadpool(handle, kind, data)

    def show(_request: Request) -> Response:
        return JSONResponse(status())

    routes: list[BaseRoute] = [
        Route(f"/{kind}", receive, methods=["POST"]) for kind in handlers
    ]
    routes += [Route("/status", show), Mount("/", inbox)]
    return Starlette(routes=routes)
