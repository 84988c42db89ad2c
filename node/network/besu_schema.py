"""Besu's documented files as data, and the check that what we write obeys them.

``besu_schema.yaml`` names every item that may stand in a file, its type, its bounds and
the page that says so. An unknown, missing or ill-typed item is refused, so nothing is
written that Besu does not document. It cannot say whether Besu runs with the file: that
is the operator's acceptance.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from node.errors import InvalidConfigError

__all__ = ["check_genesis", "check_options", "check_permissions", "schema"]

_ENODE = re.compile(
    r"enode://[0-9a-f]{128}@(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\]):\d{1,5}(\?discport=0)?"
)


def _is_text_of(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and bool(compiled.fullmatch(value))


def _is_list_of(is_one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_one, value))


_is_address = _is_text_of("0x[0-9a-fA-F]{40}")
_is_enode = _is_text_of(_ENODE.pattern)

_TYPES: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in {int, float},
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "strings": _is_list_of(lambda value: isinstance(value, str)),
    "quantity": _is_text_of("0x(0|[1-9a-f][0-9a-f]*)"),
    "data": _is_text_of("0x([0-9a-f]{2})*"),
    "word": _is_text_of("0x[0-9a-f]{64}"),
    "address": _is_address,
    "addresses": _is_list_of(_is_address),
    "enodes": _is_list_of(_is_enode),
}


@cache
def schema() -> dict[str, Any]:
    """Read the documented items, by file and part of a file."""
    path = files("node.network").joinpath("besu_schema.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


def check_genesis(genesis: Mapping[str, Any]) -> None:
    """Check a genesis file.

    Args:
        genesis: Its content.

    Raises:
        InvalidConfigError: It is not as Besu documents it.
    """
    _check("genesis", genesis)
    _check("config", genesis["config"])
    _check("qbft", genesis["config"]["qbft"])
    for address, account in genesis["alloc"].items():
        if not _is_address(f"0x{address.removeprefix('0x')}"):
            raise _fault("genesis", f"alloc {address}", "an address", address)
        _check("account", account)


def check_permissions(permissions: Mapping[str, Any]) -> None:
    """Check a permissions file.

    Args:
        permissions: Its content.

    Raises:
        InvalidConfigError: It is not as Besu documents it.
    """
    _check("permissions", permissions)


def check_options(options: Mapping[str, Any]) -> None:
    """Check a configuration file: names of command line options and their values.

    Args:
        options: Its content.

    Raises:
        InvalidConfigError: It is not as Besu documents it.
    """
    for name, reason in schema()["options"]["incompatible"].items():
        if name in options:
            raise InvalidConfigError(f"Besu's option {name} {reason}; leave it out.")
    _check("options", options)


def _check(part: str, content: Mapping[str, Any]) -> None:
    known, required = schema()[part]["items"], schema()[part]["required"]
    for name in (*required, *content):
        if name not in known:
            raise _fault(part, name, "only documented items", "an unknown one")
        if name not in content:
            raise _fault(part, name, "it to be there", "nothing")
    for name, value in content.items():
        _check_value(part, name, value, known[name])


def _check_value(part: str, name: str, value: Any, rule: Mapping[str, Any]) -> None:
    if not _TYPES[rule["type"]](value):
        raise _fault(part, name, rule["type"], value)
    if "values" in rule and value not in rule["values"]:
        raise _fault(part, name, f"one of {rule['values']}", value)
    if "least" in rule and value < rule["least"]:
        raise _fault(part, name, f"at least {rule['least']}", value)
    if "greatest" in rule and value > rule["greatest"]:
        raise _fault(part, name, f"at most {rule['greatest']}", value)
    if "allowed" in rule and (surplus := set(value) - set(rule["allowed"])):
        raise _fault(part, name, f"nothing but {rule['allowed']}", sorted(surplus))
    if "refused" in rule and set(value) & set(rule["refused"]):
        raise _fault(part, name, f"none of {rule['refused']}", value)


def _fault(part: str, name: str, needed: Any, given: Any) -> InvalidConfigError:
    return InvalidConfigError(
        f"Besu's {part}, item {name}: expected {needed}, given {given!r}; see the page "
        "that node/network/besu_schema.yaml names for it."
    )
