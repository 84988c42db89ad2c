"""Hold the tables against the chain: position, every row, the sums.

 1. the cursor's block is on the chain
 2. every ledger table equals one made afresh, row for row
 3. holdings and money by account are what the contracts say at that block

It changes nothing. A difference is named by table and row; the remedy is a reindex.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Table, select

from contracts.ledger import Ledger
from node.errors import ConflictLedgerError
from node.ledger.cursor import Position, position
from node.ledger.fetch import fetch_headers
from node.services.market import cash_balances, quota_balances
from node.store.database import Database
from node.store.facts import FACT_TABLES

__all__ = ["Report", "check_ledger", "compare_tables"]

_ROWS_AT_ONCE = 2_000
_REMEDY = "rebuild the tables with: carbon-node reindex"


@dataclass(frozen=True, slots=True)
class Report:
    """What was compared and found equal."""

    block_number: int
    """Block up to which everything was compared."""
    rows: int
    """Rows of ledger tables."""
    balances: int
    """Holdings and sums of money asked of the contracts."""


def check_ledger(ledger: Ledger, database: Database, fresh: Database) -> Report:
    """Hold a node's tables against the chain.

    Args:
        ledger: The chain's contracts.
        database: The node's database.
        fresh: A database indexed afresh, at the same block or later.

    Returns:
        What was compared.

    Raises:
        ConflictLedgerError: At the first difference.
    """
    with database.reading() as ours, fresh.reading() as theirs:
        at = position(ours)
        if at is None:
            return Report(-1, 0, 0)
        _check_position(ledger, at)
        count = compare_tables(ours, theirs, at.number)
        state = Ledger(ledger.client, ledger.deployment, at.number)
        return Report(at.number, count, _check_balances(state, ours))


def compare_tables(ours: Connection, theirs: Connection, block_number: int) -> int:
    """Compare every ledger table row for row.

    Args:
        ours: One database.
        theirs: The other.
        block_number: Block up to which rows are compared.

    Returns:
        Number of rows compared.

    Raises:
        ConflictLedgerError: At the first difference.
    """
    count = 0
    for table in FACT_TABLES:
        pairs = zip_longest(
            _rows(ours, table, block_number), _rows(theirs, table, block_number)
        )
        for mine, other in pairs:
            if mine != other:
                raise ConflictLedgerError(
                    f"Table {table.name} differs from one made afresh: expected "
                    f"{other}, found {mine}; {_REMEDY}"
                )
            count += 1
    return count


def _rows(
    connection: Connection, table: Table, block_number: int
) -> Iterator[tuple[Any, ...]]:
    query = (
        select(table)
        .where(table.c.block_number <= block_number)
        .order_by(*table.primary_key.columns)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for row in connection.execute(query):
        yield tuple(row)


def _check_position(ledger: Ledger, at: Position) -> None:
    found = fetch_headers(ledger.client, [at.number])
    if not found or found[0].hash != at.hash:
        raise ConflictLedgerError(
            f"The tables end at block {at.number} with hash 0x{at.hash.hex()}, which "
            "is not on the chain; run carbon-node index, which steps back by itself."
        )


def _check_balances(state: Ledger, connection: Connection) -> int:
    holdings = quota_balances(connection, None)
    for row in holdings:
        held = state.quota.balance_of(row["account"], row["vintage"])
        what = f"holding of {row['account']}, vintage {row['vintage']}"
        _require_equal(what, row["tonnes"], held)
    balances = cash_balances(connection, None)
    for row in balances:
        held = state.cash.balance_of(row["account"])
        _require_equal(f"money of {row['account']}", row["fen"], held)
    return len(holdings) + len(balances)


def _require_equal(what: str, given: int, expected: int) -> None:
    if given != expected:
        raise ConflictLedgerError(
            f"The {what} adds up to {given}, the contract says {expected}; {_REMEDY}"
        )
