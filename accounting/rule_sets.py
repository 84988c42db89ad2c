"""What a rule set is: one edition of a standard or guideline as data.

Inputs, dated parameters with source and evidence, named formulas, checks, rounding
and the lines of its report. The digest over the whole content is the identity of the
method; a changed method is a new edition beside the old one. Reading and checking
the files is done by `accounting.rule_loading`, calculating by `accounting.engine`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from accounting.errors import UnavailableFactorError
from accounting.formula import Expression, Units
from accounting.quantities import Unit

CONFIRMED: Final = "confirmed"
"""Evidence: seen in the source named in the reference."""

UNCONFIRMED: Final = "unconfirmed"
"""Evidence: recalled or doubtful; every report that uses it says so."""

CONSTANT: Final = "constant"
"""Kind: stoichiometry or a unit factor."""

DEFAULT: Final = "default"
"""Kind: stands in for a measured value; its use is always reported."""

PUBLISHED: Final = "published"
"""Kind: the official value of its year, e.g. a grid factor."""


def is_in_range(value: Fraction, item: "Input | Parameter") -> bool:
    """Tell whether a value lies between an item's bounds, both included."""
    is_low = item.minimum is not None and value < item.minimum
    is_high = item.maximum is not None and value > item.maximum
    return not (is_low or is_high)


@dataclass(frozen=True, slots=True)
class Input:
    """Activity data that a rule set asks for."""

    name: str
    description: str
    unit: Unit
    over: str | None
    """Group of streams; None: one value for the whole boundary."""
    minimum: Fraction | None
    maximum: Fraction | None
    absent: Fraction | None
    """Value where it is not given; None: it must be given."""
    needs_evidence: bool
    """A value other than zero counts only with documents."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A value from a day on; an end is a `Dated` without a value."""

    start: date
    value: Fraction | None
    reference: str
    """Standard, clause, year, or announcement."""
    evidence: str
    """`CONFIRMED` or `UNCONFIRMED`."""
    note: str
    printed: str | None = None
    """What the standard prints where that is a misprint."""
    decided_by: str | None = None
    """Who decided which value is used instead of the printed one."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """An explicit stand-in for a key that has no value of its own."""

    use: str
    reason: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A dated factor or constant, by key where there are many."""

    name: str
    description: str
    unit: Unit
    kind: str
    """`CONSTANT`, `DEFAULT` or `PUBLISHED`."""
    over: str | None
    """Group of streams whose key selects the entry."""
    choice: str | None
    """Name of the choice whose key selects the entry."""
    minimum: Fraction | None
    maximum: Fraction | None
    entries: Mapping[str, tuple[Dated, ...]]
    """Key, or empty text, to its values in order of their start."""
    fallbacks: Mapping[str, Fallback]
    refused: Mapping[str, str]
    """Keys that must not be used in an inventory, each with the reason."""

    def find(self, key: str, day: date, where: str) -> Dated:
        """Find the value in force.

        Args:
            key: Key of the entry, empty for an unkeyed parameter.
            day: Day on which the value must be in force.
            where: Rule set, for the message.

        Returns:
            The dated value; its value is never None.

        Raises:
            UnavailableFactorError: The key is unknown, refused, or has no value then.
        """
        place = f"{where}, {self.name} of {key}" if key else f"{where}, {self.name}"
        if key in self.refused:
            raise UnavailableFactorError(self.refused[key], where=place)
        if key not in self.entries:
            raise UnavailableFactorError(
                "key", where=place, expected=sorted(self.entries), given=repr(key)
            )
        for dated in reversed(self.entries[key]):
            if dated.start <= day:
                if dated.value is not None:
                    return dated
                break
        raise UnavailableFactorError(
            "no value in force",
            where=place,
            expected=f"a day of {[str(d.start) for d in self.entries[key]]}",
            given=day,
            advice="choose another factor year or a newer edition",
        )


@dataclass(frozen=True, slots=True)
class Formula:
    """A named, unit-checked expression."""

    name: str
    description: str
    unit: Unit
    over: str | None
    expression: Expression


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that the data must meet."""

    condition: Expression
    message: str


@dataclass(frozen=True, slots=True)
class Rounding:
    """How reported values are rounded; raw values are always kept."""

    mode: str
    places: int
    """Decimal places of a reported value in the unit of its formula."""
    reference: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report: a formula that enters the result with a sign."""

    formula: str
    sign: int
    groups: tuple[str, ...]
    """Groups of streams whose amounts make the line."""


@dataclass(frozen=True, slots=True)
class InForce:
    """When an edition is in force."""

    start: date | None
    end: date | None
    """First day on which it is no longer in force; None: no end known."""
    evidence: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One edition of one method."""

    id: str
    """`publisher/standard/edition`, the path of the file."""
    role: str
    """What it calculates, e.g. `combustion`."""
    standard: str
    edition: str
    title_zh: str
    title_en: str
    in_force: InForce
    supersedes: str | None
    industries: tuple[str, ...]
    keys: Mapping[str, Mapping[str, str]]
    """Titles (zh, en) of fuels and the like."""
    inputs: Mapping[str, Input]
    parameters: Mapping[str, Parameter]
    formulas: Mapping[str, Formula]
    checks: tuple[Check, ...]
    lines: tuple[Line, ...]
    results: Mapping[str, str]
    """Purpose, or `result`, to the formula that answers it."""
    rounding: Rounding
    notes: tuple[str, ...]
    units: Units
    source_bytes: bytes
    digest: bytes
    """32 bytes, SHA-256 of the canonical content."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of streams."""
        return tuple(self.units.groups)

    def group_of(self, key: str) -> str | None:
        """Find the group of streams in which a key (a fuel) has its values."""
        for parameter in self.parameters.values():
            if parameter.over is not None and key in parameter.entries:
                return parameter.over
        return None

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Everything in the set whose evidence is not confirmed, sorted."""
        found = [
            f"{parameter.name} of {key or 'all'} from {dated.start}"
            for parameter in self.parameters.values()
            for key, values in parameter.entries.items()
            for dated in values
            if dated.value is not None and dated.evidence != CONFIRMED
        ]
        if self.in_force.evidence != CONFIRMED:
            found.append("in force")
        if self.rounding.evidence != CONFIRMED:
            found.append("rounding")
        return tuple(sorted(f"{self.id}: {item}" for item in found))
