"""Typed facts: what was odd about a reading that is kept all the same.

Nothing that was truly signed is dropped; what checks 7 to 10 find is recorded as a
fact. `LATE` depends on the order of readings, which for members is the order of
batches and so the same for all. `AHEAD`, `OVERDUE` and `QUARANTINED` depend on when
and where a message arrived: operators see them, and they never enter what members agree
on. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import cbor2


class FactKind(IntEnum):
    """What was found; the numbers are stored and digested, so they never change."""

    GAP = 1
    """Check 7: sequence numbers are missing before this reading."""
    BROKEN_LINK = 2
    """Check 7: the reading before it is stored, but `prev` names another message."""
    LATE = 3
    """Check 7: it came behind a later one and fills a gap."""
    AHEAD = 4
    """Check 8: the device's clock runs ahead of the receiver's."""
    OVERDUE = 5
    """Check 8: older than the receiver's window."""
    CLOCK_BACKWARD = 6
    """Check 8: earlier than the reading before it."""
    UNKNOWN_REGISTER = 7
    """Check 9: the register is not in the channel table."""
    OUT_OF_RANGE = 8
    """Check 9: the count is not below the register's modulus."""
    ROLLOVER = 9
    """Check 9: the register ran over its modulus."""
    RESET = 10
    """Check 9: the register fell and the device declares a reset or a new start."""
    DECREASE = 11
    """Check 9: the register fell without an explanation."""
    IMPLAUSIBLE = 12
    """Check 10: faster than the nameplate maximum with its margin."""
    SWAP = 13
    """Check 9: the device declares another meter behind it."""
    QUARANTINED = 14
    """Check 6: the carrier has signed two messages for one seq before."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One finding of a numbered check about one reading."""

    check: int
    """Number of the check, 7 to 10, or 6 for the quarantine."""
    kind: FactKind
    """What was found."""
    expected: int
    """What would have been silent, in the unit of the check."""
    given: int
    """What the reading carries, in the same unit."""
    register: int | None = None
    """Register concerned, where it is one."""

    def row(self) -> list[int | None]:
        """Return the fact as a row for storage and digests."""
        return [self.check, self.kind, self.expected, self.given, self.register]

    @classmethod
    def from_row(cls, row: list[int | None]) -> "Fact":
        """Build a fact from its row.

        Args:
            row: Row made by `row`.

        Returns:
            The fact.

        Raises:
            ValueError: The row does not have the shape of a fact.
        """
        check, kind, expected, given, register = row
        if check is None or kind is None or expected is None or given is None:
            msg = f"expected a row of a fact, got {row}"
            raise ValueError(msg)
        return cls(check, FactKind(kind), expected, given, register)


def encode_facts(facts: Iterable[Fact]) -> bytes:
    """Encode facts for storage: CBOR array of rows."""
    return cbor2.dumps([fact.row() for fact in facts])


def decode_facts(data: bytes) -> tuple[Fact, ...]:
    """Decode facts that `encode_facts` encoded."""
    return tuple(Fact.from_row(row) for row in cbor2.loads(data))
