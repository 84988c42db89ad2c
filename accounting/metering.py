"""Cumulative registers to a ledger of intervals, with exact conservation.

Rules kept:

* Sequences order the samples, clocks never do; a repeated sample counts once. Any
  permutation, duplication or delay of deliveries gives the same ledger.
* The register is one rising line of whole counts. An interval is the difference of
  the line at its two edges, so the intervals always sum to the difference of the
  period's ends, and two adjoining periods neither lose nor double a count.
* A gap loses nothing: its register difference is measured, only its spread over the
  intervals is not. What no register shows (a period edge without a reading, a
  reset, a swap, an unexplained decrease) is substituted and recorded, never hidden.

It verifies no signature and knows no receive time.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import Protocol

from accounting.channels import (
    FLAG_LATE,
    FLAG_RESET,
    FLAG_SWAP,
    PROVENANCES,
    Channel,
    ChannelTable,
    Sample,
)
from accounting.errors import UnavailableReadingsError
from accounting.limits import HOUR_S
from accounting.quantities import Quantity, parse_unit
from accounting.register import (
    Fact,
    RegisterLine,
    order_samples,
    select_period,
    unwrap,
)
from accounting.substitution import (
    MAX_RATE,
    Observed,
    Substitution,
    SubstitutionRule,
    Unknown,
    substitute,
)

__all__ = [
    "FLAG_LATE",
    "FLAG_RESET",
    "FLAG_SWAP",
    "PROVENANCES",
    "Channel",
    "ChannelTable",
    "Fact",
    "Interval",
    "MeterLedger",
    "Sample",
    "build_intervals",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """Counts of one half-open stretch of time."""

    start: int
    end: int
    measured: int
    """Register difference. [counts]"""
    substituted: int
    """Derived on top. [counts]"""
    quality: str
    """`measured`, `distributed` (inside a gap) or `substituted`."""


@dataclass(frozen=True, slots=True)
class MeterLedger:
    """What one channel passed in one period."""

    channel: Channel
    period_start: int
    period_end: int
    step_s: int
    samples: tuple[Sample, ...]
    """The samples that determine the ledger, in rising sequence."""
    intervals: tuple[Interval, ...]
    facts: tuple[Fact, ...]
    substitutions: tuple[Substitution, ...]
    measured: Quantity
    """Sum of register differences, in the channel's unit."""
    substituted: Quantity
    """Sum of derived amounts, in the channel's unit."""
    coverage: Fraction
    """Share of the period's time between readings that follow without a gap."""

    def with_facts(self, facts: Iterable[Fact]) -> "MeterLedger":
        """Return the ledger with more facts among its own, each once."""
        joined = {*self.facts, *facts}
        return replace(self, facts=tuple(sorted(joined, key=_fact_order)))

    @property
    def total(self) -> Quantity:
        """Measured and substituted amounts together."""
        return self.measured + self.substituted

    @property
    def substituted_share(self) -> Fraction:
        """Share of the total that is derived, 0 for an empty total."""
        total = self.total.value
        return self.substituted.value / total if total else Fraction(0)


def build_intervals(
    samples: Iterable[Sample],
    channel: Channel,
    period_start: int,
    period_end: int,
    step_s: int = 900,
    rule: SubstitutionRule = MAX_RATE,
) -> MeterLedger:
    """Build the ledger of one register.

    Args:
        samples: Signed samples, in any order, with any repetition. Those beyond the
            first before and the first after the period have no influence.
        channel: Unit, scale, modulus and nameplate of the register.
        period_start: First second of the period. [unix s]
        period_end: First second after the period. [unix s]
        step_s: Length of an interval; the last one may be shorter. [s]
        rule: How unknown amounts are derived; the default is right for intake.

    Returns:
        Intervals, facts, substitutions and totals.

    Raises:
        ValueError: The period or the step is not positive.
        ConflictSampleError: Two different samples carry one sequence number.
        InvalidSampleError: A value is out of the register's range.
        UnavailableReadingsError: Fewer than two readings touch the period.
    """
    if period_end <= period_start or step_s <= 0:
        raise ValueError(
            f"period and step are positive, got {period_start}, {period_end}, {step_s}"
        )
    ordered = select_period(order_samples(samples, channel), period_start, period_end)
    line = unwrap(ordered, channel) if ordered else None
    if line is None or not _touches(line, period_start, period_end):
        raise UnavailableReadingsError(
            "readings that touch the period",
            where=f"register {channel.register}, {period_start} to {period_end}",
            expected="at least two at different times",
            given=len(ordered),
            advice="wait for the carrier or leave the source out of the boundary",
        )
    period = _Period(period_start, period_end, step_s)
    segments = line.segments()
    longest_s = _spacing_s(segments, step_s)
    gaps = [s for s in segments if s.end - s.start > longest_s and period.overlap_s(s)]
    substitutions = _substitutions(ordered, line, period, channel, rule)
    intervals = _intervals(line, period, gaps, substitutions)
    facts = [fact for fact in line.facts if period.overlap_s(fact, is_closed=True)]
    facts += [_gap_fact(gap) for gap in gaps] + [_fact(s) for s in substitutions]
    unit = parse_unit(channel.unit)
    measured = sum(interval.measured for interval in intervals)
    substituted = sum(interval.substituted for interval in intervals)
    return MeterLedger(
        channel=channel,
        period_start=period_start,
        period_end=period_end,
        step_s=step_s,
        samples=tuple(ordered),
        intervals=intervals,
        facts=tuple(sorted(facts, key=_fact_order)),
        substitutions=substitutions,
        measured=Quantity(measured * channel.scale, unit),
        substituted=Quantity(substituted * channel.scale, unit),
        coverage=_coverage(period, gaps, substitutions),
    )


class _Stretch(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Period:
    start: int
    end: int
    step_s: int

    def edges(self) -> list[int]:
        return [*range(self.start, self.end, self.step_s), self.end]

    def overlap_s(self, stretch: _Stretch, *, is_closed: bool = False) -> int:
        """Return seconds in common; closed stretches have at least one."""
        end = stretch.end + is_closed
        return max(0, min(end, self.end) - max(stretch.start, self.start))

    def indices(self, stretch: _Stretch) -> range:
        """Return the numbers of the intervals that a stretch touches."""
        start, end = max(stretch.start, self.start), min(stretch.end, self.end)
        first = (start - self.start) // self.step_s
        return range(first, -((self.start - end) // self.step_s))


def _touches(line: RegisterLine, start: int, end: int) -> bool:
    has_difference = len(line.times) > 1
    return has_difference and line.times[0] < end and line.times[-1] > start


def _spacing_s(segments: Sequence[Observed], step_s: int) -> int:
    """Return the longest distance of two readings that is no gap. [s].

    A carrier that reads every hour has no gaps of an hour, whatever the step. Clocks
    tremble, so half as much again is allowed; one missing reading is twice as much.
    """
    usual = Counter(s.end - s.start for s in segments).most_common()
    most = max(count for _, count in usual)
    modal = min(duration for duration, count in usual if count == most)
    return max(step_s, min(modal, HOUR_S)) * 3 // 2


def _substitutions(
    samples: Sequence[Sample],
    line: RegisterLine,
    period: _Period,
    channel: Channel,
    rule: SubstitutionRule,
) -> tuple[Substitution, ...]:
    unknown = [u for u in line.unknown if period.overlap_s(u)]
    if period.start < line.times[0]:
        edge = (period.start, line.times[0], 0, "edge", None, samples[0])
        unknown.insert(0, Unknown(*edge))
    if line.times[-1] < period.end:
        edge_end = (line.times[-1], period.end, 0, "edge", samples[-1], None)
        unknown.append(Unknown(*edge_end))
    if not unknown:
        return ()
    doubtful = {(u.start, u.end) for u in line.unknown}
    doubtful |= {(f.start, f.end) for f in line.facts if f.kind == "implausible"}
    observed = [s for s in line.segments() if (s.start, s.end) not in doubtful]
    return tuple(substitute(u, observed, channel, rule) for u in unknown)


def _intervals(
    line: RegisterLine,
    period: _Period,
    gaps: Sequence[Observed],
    substitutions: Sequence[Substitution],
) -> tuple[Interval, ...]:
    edges = period.edges()
    measured = [line.at(edge) for edge in edges]
    derived = _derived_line(substitutions, edges)
    quality = {index: "distributed" for gap in gaps for index in period.indices(gap)}
    for substitution in substitutions:
        for index in period.indices(substitution.unknown):
            quality[index] = "substituted"
    return tuple(
        Interval(
            start=edges[i],
            end=edges[i + 1],
            measured=measured[i + 1] - measured[i],
            substituted=derived[i + 1] - derived[i],
            quality=quality.get(i, "measured"),
        )
        for i in range(len(edges) - 1)
    )


def _derived_line(
    substitutions: Sequence[Substitution], edges: Sequence[int]
) -> list[int]:
    """Return the counts derived up to each edge, in proportion to time."""
    starts = [s.unknown.start for s in substitutions]
    sums = [0, *accumulate(s.counts for s in substitutions)]
    found = []
    for edge in edges:
        index = bisect_right(starts, edge)
        total = sums[index]
        if index:
            last = substitutions[index - 1]
            start, end = last.unknown.start, last.unknown.end
            passed_s = min(edge, end) - start
            total += last.counts * passed_s // (end - start) - last.counts
        found.append(total)
    return found


def _coverage(
    period: _Period, gaps: Sequence[Observed], substitutions: Sequence[Substitution]
) -> Fraction:
    spans = {(gap.start, gap.end): period.overlap_s(gap) for gap in gaps}
    for s in substitutions:
        spans[s.unknown.start, s.unknown.end] = period.overlap_s(s.unknown)
    return 1 - Fraction(sum(spans.values()), period.end - period.start)


def _fact_order(fact: Fact) -> tuple[int, int, str, str]:
    return fact.start, fact.end, fact.kind, fact.detail


def _gap_fact(gap: Observed) -> Fact:
    detail = f"no reading for {gap.end - gap.start} s; {gap.counts} counts measured"
    return Fact("gap", gap.start, gap.end, detail)


def _fact(substitution: Substitution) -> Fact:
    unknown = substitution.unknown
    detail = f"{substitution.counts} counts derived by {substitution.rule} for the "
    return Fact("substituted", unknown.start, unknown.end, detail + unknown.reason)
