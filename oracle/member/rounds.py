"""Rounds: when a batch is due its leader proposes, collects and transmits.

    due ─► leader: offer ─► accepts ─► locks ─► signatures ─► one transaction
      └──► others: vote; no batch within T ─► next round, next leader

Rules kept: a leader proposes again what a quorum may already hold (its own or a peer's
lock), and asks again every T while a long round is its own; it is a voter like the
others and promises to itself first; it stops asking when a quorum has answered, so a
stopped member costs nothing; what a quorum signed is sent again until the chain has it
or has something else.
"""

import logging

import cbor2

from contracts.errors import ContractsError, UnavailableError
from contracts.structs import Attestation, BatchReport
from contracts.typed_data import compact_signature, struct_hash
from oracle.errors import (
    InvalidProposalError,
    OracleError,
    UnavailableBatchError,
    UnavailableQuorumError,
)
from oracle.member.ballot import Certificate, Phase, Subject, certify, check_certificate
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.leader import Pacemaker, leader_of
from oracle.member.proposal import build_batch
from oracle.member.quorum import attest, choose_quorum, is_signed_by
from oracle.member.selection import Selection
from oracle.member.store import Proposal
from oracle.member.votes import Offer, Voter
from oracle.member.wire import one_line, read_answer, read_array, read_disputed
from oracle.member.witness import Witness

logger = logging.getLogger(__name__)


class Rounds:
    """Drives the member through rounds, one `step` at a time.

    Args:
        desk: The member's ports.
        follower: View of the chain and position in the stream.
        voter: The member's own votes.
        witness: Keeps what others sign.
    """

    def __init__(
        self, desk: Desk, follower: Follower, voter: Voter, witness: Witness
    ) -> None:
        self._desk = desk
        self._follower = follower
        self._voter = voter
        self._witness = witness
        self._selection = Selection(desk, follower)
        self._pacemaker = Pacemaker(desk.rules.timeout_s)
        self._opened_at = float("-inf")
        self._opened: tuple[int, int] | None = None
        self._led_at = float("-inf")
        self._best: Offer | None = None
        self._decided: tuple[BatchReport, Attestation] | None = None

    @property
    def opened_at(self) -> float:
        """When the latest round began; -inf before the first. [s, monotonic]."""
        return self._opened_at

    # ---------------------------------------------------------------------- the step

    def step(self, now: float) -> None:
        """Follow the chain and do what the present round asks of this member.

        Args:
            now: Monotonic time. [s]

        Raises:
            ContractsError: The chain does not answer or refuses.
            UnavailableQuorumError: Too few members answered.
        """
        self._follower.follow()
        configuration = self._follower.view.configuration
        own = configuration.index_of(self._desk.key.address)
        if own is None:
            return
        self._witness.accuse()
        if not self._is_ready() or self._resend():
            return
        seq = self._follower.position.seq
        subject = self._voter.subject()
        floor = self._desk.store.ballot(subject).voted_round
        self._pacemaker.begin(seq, max(floor, 0))
        if self._is_due(now):
            self._pacemaker.start(now)
        count = len(configuration.members)
        self._voter.round = round_ = self._pacemaker.round_at(now, count)
        if not self._pacemaker.is_started:
            return
        if is_new := self._opens(seq, round_):
            self._opened_at, self._led_at = now, float("-inf")
        is_leader = leader_of(seq, round_, count) == own
        if is_leader and now - self._led_at >= self._desk.rules.timeout_s:
            self._led_at = now
            self._lead(subject, round_)
        elif is_new and round_:
            self._desk.peers.tell_all("round", cbor2.dumps([seq, round_]))

    def _opens(self, seq: int, round_: int) -> bool:
        """Note the round at hand; true when it is another than before."""
        before, self._opened = self._opened, (seq, round_)
        return before != self._opened

    def hear_round(self, sender: str, body: bytes) -> bytes:
        """Note which round a peer has reached.

        Args:
            sender: Address of the peer.
            body: CBOR array of number and round.

        Returns:
            Nothing.

        Raises:
            InvalidProposalError: The body has another shape.
        """
        place = self._follower.view.configuration.index_of(sender)
        seq, round_ = read_array(body, int, int)
        if place is not None:
            self._pacemaker.hear(place, seq, round_)
        return b""

    def _is_ready(self) -> bool:
        """True while the stream is open and every anchored batch is adopted.

        Raises:
            UnavailableBatchError: The chain lost a batch that was adopted here.
        """
        view, follower = self._follower.view, self._follower
        if view.next_seq < follower.position.seq:
            raise UnavailableBatchError(follower.position.seq, view.next_seq)
        is_current = view.next_seq == follower.position.seq
        return view.max_silence_s is not None and is_current and not follower.conflict

    def _is_due(self, now: float) -> bool:
        """True when readings have waited a window, fill a batch, or none came long."""
        rules = self._desk.rules
        last = max(self._follower.position.last_ts, self._follower.adopted_at)
        if self._desk.clock() - last >= rules.heartbeat_s:
            return True
        has_waited = now - self._opened_at >= rules.window_s
        return self._selection.fills_a_batch() or (
            has_waited and self._selection.has_work()
        )

    # ------------------------------------------------------------------- the leader

    def _lead(self, subject: Subject, round_: int) -> None:
        offer = self._choose(subject, round_)
        report = offer.proposal.report
        self._voter.accept(offer, self._desk.key.address)
        vote = (Phase.ACCEPT, round_, struct_hash(report))
        accepts = self._certify(subject, vote, ("proposal", offer.to_bytes()))
        self._voter.lock(accepts)
        vote = (Phase.LOCK, round_, accepts.report_hash)
        locks = self._certify(subject, vote, ("lock", accepts.to_bytes()))
        self._voter.sign(locks)
        digest = self._desk.chain.report_digest(report)
        votes: dict[int, bytes] = {}
        try:
            signed = self._collect(("sign", locks.to_bytes()), digest, votes)
        finally:
            self._witness.note(report, votes)
        configuration = self._follower.view.configuration
        self._decided = (report, attest(configuration, digest, signed))
        self._resend()

    def _choose(self, subject: Subject, round_: int) -> Offer:
        """Take up a lock, an own vote of this round, or make a new proposal."""
        ballot = self._desk.store.ballot(subject)
        best = self._best_lock(subject, round_)
        if best is not None:
            return Offer(best.proposal, round_, best.justify)
        if ballot.voted_round == round_:
            proposal = self._desk.store.proposal(ballot.voted_hash)
            if proposal is not None:
                return Offer(proposal, round_)
        return Offer(self._propose(subject), round_)

    def _best_lock(self, subject: Subject, round_: int) -> Offer | None:
        """Find the latest lock among this member's and, behind round 0, the peers'."""
        self._consider(subject, self._voter.locked_offer())
        if round_:
            configuration = self._follower.view.configuration
            heard = [configuration.index_of(self._desk.key.address)]
            for address, answer in self._desk.peers.ask_all("ballot", b""):
                heard.append(configuration.index_of(address))
                self._consider_answer(subject, answer)
                known = [one for one in heard if one is not None]
                if choose_quorum(configuration, known):
                    break
        return self._best if _is_for(subject, self._best) else None

    def _consider_answer(self, subject: Subject, answer: bytes) -> None:
        """Learn a peer's lock; an answer that makes no sense is no lock."""
        try:
            _, lock, _ = read_answer(answer)
            self._consider(subject, Offer.from_bytes(lock) if lock else None)
        except InvalidProposalError as exc:
            logger.info("a lock that is none: %s", exc)

    def _consider(self, subject: Subject, offer: Offer | None) -> None:
        """Remember a lock if it is real and later than what is known."""
        if offer is None or offer.justify is None:
            return
        if not _is_for(subject, offer):
            return
        configuration = self._follower.view.configuration
        check_certificate(configuration, subject, offer.justify)
        if struct_hash(offer.proposal.report) != offer.justify.report_hash:
            return
        known = self._best.justify if self._best is not None else None
        is_current = known is not None and _is_for(subject, self._best)
        if is_current and known is not None and known.round >= offer.justify.round:
            return
        self._best = offer

    def _propose(self, subject: Subject) -> Proposal:
        """Make a new proposal from what is pending; without readings a heartbeat."""
        follower = self._follower
        follower.follow()
        head = follower.head
        readings, states = self._selection.choose(head.number)
        frame = follower.frame_at(head.number, head.hash, subject.rules_version)
        batch = build_batch(frame, readings, states, self._desk.clock())
        follower.remember(batch)
        return Proposal(batch.report, batch.refs)

    # ---------------------------------------------------------------------- quorums

    def _certify(
        self, subject: Subject, vote: tuple[Phase, int, bytes], ask: tuple[str, bytes]
    ) -> Certificate:
        """Collect a quorum of votes, the own one among them."""
        digest = subject.vote_digest(*vote)
        return certify(
            self._follower.view.configuration,
            subject,
            vote,
            self._collect(ask, digest, {}),
        )

    def _collect(
        self, ask: tuple[str, bytes], digest: bytes, found: dict[int, bytes]
    ) -> dict[int, bytes]:
        """Ask all peers and keep valid signatures until they are a quorum.

        Args:
            ask: Kind and body of the request.
            digest: 32 bytes that a vote signs.
            found: Place of a member → its signature; filled as answers come, so that
                those of a failed attempt are known as well.

        Returns:
            Those of a quorum.
        """
        view = self._follower.view
        configuration, suspended = view.configuration, view.suspended
        own = configuration.index_of(self._desk.key.address)
        signature = compact_signature(self._desk.key.private, digest)
        if own is not None and own not in suspended:
            found[own] = signature
        refusals: list[str] = []
        for address, answer in self._desk.peers.ask_all(*ask):
            place = configuration.index_of(address)
            signature = self._signature_in(answer, refusals)
            if place is None or place in suspended:
                continue
            if is_signed_by(configuration.members[place], digest, signature):
                found[place] = signature
            if chosen := choose_quorum(configuration, found):
                return {place: found[place] for place in chosen}
        threshold = configuration.threshold
        raise UnavailableQuorumError(ask[0], threshold, len(found), tuple(refusals))

    def _signature_in(self, answer: bytes, refusals: list[str]) -> bytes:
        """Take the vote out of an answer, or learn from a refusal."""
        try:
            vote, lock, reason = read_answer(answer)
            if vote:
                return vote
            refusals.append(one_line(reason))
            if lock:
                self._consider_answer(self._voter.subject(), answer)
            if disputed := read_disputed(answer):
                self._desk.inbox.accept(disputed)
        except OracleError as exc:
            refusals.append(one_line(f"an answer that cannot be used: {exc}"))
        return b""

    def _resend(self) -> bool:
        """Transmit what a quorum signed, until the chain has a batch of its number.

        Returns:
            True while such a report waits for the chain.
        """
        if self._decided is None:
            return False
        report, votes = self._decided
        if report.seq != self._follower.position.seq:
            self._decided = None
            return False
        try:
            self._desk.chain.submit(report, votes)
            logger.info("anchored batch=%s readings=%s", report.seq, report.leaf_count)
        except UnavailableError:
            raise
        except ContractsError as exc:
            logger.warning("batch=%s was not taken: %s", report.seq, exc)
            self._decided = None
        self._follower.follow()
        return self._follower.position.seq == report.seq


def _is_for(subject: Subject, offer: Offer | None) -> bool:
    """True for an offer of this number under this configuration."""
    if offer is None:
        return False
    report = offer.proposal.report
    return (report.seq, report.rules_version) == (subject.seq, subject.rules_version)
