"""Print results: tables for people, JSON for programs, never both.

Whatever is printed is printed as it is: nothing in a name or a value is taken for
markup, and nothing is cut, because people sign what they see and copy ids out of it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from wallet.catalogue import Language, say

__all__ = ["print_pairs", "print_question", "print_rows"]


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Iterable[str],
    language: Language,
    *,
    as_json: bool,
) -> None:
    """Print a list.

    Args:
        rows: What to print.
        columns: Columns of the table, in order; JSON has every member.
        language: Language of the headings.
        as_json: Whether to print JSON.
    """
    if as_json:
        _print_json(list(rows))
        return
    names = list(columns)
    table = Table()
    for name in names:
        table.add_column(say(language, f"column.{name}"), overflow="fold")
    for row in rows:
        table.add_row(*(_word(row.get(name)) for name in names))
    _console().print(table)


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
        _console().print(_grid(pairs))


def print_question(pairs: Iterable[tuple[str, str]]) -> None:
    """Print what a person is asked about, apart from the results."""
    _console(is_error=True).print(_grid(pairs))


def _grid(pairs: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for label, text in pairs:
        grid.add_row(label, _word(text))
    return grid


def _word(value: Any) -> str:
    """Write a value; what would steer the terminal shows as a mark."""
    text = "" if value is None else str(value)
    return "".join(one if one.isprintable() or one == "\n" else "�" for one in text)


def _print_json(document: Any) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    _console().print(text)


def _console(*, is_error: bool = False) -> Console:
    return Console(
        soft_wrap=True, stderr=is_error, highlight=False, markup=False, emoji=False
    )
