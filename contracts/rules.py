"""What a new ledger's rulebook starts with: dated rules and working days.

Both come from data files that name source and evidence of every value. A working day
is Monday to Friday and no public holiday; bit d of a year's bitmap is its day d,
0 = 1 January. Local time is UTC+8.
"""

import datetime as dt
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from contracts.bindings.rulebook import Rule
from contracts.errors import InvalidInputError

LOCAL = dt.timezone(dt.timedelta(hours=8), "UTC+8")
"""Time zone of days and sessions."""

_SATURDAY = 5
_WORD_BITS = 256


def default_rules() -> tuple[Rule, ...]:
    """Read the first rules of a new ledger.

    Returns:
        One rule a name; an article known from memory only says ``(unconfirmed)``.
    """
    return tuple(_rule(entry) for entry in _data("rules.yaml"))


def _rule(entry: dict[str, Any]) -> Rule:
    start = dt.datetime.combine(entry["from"], dt.time(), LOCAL)
    mark = "" if entry["evidence"] == "read" else f" ({entry['evidence']})"
    digest = hashlib.sha256(entry["text"].encode("utf-8")).digest()
    return Rule(
        entry["name"],
        int(start.timestamp()),
        entry["value"],
        entry["article"] + mark,
        digest,
    )


def calendar_years() -> tuple[int, ...]:
    """List the years whose public holidays are known."""
    return tuple(sorted(_data("holidays.yaml")))


def working_days(year: int) -> tuple[int, int]:
    """Derive the working days of a year.

    Args:
        year: One of ``calendar_years``.

    Returns:
        The bitmap: bits 0 to 255, then the rest.

    Raises:
        InvalidInputError: The year's holidays are not known.
    """
    known = _data("holidays.yaml")
    if year not in known:
        message = (
            f"expected a year whose holidays are known ({min(known)} to {max(known)}), "
            f"got {year}: add it to holidays.yaml with its source"
        )
        raise InvalidInputError(message, year=year)
    first = dt.date(year, 1, 1)
    days = (dt.date(year + 1, 1, 1) - first).days
    bitmap = 0
    for number in range(days):
        day = first + dt.timedelta(days=number)
        if day.weekday() < _SATURDAY and not _is_holiday(day):
            bitmap |= 1 << number
    return bitmap % 2**_WORD_BITS, bitmap >> _WORD_BITS


def _is_holiday(day: dt.date) -> bool:
    return any(
        start <= day <= end
        for year in _data("holidays.yaml").values()
        for start, end in year["days"]
    )


@cache
def _data(name: str) -> Any:
    text = files("contracts").joinpath("defaults", name).read_text("utf-8")
    return yaml.safe_load(text)
