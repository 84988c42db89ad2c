"""Evaluates a rule set over activity data to an inventory with its whole trace.

Exact fractions throughout; nothing rounded is ever fed back. A supplied (measured)
value comes before a default; every default, fall-back and unconfirmed value used is a
visible notice. Where activity data come from is not the concern of this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from accounting.activity import (
    SUPPLIED,
    Activity,
    Stream,
    Supplied,
    check_fits,
    check_names,
)
from accounting.errors import InvalidActivityError
from accounting.quantities import Quantity, rounded_text
from accounting.rule_sets import (
    CONFIRMED,
    DEFAULT,
    Dated,
    Formula,
    Input,
    Parameter,
    RuleSet,
)


@dataclass(frozen=True, slots=True)
class FactorUse:
    """A factor as it was used."""

    parameter: str
    key: str
    value: Quantity
    kind: str
    """`constant`, `default`, `published` or `supplied`."""
    start: date | None
    """First day in force; None: the whole life of the edition."""
    reference: str
    evidence: str
    note: str
    stream: str
    """Stream that used it, empty for the whole boundary."""

    @property
    def label(self) -> str:
        """Parameter, key and stream, for people."""
        of = f"{self.parameter} of {self.key}" if self.key else self.parameter
        return f"{of} [{self.stream}]" if self.stream else of


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluated formula."""

    formula: str
    stream: str
    """Name of the stream, empty for the whole boundary."""
    expression: str
    operands: tuple[tuple[str, Quantity], ...]
    result: Quantity


@dataclass(frozen=True, slots=True)
class InventoryLine:
    """One line of the report."""

    formula: str
    stream: str
    sign: int
    amount: Quantity
    """Raw, never negative by itself; the sign says how it enters."""
    reported: str
    """Rounded by the rule set, in the unit of the amount."""
    uses_default: bool
    """A default factor had a part in it."""
    groups: tuple[str, ...]
    """Groups of streams whose amounts make the line."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a rule set makes of activity data."""

    rule_set: RuleSet
    factor_day: date
    results: Mapping[str, Quantity]
    """Purpose, or `result`, to its raw value."""
    values: Mapping[str, Quantity]
    """Every formula of the whole boundary that was evaluated, raw."""
    lines: tuple[InventoryLine, ...]
    trace: tuple[Step, ...]
    factors: tuple[FactorUse, ...]
    notices: tuple[str, ...]

    def reported(self, quantity: Quantity) -> str:
        """Round a value as the rule set wants it shown."""
        rounding = self.rule_set.rounding
        return rounded_text(quantity.value, rounding.places, rounding.mode)


def evaluate(
    rule_set: RuleSet, activity: Activity, targets: Sequence[str] | None = None
) -> Inventory:
    """Calculate an inventory.

    Args:
        rule_set: The method.
        activity: The data, in exactly the units the method asks for.
        targets: Results wanted; all of the rule set's by default.

    Returns:
        Results, lines, trace, factors and notices.

    Raises:
        InvalidActivityError: Data are missing, unknown, in another unit, out of range
            or unproven, or a check of the rule set is not met.
        UnavailableFactorError: A factor has no value for its key and day.
    """
    check_names(rule_set, activity)
    run = _Run(rule_set, activity)
    root = _Scope(run)
    wanted = targets or sorted(rule_set.results)  # not as the file happens to order
    results = {name: root.quantity(rule_set.results[name]) for name in wanted}
    lines: tuple[InventoryLine, ...] = ()
    if targets is None:
        _check_conditions(rule_set, root)
        lines = tuple(_lines(rule_set, root))
    return Inventory(
        rule_set=rule_set,
        factor_day=activity.factor_day,
        results=results,
        values=root.formulas(),
        lines=lines,
        trace=tuple(run.trace),
        factors=tuple(run.factors.values()),
        notices=tuple(dict.fromkeys(run.notices)),
    )


def _check_conditions(rule_set: RuleSet, root: "_Scope") -> None:
    for check in rule_set.checks:
        if not check.condition.holds(root):
            raise InvalidActivityError(
                check.message,
                where=rule_set.id,
                expected=check.condition.text,
                given="the contrary",
            )


def _lines(rule_set: RuleSet, root: "_Scope") -> list[InventoryLine]:
    rounding = rule_set.rounding
    found = []
    for line in rule_set.lines:
        group = rule_set.formulas[line.formula].over
        for scope in [root] if group is None else root.streams(group):
            known = scope.find(line.formula)
            amount = known.quantity.value
            found.append(
                InventoryLine(
                    formula=line.formula,
                    stream=scope.name,
                    sign=line.sign,
                    amount=known.quantity,
                    reported=rounded_text(amount, rounding.places, rounding.mode),
                    uses_default=known.uses_default,
                    groups=line.groups,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    quantity: Quantity
    uses_default: bool


@dataclass(slots=True)
class _Frame:
    """What the formula that is being evaluated has read so far."""

    operands: list[tuple[str, Quantity]] = field(default_factory=list)
    uses_default: bool = False


class _Run:
    """What one evaluation gathers."""

    def __init__(self, rule_set: RuleSet, activity: Activity) -> None:
        self.rule_set = rule_set
        self.activity = activity
        self.frames: list[_Frame] = []
        self.trace: list[Step] = []
        self.factors: dict[str, FactorUse] = {}
        self.notices: list[str] = []

    def read(self, label: str, known: _Known) -> None:
        if self.frames:
            frame = self.frames[-1]
            frame.operands.append((label, known.quantity))
            frame.uses_default = frame.uses_default or known.uses_default

    def use(self, factor: FactorUse) -> None:
        self.factors[factor.label] = factor
        if factor.kind == DEFAULT:
            self.notices.append(f"default used: {factor.label} = {factor.value}")
        if factor.evidence != CONFIRMED:
            self.notices.append(f"unconfirmed: {factor.label} = {factor.value}")


class _Scope:
    """Values of the boundary, or of one stream inside it, each found once."""

    def __init__(
        self,
        run: _Run,
        stream: Stream | None = None,
        group: str = "",
        parent: "_Scope | None" = None,
    ) -> None:
        self._run = run
        self._stream = stream
        self._group = group
        self._parent = parent
        self._known: dict[str, _Known] = {}
        self._streams: dict[str, list[_Scope]] = {}

    @property
    def name(self) -> str:
        return self._stream.name if self._stream else ""

    def value(self, name: str) -> Fraction:
        return self.quantity(name).value

    def quantity(self, name: str) -> Quantity:
        known = self.find(name)
        is_own = self._stream is not None and name in self._known
        self._run.read(f"{name}[{self.name}]" if is_own else name, known)
        return known.quantity

    def streams(self, group: str) -> list["_Scope"]:
        if group not in self._streams:
            members = self._run.activity.streams.get(group, ())
            scopes = [_Scope(self._run, stream, group, self) for stream in members]
            self._streams[group] = scopes
        return self._streams[group]

    def formulas(self) -> dict[str, Quantity]:
        known = self._run.rule_set.formulas
        return {n: k.quantity for n, k in self._known.items() if n in known}

    def find(self, name: str) -> _Known:
        groups = self._run.rule_set.units.groups
        if self._parent is not None and name not in groups[self._group]:
            return self._parent.find(name)
        if name not in self._known:
            self._known[name] = self._resolve(name)
        return self._known[name]

    def _resolve(self, name: str) -> _Known:
        rule_set = self._run.rule_set
        if name in rule_set.formulas:
            return self._formula(rule_set.formulas[name])
        if name in rule_set.parameters:
            return self._parameter(rule_set.parameters[name])
        return _Known(self._input(rule_set.inputs[name]), uses_default=False)

    def _formula(self, formula: Formula) -> _Known:
        self._run.frames.append(_Frame())
        value = formula.expression.evaluate(self)
        frame = self._run.frames.pop()
        result = Quantity(value, formula.unit)
        step = Step(
            formula=formula.name,
            stream=self.name,
            expression=formula.expression.text,
            operands=tuple(dict(frame.operands).items()),
            result=result,
        )
        self._run.trace.append(step)
        return _Known(result, frame.uses_default)

    def _input(self, wanted: Input) -> Quantity:
        holder = self._stream or self._run.activity
        given = holder.inputs.get(wanted.name)
        where = f"{self._run.rule_set.id}, {wanted.name} {self.name}".rstrip()
        if given is None:
            if wanted.absent is None:
                raise InvalidActivityError(
                    "input", where=where, expected=wanted.unit, given="nothing"
                )
            return Quantity(wanted.absent, wanted.unit)
        check_fits(given, wanted, where)
        has_proof = bool(self._run.activity.evidence.get(wanted.name))
        if wanted.needs_evidence and given.value and not has_proof:
            raise InvalidActivityError(
                "input counts with evidence only",
                where=where,
                expected="contract and settlement, or certificates",
                given="none",
            )
        return given

    def _parameter(self, parameter: Parameter) -> _Known:
        holder = self._stream or self._run.activity
        supplied = holder.supplied.get(parameter.name)
        where = self._run.rule_set.id
        key = self._key(parameter)
        if supplied is not None:
            check_fits(supplied.value, parameter, f"{where}, {parameter.name} supplied")
            factor = _supplied_factor(parameter, key, supplied, self.name)
        else:
            day = self._run.activity.factor_day
            dated = parameter.find(self._fall_back(parameter, key), day, where)
            factor = _dated_factor(parameter, key, dated, self.name)
        self._run.use(factor)
        return _Known(factor.value, factor.kind == DEFAULT)

    def _key(self, parameter: Parameter) -> str:
        if parameter.over is not None and self._stream is not None:
            return self._stream.key
        if parameter.choice is None:
            return ""
        choices = self._run.activity.choices
        if parameter.choice not in choices:
            raise InvalidActivityError(
                "choice",
                where=f"{self._run.rule_set.id}, {parameter.name}",
                expected=f"a key for {parameter.choice}",
                given=sorted(choices),
            )
        return choices[parameter.choice]

    def _fall_back(self, parameter: Parameter, key: str) -> str:
        if key in parameter.entries or key not in parameter.fallbacks:
            return key
        fallback = parameter.fallbacks[key]
        self._run.notices.append(
            f"fall-back used: {parameter.name} of {fallback.use} for {key}, because "
            f"{fallback.reason} (decided by {fallback.decided_by})"
        )
        return fallback.use


def _supplied_factor(
    parameter: Parameter, key: str, supplied: Supplied, stream: str
) -> FactorUse:
    return FactorUse(
        parameter=parameter.name,
        key=key,
        value=supplied.value,
        kind=SUPPLIED,
        start=None,
        reference=supplied.reference,
        evidence=CONFIRMED,
        note="comes before the default",
        stream=stream,
    )


def _dated_factor(
    parameter: Parameter, key: str, dated: Dated, stream: str
) -> FactorUse:
    note = dated.note
    if dated.printed is not None:
        misprint = f"printed {dated.printed}, decided by {dated.decided_by}"
        note = f"{note}; {misprint}" if note else misprint
    return FactorUse(
        parameter=parameter.name,
        key=key,
        value=Quantity(dated.value or Fraction(0), parameter.unit),
        kind=parameter.kind,
        start=None if dated.start == date.min else dated.start,
        reference=dated.reference,
        evidence=dated.evidence,
        note=note,
        stream=stream,
    )
