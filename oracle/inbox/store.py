"""The database of one member: how it is opened, written and explained.

Rules kept: what is acknowledged is on disk (SQLite in WAL mode with
`synchronous=FULL`; a PostgreSQL server that is set to lose commits is refused); one
write transaction at a time, which takes the lock at its start, and readers that see
one moment and never wait for it; an error of the database becomes one sentence that
says what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from oracle.database.address import Address, parse_address, shown
from oracle.database.faults import Fault, fault_of
from oracle.database.history import UnknownRevisionError, migrate, revisions
from oracle.database.postgresql import lock_number, require_durable
from oracle.database.witness import CommitWitness, require_sound, witness_of
from oracle.errors import ConflictDatabaseError, UnavailableInboxError

REMEDY = (
    "keep the files, and run carbon-oracle rebuild, or restore a backup; nothing was "
    "changed"
)
"""What to do about a database that is damaged or gone."""
RETRY_AFTER_S = 5
"""When to try again after a failure of the database. [s]"""
_TURN = lock_number("the one write transaction of an inbox")


def open_engine(database: Address) -> sa.Engine:
    """Open the database of one member and bring its tables to the newest revision.

    Args:
        database: File, whose folder must exist and which is made where needed, or
            URL of a PostgreSQL database that exists.

    Returns:
        Engine whose connections write through to the disk.

    Raises:
        UnavailableInboxError: It cannot be opened or created.
        ConflictDatabaseError: It is damaged, of a newer version, or not ours.
        InvalidSettingsError: The address or the server's durability is unfit.
    """
    engine = _engine(database)
    try:
        with translated(database):
            _require_whole(engine)
            with writing(engine) as connection:
                migrate(connection, "oracle.database")
    except UnknownRevisionError as exc:
        raise ConflictDatabaseError(f"{shown(database)} is refused: {exc}") from exc
    except BaseException:
        engine.dispose()
        raise
    return engine


def _require_whole(engine: sa.Engine) -> None:
    """Refuse a file that is damaged, lost or behind its account of commits."""
    witness = witness_of(engine)
    if witness is None:
        return
    witness.require_present()
    is_unchanged = witness.is_unchanged()  # before any connection
    with engine.connect() as connection:
        require_sound(connection, str(engine.url.database), REMEDY)
        witness.require_whole(connection, is_unchanged=is_unchanged)


def close_engine(engine: sa.Engine) -> None:
    """Close every connection, and seal the file where nobody else uses it."""
    engine.dispose()
    if witness := witness_of(engine):
        witness.seal()


def database_revision(database: Address) -> tuple[str | None, str]:
    """Tell which revision a database is of, and which is the newest; change nothing.

    Args:
        database: As for `open_engine`; a file must exist.

    Returns:
        The database's revision, None where it has no tables yet, and the newest.

    Raises:
        UnavailableInboxError: It cannot be opened.
        ConflictDatabaseError: It is damaged.
    """
    engine = _engine(database)
    try:
        with translated(database), engine.connect() as connection:
            return revisions(connection, "oracle.database")
    finally:
        engine.dispose()


def _engine(database: Address) -> sa.Engine:
    url = parse_address(database)
    if url.get_backend_name() == "sqlite":
        witness = CommitWitness(Path(str(url.database)), REMEDY)
        engine = sa.create_engine(url, execution_options={"witness": witness})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as exc:
        message = "PostgreSQL needs its driver: pip install park-carbon-ledger"
        raise ConflictDatabaseError(f"{message}[postgresql]") from exc
    sa.event.listen(engine, "connect", require_durable)
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


@contextmanager
def translated(database: Address) -> Iterator[None]:
    """Turn the database's errors into a sentence that says what to do.

    Args:
        database: Its address, for messages.

    Raises:
        UnavailableInboxError: It cannot be used now.
        ConflictDatabaseError: It is damaged.
    """
    try:
        yield
    except SQLAlchemyError as exc:
        fault = fault_of(exc)
        message = f"{fault.sentence(database, exc)}; nothing was acknowledged"
        if fault is Fault.DAMAGED:
            raise ConflictDatabaseError(message) from exc
        raise UnavailableInboxError(message, RETRY_AFTER_S, is_overload=False) from exc


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that takes the write lock at its start."""
    writer, witness = engine.execution_options(is_writing=True), witness_of(engine)
    with writer.begin() as connection:
        yield connection
        number = witness.count(connection) if witness else 0
    if witness:
        witness.note(number)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Write through to the disk, and let `_begin_sqlite` open the transactions."""
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


def _begin_sqlite(connection: sa.Connection) -> None:
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _begin_postgresql(connection: sa.Connection) -> None:
    """Give the writer its turn, and readers one moment."""
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    if options.get("is_writing", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")
        return
    wanted = "ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    driver: Any = connection.connection
    with driver.cursor() as cursor:  # never one of the server's
        cursor.execute(f"SET TRANSACTION {wanted}")
