"""The document of a statement: everything a result must carry, as canonical JSON.

Rule sets and editions, digests, purpose, warming potentials, rounding, input root,
trace, coverage and shares, uncertainty, what is unconfirmed, notices. Numbers are
decimal strings, or ratios `p/q` where a decimal would not be exact; a rounded value
stands beside the raw one and is never used again.
"""

from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, Final

from accounting.calculation import Calculation, Metered
from accounting.canonical import digest
from accounting.engine import Inventory, InventoryLine, Step
from accounting.quantities import HALF_EVEN, Quantity, exact_text, rounded_text
from accounting.rule_sets import RuleSet
from accounting.substitution import Substitution

FORMAT: Final = "ccl/statement/v1"

LOCAL: Final = timezone(timedelta(hours=8))
"""Asia/Shanghai, fixed."""

SHARE_PLACES: Final = 6


def build_document(calculation: Calculation, grams: int) -> dict[str, Any]:
    """Write a calculation down.

    Args:
        calculation: The calculation.
        grams: Its result, rounded by the rule set. [g CO2]

    Returns:
        The document; equal calculations give equal documents.
    """
    inventories = calculation.inventories
    lines = [line for inventory in inventories[:-1] for line in inventory.lines]
    return {
        "format": FORMAT,
        "boundary": _boundary(calculation),
        "period": _period(*calculation.period),
        "purpose": calculation.purpose,
        "factor_year": str(calculation.factor_year),
        "digests": _digests(calculation),
        "rule_sets": {i.rule_set.role: _rule_set(i.rule_set) for i in inventories},
        "result": _result(calculation, grams),
        "lines": {_line_name(line): _line(line) for line in lines},
        "sources": {m.name: _source(m) for m in calculation.metered},
        "factors": calculation.factors,
        "trace": [_step(step, i) for i in inventories for step in i.trace],
        "shares": _shares(calculation),
        "warming_potentials": {
            "set": None,
            "reason": "only carbon dioxide is calculated",
        },
        "uncertainty": _uncertainty(calculation),
        "unconfirmed": list(calculation.unconfirmed),
        "notices": _notices(calculation),
    }


def _boundary(calculation: Calculation) -> dict[str, Any]:
    boundary = calculation.boundary
    return {
        "name": boundary.name,
        "account_name": boundary.account_name,
        "title": {"zh": boundary.title_zh, "en": boundary.title_en},
        "industry": boundary.industry,
        "region": boundary.region,
    }


def _period(start: int, end: int) -> dict[str, Any]:
    return {"start": start, "end": end, "local": [_local(start), _local(end)]}


def _local(moment: int) -> str:
    return datetime.fromtimestamp(moment, LOCAL).isoformat()


def _digests(calculation: Calculation) -> dict[str, str]:
    return {
        "boundary": calculation.boundary.digest.hex(),
        "factor_set": calculation.factor_set_digest.hex(),
        "input_root": calculation.input_root.hex(),
        "rule_sets": calculation.methods_digest.hex(),
    }


def _rule_set(rule_set: RuleSet) -> dict[str, Any]:
    rounding = rule_set.rounding
    return {
        "id": rule_set.id,
        "standard": rule_set.standard,
        "edition": rule_set.edition,
        "title": {"zh": rule_set.title_zh, "en": rule_set.title_en},
        "digest": rule_set.digest.hex(),
        "rounding": {
            "mode": rounding.mode,
            "places": str(rounding.places),
            "reference": rounding.reference,
        },
    }


def _result(calculation: Calculation, grams: int) -> dict[str, Any]:
    totals = calculation.totals
    return {
        "grams": str(grams),
        **_quantity(totals.results[calculation.purpose], totals),
        "subtotals": {
            line.formula: _quantity(line.amount, totals) for line in totals.lines
        },
    }


def _quantity(quantity: Quantity, inventory: Inventory) -> dict[str, str]:
    return {
        "raw": exact_text(quantity.value),
        "reported": inventory.reported(quantity),
        "unit": str(quantity.unit),
    }


def _line_name(line: InventoryLine) -> str:
    return f"{line.formula}[{line.stream}]" if line.stream else line.formula


def _line(line: InventoryLine) -> dict[str, str]:
    return {
        "sign": "+" if line.sign > 0 else "-",
        "raw": exact_text(line.amount.value),
        "reported": line.reported,
        "unit": str(line.amount.unit),
        "default_factor": "yes" if line.uses_default else "no",
    }


def _source(metered: Metered) -> dict[str, Any]:
    ledger = metered.ledger
    first, last = ledger.samples[0], ledger.samples[-1]
    counts = [[i.start, i.end, i.measured, i.substituted] for i in ledger.intervals]
    return {
        "role": metered.source.role,
        "channel": ledger.channel.to_json(),
        "channel_table": metered.table.digest.hex(),
        "samples": str(len(ledger.samples)),
        "sequences": [first.seq, last.seq],
        "measured": exact_text(ledger.measured.value),
        "substituted": exact_text(ledger.substituted.value),
        "total": exact_text(ledger.total.value),
        "activity": str(metered.amount),
        "coverage": _share(ledger.coverage),
        "intervals": digest(counts).hex(),
        "facts": [[f.kind, f.start, f.end, f.detail] for f in ledger.facts],
        "substitutions": [_substitution(s) for s in ledger.substitutions],
    }


def _substitution(substitution: Substitution) -> dict[str, Any]:
    unknown = substitution.unknown
    neighbours = (unknown.before, unknown.after)
    return {
        "span": [unknown.start, unknown.end],
        "reason": unknown.reason,
        "known_counts": str(unknown.known_counts),
        "added_counts": str(substitution.counts),
        "rule": substitution.rule,
        "basis": substitution.basis,
        "window": [substitution.window_start, substitution.window_end],
        "window_digest": substitution.window_digest.hex(),
        "original": [s and [s.seq, s.ts, s.value] for s in neighbours],
    }


def _step(step: Step, inventory: Inventory) -> dict[str, Any]:
    return {
        "rule_set": inventory.rule_set.id,
        "formula": step.formula,
        "stream": step.stream,
        "expression": step.expression,
        "operands": {name: str(quantity) for name, quantity in step.operands},
        "result": str(step.result),
    }


def _shares(calculation: Calculation) -> dict[str, str]:
    shares = calculation.shares
    return {
        "coverage": _share(shares.coverage),
        "attested": _share(shares.attested),
        "substituted": _share(shares.substituted),
        "default_factor": _share(shares.default_factor),
    }


def _share(share: Fraction) -> str:
    return rounded_text(share, SHARE_PLACES, HALF_EVEN)


def _uncertainty(calculation: Calculation) -> dict[str, str]:
    pct = calculation.uncertainty_pct
    if pct is None:
        return {"determined": "no", "reason": "accuracy class of a meter not known"}
    return {
        "determined": "yes",
        "expanded_pct": rounded_text(pct, 2, HALF_EVEN),
        "coverage_factor": "2",
        "covers": "independent meters; not the uncertainty of factors",
    }


def _notices(calculation: Calculation) -> list[str]:
    start, end = (
        datetime.fromtimestamp(moment, LOCAL).date()
        for moment in (calculation.period[0], calculation.period[1] - 1)
    )
    found = [n for inventory in calculation.inventories for n in inventory.notices]
    if {start.year, end.year} != {calculation.factor_year}:
        found.append(
            f"factors of {calculation.factor_year} applied to {start} to {end}"
        )
    for inventory in calculation.inventories:
        found += _in_force_notices(inventory.rule_set, start, end)
    return list(dict.fromkeys(found))


def _in_force_notices(rule_set: RuleSet, start: date, end: date) -> list[str]:
    span = rule_set.in_force
    is_early = span.start is not None and start < span.start
    is_late = span.end is not None and end >= span.end
    if not (is_early or is_late):
        return []
    return [f"{rule_set.id} is not in force for all of {start} to {end}"]
