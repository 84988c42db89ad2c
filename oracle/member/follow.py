"""Following the chain: what is anchored is verified, then adopted.

    BatchAnchored ─► content known? ─no─► order and bodies from peers ─► verify ─► adopt

Rules kept: the chain decides which batch has a number; a member adopts it only after
it has verified every reading and every field itself; a member that missed batches
catches up in order; an anchored batch that does not verify stops the member with a
sentence, because then a quorum signed what it should not have.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cbor2

from contracts.structs import BatchReport
from oracle.errors import (
    InvalidProposalError,
    OracleError,
    RefusedReadingError,
    UnavailableMemberError,
)
from oracle.log.tree import CompactRange, compact_range, leaf_hash
from oracle.member.desk import Desk
from oracle.member.ports import BlockRef
from oracle.member.proposal import Batch, Frame, reading_key, root_of, verify_batch
from oracle.member.recheck import reauthenticate
from oracle.member.refs import ReadingRef, join_refs, split_refs
from oracle.member.store import AnchoredBatch
from oracle.member.view import ChainView
from oracle.member.wire import read_strings
from oracle.reading.checks import AuthenticReading
from oracle.reading.registry import CarrierRegistry

logger = logging.getLogger(__name__)

BODIES_PER_REQUEST = 1024
MOST_VERIFIED = 8
"""How many verified batches are kept for the number at hand."""
NO_HEAD = bytes(32)


@dataclass(frozen=True, slots=True)
class Position:
    """Where this member stands in the stream."""

    seq: int = 0
    """Number of adopted batches, the next batch's number."""
    head: bytes = NO_HEAD
    """32 bytes, hash of the last report."""
    log: CompactRange = field(default_factory=CompactRange)
    """Log over all reports."""
    last_ts: int = 0
    """Time up to which the stream runs. [unix s]"""

    def after(self, batch: AnchoredBatch) -> "Position":
        """Return the position behind a batch."""
        log = self.log.append(leaf_hash(batch.report_hash))
        return Position(self.seq + 1, batch.report_hash, log, batch.report.last_ts)


class Follower:
    """Keeps the view of the chain and the position in the stream.

    Args:
        desk: The member's ports.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.RLock()
        self.view = ChainView(desk.stream_id)
        self.head = BlockRef(0, bytes(32), 0)
        self.position = _stored_position(desk)
        self.adopted_at = 0
        """Ledger time of the last adoption. [unix s]"""
        self.verified: dict[bytes, Batch] = {}
        """Report hash → verified batch of the number at hand, the latest few."""
        self.conflict: str | None = None
        """Why this member stopped, None while all is well."""
        self._is_adopting = False

    def follow(self) -> int:
        """Take in what happened on the chain and adopt its batches.

        Returns:
            Number of batches adopted.

        Raises:
            ContractsError: The chain does not answer.
        """
        with self._lock:
            news = self._desk.chain.follow()
            if news.is_rewound:
                self.view = ChainView(self._desk.stream_id)
            registry = self.view.registry
            self.view.apply_all(news.events)
            if self.view.registry is not registry:
                self._desk.inbox.set_registry(self.view.registry)
            self.head = news.head
            version = self.view.configuration.version
            self._desk.memory.begin(self.view.next_seq, version)
            return self._adopt_anchored()

    def remember(self, batch: Batch) -> None:
        """Keep a verified batch, so that it is not verified again."""
        with self._lock:
            self.verified[batch.report_hash] = batch
            while len(self.verified) > MOST_VERIFIED:
                del self.verified[next(iter(self.verified))]

    def frame_at(self, block_number: int, block_hash: bytes, version: int) -> Frame:
        """Give what fixes the next report besides its readings.

        Args:
            block_number: Reference block; it was followed.
            block_hash: 32 bytes.
            version: Version of the configuration.

        Returns:
            The frame for the number at hand.
        """
        position = self.position
        return Frame(
            stream_id=self._desk.stream_id,
            seq=position.seq,
            prev_head=position.head,
            prev_last_ts=position.last_ts,
            log_root=position.log.root(),
            ref_block_number=block_number,
            ref_block_hash=block_hash,
            data_digest=self._registry(block_number, block_hash).root(),
            rules_version=version,
        )

    def place_of(self, report: BatchReport) -> int:
        """Place a report's reference block in the order of all blocks."""
        where = report.ref_block_number, report.ref_block_hash
        return self._desk.chain.place_of(*where)

    def _registry(self, block_number: int, block_hash: bytes) -> CarrierRegistry:
        place = self._desk.chain.place_of(block_number, block_hash)
        return self.view.registry_at(place)

    def verify(
        self, report: BatchReport, refs: Sequence[ReadingRef], source: Iterable[str]
    ) -> Batch:
        """Verify a proposed or anchored batch in full.

        Args:
            report: The report, whose reference block is known to be on the chain.
            refs: Names of the readings in batch order.
            source: Addresses of members that can give missing bodies.

        Returns:
            The batch.

        Raises:
            InvalidProposalError: A reading or a field is not what it must be, or
                bodies are missing and nobody gives them (reason "bodies").
        """
        if report.seq != self.position.seq:
            seq = self.position.seq
            raise InvalidProposalError("seq", str(seq), str(report.seq))
        where = report.ref_block_number, report.ref_block_hash
        frame = self.frame_at(*where, report.rules_version)
        registry = self._registry(*where)
        bodies = self._gather(refs, source, registry)
        readings = [_authentic(bodies[ref.digest], ref, registry) for ref in refs]
        names = {one.carrier.identifier_hash for one in readings}
        return verify_batch(report, frame, readings, self._desk.store.states(names))

    def _gather(
        self,
        refs: Sequence[ReadingRef],
        source: Iterable[str],
        registry: CarrierRegistry,
    ) -> dict[bytes, bytes]:
        """Find bodies here, then at peers; what comes in passes the inbox's checks.

        It passes them under the registry of the reference block: a carrier that was
        suspended since then was in order when the batch was made.
        """
        found = self._desk.inbox.bodies(refs)
        for address in source:
            missing = [ref for ref in refs if ref.digest not in found]
            if not missing:
                break
            try:
                self._fetch(address, missing, registry)
            except (UnavailableMemberError, InvalidProposalError) as exc:
                logger.info("no bodies from %s: %s", address, exc)
            found.update(self._desk.inbox.bodies(missing))
        missing = [ref for ref in refs if ref.digest not in found]
        if missing:
            expected = "every body known, or given by a peer and authentic"
            given = f"{len(missing)} that are not, first {missing[0].digest.hex()}"
            raise InvalidProposalError("bodies", expected, given)
        return found

    def _fetch(
        self, address: str, refs: Sequence[ReadingRef], registry: CarrierRegistry
    ) -> None:
        for start in range(0, len(refs), BODIES_PER_REQUEST):
            part = join_refs(refs[start : start + BODIES_PER_REQUEST])
            answer = self._desk.peers.ask(address, "bodies", part)
            self._desk.inbox.accept(read_strings(answer), registry)

    # --------------------------------------------------------------------- adoption

    def _adopt_anchored(self) -> int:
        self._resume()
        anchored, count = self.view.anchored, 0
        for seq in [seq for seq in anchored if seq < self.position.seq]:
            self._check_adopted(anchored.pop(seq))
        while self.conflict is None and self.position.seq in anchored:
            event = anchored[self.position.seq]
            batch = self._content_of(event)
            if batch is None:
                break
            self._adopt(batch, event)
            del anchored[event.seq]
            count += 1
        return count

    def _check_adopted(self, event: Any) -> None:
        batch = self._desk.store.batch(event.seq)
        if batch is None or batch.report_hash != event.head:
            self._stop(f"batch {event.seq} on the chain is not the one adopted here")

    def _content_of(self, event: Any) -> Batch | None:
        """Find or fetch the verified content of an anchored batch."""
        if batch := self.verified.get(event.head):
            return batch
        report, members = event.report, self.view.configuration.members
        others = [m.key for m in members if m.key != self._desk.key.address]
        proposal = self._desk.store.proposal(event.head)
        refs = proposal.refs if proposal else self._ask_order(report, others)
        if refs is None:
            return None
        try:
            return self.verify(report, refs, others)
        except InvalidProposalError as exc:
            if exc.reason == "bodies":
                logger.warning("batch seq=%s waits for bodies", report.seq)
            else:
                self._stop(f"anchored batch {report.seq} does not verify: {exc}")
        return None

    def _ask_order(
        self, report: BatchReport, others: Iterable[str]
    ) -> tuple[ReadingRef, ...] | None:
        """Ask peers for the order of a batch that this member never saw.

        The root tells whether an order is the batch's, so a peer that gives another
        one is passed over.
        """
        if report.leaf_count == 0:
            return ()
        body, wanted = cbor2.dumps([report.seq]), report.batch_root
        for address in others:
            try:
                refs = split_refs(self._desk.peers.ask(address, "batch", body))
            except (UnavailableMemberError, InvalidProposalError) as exc:
                logger.info("no batch %s from %s: %s", report.seq, address, exc)
                continue
            if len(refs) == report.leaf_count and root_of(report, refs) == wanted:
                return refs
            logger.warning("batch %s: %s gives another order", report.seq, address)
        return None

    def _adopt(self, batch: Batch, event: Any) -> None:
        report, refs = batch.report, batch.refs
        anchored = AnchoredBatch(report, batch.report_hash, refs, event.tx_hash)
        self._is_adopting = True
        self._desk.store.adopt(anchored, batch.states)
        self._mark(anchored)

    def _resume(self) -> None:
        """Finish an adoption that failed on its way: its batch may be on disk already.

        Marks follow in a transaction of their own, and a commit whose answer was lost
        may have happened. A second adoption would find the states behind the batch.
        """
        if not self._is_adopting:
            return
        stored = self._desk.store.batch(self.position.seq)
        if stored is not None:
            self._mark(stored)
        self._is_adopting = False

    def _mark(self, batch: AnchoredBatch) -> None:
        """Mark the readings of a stored batch, and move behind it."""
        report = batch.report
        self._desk.inbox.mark_batched(report.stream_id, report.seq, batch.refs)
        self.position = self.position.after(batch)
        self._is_adopting = False
        self.adopted_at = self._desk.clock()
        self.verified = {}
        logger.info("adopted batch=%s readings=%s", report.seq, report.leaf_count)

    def _stop(self, reason: str) -> None:
        self.conflict = f"{reason}; this member signs nothing until a person decides"
        logger.error("%s", self.conflict)


def _authentic(
    raw: bytes, ref: ReadingRef, registry: CarrierRegistry
) -> AuthenticReading:
    """Check one reading again, and that its name in the proposal is its own."""
    try:
        one = reauthenticate(raw, ref.digest, registry)
    except RefusedReadingError as exc:
        raise InvalidProposalError(exc.name, exc.expected, exc.given) from exc
    if reading_key(one) != (ref.identifier_hash, ref.seq):
        expected = f"the name of seq {one.message.reading.seq} of its carrier"
        raise InvalidProposalError("names", expected, f"seq {ref.seq}")
    return one


def _stored_position(desk: Desk) -> Position:
    heads = desk.store.heads()
    if not heads:
        return Position()
    last = desk.store.batch(len(heads) - 1)
    if last is None:
        message = f"the table of batches has gaps below {len(heads)}: restore it"
        raise OracleError(message)
    desk.inbox.mark_batched(desk.stream_id, last.report.seq, last.refs)
    log = compact_range([leaf_hash(head) for head in heads])
    return Position(len(heads), heads[-1], log, last.report.last_ts)
