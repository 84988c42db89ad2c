"""Print results: tables for people, JSON for programs, never both."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["print_pairs", "print_question", "print_rows"]


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, as_json: bool
) -> None:
    """Print a list.

    Args:
        rows: What to print.
        columns: Columns of the table, in order; JSON has every member.
        as_json: Whether to print JSON.
    """
    if as_json:
        _print_json(list(rows))
        return
    names = list(columns)
    table = Table()
    for name in names:  # folded, never cut: people copy ids out of tables
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_word(row.get(name)) for name in names))
    Console(soft_wrap=True).print(table)


def print_pairs(
    pairs: Iterable[tuple[str, str]], document: Any, *, as_json: bool
) -> None:
    """Print one thing, label by label.

    Args:
        pairs: Label and text, for people.
        document: The same for programs.
        as_json: Whether to print JSON.
    """
    if as_json:
        _print_json(document)
    else:
        Console(soft_wrap=True).print(_grid(pairs))


def print_question(pairs: Iterable[tuple[str, str]]) -> None:
    """Print what a person is asked about, apart from the results."""
    Console(soft_wrap=True, stderr=True).print(_grid(pairs))


def _grid(pairs: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for label, text in pairs:
        grid.add_row(label, text)
    return grid


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _print_json(document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    Console(soft_wrap=True, highlight=False, markup=False).print(text)
