"""One calculation of a statement with all its parts, before it becomes a document.

Holds ledgers and inventories side by side and derives what needs both: shares of the
emission, factors as used, what is unconfirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from accounting.boundary import Boundary, Source
from accounting.canonical import canonical_json, digest
from accounting.channels import ChannelTable
from accounting.engine import FactorUse, Inventory
from accounting.metering import MeterLedger
from accounting.quantities import Quantity, exact_text
from accounting.rule_sets import CONFIRMED, Input
from accounting.uncertainty import MeteredAmount, metering_uncertainty_pct


@dataclass(frozen=True, slots=True)
class Metered:
    """One source with its ledger and its activity data."""

    source: Source
    table: ChannelTable
    ledger: MeterLedger
    input: Input
    """The input of the rule set that it feeds."""
    amount: Quantity
    """Total of the ledger in the unit of the input."""

    @property
    def name(self) -> str:
        """`<identifier>#<register>`."""
        return self.source.name

    def leaf(self) -> bytes:
        """Return the canonical bytes of the samples used, a leaf of the input root."""
        samples = [[s.seq, s.ts, s.value, s.boot, s.flags] for s in self.ledger.samples]
        return canonical_json({"source": self.name, "samples": samples})


@dataclass(frozen=True, slots=True)
class Shares:
    """What a result rests on, each a share of the gross emission, 0 to 1."""

    coverage: Fraction
    attested: Fraction
    substituted: Fraction
    default_factor: Fraction


@dataclass(frozen=True)
class Calculation:
    """A whole calculation."""

    boundary: Boundary
    period: tuple[int, int]
    """First second, first second after. [unix s]"""
    purpose: str
    factor_year: int
    methods_digest: bytes
    metered: tuple[Metered, ...]
    """Sources that count, in the order of the boundary."""
    inventories: tuple[Inventory, ...]
    """In the order of their use; the last one holds the totals."""
    input_root: bytes

    @property
    def totals(self) -> Inventory:
        """The inventory that adds the others up."""
        return self.inventories[-1]

    @cached_property
    def factors(self) -> dict[str, dict[str, Any]]:
        """Factors as used, by rule set, parameter, key and source."""
        return {
            f"{inventory.rule_set.id}: {factor.label}": _factor_json(factor)
            for inventory in self.inventories
            for factor in inventory.factors
        }

    @cached_property
    def factor_set_digest(self) -> bytes:
        """32 bytes, SHA-256 over the factors as used."""
        return digest(self.factors)

    @cached_property
    def contributions(self) -> Mapping[str, Fraction]:
        """Signed emission by source; a line of several meters goes by their amounts."""
        found: dict[str, Fraction] = {}
        for inventory in self.inventories[:-1]:
            for line in inventory.lines:
                members = [m for m in self.metered if m.input.over in line.groups]
                if line.stream:
                    members = [m for m in members if m.name == line.stream]
                total = sum((m.amount.value for m in members), Fraction(0))
                for m in members if total else ():
                    share = m.amount.value / total
                    found[m.name] = line.sign * line.amount.value * share
        return found

    @cached_property
    def shares(self) -> Shares:
        """Shares of the gross emission; of the sources alike where it is zero."""
        gross = sum((abs(c) for c in self.contributions.values()), Fraction(0))
        lines = [line for i in self.inventories[:-1] for line in i.lines]
        default = (abs(line.amount.value) for line in lines if line.uses_default)
        derived = [m.ledger.substituted_share for m in self.metered]
        return Shares(
            coverage=self._mean([m.ledger.coverage for m in self.metered]),
            attested=self._mean([_attested(m) for m in self.metered]),
            substituted=self._mean(derived) if derived else Fraction(0),
            default_factor=sum(default, Fraction(0)) / gross if gross else Fraction(0),
        )

    def _mean(self, parts: Sequence[Fraction]) -> Fraction:
        """Weigh a figure of every source by its emission; 1 without sources."""
        weights = [
            abs(self.contributions.get(m.name, Fraction(0))) for m in self.metered
        ]
        if not any(weights):
            weights = [Fraction(1) for _ in parts]
        total = sum(weights, Fraction(0))
        weighed = (w * part for w, part in zip(weights, parts, strict=True))
        return sum(weighed, Fraction(0)) / total if total else Fraction(1)

    @cached_property
    def uncertainty_pct(self) -> Fraction | None:
        """Expanded uncertainty by the meters alone, None if not determined. [%]."""
        return metering_uncertainty_pct(
            [
                MeteredAmount(
                    m.name,
                    self.contributions.get(m.name, Fraction(0)),
                    m.ledger.channel.accuracy_pct,
                )
                for m in self.metered
            ]
        )

    @cached_property
    def unconfirmed(self) -> tuple[str, ...]:
        """What was used and is not confirmed, sorted."""
        found = {
            f"{inventory.rule_set.id}: {factor.label}"
            for inventory in self.inventories
            for factor in inventory.factors
            if factor.evidence != CONFIRMED
        }
        for inventory in self.inventories:
            rule_set = inventory.rule_set
            if rule_set.in_force.evidence != CONFIRMED:
                found.add(f"{rule_set.id}: in force")
            if rule_set.rounding.evidence != CONFIRMED:
                found.add(f"{rule_set.id}: rounding")
        return tuple(sorted(found))


def _attested(metered: Metered) -> Fraction:
    ledger = metered.ledger
    is_signed = ledger.channel.provenance != "imported"
    return 1 - ledger.substituted_share if is_signed else Fraction(0)


def _factor_json(factor: FactorUse) -> dict[str, Any]:
    return {
        "value": exact_text(factor.value.value),
        "unit": str(factor.value.unit),
        "kind": factor.kind,
        "from": None if factor.start is None else factor.start.isoformat(),
        "reference": factor.reference,
        "evidence": factor.evidence,
        "note": factor.note,
    }
