"""The node's database: opened, brought to the newest tables, its errors translated.

SQLite in WAL mode with full synchronisation unless the URL says PostgreSQL. A commit
that returned is on disk. Whatever the driver raises leaves as one of ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    NodeError,
    UnavailableStorageError,
)

__all__ = ["Database", "open_database"]

_BUSY_TIMEOUT_S = 5.0
_MAX_CONNECTIONS = 100
"""More than the API has threads times connections a request."""


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
        with _translated(self.engine), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


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
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        arguments = {"timeout": _BUSY_TIMEOUT_S} if is_sqlite else {}
        engine = create_engine(
            parsed, connect_args=arguments, max_overflow=_MAX_CONNECTIONS
        )
    except (ArgumentError, ModuleNotFoundError) as exc:
        raise InvalidConfigError(
            "Setting database_url is no usable database address; give "
            "sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME."
        ) from exc
    if is_sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    with _translated(engine):
        _migrate(engine)
    return Database(engine)


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


def _migrate(engine: Engine) -> None:
    with as_file(files("node.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as exc:
        raise _named_fault(engine, exc) from exc


def _named_fault(engine: Engine, exc: SQLAlchemyError) -> NodeError:
    where = engine.url.render_as_string(hide_password=True)
    words = str(exc.orig if isinstance(exc, DBAPIError) else exc).lower()
    if "locked" in words:
        return UnavailableStorageError(
            f"Database {where} is locked by another process; stop that process or "
            "try again when it is done."
        )
    if "full" in words or "no space" in words:
        return UnavailableStorageError(
            f"The disk of database {where} is full; free some space and start again, "
            "nothing acknowledged is lost."
        )
    if "malformed" in words or "not a database" in words:
        return ConflictLedgerError(
            f"Database {where} is damaged; move it away and run: carbon-node reindex"
        )
    return UnavailableStorageError(
        f"Database {where} cannot be used ({words.splitlines()[0]}); check that it "
        "runs, that its folder exists and may be written to and its disk has room."
    )
