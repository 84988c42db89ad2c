"""The node's database: opened, brought to the newest tables, its errors translated.

SQLite in WAL mode with full synchronisation, or PostgreSQL by URL, where a server that
is set to lose commits is refused. A commit that returned is on disk; one transaction
writes at a time, and readers see one moment. Whatever the driver raises leaves as one
of ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    NodeError,
    UnavailableStorageError,
)
from oracle.database.address import parse_address, shown
from oracle.database.faults import Fault, fault_of
from oracle.database.history import UnknownRevisionError, migrate, revisions
from oracle.database.postgresql import lock_number, require_durable
from oracle.database.witness import CommitWitness, require_sound, witness_of
from oracle.errors import ConflictDatabaseError, InvalidSettingsError

__all__ = ["Database", "database_revision", "open_database"]

REMEDY = (
    "run carbon-node reindex, which sets it aside and makes the tables anew from the "
    "chain; nothing was changed"
)
"""What to do about a database that is damaged or gone."""
_BUSY_TIMEOUT_S = 5.0
_MAX_CONNECTIONS = 100
"""More than the API has threads times connections a request."""
_TURN = lock_number("the one write transaction of a node")


class Database:
    """A database at the newest version of the tables.

    Args:
        engine: The connection pool.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading: dict[str, Any] = {"is_reading": True}
        if engine.dialect.name == "postgresql":
            self._reading["isolation_level"] = "REPEATABLE READ"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads, all of one moment; waits for nobody.

        Yields:
            The connection.

        Raises:
            UnavailableStorageError: If the database is unreachable.
            ConflictLedgerError: If its file is damaged.
        """
        with _translated(self.engine), self.engine.connect() as plain:
            connection = plain.execution_options(**self._reading)
            with connection.begin():
                yield connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that writes; one at a time, from its first statement.

        It is committed at the end and rolled back on any error.

        Yields:
            The connection.

        Raises:
            UnavailableStorageError: If it is locked, full or unreachable.
            ConflictLedgerError: If its file is damaged.
        """
        witness = witness_of(self.engine)
        with _translated(self.engine), self.engine.begin() as connection:
            yield connection
            number = witness.count(connection) if witness else 0
        if witness:
            witness.note(number)

    def close(self) -> None:
        """Close every connection, and seal the file where nobody else uses it."""
        self.engine.dispose()
        if witness := witness_of(self.engine):
            witness.seal()


def open_database(url: str) -> Database:
    """Open a database and migrate it to the newest tables.

    Args:
        url: SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Returns:
        The database.

    Raises:
        InvalidConfigError: If the URL is none.
        UnavailableStorageError: If it cannot be opened now.
        ConflictLedgerError: If its file is damaged.
    """
    try:
        database = Database(_engine(url))
        _require_whole(database.engine)
        with database.begin() as connection:
            migrate(connection, "node.store")
    except InvalidSettingsError as exc:
        raise InvalidConfigError(f"Setting database_url: {exc}.") from exc
    except UnknownRevisionError as exc:
        raise ConflictLedgerError(f"The node's database is refused: {exc}.") from exc
    return database


def _require_whole(engine: Engine) -> None:
    """Refuse a file that is damaged, lost or behind its account of commits."""
    witness = witness_of(engine)
    if witness is None:
        return
    try:
        witness.require_present()
        is_unchanged = witness.is_unchanged()  # before any connection
        with _translated(engine), engine.connect() as plain:
            connection = plain.execution_options(is_reading=True)
            require_sound(connection, str(engine.url.database), REMEDY)
            witness.require_whole(connection, is_unchanged=is_unchanged)
    except ConflictDatabaseError as exc:
        raise ConflictLedgerError(f"Database {exc}.") from exc


def database_revision(url: str) -> tuple[str | None, str]:
    """Tell which revision a database is of, and which is the newest; change nothing.

    Args:
        url: As for ``open_database``; a file must exist.

    Returns:
        The database's revision, None where it has no tables yet, and the newest.

    Raises:
        InvalidConfigError: If the URL is none.
        UnavailableStorageError: If it cannot be opened now.
        ConflictLedgerError: If its file is damaged.
    """
    try:
        engine = _engine(url)
        with _translated(engine), engine.connect() as plain:
            connection = plain.execution_options(is_reading=True)
            return revisions(connection, "node.store")
    except InvalidSettingsError as exc:
        raise InvalidConfigError(f"Setting database_url: {exc}.") from exc


def _engine(url: str) -> Engine:
    parsed = parse_address(url)
    if parsed.get_backend_name() == "sqlite":
        arguments = {"timeout": _BUSY_TIMEOUT_S}
        engine = create_engine(
            parsed,
            connect_args=arguments,
            max_overflow=_MAX_CONNECTIONS,
            execution_options={
                "witness": CommitWitness(Path(str(parsed.database)), REMEDY)
            },
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            parsed, max_overflow=_MAX_CONNECTIONS, pool_pre_ping=True
        )
    except ModuleNotFoundError as exc:
        raise InvalidConfigError(
            "Setting database_url names PostgreSQL, whose driver is absent; run: "
            "pip install park-carbon-ledger[postgresql]"
        ) from exc
    event.listen(engine, "connect", require_durable)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Write through to the disk; leave the begin of transactions to us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    """Let writers wait for their turn, as SQLite does."""
    if not connection.get_execution_options().get("is_reading", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        raise _named_fault(engine, exc) from exc


def _named_fault(engine: Engine, exc: SQLAlchemyError) -> NodeError:
    fault, where = fault_of(exc), engine.url.render_as_string(hide_password=True)
    if fault is Fault.DAMAGED:
        return ConflictLedgerError(f"Database {shown(where)} is damaged; {REMEDY}.")
    if fault is Fault.DUPLICATE:
        return UnavailableStorageError(
            f"Database {shown(where)} was changed by another process at the same time;"
            " try again."
        )
    return UnavailableStorageError(f"Database {fault.sentence(where, exc)}.")
