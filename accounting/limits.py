"""What a register can plausibly do between two readings.

The checks of readings and the ledger use these limits alike, so that what one calls a
rollover the other never calls a fault. Exact integers only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from accounting.channels import Channel, ChannelTable

RATE_MARGIN: Final = Fraction(11, 10)
"""Nameplate maximum times this is still plausible."""

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class RegisterLimit:
    """A channel's limits as integers: counts · per_count ≤ seconds · per_second."""

    modulus: int | None
    """Count at which the register starts again from zero."""
    per_count: int
    """Left factor of the rate rule."""
    per_second: int | None
    """Right factor of the rate rule; None where no nameplate maximum is pinned."""

    @classmethod
    def of(cls, channel: Channel) -> "RegisterLimit":
        """Compute the limits of a channel exactly, once."""
        if channel.nameplate_max_per_h is None:
            return cls(channel.modulus, 1, None)
        per_second = channel.nameplate_max_per_h * RATE_MARGIN / HOUR_S
        counts_per_s = per_second / channel.scale
        return cls(channel.modulus, counts_per_s.denominator, counts_per_s.numerator)

    def allows(self, counts: int, seconds: int) -> bool:
        """Tell whether so many counts in so many seconds are plausible."""
        if self.per_second is None:
            return True
        return counts * self.per_count <= max(seconds, 0) * self.per_second

    def most(self, seconds: int) -> int:
        """Return the highest plausible number of counts in so many seconds."""
        return max(seconds, 0) * (self.per_second or 0) // self.per_count

    def is_rollover(self, last: int, value: int, seconds: int) -> bool:
        """Tell whether a fall is a rollover.

        A rollover passes less than half the register and no more than the nameplate
        maximum allows: a fall of a few counts is none.
        """
        if self.modulus is None:
            return False
        counts = value + self.modulus - last
        return 0 < 2 * counts < self.modulus and self.allows(counts, seconds)

    def may_turn_again(self, counts: int, seconds: int) -> bool:
        """Tell whether a register may have passed its modulus once more unseen.

        Only a nameplate maximum can exclude it, so without one nothing is claimed.
        """
        if self.modulus is None or self.per_second is None:
            return False
        return self.allows(counts + self.modulus, seconds)


@lru_cache(maxsize=1 << 14)
def register_limits(table: ChannelTable | None) -> Mapping[int, RegisterLimit]:
    """Turn the exact fractions of a channel table into integers.

    Args:
        table: Channel table of a carrier, None if the chain's cannot be read.

    Returns:
        Register → limits; empty without a table.
    """
    channels = () if table is None else table.channels
    return {one.register: RegisterLimit.of(one) for one in channels}
