"""Stopping a process: the first signal asks, the second hastens, and neither waits on.

    SIGTERM or SIGINT ─► pipe ─► thread ─► event set, time limit runs
    once more                          └─► whoever waits for others is hastened

A handler of a signal may interrupt anything, so it does nothing but write one byte to
a pipe. What is acknowledged is on disk at any moment; a stop that takes longer than
its limit therefore ends the process the hard way and loses nothing acknowledged.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

__all__ = ["StopSignals"]

logger = logging.getLogger(__name__)

STOP_LIMIT_S = 60.0
"""How long a stop may take. [s]"""
HASTY_LIMIT_S = 15.0
"""How long it may take once it was hastened. [s]"""
EXIT_LATE = 1


class StopSignals:
    """Hears SIGTERM and SIGINT for one process; entered and left in its main thread."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        """Set once the process is asked to stop."""
        self._hasteners: list[Callable[[], None]] = []
        self._reader, self._writer = os.pipe()
        self._before: dict[int, Any] = {}
        self._timers: list[threading.Timer] = []

    def __enter__(self) -> Self:
        """Begin to hear."""
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self._writer)
        for timer in self._timers:
            timer.cancel()

    def on_hasten(self, hasten: Callable[[], None]) -> None:
        """Have something called when the stop is hastened.

        Args:
            hasten: Ends a wait for others; may be called from any thread.
        """
        self._hasteners.append(hasten)

    def _heard(self, _number: int, _frame: object) -> None:
        os.write(self._writer, b".")

    def _listen(self) -> None:
        if os.read(self._reader, 1):
            logger.info("stopping limit_s=%.0f", STOP_LIMIT_S)
            self.asked.set()
            self._limit(STOP_LIMIT_S)
            if os.read(self._reader, 1):
                self._hurry()
        os.close(self._reader)

    def _hurry(self) -> None:
        logger.warning("stop hastened limit_s=%.0f", HASTY_LIMIT_S)
        self._limit(HASTY_LIMIT_S)
        for hasten in self._hasteners:
            hasten()

    def _limit(self, seconds: float) -> None:
        timer = threading.Timer(seconds, _give_up)
        timer.daemon = True
        self._timers.append(timer)
        timer.start()


def _give_up() -> NoReturn:
    logger.error("the stop took too long; what was acknowledged is on disk")
    os._exit(EXIT_LATE)
