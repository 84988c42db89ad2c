"""What a run comes to: cycles, faults, what went wrong, how long recovery took."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from tests.faults.checker import Verdict


@dataclass
class Tally:
    """Figures of one run or of several together."""

    cycles: int = 0
    """Rounds of kill -9 and start again, however many processes were hit at once."""
    faults: Counter[str] = field(default_factory=Counter)
    """Kind of fault → how many."""
    acknowledged: int = 0
    """Items that were held against chain, database and log."""
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    forks: int = 0
    gaps: int = 0
    stuck: int = 0
    """Runs that did not recover, or could not be judged."""
    wrong: list[str] = field(default_factory=list)
    """The first few things that were wrong."""
    recovery_s: list[float] = field(default_factory=list)
    """From the end of a fault to the next acknowledgement. [s]"""

    def fault(self, kind: str, kills: int = 0) -> None:
        self.faults[kind] += 1
        self.cycles += kills

    @contextmanager
    def recovery(self) -> Iterator[None]:
        """Time from here to the end of the block."""
        started = monotonic()
        yield
        self.recovery_s.append(round(monotonic() - started, 3))

    def judge(self, verdict: Verdict) -> None:
        self.acknowledged += verdict.checked
        for name in ("lost", "doubled", "altered", "forks", "gaps"):
            found = getattr(verdict, name)
            setattr(self, name, getattr(self, name) + len(found))
            self.wrong += [f"{name}: {one}" for one in found[:5]]

    @property
    def is_clean(self) -> bool:
        return self.findings == 0

    @property
    def findings(self) -> int:
        """How much is wrong."""
        content = self.lost + self.doubled + self.altered
        return content + self.forks + self.gaps + self.stuck

    def add(self, other: "Tally") -> None:
        self.faults += other.faults
        for name in ("cycles", "acknowledged", "lost", "doubled", "altered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.forks += other.forks
        self.gaps += other.gaps
        self.stuck += other.stuck
        self.wrong += other.wrong
        self.recovery_s += other.recovery_s

    def to_dict(self) -> dict[str, Any]:
        return {
            "cycles": self.cycles,
            "faults": sum(self.faults.values()),
            "faults_by_kind": dict(sorted(self.faults.items())),
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "doubled": self.doubled,
            "altered": self.altered,
            "forks": self.forks,
            "gaps": self.gaps,
            "stuck": self.stuck,
            "wrong": self.wrong,
            "recovery_p50_s": self.percentile(0.5),
            "recovery_p95_s": self.percentile(0.95),
            "recovery_s": self.recovery_s,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Tally":
        plain = {name: values[name] for name in _PLAIN}
        return cls(**plain, faults=Counter(values["faults_by_kind"]))

    def percentile(self, share: float) -> float:
        """Nearest-rank percentile of the recoveries, 0 where there was none. [s]"""
        if not self.recovery_s:
            return 0.0
        if len(self.recovery_s) == 1:
            return self.recovery_s[0]
        cuts = statistics.quantiles(self.recovery_s, n=100, method="inclusive")
        return round(cuts[round(share * 100) - 1], 3)


_PLAIN = (
    *("cycles", "acknowledged", "lost", "doubled", "altered", "forks", "gaps"),
    *("stuck", "wrong", "recovery_s"),
)
"""Fields that are stored as they are."""
