"""A member's votes: what it answers to a leader, and to itself when it leads.

Rules kept: it verifies a proposal in full before the first vote; every vote, lock and
signature is on disk before it is given; it answers the leader of the round alone, and
no round far ahead of its own; a refusal says why and carries what the leader needs to
do better: the lock that binds this member, and messages that contradict readings.
"""

import threading
from dataclasses import dataclass

import cbor2

from contracts.structs import BatchReport
from contracts.typed_data import compact_signature, struct_hash
from oracle.errors import (
    ConflictBallotError,
    InvalidProposalError,
    StaleProposalError,
)
from oracle.member import ballot as rules
from oracle.member.ballot import Certificate, Phase, Subject, check_certificate
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.leader import ROUNDS_AHEAD, leader_of
from oracle.member.proposal import Batch
from oracle.member.refs import join_refs, split_refs
from oracle.member.states import decode_report, encode_report
from oracle.member.store import Proposal
from oracle.member.wire import read_array

HEARTBEAT_SLACK_S = 300
"""How far the time of a heartbeat may be from the member's clock. [s]"""
LARGEST_BATCH = 16_384
"""Most readings that a member verifies in one proposal."""
REFERENCE_BLOCKS = 128
"""How far a new proposal's reference block may lie behind the head. The contract knows
256; a report that it cannot take any more would hold its number up for good."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A leader's proposal in one round."""

    proposal: Proposal
    """Report and order of readings."""
    round: int
    """Round it is made in."""
    justify: Certificate | None = None
    """Quorum of accepts for this report in an earlier round."""

    def to_bytes(self) -> bytes:
        """Encode as CBOR."""
        justify = self.justify.to_bytes() if self.justify else b""
        report, refs = self.proposal.report, join_refs(self.proposal.refs)
        return cbor2.dumps([encode_report(report), refs, self.round, justify])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Offer":
        """Decode what `to_bytes` made.

        Args:
            data: CBOR bytes of a peer.

        Returns:
            The offer, nothing of it checked.

        Raises:
            InvalidProposalError: The bytes have another shape.
        """
        encoded, joined, round_, justify = read_array(data, bytes, bytes, int, bytes)
        report = decode_report(BatchReport, encoded)
        proposal = Proposal(report, split_refs(joined))
        certificate = Certificate.from_bytes(justify) if justify else None
        return cls(proposal, round_, certificate)


class Voter:
    """Answers leaders with votes and signatures.

    Args:
        desk: The member's ports.
        follower: View of the chain and position in the stream.
    """

    def __init__(self, desk: Desk, follower: Follower) -> None:
        self._desk = desk
        self._follower = follower
        self._lock = threading.Lock()
        self.round = 0
        """Round that this member is in, by its pacemaker."""

    def subject(self) -> Subject:
        """Name what is voted on: the next number under the current configuration."""
        version = self._follower.view.configuration.version
        seq, stream_id = self._follower.position.seq, self._desk.stream_id
        return Subject(self._desk.chain.domain, stream_id, seq, version)

    # -------------------------------------------------------------------- the votes

    def accept(self, offer: Offer, sender: str) -> bytes:
        """Verify a proposal and vote for it.

        Args:
            offer: The leader's proposal.
            sender: Address of its sender.

        Returns:
            Signature of the vote, 64 bytes.

        Raises:
            StaleProposalError: Its number or round is not the one at hand.
            InvalidProposalError: Something in it is not what it must be.
            ConflictBallotError: An earlier promise stands against it.
        """
        if offer.proposal.report.seq > self._follower.position.seq:
            self._follower.follow()
        subject = self._check_turn(offer, sender)
        if offer.justify is not None:
            configuration = self._follower.view.configuration
            check_certificate(configuration, subject, offer.justify)
        report_hash = struct_hash(offer.proposal.report)
        batch = self._verified(offer, report_hash, sender)
        with self._lock:
            before = self._desk.store.ballot(subject)
            after = rules.accept(before, offer.round, report_hash, offer.justify)
            self._desk.store.save_ballot(subject, after, offer.proposal)
            self._follower.remember(batch)
        return self._vote(subject, Phase.ACCEPT, offer.round, report_hash)

    def lock(self, accepts: Certificate) -> bytes:
        """Lock on a quorum of accepts.

        Args:
            accepts: Certificate of a leader, unchecked.

        Returns:
            Signature of the vote, 64 bytes.

        Raises:
            InvalidProposalError: No quorum, or a proposal this member never verified.
            StaleProposalError: A vote in a later round was cast.
            ConflictBallotError: Another report was signed.
        """
        subject = self._check_known(accepts)
        with self._lock:
            after = rules.lock(self._desk.store.ballot(subject), accepts)
            self._desk.store.save_ballot(subject, after)
        return self._vote(subject, Phase.LOCK, accepts.round, accepts.report_hash)

    def sign(self, locks: Certificate) -> bytes:
        """Sign the report on a quorum of locks; persisted before it is signed.

        Args:
            locks: Certificate of a leader, unchecked.

        Returns:
            Signature of the report, 64 bytes, EIP-712 and EIP-2098.

        Raises:
            InvalidProposalError: No quorum, or a proposal this member never verified.
            ConflictBallotError: Another report was signed.
        """
        subject = self._check_known(locks)
        with self._lock:
            after = rules.sign(self._desk.store.ballot(subject), locks)
            self._desk.store.save_ballot(subject, after)
        proposal = self._desk.store.proposal(locks.report_hash)
        if proposal is None:
            raise InvalidProposalError("report", "a proposal verified here", "another")
        digest = self._desk.chain.report_digest(proposal.report)
        return compact_signature(self._desk.key.private, digest)

    def locked_offer(self) -> Offer | None:
        """Give the proposal that this member is locked on, with its certificate."""
        locked = self._desk.store.ballot(self.subject()).locked
        proposal = self._desk.store.proposal(locked.report_hash) if locked else None
        if locked is None or proposal is None:
            return None
        return Offer(proposal, locked.round, locked)

    # ------------------------------------------------------------------- the checks

    def _check_turn(self, offer: Offer, sender: str) -> Subject:
        """Check number, round, leader and configuration of a proposal."""
        subject, report = self.subject(), offer.proposal.report
        configuration = self._follower.view.configuration
        if self._follower.conflict is not None:
            raise InvalidProposalError("member", "one at work", "a stopped one")
        self._desk.memory.require(subject)
        if report.seq != subject.seq:
            raise StaleProposalError("seq", str(subject.seq), str(report.seq))
        if not 0 <= offer.round <= self.round + ROUNDS_AHEAD:
            most = self.round + ROUNDS_AHEAD
            raise StaleProposalError("round", f"at most {most}", str(offer.round))
        if report.rules_version != subject.rules_version:
            expected, given = str(subject.rules_version), str(report.rules_version)
            raise InvalidProposalError("rules_version", expected, given)
        place = leader_of(report.seq, offer.round, len(configuration.members))
        if configuration.index_of(sender) != place:
            expected = f"member {place} as leader of round {offer.round}"
            raise InvalidProposalError("leader", expected, sender)
        return subject

    def _verified(self, offer: Offer, report_hash: bytes, sender: str) -> Batch:
        """Verify a proposal unless that was done before."""
        if batch := self._follower.verified.get(report_hash):
            return batch
        proposal = offer.proposal
        report, count = proposal.report, len(proposal.refs)
        if count != report.leaf_count or count > LARGEST_BATCH:
            expected = f"{report.leaf_count} names, at most {LARGEST_BATCH}"
            raise InvalidProposalError("names", expected, str(count))
        self._check_reference(report)
        if offer.justify is None:
            self._check_age(report)
        self._check_time(report)
        own = self._desk.key.address
        members = self._follower.view.configuration.members
        others = [member.key for member in members if member.key != own]
        source = others if sender == own else [sender]
        batch = self._follower.verify(report, proposal.refs, source)
        if disputed := self._desk.inbox.disputed(proposal.refs):
            given = f"{len(disputed)} messages that contradict each other"
            raise InvalidProposalError("equivocation", "undisputed readings", given)
        return batch

    def _check_reference(self, report: BatchReport) -> None:
        """The reference block is on this member's chain."""
        number = report.ref_block_number
        if number > self._follower.head.number:
            self._follower.follow()
        block_hash = self._desk.chain.block_hash(number)
        if number > self._follower.head.number or block_hash != report.ref_block_hash:
            expected = f"block {number} of this chain"
            raise InvalidProposalError(
                "ref_block_hash", expected, report.ref_block_hash.hex()
            )

    def _check_age(self, report: BatchReport) -> None:
        """The contract will still know the reference block when the report is sent."""
        least = self._follower.head.number - REFERENCE_BLOCKS
        if report.ref_block_number < least:
            given = str(report.ref_block_number)
            raise InvalidProposalError("ref_block_number", f"at least {least}", given)

    def _check_time(self, report: BatchReport) -> None:
        """Nothing is from the future; a heartbeat is due and of now."""
        now = self._desk.clock()
        slack = self._desk.rules.ahead_s
        if report.leaf_count and report.last_ts > now + slack:
            expected = f"at most {now + slack}"
            raise InvalidProposalError("last_ts", expected, str(report.last_ts))
        if report.leaf_count == 0:
            self._check_heartbeat(report, now)

    def _check_heartbeat(self, report: BatchReport, now: int) -> None:
        """A leader may not put a heartbeat in the place of readings."""
        last, follower = self._follower.position.last_ts, self._follower
        if report.first_ts > max(now + HEARTBEAT_SLACK_S, last):
            expected = f"a heartbeat of {now} within {HEARTBEAT_SLACK_S} s"
            raise InvalidProposalError("first_ts", expected, str(report.first_ts))
        silence_s = now - max(last, follower.adopted_at)
        if 2 * silence_s < self._desk.rules.heartbeat_s:
            expected = f"readings before {self._desk.rules.heartbeat_s} s of silence"
            given = f"a heartbeat after {silence_s} s"
            raise InvalidProposalError("heartbeat", expected, given)

    def _check_known(self, certificate: Certificate) -> Subject:
        """A quorum cast these votes, for a proposal that this member verified."""
        subject = self.subject()
        self._desk.memory.require(subject)
        check_certificate(self._follower.view.configuration, subject, certificate)
        if self._desk.store.proposal(certificate.report_hash) is None:
            given = certificate.report_hash.hex()
            raise InvalidProposalError("report", "a proposal verified here", given)
        return subject

    def _vote(
        self, subject: Subject, phase: Phase, round_: int, report_hash: bytes
    ) -> bytes:
        digest = subject.vote_digest(phase, round_, report_hash)
        return compact_signature(self._desk.key.private, digest)

    # ------------------------------------------------------------- answers to peers

    def answer_offer(self, sender: str, body: bytes) -> bytes:
        """Answer a leader's proposal with a vote or a refusal."""
        offer = Offer.from_bytes(body)
        try:
            return cbor2.dumps({"vote": self.accept(offer, sender)})
        except (InvalidProposalError, StaleProposalError) as exc:
            refusal = {"refused": str(exc)}
            disputed = self._desk.inbox.disputed(offer.proposal.refs)
            return cbor2.dumps({**refusal, "disputed": disputed})
        except ConflictBallotError as exc:
            locked = self.locked_offer()
            lock = locked.to_bytes() if locked else b""
            return cbor2.dumps({"refused": str(exc), "lock": lock})

    def answer_lock(self, _sender: str, body: bytes) -> bytes:
        """Answer a quorum of accepts with a lock vote or a refusal."""
        return self._answer(Certificate.from_bytes(body), Phase.LOCK)

    def answer_sign(self, _sender: str, body: bytes) -> bytes:
        """Answer a quorum of locks with the report's signature or a refusal."""
        return self._answer(Certificate.from_bytes(body), None)

    def answer_ballot(self, _sender: str, _body: bytes) -> bytes:
        """Tell a leader what this member is locked on."""
        offer = self.locked_offer()
        return cbor2.dumps({"lock": offer.to_bytes() if offer else b""})

    def _answer(self, certificate: Certificate, phase: Phase | None) -> bytes:
        give = self.lock if phase is Phase.LOCK else self.sign
        try:
            return cbor2.dumps({"vote": give(certificate)})
        except (InvalidProposalError, StaleProposalError, ConflictBallotError) as exc:
            return cbor2.dumps({"refused": str(exc)})
