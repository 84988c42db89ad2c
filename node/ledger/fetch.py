"""Fetch raw logs by block range, as wide as the engine answers comfortably.

A page is taken only if it proves itself, whatever was dropped, doubled, delayed or
mixed on the way:

 1. the headers form a chain, from the block the index stands at to the page's last
 2. every log is of one of these blocks, by hash
 3. no block's filter promises a log of ours that the page does not have

So a page is one consistent look at the chain, even if that changed between two
answers. What disproves itself is asked for again. What a filter cannot show: a block's
last logs left out where they repeat contract and topics of earlier ones. Nothing is
decoded here.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.chain import Block, ChainClient
from contracts.errors import RefusedRequestError, UnavailableError
from node.errors import UnavailableEngineError
from node.ledger.bloom import bloom_of, may_hold

__all__ = ["Header", "LogFetcher", "Page", "fetch_headers"]

logger = logging.getLogger(__name__)

_MANY_LOGS = 10_000
"""Above so many logs a page, the next one spans fewer blocks."""
_FEW_LOGS = 2_500
"""Below so many, the next one spans more."""
_MAX_SPAN = 8_192
"""A page's headers are all read, so it stays in proportion. [blocks]"""
_HEADERS_A_REQUEST = 500

Log = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Header:
    """What the index needs of a block."""

    number: int
    hash: bytes
    """32 bytes."""
    timestamp: int
    """Time of the block. [unix s]"""
    parent_hash: bytes = b""
    """32 bytes."""
    bloom: int | None = None
    """Filter of its logs, None where it is not known."""


@dataclass(frozen=True, slots=True)
class Page:
    """The logs of some blocks, and where they end."""

    logs: list[Log]
    """Raw logs, in the order of the chain."""
    headers: list[Header]
    """Every block that has a log, ascending."""
    tip: Header
    """Last block of the range."""


class LogFetcher:
    """Reads pages of logs and learns how many blocks one page may span.

    Args:
        client: The chain.
        addresses: The contracts whose logs are read; none reads everybody's.
        span: Blocks in the first page.
    """

    def __init__(
        self, client: ChainClient, addresses: Sequence[str], span: int = 1024
    ) -> None:
        self._client = client
        self.addresses = list(addresses)
        self.span = span

    def page(
        self, from_block: int, head: Block, parent: bytes | None = None
    ) -> Page | None:
        """Read the next page.

        Args:
            from_block: First block.
            head: Newest block of the chain, at or after ``from_block``.
            parent: Hash of the block before the first, 32 bytes; None accepts any.

        Returns:
            The page, or None when the chain changed meanwhile.

        Raises:
            UnavailableEngineError: If even one block's logs are not answered.
        """
        while True:
            last = min(head.number, from_block + self.span - 1)
            try:
                page = self._page(from_block, last, parent)
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

    def _page(self, first: int, last: int, parent: bytes | None) -> Page | None:
        headers = fetch_headers(self._client, range(first, last + 1))
        if len(headers) != last - first + 1 or not _is_linked(headers, parent):
            return None
        by_block = _by_block(_logs(self._client.logs(first, last, self.addresses)))
        known = {header.number: header for header in headers}
        for number, logs in by_block.items():
            if number not in known or not _are_of(logs, known[number]):
                return None
        for header in headers:
            self._require_whole(header, by_block.get(header.number, []))
        spoken = sorted(by_block)
        found = [log for number in spoken for log in by_block[number]]
        return Page(found, [known[number] for number in spoken], headers[-1])

    def _require_whole(self, header: Header, logs: list[Log]) -> None:
        """Hold a block's logs against its filter; ask again only where it differs."""
        if header.bloom is None:
            return
        if header.bloom == bloom_of(logs) and _are_gapless(logs):
            return
        ours = {address.lower() for address in self.addresses}
        if not may_hold(header.bloom, ours):
            return
        # Somebody else's contract spoke too, or something was left out.
        where = {"blockHash": f"0x{header.hash.hex()}"}
        whole = _logs(self._client.request("eth_getLogs", where))
        wanted = [log for log in whole if not ours or log["address"].lower() in ours]
        is_whole = header.bloom == bloom_of(whole) and _are_of(whole, header)
        if not is_whole or _by_block(wanted).get(header.number, []) != logs:
            raise UnavailableError(
                f"expected the logs that the header of block {header.number} promises, "
                "got others or fewer: try again"
            )

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

    Raises:
        UnavailableError: If the chain does not answer, or not with these headers.
    """
    found: list[Header] = []
    for start in range(0, len(numbers), _HEADERS_A_REQUEST):
        part = numbers[start : start + _HEADERS_A_REQUEST]
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in part]
        answers = zip(part, client.batch(calls), strict=True)
        found += [_header(at, answer) for at, answer in answers if answer is not None]
    return found


def _header(number: int, block: dict[str, Any]) -> Header:
    try:
        if int(block["number"], 16) != number:
            raise ValueError(f"it is of block {block['number']}")  # noqa: TRY301  # below
        bloom = block.get("logsBloom")
        return Header(
            number,
            bytes.fromhex(block["hash"][2:]),
            int(block["timestamp"], 16),
            bytes.fromhex(block["parentHash"][2:]),
            None if bloom is None else int(bloom, 16),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UnavailableError(
            f"expected the header of block {number}, got something else ({exc}): try "
            "again"
        ) from exc


def _is_linked(headers: Sequence[Header], parent: bytes | None) -> bool:
    """Tell whether each header names the one before it as its parent."""
    for header in headers:
        # A chain's first block names nobody. Before it lies the history of a moved
        # ledger, which may hold the first block of an earlier chain as well.
        is_first = header.number <= 0 and not any(header.parent_hash)
        if parent is not None and not is_first and header.parent_hash != parent:
            return False
        parent = header.hash
    return True


def _logs(answer: Any) -> list[Log]:
    """Return an answer if it is logs, as far as is looked at here."""
    try:
        for log in answer:
            int(log["blockNumber"], 16), int(log["logIndex"], 16)
            bytes.fromhex(log["address"][2:] + "".join(t[2:] for t in log["topics"]))
            log["blockHash"][2:]
    except (KeyError, TypeError, ValueError) as exc:
        raise UnavailableError(
            f"expected logs, got something else ({exc!r}): try again"
        ) from exc
    found: list[Log] = answer
    return found


def _by_block(logs: Sequence[Log]) -> dict[int, list[Log]]:
    """Sort logs by block and place, each once."""
    placed = {
        (int(log["blockNumber"], 16), int(log["logIndex"], 16)): log for log in logs
    }
    found: dict[int, list[Log]] = defaultdict(list)
    for number, place in sorted(placed):
        found[number].append(placed[number, place])
    return found


def _are_gapless(logs: Sequence[Log]) -> bool:
    """Tell whether a block's logs are numbered from 0 without a gap."""
    return all(int(log["logIndex"], 16) == at for at, log in enumerate(logs))


def _are_of(logs: Sequence[Log], header: Header) -> bool:
    block_hash = f"0x{header.hash.hex()}"
    return all(log["blockHash"] == block_hash for log in logs)
