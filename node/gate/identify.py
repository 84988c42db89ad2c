"""Who sends a request: by bearer token, else by the certificate of the connection.

Where anybody on this machine may ask, only who names this machine as the host gets in:
a foreign page can give its own host name the address 127.0.0.1, and a browser would
then take it to the gate as if to the page's own server.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from node.errors import InvalidLoginError
from node.gate.access import Caller, local_caller
from node.gate.callers import Callers
from oracle.connection import is_loopback, peer_certificate

__all__ = ["Anybody", "Identify", "Known"]

_SCHEME = "bearer "


class Identify(Protocol):
    """Tells whose request it is."""

    def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the caller.

        Raises:
            InvalidLoginError: If the request proves to be nobody's.
        """


class Anybody:
    """Every request is of one caller; for a gate that only this machine can reach.

    Args:
        caller: Who that is.
    """

    def __init__(self, caller: Caller | None = None) -> None:
        self._caller = caller or local_caller()

    def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the caller, unless a foreign host name was asked for."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"localhost").decode("latin-1")
        if not is_loopback(_without_port(host)):
            raise InvalidLoginError(
                f"this gate is for programs of its own machine, asked for as {host!r}; "
                "use 127.0.0.1 or localhost, or give it a callers file"
            )
        return self._caller


class Known:
    """Callers of a file; nobody else.

    Args:
        callers: Gives the callers as the file has them now.
    """

    def __init__(self, callers: Callable[[], Callers]) -> None:
        self._callers = callers

    def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the caller of a token, or else of a certificate."""
        token = _token(scope)
        certificate = peer_certificate(scope)
        caller = None
        if token is not None:
            caller = self._callers().by_token(token)
        elif certificate is not None:
            caller = self._callers().by_certificate(certificate)
        if caller is None:
            raise InvalidLoginError(
                "no caller of this gate has the token or certificate that was shown; "
                "send Authorization: Bearer and a token of carbon-node gate token, or "
                "connect with a registered client certificate"
            )
        return caller


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _token(scope: Mapping[str, Any]) -> str | None:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    value = headers.get(b"authorization", b"").decode("latin-1")
    if not value.lower().startswith(_SCHEME):
        return None
    return value[len(_SCHEME) :].strip()
