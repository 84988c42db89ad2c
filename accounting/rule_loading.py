"""Rule sets from files, refused unless they are sound.

Every field is known and present, every name unique, every factor dated and with its
source. What must hold beyond that is checked by `accounting.rule_checks` before a
rule set leaves this module.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from accounting.canonical import canonical_json
from accounting.errors import InvalidRuleSetError
from accounting.formula import Units, parse_expression
from accounting.quantities import HALF_EVEN, HALF_UP
from accounting.rule_checks import check_parameter, check_rule_set
from accounting.rule_schema import Fields, day_in, exact_in, read_yaml
from accounting.rule_sets import (
    CONFIRMED,
    CONSTANT,
    DEFAULT,
    PUBLISHED,
    UNCONFIRMED,
    Check,
    Dated,
    Fallback,
    Formula,
    InForce,
    Input,
    Line,
    Parameter,
    Rounding,
    RuleSet,
)

FORMAT: Final = "ccl/rule-set/v1"

MAX_PLACES: Final = 30
"""Most decimal places of a rounding."""

_EVIDENCE: Final = (CONFIRMED, UNCONFIRMED)


def available_rule_sets() -> tuple[str, ...]:
    """List the ids of the shipped rule sets, sorted."""
    return tuple(sorted(_walk(files("accounting") / "rules", "")))


def load_rule_set(rule_set_id: str) -> RuleSet:
    """Load a shipped rule set.

    Args:
        rule_set_id: `publisher/standard/edition`.

    Returns:
        The rule set, checked.

    Raises:
        InvalidRuleSetError: There is none of that id, or it is not sound.
    """
    if rule_set_id not in available_rule_sets():
        raise InvalidRuleSetError(
            "no such rule set", expected=available_rule_sets(), given=repr(rule_set_id)
        )
    path = files("accounting") / "rules" / f"{rule_set_id}.yaml"
    rule_set = load_rule_set_bytes(path.read_bytes())
    if rule_set.id != rule_set_id:
        raise InvalidRuleSetError(
            "id", where=str(path), expected=rule_set_id, given=rule_set.id
        )
    return rule_set


@lru_cache(maxsize=32)
def load_rule_set_bytes(data: bytes) -> RuleSet:
    """Load a rule set from the bytes of its file.

    Args:
        data: The file, e.g. out of a proof package.

    Returns:
        The rule set, checked as a shipped one.

    Raises:
        InvalidRuleSetError: It is not sound.
    """
    content = read_yaml(data, "rule set")
    fields = Fields(content, "rule set")
    fields.text("format", (FORMAT,))
    fields.where = fields.text("id")
    rule_set = _rule_set(fields, data, hashlib.sha256(canonical_json(content)).digest())
    fields.done()
    check_rule_set(rule_set)
    return rule_set


def _walk(folder: Traversable, prefix: str) -> list[str]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _walk(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".yaml"):
            found.append(prefix + item.name.removesuffix(".yaml"))
    return found


def _rule_set(fields: Fields, data: bytes, digest: bytes) -> RuleSet:
    where = fields.where
    inputs = _named(fields, "inputs", _input)
    parameters = _named(fields, "parameters", _parameter)
    formulas = _named(fields, "formulas", _formula)
    title = Fields(fields.mapping("title"), f"{where}.title")
    rule_set = RuleSet(
        id=where,
        role=fields.text("role"),
        standard=fields.text("standard"),
        edition=fields.text("edition"),
        title_zh=title.text("zh"),
        title_en=title.text("en"),
        in_force=_in_force(Fields(fields.mapping("in_force"), f"{where}.in_force")),
        supersedes=fields.optional_text("supersedes"),
        industries=fields.texts("industries"),
        keys=_keys(fields),
        inputs=inputs,
        parameters=parameters,
        formulas=formulas,
        checks=tuple(_check(item, where) for item in fields.items("checks")),
        lines=tuple(_line(item, where) for item in fields.items("lines")),
        results=fields.texts_by_name("results"),
        rounding=_rounding(Fields(fields.mapping("rounding"), f"{where}.rounding")),
        notes=fields.texts("notes"),
        units=_units(where, fields.texts("groups"), (inputs, parameters, formulas)),
        source_bytes=data,
        digest=digest,
    )
    title.done()
    return rule_set


def _keys(fields: Fields) -> dict[str, dict[str, str]]:
    content = fields.mapping("keys")
    titles = Fields(content, f"{fields.where}.keys")
    return {key: titles.texts_by_name(key) for key in content}


def _named(fields: Fields, section: str, build: Any) -> dict[str, Any]:
    result = {}
    for name, content in fields.mapping(section).items():
        if not name.isidentifier():
            raise fields.error(section, "names of letters and digits", name)
        item = Fields(content, f"{fields.where}.{name}")
        result[name] = build(name, item)
        item.done()
    return result


def _input(name: str, fields: Fields) -> Input:
    return Input(
        name=name,
        description=fields.text("description"),
        unit=fields.unit(),
        over=fields.optional_text("over"),
        minimum=fields.number("minimum"),
        maximum=fields.number("maximum"),
        absent=fields.number("absent"),
        needs_evidence=fields.optional_text("evidence") == "required",
    )


def _formula(name: str, fields: Fields) -> Formula:
    return Formula(
        name=name,
        description=fields.text("description"),
        unit=fields.unit(),
        over=fields.optional_text("over"),
        expression=parse_expression(fields.text("expression"), fields.where),
    )


def _parameter(name: str, fields: Fields) -> Parameter:
    sources = {
        day: _source(content, fields.where)
        for day, content in fields.mapping("sources").items()
    }
    entries = fields.mapping("entries") or {"": fields.mapping("values")}
    parameter = Parameter(
        name=name,
        description=fields.text("description"),
        unit=fields.unit(),
        kind=fields.text("kind", (CONSTANT, DEFAULT, PUBLISHED)),
        over=fields.optional_text("over"),
        choice=fields.optional_text("choice"),
        minimum=fields.number("minimum"),
        maximum=fields.number("maximum"),
        entries={
            key: _dated_values(values, sources, f"{fields.where}.{key}")
            for key, values in entries.items()
        },
        fallbacks={
            key: _fallback(content, fields.where)
            for key, content in fields.mapping("fallbacks").items()
        },
        refused=fields.texts_by_name("refused"),
    )
    check_parameter(parameter, fields.where)
    return parameter


def _source(content: Any, where: str) -> dict[str, str]:
    fields = Fields(content, f"{where}.sources")
    source = {
        "reference": fields.text("reference"),
        "evidence": fields.text("evidence", _EVIDENCE),
        "note": fields.optional_text("note") or "",
    }
    fields.done()
    return source


def _fallback(content: Any, where: str) -> Fallback:
    fields = Fields(content, f"{where}.fallbacks")
    names = ("use", "reason", "decided_by")
    fallback = Fallback(*(fields.text(name) for name in names))
    fields.done()
    return fallback


def _dated_values(
    values: Any, sources: Mapping[str, Mapping[str, str]], where: str
) -> tuple[Dated, ...]:
    if not isinstance(values, dict) or not values:
        raise InvalidRuleSetError(
            "values", where=where, expected="a value a date", given=repr(values)
        )
    dated = [_dated(day, cell, sources, where) for day, cell in values.items()]
    if all(item.value is None for item in dated):
        raise InvalidRuleSetError(
            "values", where=where, expected="a value a date", given=sorted(values)
        )
    return tuple(sorted(dated, key=lambda d: d.start))


def _dated(
    day: str, cell: Any, sources: Mapping[str, Mapping[str, str]], where: str
) -> Dated:
    start = day_in(day, where)
    if cell is None:
        return Dated(start, None, "", CONFIRMED, "")
    content = cell if isinstance(cell, dict) else {"value": cell}
    fields = Fields({**sources.get(day, {}), **content}, f"{where}.{day}")
    dated = Dated(
        start=start,
        value=exact_in(fields.text("value"), fields.where),
        reference=fields.text("reference"),
        evidence=fields.text("evidence", _EVIDENCE),
        note=fields.optional_text("note") or "",
        printed=fields.optional_text("printed"),
        decided_by=fields.optional_text("decided_by"),
    )
    if (dated.printed is None) != (dated.decided_by is None):
        raise fields.error("misprint", "printed and decided_by together", content)
    fields.done()
    return dated


def _check(content: Any, where: str) -> Check:
    fields = Fields(content, f"{where}.checks")
    text, message = fields.text("require"), fields.text("message")
    fields.done()
    return Check(parse_expression(text, f"{where}, check"), message)


def _line(content: Any, where: str) -> Line:
    fields = Fields(content, f"{where}.lines")
    line = Line(
        formula=fields.text("formula"),
        sign=1 if fields.text("sign", ("+", "-")) == "+" else -1,
        groups=fields.texts("groups"),
    )
    fields.done()
    return line


def _in_force(fields: Fields) -> InForce:
    in_force = InForce(
        start=fields.day("from"),
        end=fields.day("until"),
        evidence=fields.text("evidence", _EVIDENCE),
    )
    fields.done()
    return in_force


def _rounding(fields: Fields) -> Rounding:
    places = exact_in(fields.text("places"), fields.where)
    rounding = Rounding(
        mode=fields.text("mode", (HALF_EVEN, HALF_UP)),
        places=int(places),
        reference=fields.text("reference"),
        evidence=fields.text("evidence", _EVIDENCE),
    )
    if places != rounding.places or not 0 <= places <= MAX_PLACES:
        expected = f"a whole number from 0 to {MAX_PLACES}"
        raise fields.error("places", expected, str(places))
    fields.done()
    return rounding


def _units(
    where: str, groups: tuple[str, ...], sections: tuple[Mapping[str, Any], ...]
) -> Units:
    units = Units({}, {group: {} for group in groups})
    seen: set[str] = set(groups)
    for section in sections:
        for name, item in section.items():
            if name in seen or (item.over is not None and item.over not in groups):
                raise InvalidRuleSetError(
                    f"name or group of {name}",
                    where=where,
                    expected=f"a new name, a group of {sorted(groups)}",
                    given=item.over,
                )
            seen.add(name)
            scope: Any = units.names if item.over is None else units.groups[item.over]
            scope[name] = item.unit
    return units
