"""What was acknowledged to us: one line an item, appended, never changed.

The book belongs to the client that was answered. It is written when the answer came
and before anything else is done, so that afterwards it can be held against what chain,
database and log say. A line cut short by the end of the writer is the last one.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """Something that somebody acknowledged, or that was found."""

    kind: str
    """reading, transaction, batch, statement, block."""
    key: str
    """What it is called, unique within its kind. No blanks."""
    digest: str
    """Hex digest of its content."""

    def to_line(self) -> str:
        return f"{self.kind} {self.key} {self.digest}\n"


class Book:
    """An append-only file of acknowledged items; safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():  # whoever wrote before may have been killed at it
            whole = path.read_bytes().rpartition(b"\n")
            os.truncate(path, len(whole[0]) + len(whole[1]))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(path, flags, 0o600)
        self.count = len(list(read(path)))

    def note(self, items: Iterable[Item]) -> None:
        """Append items; one write, so that lines of threads do not mix."""
        lines = [item.to_line() for item in items]
        if lines:
            os.write(self._file, "".join(lines).encode())
            self.count += len(lines)

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> Iterator[Item]:
    """Read a book; an unfinished last line was never an acknowledgement."""
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            yield Item(*line.split())
