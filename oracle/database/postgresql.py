"""PostgreSQL made as strict as SQLite is here: durable commits, one writer.

    claim connection ── session lock ──► held while the process lives
    write transaction ── its turn ── "is the claim mine?" ──► rows ──► commit

Rules kept: a server that acknowledges a commit before it is on disk is refused, at
every new connection, because the setting may change while we run; two inboxes on one
database are refused at the start; one that lost its claim with its connection writes
nothing until it holds it again, and starts that by forgetting what it keeps in memory.
"""

import hashlib
import logging
from typing import Any

import sqlalchemy as sa

from oracle.database.address import shown
from oracle.errors import (
    ConflictDatabaseError,
    InvalidSettingsError,
    UnavailableInboxError,
)

logger = logging.getLogger(__name__)

OLDEST_VERSION = 150_000
"""Oldest server that is tested with, as `server_version_num` counts."""
_WANTED = {
    "synchronous_commit": ("on", "remote_apply", "remote_write", "local"),
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "server_encoding": ("UTF8",),
}
_RETRY_AFTER_S = 5


def require_durable(connection: Any, _record: object = None) -> None:
    """Refuse a server whose commits may be lost; listens to new connections.

    Args:
        connection: Connection of the driver.

    Raises:
        InvalidSettingsError: A setting of the server loses what was committed, or it
            is older than version 15.
    """
    names = (*_WANTED, "server_version_num")
    questions = ", ".join(f"current_setting('{name}')" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {questions}")  # our own names
        found = dict(zip(names, cursor.fetchone(), strict=True))
    connection.rollback()
    for name, good in _WANTED.items():
        if found[name] not in good:
            message = (
                f"the PostgreSQL server has {name} = {found[name]}, expected "
                f"{good[0]}: what is acknowledged could be lost; set it and try again"
            )
            raise InvalidSettingsError(message)
    if int(found["server_version_num"]) < OLDEST_VERSION:
        given = int(found["server_version_num"]) // 10_000
        message = f"the PostgreSQL server has version {given}, expected 15 or newer"
        raise InvalidSettingsError(message)


def lock_number(name: str) -> int:
    """Give the number of an advisory lock; locks belong to one database."""
    digest = hashlib.sha256(f"park carbon ledger: {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


_CLAIM = lock_number("the one inbox of this database")


class WriterClaim:
    """The right to write to a database, held until it is given up.

    Args:
        engine: Engine of a PostgreSQL database.

    Raises:
        ConflictDatabaseError: Another process holds it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._where = shown(engine.url.render_as_string(hide_password=True))
        self._connection, self._process = self._take()
        sa.event.listen(engine, "begin", self._check)

    def release(self) -> None:
        """Give the right up."""
        sa.event.remove(self._engine, "begin", self._check)
        self._drop()

    def _take(self) -> tuple[sa.Connection, int]:
        connection = self._engine.connect()
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        question = f"SELECT pg_try_advisory_lock({_CLAIM}), pg_backend_pid()"
        is_mine, process = connection.exec_driver_sql(question).one()
        if not is_mine:
            connection.close()
            raise ConflictDatabaseError(
                f"another process holds {self._where}: stop the other member, or give "
                "this one a database of its own"
            )
        return connection, int(process)

    def _check(self, connection: sa.Connection) -> None:
        """See at the start of a write transaction that the claim stands."""
        if not connection.get_execution_options().get("is_writing", False):
            return
        question = f"""SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND pid = {self._process} AND granted
            AND (classid::bigint << 32 | objid::bigint) = {_CLAIM}"""  # noqa: S608  # numbers of our own
        if not connection.exec_driver_sql(question).scalar_one():
            self._renew()

    def _renew(self) -> None:
        """Take the claim again for the next transaction; this one is not made.

        Raises:
            ConflictDatabaseError: Another process took it in the meantime.
            UnavailableInboxError: It is ours again; what was kept in memory is not
                trusted, so the caller starts over.
        """
        logger.warning("the connection to %s was lost; claiming it again", self._where)
        self._drop()
        self._connection, self._process = self._take()
        message = f"the connection to {self._where} was lost and is back: send again"
        raise UnavailableInboxError(message, _RETRY_AFTER_S, is_overload=False)

    def _drop(self) -> None:
        """End the session, which frees the lock; it may have ended already."""
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()
