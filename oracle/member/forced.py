"""Readings that somebody forces into the stream, taken in and shown to be there.

    chain: InclusionForced ─► inbox ─► a batch, like any other ─► proof ─► settled

Rules kept: the message comes from the chain, so no member can say it never had it; it
passes the same checks as any other, and what fails them is no reading and stays open;
any one honest member suffices to settle, and members take turns so that they do not
all send the same proof. A leader who leaves the reading out is overtaken by the next.
Few are looked at in a step, so that whoever forces many does not hold up the rounds.
"""

import logging
import time
from collections.abc import Mapping
from itertools import islice

from contracts.errors import ContractsError, UnavailableError
from contracts.hashing import keccak256
from oracle.errors import InvalidMessageError
from oracle.inbox.reader import Reader as Stored
from oracle.inbox.reader import StoredReading
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.reading_proof import reading_proof
from oracle.reading.profile import decode_message

__all__ = ["ForcedReadings"]

logger = logging.getLogger(__name__)

TURN_S = 3.0
"""How long the members before this one have to settle a reading. [s]"""
AT_ONCE = 64
"""Most readings that are looked at in one step."""


class ForcedReadings:
    """Takes in and settles what is forced.

    Args:
        desk: The member's ports.
        follower: View of the chain and position in the stream.
        stored: The member's stored readings.
    """

    def __init__(self, desk: Desk, follower: Follower, stored: Stored) -> None:
        self._desk = desk
        self._follower = follower
        self._stored = stored
        self._waiting: dict[bytes, None] = {}
        self._taken: set[bytes] = set()
        self._seen_at: dict[bytes, float] = {}

    def step(self) -> None:
        """Take in what was forced lately, and settle what a batch carries.

        Raises:
            OracleError: The inbox cannot store at the moment.
            UnavailableError: The chain does not answer.
        """
        forced = self._follower.view.forced
        self._taken &= forced.keys()
        for digest in self._seen_at.keys() - forced.keys():
            del self._seen_at[digest]
        turn = self._next(forced)
        self._take_in({one: forced[one] for one in turn if one not in self._taken})
        for digest in turn:
            reading = self._find(forced[digest])
            if reading is not None and reading.batch_seq is not None:
                self._settle(digest, reading)

    def _next(self, forced: Mapping[bytes, bytes]) -> list[bytes]:
        """Choose the digests whose turn it is: those not looked at for longest."""
        for digest in self._waiting.keys() - forced.keys():
            del self._waiting[digest]
        for digest in forced:
            self._waiting.setdefault(digest)
        turn = list(islice(self._waiting, AT_ONCE))
        for digest in turn:
            self._waiting[digest] = self._waiting.pop(digest)
        return turn

    def _take_in(self, messages: Mapping[bytes, bytes]) -> None:
        """Give messages to the inbox, as if a carrier had sent them."""
        if not messages:
            return
        self._desk.inbox.accept(list(messages.values()))
        self._taken.update(messages)
        for digest in messages:
            logger.info("took in a forced reading digest=%s", digest.hex())

    def _find(self, message: bytes) -> StoredReading | None:
        """Find the stored reading of a message; one that failed the checks is none."""
        try:
            found = decode_message(message).reading
        except InvalidMessageError:
            return None
        record = self._follower.view.registry.by_kid(found.kid)
        if record is None:
            return None
        near = self._stored.readings_of(record.identifier, found.ts, found.ts + 1)
        wanted = keccak256(message)
        return next((one for one in near if one.digest == wanted), None)

    def _settle(self, digest: bytes, reading: StoredReading) -> None:
        """Show the batch to the contract, when it is this member's turn."""
        configuration = self._follower.view.configuration
        place = configuration.index_of(self._desk.key.address)
        now = time.monotonic()
        since = now - self._seen_at.setdefault(digest, now)
        if place is None or since < place * TURN_S:
            return
        proof = reading_proof(reading, self._desk)
        try:
            self._desk.chain.settle_inclusion(digest, proof)
            logger.info("settled a forced reading digest=%s", digest.hex())
        except UnavailableError:
            raise
        except ContractsError as exc:  # another was first, or the head has moved on
            logger.info("a forced reading waits digest=%s: %s", digest.hex(), exc)
            self._seen_at[digest] = now
