"""Ways to read facts that every subject needs: present state, and pages.

Present state of a thing is the newest fact about it. Lists are paged by the stamp of
their facts, newest first, so a page never repeats or skips a row when new ones come.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Subquery,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute

from node.errors import InvalidRequestError

__all__ = [
    "MAX_LIMIT",
    "Page",
    "Query",
    "Row",
    "latest",
    "newest_first",
    "newest_value",
    "parse_cursor",
    "rows",
]

MAX_LIMIT = 500
"""Most rows a page has."""

Stamp = tuple[int, int]
"""Block number and log index of a fact."""

Row = dict[str, Any]
"""Column name to value."""

Query = Select[*tuple[Any, ...]]
"""Any selection."""

_CURSOR = re.compile(r"(\d{1,18})-(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the next ones begin."""

    items: list[Row]
    """Rows, newest first."""
    next: str | None
    """Cursor of the next page, None at the end."""


def parse_cursor(text: str | None) -> Stamp | None:
    """Read a cursor.

    Args:
        text: As ``Page.next`` gave it, or None for the first page.

    Returns:
        The stamp below which the page begins.

    Raises:
        InvalidRequestError: If it is no cursor.
    """
    if text is None:
        return None
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidRequestError(
            f"Parameter cursor: expected the 'next' of an earlier page such as 120-3, "
            f"given {text!r}."
        )
    return int(match[1]), int(match[2])


def latest(
    model: Any,
    *keys: InstrumentedAttribute[Any],
    where: ColumnElement[bool] | None = None,
) -> Subquery:
    """Select the newest fact about each thing.

    Args:
        model: Table of the facts.
        keys: Columns that name the thing.
        where: Restriction of the facts looked at.

    Returns:
        A subquery with the table's columns, one row a thing.
    """
    newest = (model.block_number.desc(), model.log_index.desc())
    place = func.row_number().over(partition_by=keys, order_by=newest).label("place")
    ranked = select(model, place)
    if where is not None:
        ranked = ranked.where(where)
    placed = ranked.subquery()
    return select(placed).where(placed.c.place == 1).subquery()


def newest_value(
    column: InstrumentedAttribute[Any], where: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """Select one column of the newest fact about a thing of an outer query.

    Args:
        column: The column.
        where: Ties the fact to the outer query's row.

    Returns:
        A correlated subquery; it costs one look at an index for each row shown.
    """
    model = column.class_
    newest = (model.block_number.desc(), model.log_index.desc())
    return select(column).where(where).order_by(*newest).limit(1).scalar_subquery()


def rows(connection: Connection, query: Query) -> list[Row]:
    """Read every row of a query, by column name."""
    return [row._asdict() for row in connection.execute(query)]


def newest_first(
    connection: Connection,
    query: Query,
    model: Any,
    cursor: str | None,
    limit: int,
) -> Page:
    """Read one page of a list.

    Args:
        connection: The transaction.
        query: Selects the list; has the stamp of ``model`` among its columns.
        model: Table whose facts the list's rows are.
        cursor: Where the page begins, None at the newest.
        limit: Most rows; at most ``MAX_LIMIT``.

    Returns:
        The page.

    Raises:
        InvalidRequestError: If the cursor is none.
    """
    stamp = tuple_(model.block_number, model.log_index)
    below = parse_cursor(cursor)
    if below is not None:
        query = query.where(stamp < below)
    size = min(limit, MAX_LIMIT)
    ordered = query.order_by(model.block_number.desc(), model.log_index.desc())
    found = rows(connection, ordered.limit(size + 1))
    if len(found) <= size:
        return Page(found, None)
    last = found[size - 1]
    return Page(found[:size], f"{last['block_number']}-{last['log_index']}")
