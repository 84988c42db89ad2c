"""How the oracle's members answer, asked all at once and not for long."""

import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from node.operations.facts import MemberFacts

__all__ = ["MemberPoll"]

_TIMEOUT_S = 2.0
_MOST_THREADS = 8


class MemberPoll:
    """Asks members for their status and remembers when they last answered.

    Args:
        urls: Address of a member's key → its URL.
        trusted: Whom to trust for TLS.
    """

    def __init__(self, urls: Mapping[str, str], trusted: ssl.SSLContext) -> None:
        self._urls = dict(urls)
        self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False, verify=trusted)
        started = time.monotonic()
        self._answered = dict.fromkeys(urls, started)
        self._told: dict[str, dict[str, Any]] = {address: {} for address in urls}

    def ask(self) -> tuple[MemberFacts, ...]:
        """Ask every member once.

        Returns:
            How each answered, in the order of the settings.
        """
        if not self._urls:
            return ()
        threads = min(_MOST_THREADS, len(self._urls))
        with ThreadPoolExecutor(threads, "members") as pool:
            return tuple(pool.map(self._ask, self._urls))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, address: str) -> MemberFacts:
        url = self._urls[address]
        status = self._status(url)
        is_answering = status is not None and status.get("address") == address
        now = time.monotonic()
        if is_answering and status is not None:
            self._answered[address], self._told[address] = now, status
        silent_s = now - self._answered[address]
        told = self._told[address]
        return MemberFacts(address, url, is_answering, silent_s, told)

    def _status(self, url: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get(f"{url}/status")
            told = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return told if isinstance(told, dict) else None
