"""Carbon-efficiency code 碳效码: level, grade and neutral rate of an enterprise.

`L = net energy emission / industrial value added` [t/10⁴ yuan], `K = L / mean L of the
industry in the same period`. Cut-offs are dated data of a rule set, upper bounds
inclusive. No grade is given without a benchmark of enough firms, or where value added
is missing or not positive; the reason is said. A certificate is issued elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

from accounting.activity import Activity
from accounting.canonical import digest
from accounting.engine import evaluate
from accounting.errors import InvalidActivityError
from accounting.quantities import Quantity, exact_text
from accounting.rule_loading import load_rule_set
from accounting.rule_sets import RuleSet

RULE_SET_ID: Final = "regional/carbon-efficiency-code/1"

TONNES: Final = "tCO2"
VALUE_ADDED: Final = "10^4 yuan"
INTENSITY: Final = "tCO2/10^4 yuan"

BANDS: Final = {1: "low", 2: "middle", 3: "high"}
"""Result `band` of the rule set to the word on the certificate."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The firms of one industry and period against which a level is held."""

    industry: str
    period_start: int
    """First second of the period. [unix s]"""
    period_end: int
    """First second after the period. [unix s]"""
    levels: tuple[tuple[str, Fraction], ...]
    """Firm and its level, sorted by firm. [t/10^4 yuan]"""

    @classmethod
    def of(
        cls,
        industry: str,
        period_start: int,
        period_end: int,
        levels: Iterable[tuple[str, Fraction]],
    ) -> "Benchmark":
        """Gather a benchmark in one order.

        Args:
            industry: Industry of all firms.
            period_start: First second of the period. [unix s]
            period_end: First second after the period. [unix s]
            levels: Firm and its level, in any order. [t/10^4 yuan]

        Returns:
            The benchmark.

        Raises:
            InvalidActivityError: A firm is named twice.
        """
        ordered = tuple(sorted(levels))
        names = [name for name, _ in ordered]
        if len(set(names)) != len(names):
            raise InvalidActivityError(
                "benchmark", where=industry, expected="each firm once", given=names
            )
        return cls(industry, period_start, period_end, ordered)

    @property
    def mean(self) -> Fraction:
        """Plain mean of the levels. [t/10^4 yuan]."""
        return sum((lv for _, lv in self.levels), Fraction(0)) / len(self.levels)

    def to_json(self) -> dict[str, Any]:
        """Return the benchmark as JSON values."""
        return {
            "industry": self.industry,
            "period": [self.period_start, self.period_end],
            "weighting": "plain mean of firms",
            "unit": INTENSITY,
            "levels": {name: exact_text(level) for name, level in self.levels},
        }

    @property
    def digest(self) -> bytes:
        """32 bytes, SHA-256 of the canonical benchmark."""
        return digest(self.to_json())


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What a certificate can say about one enterprise."""

    level: Fraction | None
    """L [t/10^4 yuan]; None where value added does not allow one."""
    band: str | None
    """`low`, `middle` or `high`, by the level."""
    ratio: Fraction | None
    """K, level over the mean of the industry."""
    grade: int | None
    """1 (best) to 5."""
    reason: str
    """Why there is no grade; empty where there is one."""
    neutral_rate: Fraction | None
    """Neutralised over total emission; None where there is no emission."""
    benchmark_digest: bytes | None
    """32 bytes, SHA-256; None without a benchmark."""
    rule_set_digest: bytes
    """32 bytes, SHA-256 of the rules with their cut-offs."""


def load_rules() -> RuleSet:
    """Load the shipped rules of the carbon-efficiency code."""
    return load_rule_set(RULE_SET_ID)


def level(
    net_energy_emission_t: Fraction,
    value_added_wan_yuan: Fraction | None,
    rules: RuleSet | None = None,
) -> Fraction | None:
    """Calculate L, e.g. for a benchmark.

    Args:
        net_energy_emission_t: Net energy emission. [t CO2]
        value_added_wan_yuan: Industrial value added. [10^4 yuan]
        rules: The rule set; the shipped one by default.

    Returns:
        L [t/10^4 yuan]; None where value added is missing or not positive.
    """
    if value_added_wan_yuan is None or value_added_wan_yuan <= 0:
        return None
    inputs = {
        "E_net": Quantity.of(net_energy_emission_t, TONNES),
        "V": Quantity.of(value_added_wan_yuan, VALUE_ADDED),
    }
    return _values(rules or load_rules(), Activity(date.min, inputs), ["level"])[
        "level"
    ]


def assess(  # these determine a certificate
    net_energy_emission_t: Fraction,
    value_added_wan_yuan: Fraction | None,
    benchmark: Benchmark | None,
    rules: RuleSet,
    day: date,
    neutralised_t: Fraction = Fraction(0),
) -> Efficiency:
    """Give an enterprise its level, grade and neutral rate.

    Args:
        net_energy_emission_t: Net energy emission of the period. [t CO2]
        value_added_wan_yuan: Industrial value added of the period. [10^4 yuan]
        benchmark: Firms of the same industry and period, or None.
        rules: The rule set with the cut-offs.
        day: Day on which the cut-offs must be in force.
        neutralised_t: Emission neutralised in the period. [t CO2]

    Returns:
        The assessment, without a grade where none can be given.

    Raises:
        InvalidActivityError: The neutralised emission is negative.
        UnavailableFactorError: The rules have no cut-off in force.
    """
    inputs = {
        "E_net": Quantity.of(net_energy_emission_t, TONNES),
        "E_all": Quantity.of(net_energy_emission_t, TONNES),
        "E_neutralised": Quantity.of(neutralised_t, TONNES),
    }
    targets = ["neutral_rate"] if net_energy_emission_t > 0 else []
    least = _values(rules, Activity(day), ["least_firms"])["least_firms"]
    reason = _reason(value_added_wan_yuan, benchmark, int(least))
    if value_added_wan_yuan is not None and value_added_wan_yuan > 0:
        inputs["V"] = Quantity.of(value_added_wan_yuan, VALUE_ADDED)
        targets += ["level", "band"]
    if benchmark is not None and not reason:
        inputs["L_mean"] = Quantity.of(benchmark.mean, INTENSITY)
        targets += ["ratio", "grade"]
    found = _values(rules, Activity(day, inputs), targets)
    return Efficiency(
        level=found.get("level"),
        band=BANDS[int(found["band"])] if "band" in found else None,
        ratio=found.get("ratio"),
        grade=int(found["grade"]) if "grade" in found else None,
        reason=reason,
        neutral_rate=found.get("neutral_rate"),
        benchmark_digest=benchmark.digest if benchmark else None,
        rule_set_digest=rules.digest,
    )


def _values(
    rules: RuleSet, activity: Activity, targets: list[str]
) -> Mapping[str, Fraction]:
    if not targets:
        return {}
    results = evaluate(rules, activity, targets).results
    return {name: quantity.value for name, quantity in results.items()}


def _reason(
    value_added: Fraction | None, benchmark: Benchmark | None, least_firms: int
) -> str:
    if value_added is None:
        return "value added is missing"
    if value_added <= 0:
        return f"value added is not positive: {exact_text(value_added)} {VALUE_ADDED}"
    if benchmark is None:
        return "there is no benchmark"
    if len(benchmark.levels) < least_firms:
        firms = len(benchmark.levels)
        return f"the benchmark has {firms} firms, at least {least_firms} are needed"
    if benchmark.mean <= 0:
        return "the mean level of the benchmark is not positive"
    return ""
