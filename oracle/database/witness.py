"""A second account of how far an SQLite database has come, in a file beside it.

    write transaction:  rows, number + 1 ── commit ──► member.db
                                             then ──► member.db.commits   (number)

SQLite reads a write-ahead log up to its first broken record and calls the rest never
written: a log that was cut or deleted loses commits without a word. The number of the
last commit, kept in a file of its own, tells: a database behind it is refused. The
file is written without waiting for the disk, so a power cut may leave it behind the
database, which is no fault; a kill does not. It also tells a lost database from a new
one. PostgreSQL keeps such accounts itself.
"""

import logging
import os
import zlib
from pathlib import Path

import sqlalchemy as sa

from oracle.errors import ConflictDatabaseError

logger = logging.getLogger(__name__)

_SPAN = 1 << 31
"""`user_version` holds 31 bits; numbers are compared around the wrap."""
_BYTES = 8


class CommitWitness:
    """Counts commits of one database.

    Args:
        database: Its file.
        remedy: What to do when it is behind, for messages.
    """

    def __init__(self, database: Path, remedy: str) -> None:
        self._database = database
        self._remedy = remedy
        self._path = witness_path(database)

    def require_present(self) -> None:
        """Refuse to make a database anew where one was before.

        Raises:
            ConflictDatabaseError: Commits are accounted for, the database is gone.
        """
        number = self._read()
        is_there = self._database.is_file() and self._database.stat().st_size > 0
        if number and not is_there:
            raise ConflictDatabaseError(
                f"{self._database} is gone or empty, though {number} commits were made "
                f"to it; {self._remedy}"
            )

    def require_whole(self, connection: sa.Connection) -> None:
        """Refuse a database that lacks its last commits.

        Args:
            connection: Connection inside a transaction.

        Raises:
            ConflictDatabaseError: It is behind the account.
        """
        witnessed = self._read()
        if witnessed is None:
            return
        behind = (witnessed - _number(connection)) % _SPAN
        if 0 < behind < _SPAN // 2:
            raise ConflictDatabaseError(
                f"{self._database} lacks its last {behind} commits: its write-ahead "
                f"log was cut, deleted or replaced; {self._remedy}"
            )

    def count(self, connection: sa.Connection) -> int:
        """Count a commit, as the last act of its transaction.

        Args:
            connection: Connection inside the write transaction.

        Returns:
            Number of the commit.
        """
        number = (_number(connection) + 1) % _SPAN
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
        return number

    def note(self, number: int) -> None:
        """Account for a commit that is on disk.

        Args:
            number: Its number.
        """
        body = number.to_bytes(4, "big")
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(file, body + zlib.crc32(body).to_bytes(4, "big"), 0)
            finally:
                os.close(file)
        except OSError as exc:
            logger.warning("%s cannot be written: %s", self._path, exc.strerror)

    def _read(self) -> int | None:
        try:
            data = self._path.read_bytes()[:_BYTES]
        except FileNotFoundError:
            return None
        body, check = data[:4], data[4:]
        if len(data) < _BYTES or zlib.crc32(body).to_bytes(4, "big") != check:
            logger.warning("%s is damaged and is written anew", self._path)
            return None
        return int.from_bytes(body, "big")


def witness_path(database: Path) -> Path:
    """Name the account of a database."""
    return database.with_name(f"{database.name}.commits")


def require_sound(connection: sa.Connection, shown: str, remedy: str) -> None:
    """Refuse an SQLite file whose structure is damaged.

    Args:
        connection: Connection to it.
        shown: Its name, for messages.
        remedy: What to do, for messages.

    Raises:
        ConflictDatabaseError: Pages, trees or cells do not fit together.
    """
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        reason = " ".join(str(found).split())
        raise ConflictDatabaseError(f"{shown} is damaged ({reason}); {remedy}")


def _number(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
