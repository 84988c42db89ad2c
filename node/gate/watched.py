"""Files that are read again when they change, while the gate goes on.

Looked at once a second at most. A file that became unusable leaves what was read before
in force and is said in the log, once, so that a slip of the pen closes no gate; it is
tried again at every look, and at the start it is refused.
"""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from node.errors import NodeError

__all__ = ["Watched"]

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0

T = TypeVar("T")


class Watched(Generic[T]):
    """What files say, as of a second ago.

    Args:
        read: Reads them; its errors are raised at the start and logged later.
        files: Names them, new ones too.
    """

    def __init__(
        self, read: Callable[[], T], files: Callable[[], Iterable[Path]]
    ) -> None:
        self._read = read
        self._files = files
        self._stamp = self._look()
        self._value = read()
        self._fault = ""
        self._next_s = time.monotonic() + _PAUSE_S

    def __call__(self) -> T:
        """Give what the files say."""
        now = time.monotonic()
        if now >= self._next_s:
            self._next_s = now + _PAUSE_S
            self._refresh()
        return self._value

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        try:
            self._value = self._read()
        except NodeError as exc:
            if str(exc) != self._fault:
                logger.error("files of the gate kept as they were: %s", exc)  # noqa: TRY400  # its sentence says all
            self._fault = str(exc)
            return
        self._stamp, self._fault = stamp, ""
        logger.info("files of the gate read again")

    def _look(self) -> frozenset[tuple[str, int, int, int]]:
        found = set()
        for path in self._files():
            try:
                seen = path.stat()
            except OSError:
                continue
            found.add((str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino))
        return frozenset(found)
