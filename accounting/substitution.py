"""Derived values for what no register shows, by rule and in the open.

A substitute is a record: the rule, the look-back window with the digest of what was
seen in it, the original samples on both sides, the counts known and the counts
added. The default rule is conservative against the enterprise: the highest rate of
the window for what it takes in, the lowest for what it gives away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Final

from accounting.canonical import digest
from accounting.channels import Channel, Sample
from accounting.errors import UnavailableReadingsError

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class SubstitutionRule:
    """How unknown amounts are derived."""

    name: str
    """Name and version, part of every record."""
    is_high: bool
    """True: highest rate of the window; False: lowest rate."""
    look_back_s: int
    """Length of the window before (else after) the unknown time. [s]"""


MAX_RATE: Final = SubstitutionRule(
    name="highest-rate-of-7-days/v1", is_high=True, look_back_s=7 * DAY_S
)
"""Default for intake: conservative against the enterprise."""

MIN_RATE: Final = SubstitutionRule(
    name="lowest-rate-of-7-days/v1", is_high=False, look_back_s=7 * DAY_S
)
"""Default for export: what is not shown to have left counts as little as it may."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A stretch of time over which the register difference is known."""

    start: int
    end: int
    counts: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A stretch of time over which the register difference is not known."""

    start: int
    end: int
    known_counts: int
    """Part that is known all the same, e.g. the register after a reset."""
    reason: str
    """`edge`, `reset`, `swap`, `rollover` or `implausible`."""
    before: Sample | None
    after: Sample | None


@dataclass(frozen=True, slots=True)
class Substitution:
    """One derived record with everything it was derived from."""

    unknown: Unknown
    """The original situation, kept."""
    counts: int
    """Counts added on top of the known ones."""
    rule: str
    window_start: int
    window_end: int
    window_digest: bytes
    """32 bytes, SHA-256 of the observed stretches of the window."""
    basis: str
    """`window`, `nameplate` or `nothing`."""


def substitute(
    unknown: Unknown,
    observed: Sequence[Observed],
    channel: Channel,
    rule: SubstitutionRule,
) -> Substitution:
    """Derive the unknown part of one stretch of time.

    Args:
        unknown: The stretch.
        observed: Known stretches of the same ledger, in order of time.
        channel: The channel, for its nameplate.
        rule: The rule to follow.

    Returns:
        The record; its counts are never negative.

    Raises:
        UnavailableReadingsError: Nothing was observed and no nameplate is known.
    """
    start, end, window = _window(unknown, observed, rule)
    basis, rate = _rate(window, channel, rule)
    if rate is None:
        raise UnavailableReadingsError(
            f"nothing to derive the {unknown.reason} from",
            where=f"register {channel.register}, {unknown.start} to {unknown.end}",
            advice="deliver more readings or give the channel a nameplate maximum",
        )
    wanted = rate * (unknown.end - unknown.start)
    estimate = ceil(wanted) if rule.is_high else floor(wanted)
    return Substitution(
        unknown=unknown,
        counts=max(0, estimate - unknown.known_counts),
        rule=rule.name,
        window_start=start,
        window_end=end,
        window_digest=digest([[o.start, o.end, o.counts] for o in window]),
        basis=basis,
    )


def _window(
    unknown: Unknown, observed: Sequence[Observed], rule: SubstitutionRule
) -> tuple[int, int, list[Observed]]:
    spans = (
        (unknown.start - rule.look_back_s, unknown.start),
        (unknown.end, unknown.end + rule.look_back_s),
    )
    for start, end in spans:
        window = [o for o in observed if start <= o.start and o.end <= end]
        if window:
            return start, end, window
    return *spans[0], []


def _rate(
    window: Sequence[Observed], channel: Channel, rule: SubstitutionRule
) -> tuple[str, Fraction | None]:
    """Return the basis and the rate. [counts/s]."""
    if window:
        rates = [Fraction(o.counts, o.end - o.start) for o in window]
        return "window", max(rates) if rule.is_high else min(rates)
    if not rule.is_high:
        return "nothing", Fraction(0)
    if channel.nameplate_max_per_h is None:
        return "nothing", None
    return "nameplate", channel.nameplate_max_per_h / channel.scale / 3600
