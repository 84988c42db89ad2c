"""Who sends a request: by bearer token, else by the certificate of the connection."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from node.errors import InvalidLoginError
from node.gate.access import Caller, local_caller
from node.gate.callers import Callers
from oracle.connection import peer_certificate

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
        """Return the caller."""
        del scope
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


def _token(scope: Mapping[str, Any]) -> str | None:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    value = headers.get(b"authorization", b"").decode("latin-1")
    if not value.lower().startswith(_SCHEME):
        return None
    return value[len(_SCHEME) :].strip()
