"""Which pending readings the next batch takes.

In order of arrival, as many as a batch holds, among those that the registry of the
reference block admits and whose number was not batched before. What is not admitted is
set aside until the registry changes: it stays in the inbox, and is not tried again and
again. A reading from the future waits until its time has come.
"""

from oracle.errors import RefusedReadingError
from oracle.inbox.reader import StoredReading
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.proposal import choose_readings
from oracle.member.recheck import reauthenticate
from oracle.reading.checks import AuthenticReading
from oracle.reading.registry import CarrierRegistry
from oracle.reading.state import CarrierState

GLANCE = 64
"""Readings that are looked at to see whether there is work."""


class Selection:
    """Chooses readings for this member's proposals.

    Args:
        desk: The member's ports.
        follower: View of the chain and position in the stream.
    """

    def __init__(self, desk: Desk, follower: Follower) -> None:
        self._desk = desk
        self._follower = follower
        self._aside: set[bytes] = set()
        self._aside_of: CarrierRegistry | None = None

    def fills_a_batch(self) -> bool:
        """Tell whether there are readings for a full batch."""
        limit = self._desk.rules.max_batch + len(self._aside)
        return self._desk.inbox.count_pending(limit, self._desk.clock()) >= limit

    def has_work(self) -> bool:
        """Tell whether a batch would hold at least one reading."""
        readings, _ = self._admitted(GLANCE, self._follower.head.number)
        return bool(readings)

    def choose(
        self, block_number: int
    ) -> tuple[list[AuthenticReading], dict[bytes, CarrierState]]:
        """Choose the readings of the next batch.

        Args:
            block_number: Reference block.

        Returns:
            Readings in batch order, and the states of their carriers before it.
        """
        max_batch = self._desk.rules.max_batch
        readings, states = self._admitted(max_batch, block_number)
        return choose_readings(readings, max_batch), states

    def _admitted(
        self, limit: int, block_number: int
    ) -> tuple[list[AuthenticReading], dict[bytes, CarrierState]]:
        registry = self._follower.view.registry_at(block_number)
        if registry is not self._aside_of:
            self._aside, self._aside_of = set(), registry
        rows = self._desk.inbox.pending(limit + len(self._aside), self._desk.clock())
        readings = [
            one for row in rows if (one := self._try(row, registry)) is not None
        ]
        names = {one.carrier.identifier_hash for one in readings}
        states = self._desk.store.states(names)
        return [one for one in readings if not self._is_batched(one, states)], states

    def _try(
        self, row: StoredReading, registry: CarrierRegistry
    ) -> AuthenticReading | None:
        """Check a reading; None where it is set aside."""
        if row.digest in self._aside:
            return None
        try:
            return reauthenticate(row.raw, row.digest, registry)
        except RefusedReadingError:
            self._aside.add(row.digest)
            return None

    def _is_batched(
        self, one: AuthenticReading, states: dict[bytes, CarrierState]
    ) -> bool:
        """True for a rival of a batched reading; the batched one counts."""
        state = states.get(one.carrier.identifier_hash)
        is_batched = state is not None and state.has(one.message.reading.seq)
        if is_batched:
            self._aside.add(one.digest)
        return is_batched
