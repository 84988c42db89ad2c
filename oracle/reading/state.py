"""What is known of a carrier: its latest reading and what is missing.

    seq   0 1 2 3 4 5 6 7 8 9
    known ● ● ● ○ ○ ● ● ○ ● ●        gaps: 3–4 between 2 and 5, 7 between 6 and 8

A reading is compared with the nearest known readings below and above its seq, so a
late one is checked as well as a punctual one. The state is kept compact: the latest
reading and, for each gap, the two readings at its edges. Pure and unchangeable: a
new reading gives a new state.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from oracle.reading.profile import Reading


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known reading as the readings beside it see it."""

    reading: Reading
    """Its content."""
    link: bytes
    """16 bytes, `prev_link` of its message."""


@dataclass(frozen=True, slots=True)
class Around:
    """Nearest known readings of a carrier beside a seq."""

    below: Neighbour | None = None
    """The one with the next lower seq."""
    above: Neighbour | None = None
    """The one with the next higher seq."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of missing sequence numbers, both ends included."""

    first: int
    """Lowest missing seq."""
    last: int
    """Highest missing seq."""
    around: Around
    """Known readings at its edges."""

    def split(self, new: Neighbour) -> tuple["Gap", ...]:
        """Return what stays missing when a reading inside the gap arrives."""
        seq, rest = new.reading.seq, []
        if self.first < seq:
            low = Around(self.around.below, new)
            rest.append(Gap(self.first, seq - 1, low))
        if seq < self.last:
            high = Around(new, self.around.above)
            rest.append(Gap(seq + 1, self.last, high))
        return tuple(rest)


@dataclass(frozen=True, slots=True)
class CarrierState:
    """What a receiver knows of one carrier."""

    latest: Neighbour | None = None
    """Reading with the highest seq, None before the first."""
    gaps: tuple[Gap, ...] = ()
    """Missing runs below the latest, ascending."""
    stored: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """Sequence number → digest (32 bytes) of known readings, where kept."""

    def has(self, seq: int) -> bool:
        """Tell whether a reading with this seq is known."""
        if self.latest is None or seq > self.latest.reading.seq:
            return False
        return self._gap_of(seq) is None

    def around(self, seq: int) -> Around:
        """Find the nearest known readings beside a seq that is not known."""
        if self.latest is None or seq > self.latest.reading.seq:
            return Around(self.latest)
        index = self._gap_of(seq)
        return Around() if index is None else self.gaps[index].around

    def with_reading(
        self, new: Neighbour, digest: bytes | None = None
    ) -> "CarrierState":
        """Take in a reading that was not known.

        Args:
            new: The reading.
            digest: 32 bytes to keep for check 6; None keeps nothing.

        Returns:
            The state after it.
        """
        seq, next_seq = new.reading.seq, self._next_seq()
        stored = self.stored if digest is None else {**self.stored, seq: digest}
        if seq < next_seq:
            index = self._gap_of(seq)
            if index is None:
                return self
            parts = self.gaps[index].split(new)
            gaps = self.gaps[:index] + parts + self.gaps[index + 1 :]
            return replace(self, gaps=gaps, stored=stored)
        gaps = self.gaps
        if seq > next_seq:
            gaps += (Gap(next_seq, seq - 1, Around(self.latest, new)),)
        return CarrierState(new, gaps, stored)

    def _next_seq(self) -> int:
        return 0 if self.latest is None else self.latest.reading.seq + 1

    def _gap_of(self, seq: int) -> int | None:
        """Return the index of the gap that holds a seq."""
        index = bisect_right(self.gaps, seq, key=lambda gap: gap.first) - 1
        if index >= 0 and seq <= self.gaps[index].last:
            return index
        return None
