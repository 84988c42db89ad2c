"""Connections of our servers and clients: TLS, the caller's certificate, deadlines.

Rules it keeps: TLS 1.3 from a certificate, key and CA given as files; a client's
certificate is verified against the CA of the settings alone; a connection that does
not send the head of a request in time is closed; so is one whose request was answered
before its body came whole, for nobody will read the rest. It decides nothing about who
may do what: that is the application's, which finds the certificate in the ASGI scope.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oracle.errors import InvalidSettingsError

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

__all__ = [
    "GuardedProtocol",
    "TlsFiles",
    "client_context",
    "guarded",
    "is_loopback",
    "peer_certificate",
    "server_context",
]

_STATE = "peer_certificate"
_CLOSE = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files of one side's identity, PEM."""

    certificate: Path
    """Own certificate, with those between it and the CA."""
    key: Path
    """Its private key, mode 600."""
    ca: Path | None = None
    """Certificates that the other side's must follow from; None asks for none."""


class GuardedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a deadline for heads, and the client's certificate in the scope.

    A refusal that comes before the end of a body is the last answer of its connection:
    it says so, what still comes is thrown away unread for ``parting_s``, so that a
    client which sends on gets to see the answer, and then the connection is cut.
    """

    head_timeout_s: ClassVar[float] = 10.0
    """How long a client may take to send the head of a request. [s]"""
    parting_s: ClassVar[float] = 1.0
    """How long a client has to notice a refusal while it sends a body. [s]"""

    _head_timer: asyncio.TimerHandle | None = None
    _certificate: bytes | None = None
    _is_parting: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library narrows it
        """Note who connects, and wait for a first request."""
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self._certificate = secured.getpeercert(binary_form=True)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._head_came()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the deadline of a request's head."""
        super().on_message_begin()
        self.scope["state"][_STATE] = self._certificate
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """End the deadline: bodies have their own, in the application."""
        self._head_came()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the last answer was given."""
        if not self._is_parting:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Wait for a next request, or let go of who still sends the last one."""
        if not self._is_parting:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self.parting_s, self.transport.abort)

    def _start_asgi_task(
        self, cycle: "RequestResponseCycle", app: "ASGI3Application"
    ) -> None:
        async def watched(scope: Any, receive: Any, send: Any) -> None:
            async def answer(message: "ASGISendEvent") -> None:
                if message["type"] == "http.response.start" and cycle.more_body:
                    message["headers"] = [*message.get("headers", ()), _CLOSE]
                    self._is_parting = True
                    await send(message)
                    cycle.keep_alive = True  # we close, later than the library would
                else:
                    await send(message)

            await app(scope, receive, answer)

        super()._start_asgi_task(cycle, watched)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout_s, self._hang_up)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _hang_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def guarded(head_timeout_s: float) -> type[GuardedProtocol]:
    """Give the protocol with another deadline for heads.

    Args:
        head_timeout_s: The deadline. [s]
    """
    return type("Guarded", (GuardedProtocol,), {"head_timeout_s": head_timeout_s})


def peer_certificate(scope: Mapping[str, Any]) -> bytes | None:
    """Find the verified certificate of the client that sent a request.

    Args:
        scope: ASGI scope of the request.

    Returns:
        The certificate (DER), None where the client showed none.
    """
    found: bytes | None = scope.get("state", {}).get(_STATE)
    return found


def server_context(files: TlsFiles, *, is_mutual: bool) -> ssl.SSLContext:
    """Build what a server needs to speak TLS.

    Args:
        files: Its identity, and the CA of its clients.
        is_mutual: Whether every client must show a certificate.

    Returns:
        The context, TLS 1.3.

    Raises:
        InvalidSettingsError: A file cannot be used, or others can read the key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, files)
    if files.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED if is_mutual else ssl.CERT_OPTIONAL
    elif is_mutual:
        raise InvalidSettingsError(
            "mutual TLS needs the CA of the clients' certificates: name its file"
        )
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Build what a client needs to speak TLS and to show who it is.

    Args:
        files: Its identity, and the CA of its servers.

    Returns:
        The context, TLS 1.3; it trusts the CA alone, none of the system's.

    Raises:
        InvalidSettingsError: A file cannot be used, or others can read the key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, files)
    return context


def is_loopback(host: str) -> bool:
    """Tell whether an address is of this machine alone.

    Args:
        host: Name or IP address; of names only `localhost` counts.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        if files.key.stat().st_mode & 0o077:
            message = f"key {files.key} can be read by others: chmod 600 {files.key}"
            raise InvalidSettingsError(message)
        context.load_cert_chain(files.certificate, files.key, lambda: "")  # no prompt
        if files.ca is not None:
            context.load_verify_locations(files.ca)
    except OSError as exc:  # of which ssl.SSLError is one
        message = (
            f"TLS files {files.certificate}, {files.key}, {files.ca or 'no CA'} cannot "
            f"be used ({exc}): give PEM files, the key without passphrase"
        )
        raise InvalidSettingsError(message) from exc
