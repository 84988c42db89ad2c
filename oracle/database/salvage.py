"""Reading what can still be read of a damaged SQLite file.

Rows are read in the order of their numbers; where a page does not answer, the reading
goes on behind it, in growing steps. What comes out is bytes without warrant: whoever
asks verifies them anew. A copy is read, so that the file set aside stays as it was.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

PAGE_ROWS = 200
"""Rows read at a time while nothing is wrong."""
MOST_STEPS = 10_000
"""How often at most a reading tries to get past damage."""


def salvage_rows(path: Path, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    """Read the rows of a table that can be read.

    Args:
        path: The damaged file; it is not changed.
        table: Name of the table, which has row numbers.
        columns: Names of the wanted columns, with commas.

    Yields:
        Rows, by number; none if the file is no database at all.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".salvage-") as folder:
        copy = Path(folder, "copy.db")
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copyfile(source, copy.with_name(copy.name + suffix))
        if not copy.exists():
            return
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.text_factory = bytes
            yield from _scan(connection, table, columns)


def _scan(
    connection: sqlite3.Connection, table: str, columns: str
) -> Iterator[tuple[Any, ...]]:
    """Go through a table, past what does not answer."""
    query = f"""SELECT rowid, {columns} FROM {table}
        WHERE rowid > ? ORDER BY rowid LIMIT ?"""  # noqa: S608  # names of our own
    at, step, size = -1, 1, PAGE_ROWS
    for _ in range(MOST_STEPS + _rows_at_most(connection, table)):
        try:
            rows = connection.execute(query, (at, size)).fetchall()
        except (sqlite3.DatabaseError, OverflowError):
            if size > 1:
                size = 1
            elif at + step > 1 << 62:
                return
            else:
                at, step = at + step, 2 * step
            continue
        if not rows:
            return
        at, step = rows[-1][0], 1
        size = min(2 * size, PAGE_ROWS)
        for row in rows:
            yield row[1:]


def _rows_at_most(connection: sqlite3.Connection, table: str) -> int:
    """Bound the number of steps by the highest row number, where it can be read."""
    query = f"SELECT max(rowid) FROM {table}"  # noqa: S608  # a name of our own
    try:
        return int(connection.execute(query).fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        return MOST_STEPS
