"""Plan files: what is to be founded or changed, as people write it down in TOML.

One place reads them, for every plan that has organisations with representatives. A
plan names addresses only; every key stays with its owner. Nothing is checked against a
chain here.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from contracts.enumerations import Kind, Rights
from contracts.structs import Representative
from node.errors import InvalidConfigError

__all__ = ["read_kind", "read_plan", "read_representatives"]

_LISTS = (("initiators", Rights.INITIATE), ("approvers", Rights.APPROVE))
_T = TypeVar("_T")


def read_plan(path: Path, read: Callable[[Mapping[str, Any]], _T], form: str) -> _T:
    """Read a plan file.

    Args:
        path: TOML file.
        read: Makes the plan of its entries.
        form: The command that shows the form, for messages.

    Returns:
        The plan.

    Raises:
        InvalidConfigError: Names the entry that is missing or wrong.
    """
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise InvalidConfigError(f"Plan {path} cannot be read: {exc}.") from exc
    try:
        return read(entries)
    except KeyError as exc:
        raise InvalidConfigError(
            f"Plan {path}: {exc.args[0]!r} is missing or names nothing in it; see the "
            f"form in {form} --help."
        ) from exc
    except (TypeError, ValueError, AttributeError) as exc:
        raise InvalidConfigError(f"Plan {path} has another form: {exc}.") from exc


def read_kind(entry: Mapping[str, Any]) -> Kind:
    """Read what kind of organisation an entry is.

    Raises:
        KeyError: There is no such kind, or no entry of it.
    """
    return Kind[entry["kind"].upper()]


def read_representatives(entry: Mapping[str, Any]) -> tuple[Representative, ...]:
    """Read who acts for an organisation; one address may stand in both lists.

    Raises:
        KeyError: A list is missing.
    """
    rights: dict[str, Rights] = {}
    for listed, right in _LISTS:
        for key in entry[listed]:
            rights[key] = Rights(rights.get(key, Rights.NONE) | right)
    return tuple(Representative(key, right) for key, right in rights.items())
