"""Figures of a gate for Prometheus: requests, refusals by reason, seconds.

Counted as they happen, in memory, since the start of the process. Labels are words of
this page and names of the callers file alone, so that nobody outside makes new series.
A node shows the figures of its gates on its own page of metrics; ``carbon-node gate``
by itself has none. Nothing here decides anything.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from node.errors import (
    InvalidAccessError,
    InvalidCallError,
    InvalidTransactionError,
    NodeError,
    UnavailableCapacityError,
)
from node.gate.jsonrpc import METHOD_NOT_FOUND

__all__ = ["UNKNOWN", "GateFigures", "GatesCollector", "Reason", "Timed", "reason_of"]

Reason = Literal[
    "http_method",
    "media_type",
    "unknown_caller",
    "too_slow",
    "too_large",
    "too_fast",
    "malformed",
    "method",
    "right",
    "transaction",
    "parameters",
    "too_much",
    "unavailable",
]
"""Why a gate refuses, as ``docs/operations.md`` lists it."""
UNKNOWN = "unknown"
"""Caller of a request before anybody knows whose it is."""
_BUCKETS_S = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)


class Timed:
    """One request, from its head to the begin of its answer."""

    def __init__(self, figures: "GateFigures") -> None:
        self._figures = figures
        self._began = time.monotonic()
        self.caller = UNKNOWN

    def answered(self, status: int) -> None:
        """Count it.

        Args:
            status: HTTP status of the answer.
        """
        self._figures.requests.labels(self.caller, f"{status // 100}xx").inc()
        self._figures.seconds.observe(time.monotonic() - self._began)


class GateFigures:
    """Figures of one gate."""

    def __init__(self) -> None:
        self.requests = Counter(
            "carbon_gate_requests",
            "HTTP requests that were answered.",
            ("caller", "status"),
            registry=None,
        )
        self.seconds = Histogram(
            "carbon_gate_request_duration_seconds",
            "Time from the head of a request to the begin of its answer.",
            buckets=_BUCKETS_S,
            registry=None,
        )
        self._refusals = Counter(
            "carbon_gate_refusals",
            "Requests, or calls of one, that were refused.",
            ("reason",),
            registry=None,
        )

    def refuse(self, reason: Reason) -> None:
        """Count a refusal."""
        self._refusals.labels(reason).inc()

    def collect(self) -> Iterator[Metric]:
        """Give every figure."""
        for one in (self.requests, self.seconds, self._refusals):
            yield from one.collect()


class GatesCollector(Collector):
    """Shows the figures of several gates, each under its name.

    Args:
        gates: Name → figures.
    """

    def __init__(self, gates: Mapping[str, GateFigures]) -> None:
        self._gates = dict(gates)

    def describe(self) -> Iterable[Metric]:
        """Name no metric in advance."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give every figure of every gate, with the label ``gate``."""
        families: dict[str, Metric] = {}
        for gate, figures in self._gates.items():
            for found in figures.collect():
                fresh = Metric(found.name, found.documentation, found.type)
                family = families.setdefault(found.name, fresh)
                for sample in found.samples:
                    labels = {**sample.labels, "gate": gate}
                    family.add_sample(sample.name, labels, sample.value)
        yield from families.values()


def reason_of(refusal: NodeError) -> Reason:
    """Give the word for a call that was refused."""
    if isinstance(refusal, InvalidCallError):
        return "method" if refusal.code == METHOD_NOT_FOUND else "parameters"
    if isinstance(refusal, InvalidAccessError):
        return "right"
    if isinstance(refusal, InvalidTransactionError):
        return "transaction"
    return (
        "too_much" if isinstance(refusal, UnavailableCapacityError) else "unavailable"
    )
