"""How members come to one report per number: accept, lock, sign.

    leader    propose ─► accepts ─► quorum ─► locks ─► quorum ─► signatures
    member         voted (round, hash)  locked (certificate)  signed (hash)

Rules kept, each persisted before the answer leaves the member:

1. one vote a round, and never one in a lower round than before;
2. a locked member votes for another report only if a quorum accepted that one in a
   later round than its lock;
3. it locks only on a quorum of accepts, signs only on a quorum of locks;
4. it signs one report per number and configuration, for ever.

A quorum of locks means that every later quorum meets an honest locked member, so two
reports of one number can never both be signed, and a leader that shows different
proposals to different members gets no quorum of accepts for either: the next round
goes on. A signature is thus never stranded on a report that cannot win. Pure: votes
and states are values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

import cbor2

from contracts.hashing import keccak256
from contracts.structs import Attestation
from oracle.errors import ConflictBallotError, InvalidProposalError, StaleProposalError
from oracle.member.quorum import Configuration, attest, check_attestation
from oracle.member.wire import read_array

_VOTE_TAG = b"ccl/vote/v1"


class Phase(IntEnum):
    """What a vote says."""

    ACCEPT = 1
    """The member verified the proposal."""
    LOCK = 2
    """The member saw a quorum of accepts."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one report is agreed for."""

    domain: bytes
    """32 bytes, EIP-712 domain of the anchor: chain and contract."""
    stream_id: bytes
    """32 bytes."""
    seq: int
    """Sequence number of the batch."""
    rules_version: int
    """Version of the configuration. A report of an older one can never be anchored,
    so a changed configuration votes afresh."""

    def vote_digest(self, phase: Phase, round_: int, report_hash: bytes) -> bytes:
        """Give what a member signs to vote.

        Args:
            phase: Meaning of the vote.
            round_: Round it belongs to.
            report_hash: 32 bytes, struct hash of the report.

        Returns:
            32 bytes; no report or envelope has the same.
        """
        numbers = (self.seq, self.rules_version, phase, round_)
        words = b"".join(number.to_bytes(8, "big") for number in numbers)
        return keccak256(_VOTE_TAG + self.domain + self.stream_id + words + report_hash)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A quorum's votes for one report in one round."""

    phase: Phase
    """Meaning of the votes."""
    round: int
    """Round of the votes."""
    report_hash: bytes
    """32 bytes, struct hash of the report."""
    votes: Attestation
    """Signers and signatures of the votes."""

    def to_bytes(self) -> bytes:
        """Encode as a CBOR array."""
        votes = self.votes
        fields = [int(self.phase), self.round, self.report_hash]
        return cbor2.dumps([*fields, votes.signers, votes.signatures])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Certificate":
        """Decode what `to_bytes` made.

        Args:
            data: CBOR array of a certificate.

        Returns:
            The certificate, its votes not checked yet.

        Raises:
            InvalidProposalError: The bytes have another shape.
        """
        phase, round_, report_hash, signers, signatures = read_array(
            data, int, int, bytes, int, bytes
        )
        if phase not in {Phase.ACCEPT, Phase.LOCK} or not 0 <= round_ < 1 << 63:
            expected = "a certificate of a phase and round"
            raise InvalidProposalError("certificate", expected, f"{phase}, {round_}")
        votes = Attestation(signers, signatures)
        return cls(Phase(phase), round_, report_hash, votes)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a member has promised for one subject."""

    voted_round: int = -1
    """Highest round with a vote, -1 before the first."""
    voted_hash: bytes = b""
    """32 bytes, report of that vote."""
    locked: Certificate | None = None
    """Quorum of accepts that locks the member."""
    signed_hash: bytes = b""
    """32 bytes, report that was signed."""


def certify(
    configuration: Configuration,
    subject: Subject,
    vote: tuple[Phase, int, bytes],
    votes: Mapping[int, bytes],
) -> Certificate:
    """Bundle a quorum's votes.

    Args:
        configuration: Members and threshold.
        subject: What the votes are for.
        vote: Phase, round and report hash [32 bytes] of every vote.
        votes: Place of the member → signature [64 bytes].

    Returns:
        The certificate.

    Raises:
        InvalidProposalError: It is no quorum.
    """
    digest = subject.vote_digest(*vote)
    return Certificate(*vote, attest(configuration, digest, votes))


def check_certificate(
    configuration: Configuration, subject: Subject, certificate: Certificate
) -> None:
    """Check that a quorum cast the votes of a certificate.

    Args:
        configuration: Members and threshold.
        subject: What the votes are for.
        certificate: Certificate to check.

    Raises:
        InvalidProposalError: It is no quorum, or a vote is not the member's.
    """
    one = certificate
    digest = subject.vote_digest(one.phase, one.round, one.report_hash)
    check_attestation(configuration, digest, one.votes)


def accept(
    ballot: Ballot, round_: int, report_hash: bytes, justify: Certificate | None
) -> Ballot:
    """Vote for a verified proposal (rules 1, 2 and 4).

    Args:
        ballot: What was promised so far.
        round_: Round of the proposal.
        report_hash: 32 bytes, struct hash of the report.
        justify: Checked quorum of accepts for this report in an earlier round.

    Returns:
        The ballot with the vote.

    Raises:
        StaleProposalError: A vote in a later round was cast.
        ConflictBallotError: Another vote, lock or signature stands against it.
    """
    if ballot.signed_hash not in (b"", report_hash):
        raise ConflictBallotError("signature", ballot.signed_hash, report_hash)
    if round_ < ballot.voted_round:
        raise StaleProposalError("round", f"at least {ballot.voted_round}", str(round_))
    if round_ == ballot.voted_round and report_hash != ballot.voted_hash:
        raise ConflictBallotError("vote", ballot.voted_hash, report_hash)
    locked = ballot.locked
    if locked is not None and locked.report_hash != report_hash:
        is_newer = justify is not None and justify.report_hash == report_hash
        if not (is_newer and justify is not None and justify.round > locked.round):
            raise ConflictBallotError("lock", locked.report_hash, report_hash)
    return replace(ballot, voted_round=round_, voted_hash=report_hash)


def lock(ballot: Ballot, accepts: Certificate) -> Ballot:
    """Lock on a checked quorum of accepts (rule 3).

    Args:
        ballot: What was promised so far.
        accepts: Checked certificate of phase ACCEPT.

    Returns:
        The locked ballot.

    Raises:
        InvalidProposalError: The certificate is of the other phase.
        StaleProposalError: A vote in a later round was cast.
        ConflictBallotError: Another report was signed.
    """
    _check_phase(accepts, Phase.ACCEPT)
    if ballot.signed_hash not in (b"", accepts.report_hash):
        raise ConflictBallotError("signature", ballot.signed_hash, accepts.report_hash)
    if accepts.round < ballot.voted_round:
        expected = f"at least {ballot.voted_round}"
        raise StaleProposalError("round", expected, str(accepts.round))
    return replace(
        ballot,
        voted_round=accepts.round,
        voted_hash=accepts.report_hash,
        locked=accepts,
    )


def sign(ballot: Ballot, locks: Certificate) -> Ballot:
    """Sign on a checked quorum of locks (rules 3 and 4).

    Args:
        ballot: What was promised so far.
        locks: Checked certificate of phase LOCK.

    Returns:
        The signed ballot.

    Raises:
        InvalidProposalError: The certificate is of the other phase.
        ConflictBallotError: Another report was signed.
    """
    _check_phase(locks, Phase.LOCK)
    if ballot.signed_hash not in (b"", locks.report_hash):
        raise ConflictBallotError("signature", ballot.signed_hash, locks.report_hash)
    return replace(ballot, signed_hash=locks.report_hash)


def _check_phase(certificate: Certificate, phase: Phase) -> None:
    if certificate.phase is not phase:
        expected = f"votes of phase {phase.name.lower()}"
        raise InvalidProposalError("phase", expected, certificate.phase.name.lower())
