"""Whose turn it is: leader of a round, and when a round is over.

    batch due ──T──► round 1 ──T──► … ──2T──► …      leader = (seq + round) mod n

Once all have led in vain the rounds grow by T, up to 8 T: where machines or lines are
so slow that a round takes longer than T, members would otherwise part for ever.
Every member counts rounds with its own monotonic clock. A member that wakes up late
catches up with the round that at least one honest peer has reached: the (f + 1)-th
highest claim, so that no single liar moves it. Pure: time comes in as an argument.
"""

from oracle.member.quorum import tolerated_faults

LONGEST_ROUND = 8
"""How many times T a round lasts at most."""
ROUNDS_AHEAD = 1
"""How far a proposal's round may be ahead of the member's own."""


def leader_of(seq: int, round_: int, count: int) -> int:
    """Name the leader.

    Args:
        seq: Sequence number of the batch.
        round_: Round, from 0.
        count: Number of members.

    Returns:
        Place of the leader among the members.
    """
    return (seq + round_) % count


class Pacemaker:
    """Counts the rounds of one batch at a time.

    Args:
        timeout_s: T, length of a round while leaders have not all led in vain. [s]
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._seq = -1
        self._floor = 0
        self._started: float | None = None
        self._claims: dict[int, tuple[int, int]] = {}

    def begin(self, seq: int, floor: int) -> None:
        """Turn to a batch; repeating it changes nothing.

        Args:
            seq: Sequence number of the batch.
            floor: Lowest round this member may still take part in.
        """
        if seq != self._seq:
            self._seq, self._floor, self._started = seq, floor, None

    def start(self, now: float) -> None:
        """Start the rounds once a batch is due; repeating it changes nothing.

        Args:
            now: Monotonic time. [s]
        """
        if self._started is None:
            self._started = now

    @property
    def is_started(self) -> bool:
        """True once the batch at hand was due."""
        return self._started is not None

    def hear(self, member: int, seq: int, round_: int) -> None:
        """Note the round that a peer says it has reached.

        Args:
            member: Place of the peer.
            seq: Batch it works on.
            round_: Its round.
        """
        self._claims[member] = (seq, round_)

    def round_at(self, now: float, count: int) -> int:
        """Return the round that this member is in.

        Args:
            now: Monotonic time. [s]
            count: Number of members.

        Returns:
            Round, from 0.
        """
        spent = 0.0 if self._started is None else now - self._started
        own = self._round_after(spent, count)
        claims = sorted((r for s, r in self._claims.values() if s == self._seq))
        faults = tolerated_faults(count)
        if len(claims) > faults and claims[-1 - faults] > own:
            self._floor, self._started = claims[-1 - faults], now
            return self._floor
        return own

    def _round_after(self, spent_s: float, count: int) -> int:
        """Count the rounds that fit into a time, from the floor on."""
        round_ = self._floor
        while round_ // count < LONGEST_ROUND - 1:
            length_s = self._timeout_s * (1 + round_ // count)
            if spent_s < length_s:
                return round_
            spent_s, round_ = spent_s - length_s, round_ + 1
        return round_ + int(spent_s // (self._timeout_s * LONGEST_ROUND))
