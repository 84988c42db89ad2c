"""Begin the ledger's tables anew; a database that cannot be read is set aside first.

    readable   ─► facts forgotten, the desk's rows stay
    damaged    ─► set aside ─► new tables ─► the desk's rows that can be read and hold

Rules kept: what is set aside is never deleted nor changed; instructions that wait for
signatures are taken over where their digest and every signature hold, alarms as far
as they can be read; logins are not, people log in again. A killed run goes on with the
next. The facts themselves come from the chain, by the indexer.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, Text

from node.errors import ConflictLedgerError
from node.ledger.cursor import clear
from node.store.alarms import Alarm, AlarmNotice
from node.store.database import Database, open_database
from node.store.desk import PendingInstruction, PendingParty, PendingSignature
from node.store.schema import table_of
from node.store.write import insert_new
from oracle.database.aside import damaged_files, file_of, set_aside
from oracle.database.salvage import salvage_rows
from oracle.errors import ConflictDatabaseError
from wallet.errors import WalletError
from wallet.instruction_file import from_json

__all__ = ["Cleared", "clear_ledger"]

_ALARMS = (table_of(Alarm), table_of(AlarmNotice))
_INSTRUCTIONS = table_of(PendingInstruction)
_PARTS = (table_of(PendingSignature), table_of(PendingParty))


@dataclass(frozen=True, slots=True)
class Cleared:
    """How the tables were begun anew."""

    set_aside: str | None = None
    """Where the old database is; None if it could be read."""
    kept: dict[str, int] = field(default_factory=dict)
    """Table of the desk → rows taken over from what was set aside."""


def clear_ledger(url: str) -> Cleared:
    """Forget every fact, in the database or with it.

    Args:
        url: Address of the node's database; no node runs on it.

    Returns:
        What was set aside and taken over.

    Raises:
        NodeError: If the database can neither be used nor set aside.
    """
    where = None
    try:
        database = _cleared(url)
    except ConflictLedgerError:
        try:
            where = set_aside(url)
        except ConflictDatabaseError as exc:
            raise ConflictLedgerError(f"Database {exc}.") from exc
        database = _cleared(url)
    try:
        return Cleared(where, _take_over(database, file_of(url)))
    finally:
        database.close()


def _cleared(url: str) -> Database:
    database = open_database(url)
    try:
        with database.begin() as connection:
            clear(connection)
    except BaseException:
        database.engine.dispose()
        raise
    return database


def _take_over(database: Database, path: Path | None) -> dict[str, int]:
    """Read the desk's rows of files set aside, once each."""
    kept: dict[str, int] = {}
    for damaged in damaged_files(path) if path else []:
        done = damaged.with_name(f"{damaged.name}.salvaged")
        if done.exists():
            continue
        with database.begin() as connection:
            for name, count in _keep_rows(connection, damaged).items():
                kept[name] = kept.get(name, 0) + count
        done.touch()
    return kept


def _keep_rows(connection: Connection, damaged: Path) -> dict[str, int]:
    found = {table: _rows(damaged, table) for table in (*_PARTS, *_ALARMS)}
    instructions = [
        row for row in _rows(damaged, _INSTRUCTIONS) if _holds(row, found[_PARTS[0]])
    ]
    known = {row["digest"] for row in instructions}
    kept = {_INSTRUCTIONS: instructions}
    for table in _PARTS:
        kept[table] = [row for row in found[table] if row["digest"] in known]
    kept |= {table: found[table] for table in _ALARMS}
    for table, rows in kept.items():
        if rows:
            connection.execute(insert_new(connection, table), rows)
    return {table.name: len(rows) for table, rows in kept.items()}


def _rows(damaged: Path, table: Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    read = salvage_rows(damaged, table.name, ", ".join(names))
    rows = (_row(table, dict(zip(names, one, strict=True))) for one in read)
    return [row for row in rows if row is not None]


def _row(table: Table, values: dict[str, Any]) -> dict[str, Any] | None:
    """Give each value the type of its column; None if one has another."""
    for column in table.columns:
        value, kind = values[column.name], column.type.python_type
        if isinstance(column.type, Text) and isinstance(value, bytes):
            try:
                values[column.name] = value = value.decode()
            except UnicodeDecodeError:
                return None
        if value is None and column.nullable:
            continue
        if not isinstance(value, kind):
            return None
    return values


def _holds(row: dict[str, Any], signatures: list[dict[str, Any]]) -> bool:
    """True if an instruction is what its digest says and all under it have signed."""
    given = [
        {
            **{name: one[name] for name in ("account", "role", "key")},
            "signature": f"0x{one['signature'].hex()}",
        }
        for one in signatures
        if one["digest"] == row["digest"]
    ]
    try:
        document = {**json.loads(row["document"]), "signatures": given}
        made = from_json(document)
    except (WalletError, ValueError, TypeError):
        return False
    return (made.digest, made.deadline) == (row["digest"], row["deadline"])
