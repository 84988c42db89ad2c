"""How much one caller may ask: calls a second, calls a request, span of a log query.

A bucket fills with the caller's rate up to its burst; each call of a request takes
one. Nothing here waits: what is above a limit is refused with the time to come back.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from node.errors import InvalidCallError, UnavailableCapacityError
from node.gate.access import Caller
from node.gate.jsonrpc import INVALID_PARAMS, Call, Json

__all__ = ["CallLimits", "Rates", "log_span"]

RANGED_METHODS = frozenset({"eth_getLogs", "eth_newFilter"})
"""Methods whose answer grows with a range of blocks."""

_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}")
_AT_HEAD = frozenset({"latest", "pending", "safe", "finalized"})


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What a gate bears."""

    max_batch: int = 1_000
    """Calls of one request."""
    request_timeout_s: float | None = None
    """How long the calls of one request may take together; None is without limit. [s]
    """
    max_log_blocks: int | None = None
    """Blocks of one log query; None is without limit. [blocks]"""


class Rates:
    """One bucket for each caller that has a rate.

    Args:
        clock: Monotonic time. [s]
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: Caller, calls: int) -> int | None:
        """Take the calls of a request out of the caller's bucket.

        Args:
            caller: Who asks.
            calls: How many.

        Returns:
            None if they were there; else after how many seconds they will be, at
            least 1, and nothing is taken. [s]

        Raises:
            UnavailableCapacityError: If the bucket can never hold so many.
        """
        rate = caller.requests_per_s
        if rate is None:
            return None
        if calls > caller.burst:
            raise UnavailableCapacityError(
                f"caller {caller.name} may make {caller.burst} calls at once, asked "
                f"for {calls}; send smaller batches"
            )
        now = self._clock()
        level, since = self._buckets.get(caller.name, (float(caller.burst), now))
        level = min(caller.burst, level + (now - since) * rate)
        is_enough = level >= calls
        self._buckets[caller.name] = (level - calls if is_enough else level, now)
        return None if is_enough else max(1, math.ceil((calls - level) / rate))


def log_span(call: Call, head: int) -> int:
    """Count the blocks that a log query goes through.

    Args:
        call: ``eth_getLogs`` or ``eth_newFilter``.
        head: Number of the newest block.

    Returns:
        How many, 1 for a query by block hash. [blocks]

    Raises:
        InvalidCallError: If the range is none.
    """
    query = call.params[0] if call.params else None
    if not isinstance(query, dict):
        raise InvalidCallError(INVALID_PARAMS, "invalid params: a filter expected")
    if query.get("blockHash") is not None:
        if {"fromBlock", "toBlock"} & query.keys():
            raise InvalidCallError(
                INVALID_PARAMS, "invalid params: a block hash or a range, not both"
            )
        return 1
    first = _block_number(query.get("fromBlock"), head)
    last = _block_number(query.get("toBlock"), head)
    return max(0, last - first + 1)


def _block_number(tag: Json, head: int) -> int:
    if tag is None:
        return head
    if isinstance(tag, str):
        if tag in _AT_HEAD:
            return head
        if tag == "earliest":
            return 0
        if _NUMBER.fullmatch(tag):
            return min(int(tag, 16), head)
    raise InvalidCallError(
        INVALID_PARAMS, f"invalid params: a block number or tag expected, got {tag!r}"
    )
