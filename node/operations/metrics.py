"""The node's figures for Prometheus, in a registry of its own.

Gauges are read from a look when somebody scrapes; the latency of the API is counted as
requests are answered. Names, units and labels are listed in ``docs/operations.md``.
"""

import logging
from collections.abc import Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from node.errors import NodeError
from node.operations.alarms import KINDS
from node.operations.facts import Facts
from node.operations.notices import raised_alarms
from node.operations.watch import Watch
from node.store.database import Database

__all__ = ["LATENCY_BUCKETS_S", "NodeCollector", "latency_histogram", "node_registry"]

logger = logging.getLogger(__name__)

LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper ends of the latency's buckets. [s]"""
_WATCH_UP = "1 while a look comes to its end."


def node_registry(watch: Watch, database: Database) -> CollectorRegistry:
    """Build the registry of one node.

    Args:
        watch: Where looks come from.
        database: Where raised alarms are.

    Returns:
        A registry with the node's gauges and those of its process.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(NodeCollector(watch, database))
    return registry


def latency_histogram(registry: CollectorRegistry) -> Histogram:
    """Add the latency of the API's answers to a registry."""
    return Histogram(
        "carbon_api_request_duration_seconds",
        "Time from a request to the begin of its answer.",
        ("method", "route", "status"),
        buckets=LATENCY_BUCKETS_S,
        registry=registry,
    )


class NodeCollector(Collector):
    """Turns a look into metrics.

    Args:
        watch: Where looks come from.
        database: Where raised alarms are.
    """

    def __init__(self, watch: Watch, database: Database) -> None:
        self._watch = watch
        self._database = database

    def describe(self) -> Iterable[Metric]:
        """Name no metric in advance: that would cost a look."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Look, and give every figure; alarms also where a look ends in a fault."""
        try:
            facts = self._watch.facts()
        except Exception:  # the watch, which looks as well, logs it and raises an alarm
            logger.debug("no figures: the look failed", exc_info=True)
            yield from _gauge("watch_up", _WATCH_UP, 0)
            yield _alarms(self._database)
            return
        yield from _gauge("watch_up", _WATCH_UP, 1)
        for one in (_chain, _index, _streams, _members, _carriers, _disks, _work):
            yield from one(facts)
        yield _alarms(self._database)


def _gauge(name: str, text: str, value: float | None) -> Iterator[Metric]:
    """Give a gauge, or none where its value is not known."""
    if value is not None:
        yield GaugeMetricFamily(f"carbon_{name}", text, value)


def _family(name: str, text: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"carbon_{name}", text, labels=labels)


def _chain(facts: Facts) -> Iterator[Metric]:
    chain = facts.chain
    age_s = None if chain.block_time is None else max(0, facts.at - chain.block_time)
    yield from _gauge(
        "chain_up", "1 while the chain answers.", chain.height is not None
    )
    yield from _gauge("chain_height_blocks", "Newest block.", chain.height)
    yield from _gauge("chain_block_age_seconds", "Age of the newest block.", age_s)
    yield from _gauge(
        "chain_pending_transactions", "Waiting for a block.", chain.pending
    )
    yield from _gauge("chain_stalled_seconds", "Standing still since.", chain.stalled_s)


def _index(facts: Facts) -> Iterator[Metric]:
    index = facts.index
    yield from _gauge("indexer_up", "1 while the indexer runs.", index.is_running)
    yield from _gauge(
        "indexer_height_blocks", "Tables are complete up to.", index.block
    )
    yield from _gauge("indexer_lag_blocks", "Behind the chain by.", index.lag_blocks)


def _streams(facts: Facts) -> Iterator[Metric]:
    labels = ("stream",)
    batches = CounterMetricFamily("carbon_stream_batches", "Anchored.", labels=labels)
    readings = CounterMetricFamily("carbon_stream_readings", "Anchored.", labels=labels)
    age = _family("stream_age_seconds", "Since the last batch, ledger time.", labels)
    silence = _family("stream_max_silence_seconds", "Greatest age allowed.", labels)
    for one in facts.streams:
        name = [f"0x{one.stream_id.hex()}"]
        batches.add_metric(name, one.batches)
        readings.add_metric(name, one.readings)
        age.add_metric(name, one.age_s)
        silence.add_metric(name, one.max_silence_s)
    yield from (batches, readings, age, silence)
    overdue = sum(one.overdue_s > 0 for one in facts.forced)
    yield from _gauge(
        "forced_readings", "Asked for and in no batch.", len(facts.forced)
    )
    yield from _gauge("forced_readings_overdue", "Of them past their time.", overdue)


def _members(facts: Facts) -> Iterator[Metric]:
    up = _family("member_up", "1 while the member answers.", ("member",))
    silent = _family("member_silent_seconds", "Since its last answer.", ("member",))
    for one in facts.members:
        up.add_metric([one.address], one.is_answering)
        silent.add_metric([one.address], one.silent_s)
    yield from (up, silent)


def _carriers(facts: Facts) -> Iterator[Metric]:
    if facts.carriers is not None:
        silent = len(facts.carriers.silent)
        yield from _gauge("carriers_active", "Active.", facts.carriers.active)
        yield from _gauge("carriers_silent", "Of them silent for too long.", silent)


def _disks(facts: Facts) -> Iterator[Metric]:
    labels = ("folder",)
    free = _family("disk_free_bytes", "Free room.", labels)
    total = _family("disk_size_bytes", "All room.", labels)
    inodes = _family("disk_free_inodes_ratio", "Free inodes of all.", labels)
    for one in facts.disks:
        free.add_metric([one.folder], one.free_bytes)
        total.add_metric([one.folder], one.total_bytes)
        inodes.add_metric([one.folder], one.free_inodes_percent / 100)
    yield from (free, total, inodes)


def _work(facts: Facts) -> Iterator[Metric]:
    yield from _gauge("database_up", "1 while it can be read.", facts.work is not None)
    if facts.work is None:
        return
    size = facts.work.database_bytes
    yield from _gauge("database_size_bytes", "Of the node's database.", size)
    waiting = _family("instructions", "Instructions of people.", ("status",))
    for status, count in facts.work.instructions.items():
        waiting.add_metric([status], count)
    yield waiting
    notices = facts.work.notices
    yield from _gauge("alarm_notices_waiting", "Not delivered.", notices)


def _alarms(database: Database) -> Metric:
    raised = _family("alarms_raised", "Raised alarms.", ("kind",))
    try:
        found = [one["kind"] for one in raised_alarms(database)]
    except NodeError:
        return raised
    for kind in KINDS:
        raised.add_metric([kind], found.count(kind))
    return raised
