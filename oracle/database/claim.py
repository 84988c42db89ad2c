"""The right to write to a database: one process holds it, a second is refused.

A file next to an SQLite database, locked for as long as the process lives; a session
lock in PostgreSQL (`oracle.database.postgresql`). Neither outlives its process, so
nothing has to be cleaned up after a kill.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from oracle.database.address import Address, parse_address, shown
from oracle.database.postgresql import WriterClaim
from oracle.errors import ConflictDatabaseError, UnavailableInboxError

_RETRY_AFTER_S = 5


class Claim(Protocol):
    """A right that is held until it is given up."""

    def release(self) -> None:
        """Give the right up."""


class FileClaim:
    """The right to write to an SQLite database.

    Args:
        database: Its file.

    Raises:
        ConflictDatabaseError: Another process holds it.
        UnavailableInboxError: The lock's file cannot be made.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(f"{database.name}.lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            message = f"{path} cannot be made ({exc.strerror}): check folder and rights"
            raise UnavailableInboxError(
                message, _RETRY_AFTER_S, is_overload=False
            ) from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(self._file)
            raise ConflictDatabaseError(refusal(database)) from exc

    def release(self) -> None:
        """Give the right up."""
        os.close(self._file)


def refusal(database: Address) -> str:
    """Say that another process writes to a database."""
    return (
        f"another process holds {shown(database)}: stop the other node or member, or "
        "give this one a database of its own"
    )


def claim_writer(engine: sa.Engine, database: Address) -> Claim:
    """Become the one process that writes to a database.

    Args:
        engine: Its engine.
        database: Its address.

    Returns:
        The claim.

    Raises:
        ConflictDatabaseError: Another process is that already.
        UnavailableInboxError: The database cannot be used now.
    """
    url = parse_address(database)
    if url.get_backend_name() == "sqlite":
        return FileClaim(Path(str(url.database)))
    return WriterClaim(engine)
