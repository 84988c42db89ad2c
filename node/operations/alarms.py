"""When an alarm is raised and when it is cleared. Pure: facts in, judgement out.

=================  =========================  ==================================
kind               raised when                cleared when
=================  =========================  ==================================
stream_stale       the last batch is older    a batch came
                   than the stream allows
inclusion_overdue  a forced reading is past   a batch with it was shown
                   its due time
carrier_silent     an active carrier sent     it sends, or is no longer active
                   nothing for too long
member_down        a member has not answered  it answers
                   for too long
disk_low           room or inodes are below   both are above it, room by
                   the least                  a little more
chain_stalled      the chain does not answer  it answers and mines
                   or mine for too long
indexer_behind     the index stands still or  it is within the allowed lag
                   lags for too long
watch_failed       a look ended in a fault    a look came to its end
                   of the watch itself
=================  =========================  ==================================

Between raising and clearing lies a band where an alarm stays as it is, so that nothing
flutters; a fact that is not known now changes no alarm.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from node.operations.facts import DiskFacts, Facts, MemberFacts
from node.operations.settings import OperationsSettings

__all__ = ["KINDS", "AlarmKind", "Judgement", "judge", "judge_fault"]

AlarmKind = Literal[
    "stream_stale",
    "inclusion_overdue",
    "carrier_silent",
    "member_down",
    "disk_low",
    "chain_stalled",
    "indexer_behind",
    "watch_failed",
]
"""What an alarm is about."""
KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
"""Every kind."""
WATCH: tuple[AlarmKind, str] = ("watch_failed", "watch")
"""Kind and subject of the alarm of the watch itself."""
MOST_CARRIERS = 100
"""Silent carriers that are named one by one; more are one alarm for all the rest."""
THE_REST = "*"
"""Subject of the alarm for carriers beyond those that are named."""
MOST_BAND_MB = 64
"""Room above the least at which a low disk is well again, at most. [MB]"""

_BYTES_PER_MB = 1_000_000
_OTHERS = tuple(kind for kind in KINDS if kind != WATCH[0])


@dataclass(frozen=True, slots=True)
class Judgement:
    """Alarms that hold, alarms that may stay, and subjects that could be judged."""

    raised: dict[tuple[AlarmKind, str], dict[str, str]] = field(default_factory=dict)
    """Kind and subject → figures of the alarm's sentence."""
    kept: set[tuple[AlarmKind, str]] = field(default_factory=set)
    """In the band: raised ones stay raised, others stay quiet."""
    unknown: set[AlarmKind] = field(default_factory=set)
    """Kinds about which nothing is known now: every alarm of them stays."""


def judge(facts: Facts, settings: OperationsSettings) -> Judgement:
    """Judge one look.

    Args:
        facts: What was found.
        settings: What is allowed.

    Returns:
        Which alarms hold; what is in none of its parts is cleared.
    """
    judgement = Judgement()
    for one in (_streams, _carriers, _members, _disks, _chain, _index):
        for kind, subject, figures in one(facts, settings):
            if figures is None:
                judgement.kept.add((kind, subject))
            else:
                judgement.raised[kind, subject] = figures
    if facts.work is None:
        judgement.unknown.update(("stream_stale", "inclusion_overdue"))
    if facts.carriers is None or facts.work is None:
        judgement.unknown.add("carrier_silent")
    return judgement


def judge_fault(reason: str) -> Judgement:
    """Judge a look that did not come to its end.

    Args:
        reason: What went wrong.

    Returns:
        The alarm of the watch itself; every other stays as it was, for nothing is
        known about it.
    """
    raised: dict[tuple[AlarmKind, str], dict[str, str]] = {
        WATCH: {"reason": reason, "kinds": ", ".join(_OTHERS)}
    }
    return Judgement(raised, unknown=set(_OTHERS))


_Verdict = tuple[AlarmKind, str, dict[str, str] | None]
"""Kind, subject and figures; None figures keep the alarm as it is."""


def _streams(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    for one in facts.streams:
        allowed_s = one.max_silence_s * settings.stream_age_percent // 100
        if one.age_s > allowed_s:
            figures = {"age_s": str(one.age_s), "allowed_s": str(allowed_s)}
            yield "stream_stale", f"0x{one.stream_id.hex()}", figures
    for item in facts.forced:
        if item.overdue_s > 0:
            figures = {"overdue_s": str(item.overdue_s)}
            yield "inclusion_overdue", f"0x{item.digest.hex()}", figures


def _carriers(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    silent = facts.carriers.silent if facts.carriers else ()
    allowed = str(settings.carrier_silence_s)
    for identifier, silent_s in silent[:MOST_CARRIERS]:
        figures = {"silent_s": str(silent_s), "allowed_s": allowed}
        yield "carrier_silent", identifier, figures
    if rest := silent[MOST_CARRIERS:]:
        figures = {"silent_s": str(rest[0][1]), "allowed_s": allowed}
        yield "carrier_silent", THE_REST, figures | {"count": str(len(rest))}


def _members(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    for one in facts.members:
        if not one.is_answering:
            yield "member_down", one.address, _silence(one, settings)


def _silence(one: MemberFacts, settings: OperationsSettings) -> dict[str, str] | None:
    if one.silent_s < settings.member_down_s:
        return None
    return {"url": one.url, "silent_s": f"{one.silent_s:.0f}"}


def _disks(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    least_mb, least_inodes = settings.disk_free_mb, settings.disk_free_inodes_percent
    for one in facts.disks:
        free_mb = one.free_bytes // _BYTES_PER_MB
        if free_mb < least_mb or one.free_inodes_percent < least_inodes:
            yield "disk_low", one.folder, _room(one, settings)
        elif free_mb < least_mb + min(least_mb // 10, MOST_BAND_MB):
            yield "disk_low", one.folder, None


def _room(one: DiskFacts, settings: OperationsSettings) -> dict[str, str]:
    return {
        "free_mb": str(one.free_bytes // _BYTES_PER_MB),
        "needed_mb": str(settings.disk_free_mb),
        "free_inodes_percent": str(one.free_inodes_percent),
    }


def _chain(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    chain = facts.chain
    if chain.stalled_s >= settings.chain_stalled_s:
        figures = {"stalled_s": f"{chain.stalled_s:.0f}", "reason": chain.message}
        yield "chain_stalled", "chain", figures
    elif chain.height is None or chain.stalled_s > settings.watch_interval_s:
        yield "chain_stalled", "chain", None


def _index(facts: Facts, settings: OperationsSettings) -> Iterator[_Verdict]:
    index = facts.index
    lag = "?" if index.lag_blocks is None else str(index.lag_blocks)
    figures = {"lag_blocks": lag, "behind_s": f"{index.behind_s:.0f}"}
    if not index.is_running:
        yield "indexer_behind", "index", figures
    elif index.lag_blocks is None:
        yield "indexer_behind", "index", None
    elif index.lag_blocks > settings.indexer_lag_blocks:
        is_long = index.behind_s >= settings.indexer_behind_s
        yield "indexer_behind", "index", figures if is_long else None
