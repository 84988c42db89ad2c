"""What must hold in a rule set before anything is calculated with it.

Every formula in the unit it declares, no circle of formulas, every value inside its
range, every key complete (a fuel with a calorific value has a carbon content too)
and in one group only (no second path for one fuel), every fall-back leading to an
entry. A kg/GJ given for a t/GJ, a fraction for a percent, Nm3 for 10^4 Nm3 fail here.
"""

import ast

from accounting.errors import InvalidRuleSetError
from accounting.rule_sets import Formula, Parameter, RuleSet, is_in_range


def check_parameter(parameter: Parameter, where: str) -> None:
    """Check the entries of one parameter.

    Args:
        parameter: The parameter.
        where: Rule set and parameter, for messages.

    Raises:
        InvalidRuleSetError: A value is out of range, or keys and fall-backs do not fit.
    """
    is_keyed = "" not in parameter.entries
    if is_keyed != ((parameter.over or parameter.choice) is not None):
        raise InvalidRuleSetError(
            "entries",
            where=where,
            expected="keys with `over` or `choice`",
            given=sorted(parameter.entries),
        )
    for key, values in parameter.entries.items():
        for dated in values:
            if dated.value is not None and not is_in_range(dated.value, parameter):
                raise InvalidRuleSetError(
                    f"value of {key or 'all'} in {parameter.unit}",
                    where=where,
                    expected=f"{parameter.minimum} to {parameter.maximum}",
                    given=dated.value,
                )
    for fallback in parameter.fallbacks.values():
        if fallback.use not in parameter.entries:
            raise InvalidRuleSetError(
                "fall-back", where=where, expected="a known key", given=fallback.use
            )


def check_rule_set(rule_set: RuleSet) -> None:
    """Check formulas, conditions, results and keys of a rule set.

    Args:
        rule_set: The rule set as read.

    Raises:
        InvalidRuleSetError: It is not sound.
    """
    for formula in rule_set.formulas.values():
        _check_unit(rule_set, formula)
    for check in rule_set.checks:
        check.condition.check_condition(rule_set.units)
    _check_results(rule_set)
    sound: set[str] = set()
    for name in rule_set.formulas:
        _check_circle(rule_set, name, (), sound)
    _check_keys(rule_set)


def _check_unit(rule_set: RuleSet, formula: Formula) -> None:
    units = rule_set.units
    if formula.over is not None:
        units = units.inside(formula.over)
    found = formula.expression.unit(units)
    if found is not None and found != formula.unit:
        raise InvalidRuleSetError(
            f"unit of {formula.expression.text}",
            where=f"{rule_set.id}.{formula.name}",
            expected=formula.unit,
            given=found,
            advice="convert with a constant that carries a unit",
        )


def _check_results(rule_set: RuleSet) -> None:
    known, groups = rule_set.formulas, rule_set.groups
    plain = {name for name, formula in known.items() if formula.over is None}
    wrong = [name for name in rule_set.results.values() if name not in plain]
    wrong += [line.formula for line in rule_set.lines if line.formula not in known]
    wrong += [g for line in rule_set.lines for g in set(line.groups) - set(groups)]
    if wrong or not rule_set.results:
        raise InvalidRuleSetError(
            "results and lines",
            where=rule_set.id,
            expected="formulas, results outside of groups",
            given=wrong,
        )


def _check_circle(
    rule_set: RuleSet, name: str, path: tuple[str, ...], sound: set[str]
) -> None:
    if name in path:
        raise InvalidRuleSetError(
            "circle of formulas",
            where=rule_set.id,
            expected="none",
            given=" → ".join((*path, name)),
        )
    if name in rule_set.formulas and name not in sound:
        for node in ast.walk(rule_set.formulas[name].expression.tree):
            if isinstance(node, ast.Name):
                _check_circle(rule_set, node.id, (*path, name), sound)
    sound.add(name)


def _check_keys(rule_set: RuleSet) -> None:
    """Every key of a group has all parameters of that group, and of no other."""
    by_group: dict[str, set[str]] = {}
    for parameter in rule_set.parameters.values():
        if parameter.over is None:
            continue
        keys = set(parameter.entries)
        if by_group.setdefault(parameter.over, keys) != keys:
            raise InvalidRuleSetError(
                f"keys of {parameter.name}",
                where=rule_set.id,
                expected=sorted(by_group[parameter.over]),
                given=sorted(keys),
            )
    every = [key for keys in by_group.values() for key in keys]
    doubled = sorted({key for key in every if every.count(key) > 1})
    if doubled or not set(every) <= set(rule_set.keys):
        raise InvalidRuleSetError(
            "keys",
            where=rule_set.id,
            expected="each in one group and with a title",
            given=doubled or sorted(set(every) - set(rule_set.keys)),
        )
