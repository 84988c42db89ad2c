"""A member's figures for Prometheus, in a registry of its own.

Gauges are read when somebody scrapes; answers of the inbox are counted since the start
of the process, durations as they happen. Names, units and labels are listed in
``docs/operations.md``. Nothing here decides anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["ANSWERS", "Durations", "MemberFigures", "durations", "member_registry"]

ANSWERS = ("accepted", "replayed", "refused", "conflict")
"""Answers that a message can get, in the words of the metrics."""
_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One look at a member."""

    answers: Mapping[str, int]
    """Word of ``ANSWERS`` → messages since the start."""
    waiting: int
    """Messages that wait for their commit."""
    rows: Mapping[str, int]
    """Table → rows that were ever stored."""
    pending: int
    """Readings that wait for a batch."""
    gossip_rows: Mapping[str, int]
    """Address of a peer → rows that it has not acknowledged."""
    batches: int
    """Batches that were adopted."""
    batches_on_chain: int
    stream_age_s: int
    """Since the last batch, in ledger time. [s]"""
    max_silence_s: int
    """Greatest age that the stream allows. [s]"""
    block: int
    """Newest block that the member has followed."""
    round: int
    is_leader: bool
    """Whether this member leads the round."""
    forced: int
    """Forced readings that are not settled."""
    is_stopped: bool
    """Whether a conflict keeps the member from taking part."""
    database_bytes: int
    disk_free_bytes: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Times that are counted as they happen."""

    rounds: Histogram
    """From the begin of a round to the batch that ended it."""
    steps: Histogram
    """One step of the member."""


def member_registry(look: Callable[[], MemberFigures]) -> CollectorRegistry:
    """Build the registry of one member.

    Args:
        look: Looks at the member.

    Returns:
        A registry with the member's gauges and those of its process.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_MemberCollector(look))
    return registry


def durations(registry: CollectorRegistry) -> Durations:
    """Add the durations to a registry."""
    steps = "Time of one step: follow the chain, lead or vote, settle."
    rounds = "Time from the begin of a round to the batch that ended it."
    return Durations(
        _histogram("carbon_round_duration_seconds", rounds, registry),
        _histogram("carbon_member_step_duration_seconds", steps, registry),
    )


def _histogram(name: str, text: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(name, text, buckets=_BUCKETS_S, registry=registry)


class _MemberCollector(Collector):
    """Turns a look into metrics."""

    def __init__(self, look: Callable[[], MemberFigures]) -> None:
        self._look = look

    def describe(self) -> Iterable[Metric]:
        """Name no metric in advance: that would cost a look."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Look, and give every figure."""
        figures = self._look()
        for one in (_inbox, _stream, _rounds, _storage):
            yield from one(figures)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"carbon_{name}", text, value)


def _inbox(figures: MemberFigures) -> Iterator[Metric]:
    text = "Answers to messages since the start."
    answers = CounterMetricFamily("carbon_inbox_messages", text, labels=("answer",))
    for word in ANSWERS:
        answers.add_metric([word], figures.answers.get(word, 0))
    yield answers
    stored = CounterMetricFamily("carbon_inbox_rows", "Ever stored.", labels=("table",))
    for table, count in figures.rows.items():
        stored.add_metric([table], count)
    yield stored
    yield _gauge("inbox_queue_messages", "Waiting for their commit.", figures.waiting)
    yield _gauge("inbox_pending_readings", "Waiting for a batch.", figures.pending)
    text = "Rows that a peer has not acknowledged."
    backlog = GaugeMetricFamily("carbon_gossip_backlog_rows", text, labels=("peer",))
    for peer, rows in figures.gossip_rows.items():
        backlog.add_metric([peer], rows)
    yield backlog


def _stream(figures: MemberFigures) -> Iterator[Metric]:
    text = "Batches that were adopted."
    yield CounterMetricFamily("carbon_member_batches", text, figures.batches)
    lag = max(0, figures.batches_on_chain - figures.batches)
    yield _gauge("member_batches_behind", "Anchored and not adopted.", lag)
    age, silence = figures.stream_age_s, figures.max_silence_s
    yield _gauge("stream_age_seconds", "Since the last batch, ledger time.", age)
    yield _gauge("stream_max_silence_seconds", "Greatest age allowed.", silence)
    yield _gauge("forced_readings", "Asked for and not settled.", figures.forced)


def _rounds(figures: MemberFigures) -> Iterator[Metric]:
    leads = float(figures.is_leader)
    yield _gauge("round_number", "Round of the batch at hand.", figures.round)
    yield _gauge("round_is_leader", "1 while this member leads it.", leads)
    stopped = float(figures.is_stopped)
    yield _gauge("member_stopped", "1 while a conflict stops the member.", stopped)
    yield _gauge("chain_height_blocks", "Newest block followed.", figures.block)


def _storage(figures: MemberFigures) -> Iterator[Metric]:
    size, free = figures.database_bytes, figures.disk_free_bytes
    yield _gauge("database_size_bytes", "Of the member's database.", size)
    yield _gauge("disk_free_bytes", "Free room of its folder.", free)
