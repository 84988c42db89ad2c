"""Passing readings on: what a carrier gave this member, the others get at once.

One thread a peer pushes new readings as a CBOR sequence and remembers how far the peer
has acknowledged; what came from a peer is not passed on. The receiver verifies and
stores everything as if a carrier had sent it, so gossip is trusted with nothing. A
restarted member pushes its unbatched readings again: peers know them by their digests.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable

import cbor2

from contracts.hashing import keccak256
from oracle.errors import OracleError
from oracle.member.ports import NewReading, Peers, Readings
from oracle.member.wire import read_strings

logger = logging.getLogger(__name__)

PUSH_READINGS = 1024
"""Most readings of one push."""
REMEMBERED = 1 << 18
"""How many digests of gossip are remembered; forgetting one costs a repeated push."""
IDLE_S = 1.0
"""Longest wait for new readings; only the end of the member needs it. [s]"""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class Gossip:
    """Pushes this member's new readings to its peers.

    Args:
        inbox: The member's readings.
        peers: The other members.
        addresses: Addresses of the peers' keys.
        start_after: Row behind which readings are pushed.
    """

    def __init__(
        self, inbox: Readings, peers: Peers, addresses: Iterable[str], start_after: int
    ) -> None:
        self._inbox = inbox
        self._peers = peers
        self._foreign: OrderedDict[bytes, None] = OrderedDict()
        self._stop = threading.Event()
        self.reached = dict.fromkeys(addresses, start_after)
        """Address of a peer → last row that it has acknowledged."""
        self._threads = [
            threading.Thread(target=self._push_to, args=(address,), daemon=True)
            for address in self.reached
        ]

    def start(self) -> None:
        """Start pushing."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop pushing; a request under way may still end later."""
        self._stop.set()

    def receive(self, _sender: str, body: bytes) -> bytes:
        """Take in a peer's push.

        Args:
            body: CBOR array of messages.

        Returns:
            Nothing: the peer may move on.

        Raises:
            InvalidProposalError: The body has another shape.
            UnavailableInboxError: Nothing was stored; the peer tries again.
        """
        self.accept(read_strings(body))
        return b""

    def accept(self, messages: list[bytes]) -> None:
        """Store messages of peers without passing them on.

        Args:
            messages: Whole messages.

        Raises:
            UnavailableInboxError: Nothing was stored.
        """
        for raw in messages:
            self._foreign[keccak256(raw)] = None
        while len(self._foreign) > REMEMBERED:
            self._foreign.popitem(last=False)
        self._inbox.accept(messages)

    def _push_to(self, address: str) -> None:
        seen, pause_s = -1, FIRST_PAUSE_S
        while not self._stop.is_set():
            try:
                seen = self._push_stored(address, seen)
                pause_s = FIRST_PAUSE_S
            except OracleError as exc:
                logger.debug("gossip to %s waits: %s", address, exc)
                self._stop.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _push_stored(self, address: str, seen: int) -> int:
        """Wait for a commit behind those seen, and push until nothing is left."""
        commits = self._inbox.await_commit(seen, IDLE_S)
        while not self._stop.is_set():
            rows = self._inbox.after(self.reached[address], PUSH_READINGS)
            self._push(address, rows)
            if rows:
                self.reached[address] = rows[-1].row_id
            if len(rows) < PUSH_READINGS:
                break
        return commits

    def _push(self, address: str, rows: list[NewReading]) -> None:
        own = [row.raw for row in rows if row.digest not in self._foreign]
        if own:
            self._peers.ask(address, "gossip", cbor2.dumps(own))
