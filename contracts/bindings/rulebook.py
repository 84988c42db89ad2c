"""Rulebook: dated parameters with their articles, working days."""

from dataclasses import dataclass
from typing import Annotated

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import (
    Bytes32,
    Int256,
    Uint16,
    Uint64,
    Uint128,
)


@dataclass(frozen=True, slots=True)
class BlockRules:
    """The rules of the block trade at one time."""

    min_tonnes: Uint128
    """Smallest block. [t]"""
    band_bps: Uint16
    """Largest distance from the reference price. [1/10,000]"""
    open_s: Annotated[int, "uint24"]
    """Start of the session. [s of the local day]"""
    close_s: Annotated[int, "uint24"]
    """End of the session. [s of the local day]"""
    working_day: bool


SET = Function("set", Bytes32, Uint64, Int256, str, Bytes32)
SET_WORKING_DAYS = Function(
    "setWorkingDays", Uint16, Annotated[tuple[int, int], "uint256[2]"]
)
CACHE_BLOCK_RULES = Function("cacheBlockRules")
VALUE_AT = Function("valueAt", Bytes32, Uint64, returns=Int256)
IS_WORKING_DAY = Function("isWorkingDay", Uint64, returns=bool)
BLOCK_RULES = Function("blockRules", Uint64, returns=BlockRules)

NAME_BYTES = 32
"""Longest name of a rule. [bytes]"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A value of a rule from a date on, with the article it comes from."""

    name: str
    """ASCII, at most 32 characters."""
    start: int
    """From when it holds. [unix s]"""
    value: int
    article: str
    article_digest: bytes
    """SHA-256 of the article's text, 32 bytes."""


def rule_name(name: str) -> bytes:
    """Write a rule's name as the contract keeps it.

    Args:
        name: ASCII, at most 32 characters.

    Returns:
        32 bytes, padded with zeros.

    Raises:
        ValueError: The name is too long or not ASCII.
    """
    data = name.encode("ascii")
    if len(data) > NAME_BYTES:
        message = f"a rule's name has at most {NAME_BYTES} characters, got {name!r}"
        raise ValueError(message)
    return data.ljust(NAME_BYTES, b"\x00")


class Rulebook(Contract):
    """Every number of the rules stands here."""

    def set(self, rule: Rule) -> UnsignedCall:
        """Give a rule a value from a date on; governed, for the regulator.

        Args:
            rule: Starts after the last start of that name.
        """
        return self._write(
            SET,
            rule_name(rule.name),
            rule.start,
            rule.value,
            rule.article,
            rule.article_digest,
        )

    def set_working_days(self, year: int, bitmap: tuple[int, int]) -> UnsignedCall:
        """Set the working days of a year; governed, for the regulator.

        Args:
            year: Local year.
            bitmap: Bit d: day d of the year (0 = 1 January) is a working day.
        """
        return self._write(SET_WORKING_DAYS, year, bitmap)

    def cache_block_rules(self) -> UnsignedCall:
        """Keep the present rules of the block trade at hand; anyone may."""
        return self._write(CACHE_BLOCK_RULES)

    def value_at(self, name: str, at: int) -> int:
        """Read a rule's value.

        Args:
            name: The rule.
            at: Time. [unix s]

        Raises:
            RulebookNoValueError: The rule has no value at that time.
        """
        value: int = self._read(VALUE_AT, rule_name(name), at)
        return value

    def is_working_day(self, at: int) -> bool:
        """Tell whether the local day is a working day.

        Args:
            at: Time. [unix s]

        Raises:
            RulebookNoCalendarError: The year's working days are not set.
        """
        working: bool = self._read(IS_WORKING_DAY, at)
        return working

    def block_rules(self, at: int) -> BlockRules:
        """Read the rules of the block trade.

        Args:
            at: Time. [unix s]
        """
        rules: BlockRules = self._read(BLOCK_RULES, at)
        return rules
