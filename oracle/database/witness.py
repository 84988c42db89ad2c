"""A second account of how far an SQLite database has come, in a file beside it.

    write transaction:  rows, number + 1 ── commit ──► member.db
                                             then ──► member.db.commits   (number)

SQLite reads a write-ahead log up to its first broken record and calls the rest never
written: a log that was cut or deleted loses commits without a word. The number of the
last commit, kept in a file of its own, tells: a database behind it is refused. The
file is written without waiting for the disk, so a power cut may leave it behind the
database, which is no fault; a kill does not. It also tells a lost database from a new
one. At a clean stop the account is *sealed* with length and checksum of the whole
file, so that a byte that changes while nobody runs is seen at the next start; the
first commit breaks the seal. PostgreSQL keeps such accounts itself.

The database's file is never opened here while this process has it open: to close a file
gives up every lock that the process has on it, and without its locks SQLite in another
process, a check say, takes the database for unused and deletes its write-ahead log.
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
_CHUNK_BYTES = 1 << 20
_OPEN_FILES = Path("/proc/self/fd")


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

    def is_unchanged(self) -> bool:
        """Tell whether a sealed file is as it was sealed; ask before it is opened.

        Returns:
            True also where there is no seal, and where this process has the file open
            already: who opened it has asked.
        """
        if self._read() is None or is_open_here(self._database):
            return True
        seal = self._seal_of_account()
        return not seal or seal == self._seal_of_file()

    def require_whole(self, connection: sa.Connection, *, is_unchanged: bool) -> None:
        """Refuse a database that lacks its last commits.

        Args:
            connection: Connection inside a transaction.
            is_unchanged: What `is_unchanged` said before the file was opened.

        Raises:
            ConflictDatabaseError: It is behind the account, or was changed.
        """
        witnessed = self._read()
        if witnessed is None:
            return
        if not is_unchanged:
            raise ConflictDatabaseError(
                f"{self._database} was changed since it was closed, not by this "
                f"program; {self._remedy}"
            )
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
        self._write(_checked(number.to_bytes(4, "big")))

    def seal(self) -> None:
        """Seal the account; the database is closed and nobody writes to it."""
        number = self._read()
        log = self._database.with_name(f"{self._database.name}-wal")
        is_in_use = log.exists() and log.stat().st_size > 0
        if number is None or is_in_use or not self._database.is_file():
            return
        if is_open_here(self._database):
            return
        self._write(_checked(number.to_bytes(4, "big")) + self._seal_of_file())

    def _write(self, account: bytes) -> None:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(file, account, 0)
                os.ftruncate(file, len(account))
            finally:
                os.close(file)
        except OSError as exc:
            logger.warning("%s cannot be written: %s", self._path, exc.strerror)

    def _seal_of_account(self) -> bytes:
        seal = self._path.read_bytes()[_BYTES:]
        if seal and seal != _checked(seal[:-4]):
            logger.warning("the seal of %s is damaged and is made anew", self._path)
            return b""
        return seal

    def _seal_of_file(self) -> bytes:
        """Take length and checksum of the database's file."""
        checksum, size = 0, 0
        with self._database.open("rb") as file:
            while part := file.read(_CHUNK_BYTES):
                checksum, size = zlib.crc32(part, checksum), size + len(part)
        return _checked(size.to_bytes(8, "big") + checksum.to_bytes(4, "big"))

    def _read(self) -> int | None:
        try:
            data = self._path.read_bytes()[:_BYTES]
        except FileNotFoundError:
            return None
        if len(data) < _BYTES or data != _checked(data[:4]):
            logger.warning("%s is damaged and is written anew", self._path)
            return None
        return int.from_bytes(data[:4], "big")


def is_open_here(path: Path) -> bool:
    """Tell whether this process has a file open, by whatever name.

    Args:
        path: The file; one that does not exist is not open.

    Returns:
        True also where the system does not tell.
    """
    try:
        wanted = path.stat()
    except OSError:
        return False
    try:
        links = list(_OPEN_FILES.iterdir())
    except OSError:
        return True
    for link in links:
        try:
            found = link.stat()
        except OSError:  # closed meanwhile
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def witness_of(engine: sa.Engine) -> CommitWitness | None:
    """Give the account of an engine's database; PostgreSQL has none here."""
    found: CommitWitness | None = engine.get_execution_options().get("witness")
    return found


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


def _checked(body: bytes) -> bytes:
    """Put a checksum behind bytes."""
    return body + zlib.crc32(body).to_bytes(4, "big")
