"""Who may look behind the scenes: an operator's token, or a caller on this machine.

Rules kept: without a token file only a direct caller over loopback gets in, one that a
proxy brings does not, nor a browser page that was served under another name; with one,
everybody must show it. The token is compared in constant time and never logged.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from oracle.connection import is_loopback
from oracle.errors import InvalidSettingsError

__all__ = ["OperatorAccess"]

_LEAST_TOKEN = 16
_LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """The rule for pages that are for operators alone."""

    token: bytes = b""
    """The operators' token; empty admits loopback alone."""

    @classmethod
    def from_file(cls, path: Path | None) -> "OperatorAccess":
        """Read the token of a settings file.

        Args:
            path: File with the token, mode 600; None has none.

        Returns:
            The rule.

        Raises:
            InvalidSettingsError: The file is exposed, unusable or too short.
        """
        if path is None:
            return cls()
        try:
            if path.stat().st_mode & 0o077:
                message = f"token file {path} can be read by others: chmod 600 {path}"
                raise InvalidSettingsError(message)
            token = path.read_bytes().strip()
        except OSError as exc:
            message = f"token file {path} cannot be read ({exc.strerror}): make it"
            raise InvalidSettingsError(message) from exc
        if len(token) < _LEAST_TOKEN:
            message = (
                f"token file {path}: expected at least {_LEAST_TOKEN} characters, "
                f"given {len(token)}: write a longer one"
            )
            raise InvalidSettingsError(message)
        return cls(token)

    def admits(self, request: Request) -> bool:
        """Decide whether a caller may see what is for operators.

        Args:
            request: The request.

        Returns:
            Whether it may.
        """
        if self.token:
            return hmac.compare_digest(_shown(request), self.token)
        return _is_direct(request)


def _shown(request: Request) -> bytes:
    """Give the token of a request: a bearer token, or the password of a browser."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""


def _is_direct(request: Request) -> bool:
    if request.client is None or any(
        name in request.headers for name in _PROXY_HEADERS
    ):
        return False
    name = request.headers.get("host", "")
    host = name.rpartition(":")[0] if name[-1:] != "]" and ":" in name else name
    return is_loopback(request.client.host) and host in _LOOPBACK_NAMES
