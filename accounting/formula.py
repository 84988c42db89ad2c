"""Formulas of rule sets: a small language, checked for units before it ever runs.

The text is parsed by Python's own grammar and then restricted to numbers, names,
`+ - * /`, powers with whole exponents, `min`, `max`, `sum(x, over=group)` and
conditions `a if x <= y else b`. Nothing is ever executed as Python. Values are exact
fractions. No unit is converted silently: a sum of unequal units, or a result in
another unit than the declared one, is refused when the rule set is loaded. Powers of
powers and numbers beyond all measure are refused: a rule set may come from a stranger.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Final, Protocol

from accounting.errors import InvalidActivityError, InvalidRuleSetError
from accounting.quantities import Unit, parse_unit

MAX_LENGTH: Final = 1000
MAX_EXPONENT: Final = 6
MAX_BITS: Final = 1 << 16
"""Longest numerator or denominator of a value. [bits]"""

_ONE = parse_unit("1")
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Units:
    """Units of all names a formula may use."""

    names: Mapping[str, Unit]
    """Names outside of groups."""
    groups: Mapping[str, Mapping[str, Unit]]
    """Names of each group of streams."""

    def inside(self, group: str) -> "Units":
        """Return the names seen by one stream of a group."""
        return Units({**self.names, **self.groups[group]}, {})


class Scope(Protocol):
    """Where a formula finds its values."""

    def value(self, name: str) -> Fraction:
        """Return the value of a name."""
        ...

    def streams(self, group: str) -> Sequence["Scope"]:
        """Return the scopes of the streams of a group."""
        ...


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed formula."""

    text: str
    where: str
    """The rule set and formula, for messages."""
    tree: ast.expr

    def unit(self, units: Units) -> Unit | None:
        """Find the unit of the result.

        Args:
            units: Units of the names.

        Returns:
            The unit; None for a plain zero, which fits every unit.

        Raises:
            InvalidRuleSetError: A name is unknown, units do not fit, or the form is
                not allowed.
        """
        return _UnitCheck(self.where, units).visit(self.tree)

    def check_condition(self, units: Units) -> None:
        """Check an expression that must be a comparison.

        Args:
            units: Units of the names.

        Raises:
            InvalidRuleSetError: It is no comparison of like with like.
        """
        _UnitCheck(self.where, units).condition(self.tree)

    def evaluate(self, scope: Scope) -> Fraction:
        """Calculate the result.

        Args:
            scope: Values of the names.

        Returns:
            The exact result.

        Raises:
            InvalidActivityError: A divisor is zero, or a value is beyond all measure.
        """
        try:
            return _evaluate(self.tree, scope)
        except ZeroDivisionError as exc:
            raise self._division() from exc
        except OverflowError as exc:
            raise self._excess() from exc

    def holds(self, scope: Scope) -> bool:
        """Tell whether a condition is met.

        Args:
            scope: Values of the names.

        Returns:
            True if it is met.

        Raises:
            InvalidActivityError: A divisor is zero, or a value is beyond all measure.
        """
        try:
            return _holds(self.tree, scope)
        except ZeroDivisionError as exc:
            raise self._division() from exc
        except OverflowError as exc:
            raise self._excess() from exc

    def _division(self) -> InvalidActivityError:
        return InvalidActivityError(
            f"division by zero in {self.text}", where=self.where
        )

    def _excess(self) -> InvalidActivityError:
        return InvalidActivityError(
            f"value in {self.text}",
            where=self.where,
            expected=f"at most {MAX_BITS} bits",
            given="more",
        )


def parse_expression(text: str, where: str) -> Expression:
    """Parse a formula.

    Args:
        text: The formula.
        where: Rule set and formula, for messages.

    Returns:
        The expression; its forms and units are checked by `unit`.

    Raises:
        InvalidRuleSetError: The text does not parse or is too long.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidRuleSetError(
            "formula too long",
            where=where,
            expected=f"at most {MAX_LENGTH} characters",
            given=len(text),
        )
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        raise InvalidRuleSetError(f"no formula: {exc}", where=where) from exc
    return Expression(" ".join(text.split()), where, tree)


@dataclass(frozen=True, slots=True)
class _UnitCheck:
    """Walks a formula at load time; the only place that knows the allowed forms."""

    where: str
    units: Units

    def visit(self, node: ast.expr) -> Unit | None:  # noqa: PLR0911  # one a form
        match node:
            case ast.Constant(value=int() as number) if type(number) is int:
                return _ONE if number else None
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.visit(operand)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self.power(left, right)
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(left, op, right)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.condition(test)
                return self.same(node, [body, orelse])
            case ast.Call(func=ast.Name(id="min" | "max"), args=args, keywords=[]):
                return self.same(node, args)
            case ast.Call(func=ast.Name(id="sum"), args=[term], keywords=[over]):
                return self.total(term, over)
        raise self.error("form not allowed", "+ - * / **, min, max, sum, if", node)

    def name(self, name: str) -> Unit:
        if name not in self.units.names:
            raise self.error("unknown name", sorted(self.units.names), name)
        return self.units.names[name]

    def binary(self, left: ast.expr, op: ast.operator, right: ast.expr) -> Unit | None:
        if isinstance(op, ast.Add | ast.Sub):
            return self.same(ast.BinOp(left, op, right), [left, right])
        first, second = self.visit(left), self.visit(right)
        if not isinstance(op, ast.Mult | ast.Div):
            raise self.error("operator not allowed", "+ - * / **", type(op).__name__)
        if isinstance(op, ast.Div) and second is None:
            raise self.error("division by a plain zero", "another divisor", "0")
        if first is None or second is None:
            return None
        return first.over(second) if isinstance(op, ast.Div) else first.times(second)

    def power(self, left: ast.expr, right: ast.expr) -> Unit:
        sign, node = 1, right
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            sign, node = -1, node.operand
        exponent = node.value if isinstance(node, ast.Constant) else None
        if type(exponent) is not int or exponent > MAX_EXPONENT:
            raise self.error("exponent", f"a whole number to {MAX_EXPONENT}", right)
        if any(isinstance(inner, ast.Pow) for inner in ast.walk(left)):
            raise self.error("power of a power", "a power of a plain value", left)
        return (self.visit(left) or _ONE).power(sign * exponent)

    def same(self, node: ast.expr, parts: Sequence[ast.expr]) -> Unit | None:
        if not parts:
            raise self.error("arguments", "at least one", node)
        found: Unit | None = None
        for part in parts:
            unit = self.visit(part)
            if unit is not None and found is not None and unit != found:
                raise self.error(f"units differ in {ast.unparse(node)}", found, unit)
            found = found or unit
        return found

    def total(self, term: ast.expr, over: ast.keyword) -> Unit | None:
        group = over.value.id if isinstance(over.value, ast.Name) else None
        if group is None or over.arg != "over" or group not in self.units.groups:
            raise self.error("sum", f"over={sorted(self.units.groups)}", over.value)
        return _UnitCheck(self.where, self.units.inside(group)).visit(term)

    def condition(self, node: ast.expr) -> None:
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                if type(op) in _COMPARE:
                    self.same(node, [left, right])
                    return
            case ast.BoolOp(values=values):
                for value in values:
                    self.condition(value)
                return
        raise self.error("condition", "comparisons joined by and, or", node)

    def error(self, what: str, expected: object, given: object) -> InvalidRuleSetError:
        shown = ast.unparse(given) if isinstance(given, ast.expr) else given
        return InvalidRuleSetError(
            what, where=self.where, expected=expected, given=shown
        )


def _evaluate(node: ast.expr, scope: Scope) -> Fraction:  # noqa: PLR0911  # one a form
    match node:
        case ast.Constant(value=int() as number):
            return Fraction(number)
        case ast.Name(id=name):
            return scope.value(name)
        case ast.UnaryOp(operand=operand):
            return -_evaluate(operand, scope)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bounded(_evaluate(left, scope) ** int(_evaluate(right, scope)))
        case ast.BinOp(left=left, op=op, right=right):
            first = _evaluate(left, scope)
            if not first and isinstance(op, ast.Mult):
                return first  # a factor of nothing is not used, so not asked for
            return _bounded(_ARITHMETIC[type(op)](first, _evaluate(right, scope)))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _evaluate(body if _holds(test, scope) else orelse, scope)
        case ast.Call(func=ast.Name(id="sum"), args=[term], keywords=[over]):
            streams = scope.streams(ast.unparse(over.value))
            return sum((_evaluate(term, s) for s in streams), Fraction(0))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_evaluate(arg, scope) for arg in args]
            return reduce(min if name == "min" else max, values)
    raise TypeError(f"formula was not checked at load time: {ast.unparse(node)}")


def _bounded(value: Fraction) -> Fraction:
    """Stop where numbers grow beyond what can be calculated with in any time."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise OverflowError
    return value


def _holds(node: ast.expr, scope: Scope) -> bool:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _COMPARE[type(op)](_evaluate(left, scope), _evaluate(right, scope))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, scope) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(value, scope) for value in values)
    raise TypeError(f"condition was not checked at load time: {ast.unparse(node)}")
