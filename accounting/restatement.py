"""What changed between two statements of one boundary, period and purpose.

A newer edition, factor or reading makes a new statement, never an update; this names
each difference and by how much, so that a restatement can be read and questioned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounting.errors import InvalidDocumentError, InvalidQuantityError
from accounting.quantities import exact, exact_text

_SAME: Final = ("format", "boundary.name", "period", "purpose")
"""What two statements must share to be compared."""

_SECTIONS: Final = (
    "result",
    "lines",
    "factors",
    "sources",
    "rule_sets",
    "digests",
    "boundary",
    "factor_year",
    "shares",
    "uncertainty",
    "unconfirmed",
    "notices",
)
"""Sections compared, the result first; the trace follows from them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    what: str
    """Path inside the document, e.g. `result.grams`."""
    old: str | None
    """None: it was not there."""
    new: str | None
    """None: it is gone."""
    difference: str | None
    """New less old where both are numbers."""


def explain_restatement(
    old_document: Mapping[str, Any], new_document: Mapping[str, Any]
) -> list[Change]:
    """Name every difference between two statements.

    Args:
        old_document: Document of the superseded statement.
        new_document: Document of the later statement.

    Returns:
        Changes, those of the result first; empty for equal documents.

    Raises:
        InvalidDocumentError: They are of different boundaries, periods or purposes.
    """
    for path in _SAME:
        old, new = _at(old_document, path), _at(new_document, path)
        if old != new:
            raise InvalidDocumentError(
                "statements of different subjects", where=path, expected=old, given=new
            )
    changes = []
    for section in _SECTIONS:
        old_leaves = dict(_leaves(section, old_document.get(section)))
        new_leaves = dict(_leaves(section, new_document.get(section)))
        for path in dict.fromkeys([*old_leaves, *new_leaves]):
            old_text, new_text = old_leaves.get(path), new_leaves.get(path)
            if old_text != new_text:
                difference = _difference(old_text, new_text)
                changes.append(Change(path, old_text, new_text, difference))
    return changes


def _at(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _leaves(f"{path}.{key}", value[key])
    elif isinstance(value, list):
        for item in value:
            yield f"{path}: {item}", "present"
    elif value is not None:
        yield path, str(value)


def _difference(old: str | None, new: str | None) -> str | None:
    if old is None or new is None:
        return None
    try:
        return exact_text(exact(new) - exact(old))
    except InvalidQuantityError:
        return None
