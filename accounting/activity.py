"""Activity data: what a rule set is evaluated over.

Exactly the inputs, groups and choices that the rule set names, in exactly its units;
anything else is refused, nothing is converted here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from accounting.errors import InvalidActivityError
from accounting.quantities import Quantity
from accounting.rule_sets import DEFAULT, Input, Parameter, RuleSet, is_in_range

SUPPLIED: Final = "supplied"
"""Kind of a factor that was measured and documented instead of taken from the set."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """A measured value that comes before a default."""

    value: Quantity
    reference: str
    """Report, contract or certificate that shows the value."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One source inside a group, e.g. one meter or one fuel."""

    name: str
    key: str
    """Selects the factors, e.g. the fuel; empty where the group has none."""
    inputs: Mapping[str, Quantity]
    supplied: Mapping[str, Supplied] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Activity:
    """Activity data of one boundary and period."""

    factor_day: date
    """Day on which the factors must be in force."""
    inputs: Mapping[str, Quantity] = field(default_factory=dict)
    streams: Mapping[str, Sequence[Stream]] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    """Name of a choice, e.g. `grid`, to its key."""
    supplied: Mapping[str, Supplied] = field(default_factory=dict)
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Input to the documents that prove it."""


def check_names(rule_set: RuleSet, activity: Activity) -> None:
    """Refuse data that the rule set does not ask for.

    Args:
        rule_set: The method.
        activity: The data.

    Raises:
        InvalidActivityError: A name is unknown, or only defaults may be supplied.
    """
    choices = {p.choice for p in rule_set.parameters.values() if p.choice}
    _refuse(rule_set, "choice", set(activity.choices), choices)
    _refuse(rule_set, "group", set(activity.streams), set(rule_set.groups))
    _check_holder(rule_set, activity.inputs, activity.supplied, None)
    for group, members in activity.streams.items():
        names = [stream.name for stream in members]
        if len(set(names)) != len(names):
            raise InvalidActivityError(
                "streams", where=group, expected="each name once", given=sorted(names)
            )
        for stream in members:
            _check_holder(rule_set, stream.inputs, stream.supplied, group)


def check_fits(given: Quantity, wanted: Input | Parameter, where: str) -> None:
    """Refuse a quantity in another unit or out of range.

    Args:
        given: The quantity.
        wanted: The input or parameter it stands for.
        where: The place, for the message.

    Raises:
        InvalidActivityError: It does not fit.
    """
    if given.unit != wanted.unit:
        raise InvalidActivityError(
            "unit",
            where=where,
            expected=wanted.unit,
            given=given.unit,
            advice="convert it exactly before it is given",
        )
    if not is_in_range(given.value, wanted):
        raise InvalidActivityError(
            "value",
            where=where,
            expected=f"{wanted.minimum} to {wanted.maximum} {wanted.unit}",
            given=given,
        )


def _check_holder(
    rule_set: RuleSet,
    inputs: Mapping[str, Quantity],
    supplied: Mapping[str, Supplied],
    group: str | None,
) -> None:
    known = {name for name, item in rule_set.inputs.items() if item.over == group}
    _refuse(rule_set, "input", set(inputs), known)
    defaults = {
        name
        for name, parameter in rule_set.parameters.items()
        if parameter.kind == DEFAULT and parameter.over == group
    }
    _refuse(rule_set, "supplied value", set(supplied), defaults)


def _refuse(rule_set: RuleSet, what: str, given: set[str], known: set[str]) -> None:
    if not given <= known:
        raise InvalidActivityError(
            f"unknown {what}",
            where=rule_set.id,
            expected=sorted(known),
            given=sorted(given - known),
        )
