"""Money and quota as people write them, exactly.

CNY has two decimals and becomes whole fen; quota is whole tonnes. Nothing is
rounded: an amount that cannot be held exactly is refused. No floats.
"""

import re

from wallet.errors import InvalidInstructionError

__all__ = [
    "MAX_UINT128",
    "format_fen",
    "format_tonnes",
    "parse_count",
    "parse_fen",
    "parse_tonnes",
]

MAX_UINT128 = 2**128 - 1
"""Greatest amount a contract can hold."""

_GROUPED = r"(?:\d{1,3}(?:,\d{3}){1,20}|\d{1,60})"
"""Digits enough for every amount; Python refuses to read numbers of thousands."""
_CNY = re.compile(rf"({_GROUPED})(?:\.(\d{{1,2}}))?(?: ?CNY)?", re.ASCII)
_TONNES = re.compile(rf"({_GROUPED})(?: ?t)?", re.ASCII)
_COUNT = re.compile(r"\d{1,60}", re.ASCII)


def parse_fen(text: str, where: str = "amount") -> int:
    """Read an amount of money.

    Args:
        text: CNY with at most two decimals, for example ``1,234.50 CNY``. [CNY]
        where: Name of the field, for the error.

    Returns:
        The amount. [fen]

    Raises:
        InvalidInstructionError: If the text is no exact amount of fen.
    """
    match = _CNY.fullmatch(text.strip())
    if match is None:
        expected = "CNY with at most two decimals such as 1234.50"
        raise InvalidInstructionError(where, expected, repr(text))
    whole, decimals = match.groups()
    fen = int(whole.replace(",", "")) * 100 + int((decimals or "0").ljust(2, "0"))
    return _bounded(fen, where)


def parse_tonnes(text: str, where: str = "tonnes") -> int:
    """Read a quantity of quota.

    Args:
        text: Whole tonnes, for example ``120,000 t``. [t]
        where: Name of the field, for the error.

    Returns:
        The quantity. [t]

    Raises:
        InvalidInstructionError: If the text is no whole number of tonnes above zero.
    """
    match = _TONNES.fullmatch(text.strip())
    tonnes = int(match[1].replace(",", "")) if match else 0
    if tonnes == 0:
        expected = "whole tonnes above zero such as 120000"
        raise InvalidInstructionError(where, expected, repr(text))
    return _bounded(tonnes, where)


def parse_count(text: str, where: str, maximum: int) -> int:
    """Read a whole number between zero and ``maximum``.

    Args:
        text: Decimal digits.
        where: Name of the field, for the error.
        maximum: Greatest accepted value.

    Returns:
        The number.

    Raises:
        InvalidInstructionError: If it is no number, or too large.
    """
    digits = text.strip()
    if not _COUNT.fullmatch(digits) or int(digits) > maximum:
        expected = f"a whole number from 0 to {maximum}"
        raise InvalidInstructionError(where, expected, repr(text))
    return int(digits)


def format_fen(fen: int) -> str:
    """Write an amount of fen [fen] as CNY with thousands separators."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d} CNY"


def format_tonnes(tonnes: int) -> str:
    """Write a quantity [t] with thousands separators."""
    return f"{tonnes:,} t"


def _bounded(amount: int, where: str) -> int:
    if amount > MAX_UINT128:
        raise InvalidInstructionError(where, "at most 2^128 - 1 units", str(amount))
    return amount
