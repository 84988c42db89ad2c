"""The database of one member: how it is opened, written and explained.

Rules kept: what is acknowledged is on disk (SQLite in WAL mode with
`synchronous=FULL`); a writer takes the lock at the start of its transaction, readers
never wait for it; an error of the database becomes one sentence that says what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from oracle.errors import UnavailableInboxError
from oracle.inbox.tables import METADATA

RETRY_AFTER_S = 5
"""When to try again after a failure of the database. [s]"""


def open_engine(database: Path) -> sa.Engine:
    """Open (and where needed create) the database of one member.

    Args:
        database: File of the database; its folder must exist.

    Returns:
        Engine whose connections write through to the disk.

    Raises:
        UnavailableInboxError: The file cannot be opened or created.
    """
    engine = sa.create_engine(f"sqlite:///{database}")
    sa.event.listen(engine, "connect", _prepare_connection)
    sa.event.listen(engine, "begin", _begin)
    with translated(database):
        METADATA.create_all(engine)
    return engine


@contextmanager
def translated(database: Path) -> Iterator[None]:
    """Turn the database's errors into a sentence that says what to do."""
    try:
        yield
    except IntegrityError as exc:
        message = (
            f"another process writes to {database}: run one inbox a database; "
            "nothing of this request was stored"
        )
        raise UnavailableInboxError(message, RETRY_AFTER_S, is_overload=False) from exc
    except DBAPIError as exc:
        message = f"{_advice(str(exc.orig), database)}; nothing was acknowledged"
        raise UnavailableInboxError(message, RETRY_AFTER_S, is_overload=False) from exc


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that takes the write lock at its start."""
    writer = engine.execution_options(is_writing=True)
    with writer.begin() as connection:
        yield connection


def _prepare_connection(connection: Any, _record: object) -> None:
    """Write through to the disk, and let `_begin` open the transactions."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=5000",
        "foreign_keys=ON",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _advice(reason: str, database: Path) -> str:
    """Say what is wrong with the database and what to do."""
    if "full" in reason:
        return f"the disk of {database} is full: free space and send again"
    if "locked" in reason or "busy" in reason:
        return f"{database} is locked by another process: end it and send again"
    if "readonly" in reason or "unable to open" in reason:
        return f"{database} cannot be written ({reason}): check folder and rights"
    return f"{database} does not work ({reason}): check disk and file"
