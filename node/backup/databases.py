"""Copies of databases while others write to them, and loading them again.

SQLite: the online backup API inside one read transaction, so the copy is of one moment
and no writer waits. PostgreSQL: one REPEATABLE READ transaction for all tables, each by
binary COPY; loaded into a database that holds nothing but empty tables of the same
revision.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from node.backup.parts import Part
from node.errors import (
    ConflictArchiveError,
    InvalidConfigError,
    UnavailableStorageError,
)

__all__ = [
    "copy_sqlite",
    "is_empty",
    "load_postgresql",
    "postgresql_parts",
    "sqlite_facts",
    "sqlite_size",
]

_PAGES_AT_ONCE = 4_096
_COPIED_BYTES = 1 << 18


def sqlite_size(path: Path) -> int:
    """Tell how large a copy will be at most, in bytes."""
    wal = path.with_name(path.name + "-wal")
    return sum(one.stat().st_size for one in (path, wal) if one.exists())


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database of one moment, and check the copy.

    Args:
        source: A database, open elsewhere or not.
        target: File to make.

    Raises:
        ConflictArchiveError: If the database is damaged.
        UnavailableStorageError: If it cannot be read or the copy not written.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True)) as ours,
            closing(sqlite3.connect(target)) as theirs,
        ):
            ours.execute("BEGIN")
            # The read pins the moment: later commits are not in the copy.
            ours.execute("SELECT count(*) FROM sqlite_master").fetchone()
            ours.backup(theirs, pages=_PAGES_AT_ONCE)
            theirs.execute("PRAGMA journal_mode = DELETE")
            (found,) = theirs.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as exc:
        if "malformed" not in str(exc) and "not a database" not in str(exc):
            raise UnavailableStorageError(
                f"Database {source} cannot be copied ({exc}); check that it exists and "
                "that the disk has room."
            ) from exc
        found = str(exc)
    if found != "ok":
        raise ConflictArchiveError(
            f"Database {source} is damaged ({found}); mend it first, see Databases in "
            "docs/operations.md: a backup of it would be worth nothing."
        )


def sqlite_facts(path: Path, questions: Mapping[str, str]) -> dict[str, Any]:
    """Ask a copy for single values.

    Args:
        path: The copy.
        questions: Name of a fact → query of one value.

    Returns:
        The values; None where a table is absent or empty.
    """
    with closing(sqlite3.connect(path)) as database:
        return {name: _value(database, query) for name, query in questions.items()}


def _value(database: sqlite3.Connection, query: str) -> Any:
    try:
        row = database.execute(query).fetchone()
    except sqlite3.OperationalError:
        return None
    value = None if row is None else row[0]
    return value.hex() if isinstance(value, bytes) else value


@contextmanager
def postgresql_parts(
    url: str, prefix: str, questions: Mapping[str, str]
) -> Iterator[list[Part]]:
    """Open one moment of a database and give its tables as parts.

    Args:
        url: SQLAlchemy URL.
        prefix: Folder of the parts in the archive.
        questions: Name of a fact → query of one value.

    Yields:
        The parts, to be written before the context ends.

    Raises:
        UnavailableStorageError: If the database cannot be read.
    """
    with _translated(url), _engine(url).connect() as plain:
        level = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        connection = plain.execution_options(**level)
        names = sa.inspect(connection).get_table_names()
        facts = {
            name: _one(connection, query, names) for name, query in questions.items()
        }
        yield [_table_part(connection, prefix, name, facts) for name in sorted(names)]


def _one(connection: sa.Connection, query: str, names: list[str]) -> Any:
    if not any(f" {name}" in query for name in names):
        return None
    value = connection.exec_driver_sql(query).scalar()
    return value.hex() if isinstance(value, bytes) else value


def _table_part(
    connection: sa.Connection, prefix: str, name: str, facts: dict[str, Any]
) -> Part:
    def write(path: Path) -> dict[str, Any]:
        columns = _columns(connection, name)
        query = f'COPY "{name}" ({_listed(columns)}) TO STDOUT (FORMAT binary)'
        with (
            path.open("wb") as file,
            _cursor(connection) as cursor,
            cursor.copy(query) as copy,
        ):
            for block in copy:
                file.write(block)
        return {f"{prefix}/{name}": columns, **facts}

    size = f"SELECT pg_total_relation_size('\"{name}\"')"
    hint = int(connection.exec_driver_sql(size).scalar() or 0)
    return Part(f"{prefix}/{name}.copy", hint, write)


def is_empty(url: str) -> bool:
    """Tell whether a PostgreSQL database holds no table yet."""
    with _translated(url), _engine(url).connect() as connection:
        return not sa.inspect(connection).get_table_names()


def load_postgresql(url: str, folder: Path, facts: Mapping[str, Any]) -> None:
    """Fill the empty tables of a database, all or none.

    Args:
        url: A database at the revision of the backup, its tables empty.
        folder: Files ``<table>.copy``.
        facts: The backup's facts, for the columns' order.

    Raises:
        ConflictArchiveError: If tables or revision are not those of the backup.
        UnavailableStorageError: If the database cannot be written.
    """
    with _translated(url), _engine(url).begin() as connection:
        _check_tables(connection, folder)
        ordered = sa.inspect(connection).get_sorted_table_and_fkc_names()
        for name in [name for name, _ in ordered if name]:
            columns = facts.get(f"{folder.name}/{name}", [])
            if sorted(columns) != sorted(_columns(connection, name)):
                raise _other_tables(f"{name} with {columns}")
            query = f'COPY "{name}" ({_listed(columns)}) FROM STDIN (FORMAT binary)'
            connection.exec_driver_sql(f'DELETE FROM "{name}"')  # noqa: S608  # a name of our own catalogue
            _load_table(connection, query, folder / f"{name}.copy")
            _advance_sequences(connection, name)


def _check_tables(connection: sa.Connection, folder: Path) -> None:
    ours = set(sa.inspect(connection).get_table_names())
    theirs = {path.stem for path in folder.glob("*.copy")}
    if ours != theirs:
        raise _other_tables(", ".join(sorted(theirs)))


def _other_tables(given: str) -> ConflictArchiveError:
    return ConflictArchiveError(
        f"The backup has tables that this program has not ({given}); restore it with "
        "the program version that made it, then start the newer one."
    )


def _load_table(connection: sa.Connection, query: str, path: Path) -> None:
    with (
        path.open("rb") as file,
        _cursor(connection) as cursor,
        cursor.copy(query) as copy,
    ):
        while block := file.read(_COPIED_BYTES):
            copy.write(block)


def _advance_sequences(connection: sa.Connection, name: str) -> None:
    """Let numbers given by the database go on behind those that were loaded."""
    for key in _columns(connection, name):
        query = sa.text("SELECT pg_get_serial_sequence(:name, :key)")
        found = connection.execute(query, {"name": f'"{name}"', "key": key}).scalar()
        if found is not None:
            connection.exec_driver_sql(
                f"SELECT setval('{found}', coalesce(max(\"{key}\"), 0) + 1, false) "  # noqa: S608  # names from the catalogue
                f'FROM "{name}"'
            )


def _columns(connection: sa.Connection, name: str) -> list[str]:
    return [one["name"] for one in sa.inspect(connection).get_columns(name)]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _cursor(connection: sa.Connection) -> Any:
    return connection.connection.cursor()


def _engine(url: str) -> sa.Engine:
    try:
        return sa.create_engine(url, poolclass=sa.NullPool)
    except (SQLAlchemyError, ModuleNotFoundError) as exc:
        raise InvalidConfigError(
            "The database address is not usable; give "
            "postgresql+psycopg://USER@HOST/NAME and install the extra postgresql."
        ) from exc


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, _driver_error()) as exc:
        where = sa.make_url(url).render_as_string(hide_password=True)
        words = str(getattr(exc, "orig", exc)).splitlines()[0]
        raise UnavailableStorageError(
            f"Database {where} cannot be used ({words}); check that it runs and that "
            "its disk has room."
        ) from exc


def _driver_error() -> type[Exception]:
    try:
        from psycopg import Error  # noqa: PLC0415  # an extra, absent with SQLite
    except ModuleNotFoundError:
        return SQLAlchemyError
    return Error
