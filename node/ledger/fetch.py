"""Fetch raw logs by block range, as wide as the engine answers comfortably.

One page is one consistent look at the chain: the logs, the headers of their blocks
and the header of the last block, asked in such an order that a chain which changed
in between is noticed. Nothing is decoded here.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.chain import Block, ChainClient
from contracts.errors import RefusedRequestError, UnavailableError
from node.errors import UnavailableEngineError

__all__ = ["Header", "LogFetcher", "Page", "fetch_headers"]

logger = logging.getLogger(__name__)

_MANY_LOGS = 10_000
"""Above so many logs a page, the next one spans fewer blocks."""
_FEW_LOGS = 2_500
"""Below so many, the next one spans more."""
_MAX_SPAN = 65_536
_HEADERS_A_REQUEST = 500


@dataclass(frozen=True, slots=True)
class Header:
    """What the index keeps of a block."""

    number: int
    hash: bytes
    """32 bytes."""
    timestamp: int
    """Time of the block. [unix s]"""


@dataclass(frozen=True, slots=True)
class Page:
    """The logs of some blocks, and where they end."""

    logs: list[dict[str, Any]]
    """Raw logs, in the order of the chain."""
    headers: list[Header]
    """Every block that has a log, ascending."""
    tip: Header
    """Last block of the range."""


class LogFetcher:
    """Reads pages of logs and learns how many blocks one page may span.

    Args:
        client: The chain.
        addresses: The contracts whose logs are read.
        span: Blocks in the first page.
    """

    def __init__(
        self, client: ChainClient, addresses: Sequence[str], span: int = 1024
    ) -> None:
        self._client = client
        self.addresses = list(addresses)
        self.span = span

    def page(self, from_block: int, head: Block) -> Page | None:
        """Read the next page.

        Args:
            from_block: First block.
            head: Newest block of the chain, at or after ``from_block``.

        Returns:
            The page, or None when the chain changed meanwhile.

        Raises:
            UnavailableEngineError: If even one block's logs are not answered.
        """
        while True:
            last = min(head.number, from_block + self.span - 1)
            try:
                page = self._page(from_block, last)
            except (UnavailableError, RefusedRequestError) as exc:
                if last == from_block:
                    raise UnavailableEngineError(
                        f"The chain does not give the logs of block {last}: {exc}"
                    ) from exc
                self.span = max(1, (last - from_block + 1) // 2)
                logger.info("shortened page span=%s", self.span)
                continue
            self._learn(0 if page is None else len(page.logs))
            return page

    def _page(self, first: int, last: int) -> Page | None:
        before = fetch_headers(self._client, [last])
        logs = self._client.logs(first, last, self.addresses)
        headers = self._headers(logs)
        after = fetch_headers(self._client, [last])
        if headers is None or not before or before != after:
            return None
        return Page(logs, headers, after[0])

    def _headers(self, logs: list[dict[str, Any]]) -> list[Header] | None:
        """Give the header of every block that has a log, None if one is gone."""
        hashes = {int(log["blockNumber"], 16): log["blockHash"] for log in logs}
        times = {
            int(log["blockNumber"], 16): int(log["blockTimestamp"], 16)
            for log in logs
            if log.get("blockTimestamp")
        }
        # Engines that leave out the time of a log are asked for the header.
        asked = fetch_headers(self._client, sorted(hashes.keys() - times.keys()))
        times |= {header.number: header.timestamp for header in asked}
        told = {header.number: f"0x{header.hash.hex()}" for header in asked}
        if not times.keys() >= hashes.keys() or not told.items() <= hashes.items():
            return None
        return [
            Header(number, bytes.fromhex(hashes[number][2:]), times[number])
            for number in sorted(hashes)
        ]

    def _learn(self, count: int) -> None:
        if count > _MANY_LOGS:
            self.span = max(1, self.span // 2)
        elif count < _FEW_LOGS:
            self.span = min(_MAX_SPAN, self.span * 2)


def fetch_headers(client: ChainClient, numbers: Sequence[int]) -> list[Header]:
    """Read headers by number, leaving out those the chain does not have.

    Args:
        client: The chain.
        numbers: Block numbers.

    Returns:
        The headers, in the order asked.
    """
    found: list[Header] = []
    for start in range(0, len(numbers), _HEADERS_A_REQUEST):
        part = numbers[start : start + _HEADERS_A_REQUEST]
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in part]
        answers = client.batch(calls)
        found += [_header(answer) for answer in answers if answer is not None]
    return found


def _header(block: dict[str, Any]) -> Header:
    return Header(
        int(block["number"], 16),
        bytes.fromhex(block["hash"][2:]),
        int(block["timestamp"], 16),
    )
