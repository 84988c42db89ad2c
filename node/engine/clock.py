"""Block time: the wall's, or the sandbox's own.

A block's timestamp is ``max(clock.now(), parent + 1)``: strictly rising, so a
clock that steps back delays nothing and blocks made faster than one a second
run ahead of it.
"""

import time

from node.engine.settings import ClockMode


class WallClock:
    """Time of the machine."""

    def now(self) -> int:
        """Return the wall time in unix seconds."""
        return int(time.time())

    def saw_block(self, timestamp: int) -> None:
        """Ignore a block's timestamp: the wall does not follow the chain."""


class VirtualClock:
    """Time that stands still until somebody moves it forward.

    Args:
        start: First time shown. [unix s]
    """

    def __init__(self, start: int) -> None:
        self._now = start

    def now(self) -> int:
        """Return the virtual time in unix seconds."""
        return self._now

    def set(self, timestamp: int) -> None:
        """Move the clock forward.

        Args:
            timestamp: Its new time. [unix s]

        Raises:
            ValueError: If that is earlier than the present time.
        """
        if timestamp < self._now:
            raise ValueError(
                f"the sandbox clock shows {self._now} and only moves forward, "
                f"got {timestamp}"
            )
        self._now = timestamp

    def saw_block(self, timestamp: int) -> None:
        """Catch up with a block that had to be later than the clock."""
        self._now = max(self._now, timestamp)


EngineClock = WallClock | VirtualClock


def make_clock(mode: ClockMode, start: int) -> EngineClock:
    """Return the clock of a mode; ``start`` is a virtual clock's first time."""
    return VirtualClock(start) if mode == "virtual" else WallClock()
