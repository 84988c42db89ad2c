"""What the steps of the demo share: its running parts, its dates, what a step tells."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.hashing import keccak256
from node.demo.ledger import LOCAL, SandboxLedger
from node.demo.members import Members

START = dt.datetime(2023, 1, 1, tzinfo=LOCAL)
"""The month is replayed as January 2023, whose grid factors are published."""
ROWS_A_DAY = 96


@dataclass(frozen=True, slots=True)
class Told:
    """What a step tells, read back from the chain: a name and its figures."""

    title: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """The running parts."""

    ledger: SandboxLedger
    members: Members
    days: int
    """How much of the month is replayed. [d]"""
    folder: Path
    """Where proof packages are written."""

    @property
    def end(self) -> dt.datetime:
        """First moment after the period."""
        return START + dt.timedelta(days=self.days)


def word(text: str) -> str:
    """Return a document's digest as an instruction carries it: 0x and 64 digits."""
    return "0x" + keccak256(text.encode()).hex()
