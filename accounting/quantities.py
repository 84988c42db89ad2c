"""Exact quantities: fractions with a unit.

A unit is a scale times powers of kinds. Kinds never mix: carbon is not carbon
dioxide, a normal cubic metre is not a cubic metre. Two units are equal only when
kind *and* scale are, so kgC/GJ is not tC/GJ, % is not a fraction and Nm3 is not
10^4 Nm3; whoever wants to pass from one to the other says so with `Quantity.to`.
Floats are refused everywhere. Temperatures are carried but never converted.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from accounting.errors import InvalidQuantityError

_SYMBOLS: Final[dict[str, tuple[str, str]]] = {
    "1": ("1", ""),
    "%": ("1/100", ""),
    "g": ("1/1000", "mass"),
    "kg": ("1", "mass"),
    "t": ("1000", "mass"),
    "kgC": ("1", "carbon"),
    "tC": ("1000", "carbon"),
    "gCO2": ("1/1000", "carbon dioxide"),
    "kgCO2": ("1", "carbon dioxide"),
    "tCO2": ("1000", "carbon dioxide"),
    "gCO2e": ("1/1000", "carbon dioxide equivalent"),
    "kgCO2e": ("1", "carbon dioxide equivalent"),
    "tCO2e": ("1000", "carbon dioxide equivalent"),
    "kJ": ("1/1000", "energy"),
    "MJ": ("1", "energy"),
    "GJ": ("1000", "energy"),
    "TJ": ("1000000", "energy"),
    "Wh": ("9/2500", "energy"),
    "kWh": ("18/5", "energy"),
    "MWh": ("3600", "energy"),
    "GWh": ("3600000", "energy"),
    "kvarh": ("1", "reactive energy"),
    "m3": ("1", "volume"),
    "Nm3": ("1", "normal volume"),
    "yuan": ("1", "currency"),
    "kgce": ("1", "coal equivalent"),
    "tce": ("1000", "coal equivalent"),
    "h": ("1", "time"),
    "kPa": ("1/1000", "pressure"),
    "MPa": ("1", "pressure"),
    "degC": ("1", "temperature"),
}
"""Symbol to scale and kind. The scale is relative to the kind's first plain unit."""

_FACTOR = re.compile(r"(?:10\^(?P<ten>[1-9]) )?(?P<symbol>[A-Za-z%0-9]+)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(/[1-9][0-9]*)?")
_MAX_DIGITS = 120

HALF_UP: Final = "half_up"
"""四舍五入: a half goes away from zero."""

HALF_EVEN: Final = "half_even"
"""GB/T 8170 修约: a half goes to the even neighbour."""


def exact(value: str | int | Fraction | Decimal) -> Fraction:
    """Read a number without rounding.

    Args:
        value: Decimal text such as `0.5568`, a ratio such as `44/12`, or an exact type.

    Returns:
        The same number as a fraction.

    Raises:
        TypeError: The value is a float or a boolean.
        InvalidQuantityError: The text is no plain decimal number or ratio.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Fraction | Decimal):
        raise TypeError(f"numbers are exact here, got {type(value).__name__} {value!r}")
    text = str(value) if isinstance(value, str | Decimal) else None
    if text is None:
        return Fraction(value)
    if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        raise InvalidQuantityError(
            "no exact number", expected="a decimal such as 0.5568", given=repr(text)
        )
    number, _, divisor = text.partition("/")
    return Fraction(number) / int(divisor or 1)


def exact_text(value: Fraction) -> str:
    """Write a number without rounding.

    Args:
        value: Any fraction.

    Returns:
        Decimal text where the expansion ends, else the ratio `p/q`.
    """
    rest, places = value.denominator, 0
    while rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        places += 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    return rounded_text(value, places, HALF_EVEN)


def rounded(value: Fraction, places: int, mode: str) -> Fraction:
    """Round half away from zero or half to even, symmetric in the sign.

    Args:
        value: Number to round.
        places: Decimal places kept.
        mode: `half_up` or `half_even`.

    Returns:
        A multiple of 10^-places.

    Raises:
        ValueError: The mode is unknown.
    """
    if mode not in (HALF_UP, HALF_EVEN):
        raise ValueError(f"rounding is half_up or half_even, got {mode!r}")
    scaled = abs(value) * 10**places
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    twice = 2 * rest
    is_up = twice > scaled.denominator or (
        twice == scaled.denominator and (mode == HALF_UP or whole % 2 == 1)
    )
    result = Fraction(whole + is_up, 10**places)
    return -result if value < 0 else result


def rounded_text(value: Fraction, places: int, mode: str) -> str:
    """Write a number rounded to a fixed count of decimal places.

    Args:
        value: Number to write.
        places: Decimal places shown.
        mode: `half_up` or `half_even`.

    Returns:
        Decimal text with exactly that many places.
    """
    digits = (rounded(value, places, mode) * 10**places).numerator
    sign, text = ("-" if digits < 0 else ""), str(abs(digits)).rjust(places + 1, "0")
    return f"{sign}{text[:-places]}.{text[-places:]}" if places else sign + text


@dataclass(frozen=True, slots=True)
class Unit:
    """Scale and kinds of a quantity; the text takes no part in comparisons."""

    scale: Fraction
    """How many plain units of the kinds one of this unit is."""
    kinds: tuple[tuple[str, int], ...]
    """Kind and exponent, sorted, without zeros."""
    text: str = field(default="", compare=False)
    """As written, for messages and documents."""

    def __str__(self) -> str:
        """Show the unit as it was written."""
        return self.text or describe_kinds(self)

    def times(self, other: "Unit") -> "Unit":
        """Multiply two units."""
        return Unit(self.scale * other.scale, _merge(self.kinds, other.kinds, 1))

    def over(self, other: "Unit") -> "Unit":
        """Divide by another unit."""
        return Unit(self.scale / other.scale, _merge(self.kinds, other.kinds, -1))

    def power(self, exponent: int) -> "Unit":
        """Raise to a whole exponent."""
        kinds = tuple((kind, e * exponent) for kind, e in self.kinds if exponent)
        return Unit(self.scale**exponent, kinds)


def describe_kinds(unit: Unit) -> str:
    """Spell out scale and kinds of a unit that was not written by hand."""
    kinds = " · ".join(f"{kind}^{e}" if e != 1 else kind for kind, e in unit.kinds)
    return f"{exact_text(unit.scale)} × {kinds or 'number'}"


def _merge(
    left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    total = dict(left)
    for kind, exponent in right:
        total[kind] = total.get(kind, 0) + sign * exponent
    return tuple(sorted((kind, e) for kind, e in total.items() if e))


@lru_cache(maxsize=512)
def parse_unit(text: str) -> Unit:
    """Read a unit such as `GJ/10^4 Nm3`, `tC/GJ`, `%` or `1`.

    Args:
        text: Symbols joined by `*` and `/`, read from left to right; a symbol may
            carry a prefix `10^n `.

    Returns:
        The unit.

    Raises:
        InvalidQuantityError: A symbol is unknown.
    """
    first, *rest = re.split(r"([*/])", text)
    unit = _parse_factor(first, text)
    for sign, part in zip(rest[::2], rest[1::2], strict=True):
        factor = _parse_factor(part, text)
        unit = unit.over(factor) if sign == "/" else unit.times(factor)
    return Unit(unit.scale, unit.kinds, text)


def _parse_factor(part: str, text: str) -> Unit:
    match = _FACTOR.fullmatch(part)
    if match is None or match["symbol"] not in _SYMBOLS:
        raise InvalidQuantityError(
            "unknown unit",
            where=repr(text),
            expected="symbols such as t, GJ, 10^4 Nm3, tCO2, joined by * and /",
            given=repr(part),
        )
    scale, kind = _SYMBOLS[match["symbol"]]
    ten = 10 ** int(match["ten"] or 0)
    return Unit(exact(scale) * ten, ((kind, 1),) if kind else ())


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number with its unit."""

    value: Fraction
    unit: Unit

    @classmethod
    def of(cls, value: str | int | Fraction | Decimal, unit: str) -> "Quantity":
        """Make a quantity from an exact number and the text of a unit."""
        return cls(exact(value), parse_unit(unit))

    def to(self, unit: Unit | str) -> "Quantity":
        """Convert exactly to another scale of the same kind.

        Args:
            unit: The unit wanted.

        Returns:
            The same amount in that unit.

        Raises:
            InvalidQuantityError: The kinds differ, or it is a temperature.
        """
        target = parse_unit(unit) if isinstance(unit, str) else unit
        is_temperature = ("temperature", 1) in self.unit.kinds
        if self.unit.kinds != target.kinds or (is_temperature and self.unit != target):
            raise InvalidQuantityError(
                "no exact conversion", expected=target, given=self.unit
            )
        return Quantity(self.value * self.unit.scale / target.scale, target)

    def __add__(self, other: "Quantity") -> "Quantity":
        """Add a quantity of the very same unit."""
        self._demand_same_unit(other)
        return Quantity(self.value + other.value, self.unit)

    def __sub__(self, other: "Quantity") -> "Quantity":
        """Subtract a quantity of the very same unit."""
        self._demand_same_unit(other)
        return Quantity(self.value - other.value, self.unit)

    def __str__(self) -> str:
        """Show number and unit."""
        return f"{exact_text(self.value)} {self.unit}"

    def _demand_same_unit(self, other: "Quantity") -> None:
        if self.unit != other.unit:
            raise InvalidQuantityError(
                "quantities of different units do not add",
                expected=self.unit,
                given=other.unit,
                advice="convert one of them first",
            )
