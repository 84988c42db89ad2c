"""The rising line of one cumulative register.

Unwraps rollovers, resets and swaps of ordered samples into points of time and whole
counts, and says which stretches of time the register leaves unknown. Sequences
order the samples; a sample whose clock runs backward still moves the register, but
gives no point of time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from accounting.channels import FLAG_LATE, FLAG_RESET, FLAG_SWAP, Channel, Sample
from accounting.errors import ConflictSampleError
from accounting.limits import RegisterLimit
from accounting.substitution import Observed, Unknown


@dataclass(frozen=True, slots=True)
class Fact:
    """One typed remark on a stretch of time; it hides nothing and drops nothing."""

    kind: str
    """gap, late, rollover, reset, swap, implausible, substituted or revoked."""
    start: int
    end: int
    detail: str


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A register as one rising line."""

    times: tuple[int, ...]
    """Strictly rising points of time. [unix s]"""
    counts: tuple[int, ...]
    """Unwrapped register at each point. [counts]"""
    unknown: tuple[Unknown, ...]
    """Segments whose difference is not known, in order of time."""
    facts: tuple[Fact, ...]

    def at(self, moment: int) -> int:
        """Read the line.

        Args:
            moment: Time. [unix s]

        Returns:
            Unwrapped counts: between two points in proportion to time, rounded down
            to a whole count; flat before the first and after the last point.
        """
        index = bisect_right(self.times, moment)
        if index == 0:
            return self.counts[0]
        if index == len(self.times):
            return self.counts[-1]
        start, end = self.times[index - 1], self.times[index]
        low, high = self.counts[index - 1], self.counts[index]
        return low + (high - low) * (moment - start) // (end - start)

    def segments(self) -> list[Observed]:
        """Return the stretches between neighbouring points."""
        points = list(zip(self.times, self.counts, strict=True))
        return [
            Observed(start, end, high - low)
            for (start, low), (end, high) in pairwise(points)
        ]


def order_samples(samples: Iterable[Sample], channel: Channel) -> list[Sample]:
    """Sort by sequence and count repeated samples once.

    Args:
        samples: In any order, with any repetition.
        channel: The channel, for the range of values.

    Returns:
        Samples in rising sequence.

    Raises:
        ConflictSampleError: Two different samples carry one sequence number.
        InvalidSampleError: A value is out of the register's range.
    """
    by_seq: dict[int, Sample] = {}
    for sample in samples:
        known = by_seq.setdefault(sample.seq, sample)
        if known != sample:
            raise ConflictSampleError(
                f"two values for sequence {sample.seq}",
                where=f"register {channel.register}",
                expected=min(known.value, sample.value),
                given=max(known.value, sample.value),
                advice="keep both and ask the carrier's owner",
            )
    ordered = [by_seq[seq] for seq in sorted(by_seq)]
    for sample in ordered:
        channel.check_value(sample)
    return ordered


def select_period(samples: Sequence[Sample], start: int, end: int) -> list[Sample]:
    """Keep what the period needs: the last at or before it to the first at or after.

    Args:
        samples: In rising sequence.
        start: First second of the period. [unix s]
        end: First second after the period. [unix s]

    Returns:
        A run of neighbouring samples, possibly empty.
    """
    first, last, clock = 0, len(samples) - 1, None
    closing: int | None = None
    for index, sample in enumerate(samples):
        if clock is not None and sample.ts < clock:
            continue
        clock = sample.ts
        if sample.ts <= start:
            first = index
        if sample.ts >= end and closing in (None, sample.ts):
            last, closing = index, sample.ts
    return list(samples[first : last + 1])


def unwrap(samples: Sequence[Sample], channel: Channel) -> RegisterLine:
    """Turn ordered samples into a rising line.

    Args:
        samples: At least one, in rising sequence.
        channel: The channel, for modulus, scale and nameplate.

    Returns:
        Points, unknown stretches and facts.
    """
    points = [(samples[0].ts, 0)]
    anchor, total, reason = samples[0], 0, ""
    unknown: list[Unknown] = []
    facts, limit = _late_facts(samples), RegisterLimit.of(channel)
    for before, sample in pairwise(samples):
        delta, kind, is_known = _difference(before, sample, limit)
        total += delta
        reason = reason or ("" if is_known else kind)
        if kind:
            facts.append(_change_fact(kind, before, sample))
        if sample.ts < anchor.ts:
            facts.append(_backward_fact(anchor, sample))
            continue
        if sample.ts == anchor.ts:
            points[-1] = (sample.ts, total)
        else:
            known = total - points[-1][1]
            facts += _rate_facts(anchor, sample, known, limit)
            if reason:
                stretch = (anchor.ts, sample.ts, known, reason, anchor, sample)
                unknown.append(Unknown(*stretch))
            points.append((sample.ts, total))
        anchor, reason = sample, ""
    times, counts = zip(*points, strict=True)
    return RegisterLine(times, counts, tuple(unknown), tuple(facts))


def _difference(
    before: Sample, sample: Sample, limit: RegisterLimit
) -> tuple[int, str, bool]:
    """Return counts between two samples, what happened, whether they are known."""
    rise, duration_s = sample.value - before.value, sample.ts - before.ts
    if sample.flags & FLAG_SWAP:
        return 0, "swap", False
    if sample.flags & FLAG_RESET or (rise < 0 and sample.boot != before.boot):
        return sample.value, "reset", False
    is_rollover = limit.is_rollover(before.value, sample.value, duration_s)
    if rise < 0 and not is_rollover:
        return 0, "implausible", False
    counts = rise + (limit.modulus or 0) if rise < 0 else rise
    if limit.may_turn_again(counts, duration_s):
        return counts, "rollover", False
    return counts, "rollover" if rise < 0 else "", True


def _change_fact(kind: str, before: Sample, sample: Sample) -> Fact:
    detail = f"register from {before.value} to {sample.value} at sequence {sample.seq}"
    start, end = sorted((before.ts, sample.ts))
    return Fact(kind, start, end, detail)


def _backward_fact(anchor: Sample, sample: Sample) -> Fact:
    detail = f"clock ran backward at sequence {sample.seq}"
    return Fact("implausible", sample.ts, anchor.ts, detail)


def _rate_facts(
    before: Sample, sample: Sample, counts: int, limit: RegisterLimit
) -> list[Fact]:
    """Compare a segment's rate with the nameplate."""
    duration_s = sample.ts - before.ts
    if limit.allows(counts, duration_s):
        return []
    detail = f"{counts} counts in {duration_s} s exceed the nameplate maximum"
    return [Fact("implausible", before.ts, sample.ts, detail)]


def _late_facts(samples: Sequence[Sample]) -> list[Fact]:
    facts = []
    for is_late, run in groupby(samples, key=lambda s: bool(s.flags & FLAG_LATE)):
        late = list(run)
        if is_late:
            times = [sample.ts for sample in late]
            detail = f"{len(late)} readings sent after their time"
            facts.append(Fact("late", min(times), max(times), detail))
    return facts
