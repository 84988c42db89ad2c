"""One report per number: the rules one by one, then against a liar and any schedule."""

import random
from dataclasses import replace

import pytest
from coincurve import PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.enumerations import Kind
from contracts.hashing import keccak256
from contracts.structs import Attestation, Member
from contracts.typed_data import account_id, address_of, compact_signature
from oracle.errors import ConflictBallotError, InvalidProposalError, StaleProposalError
from oracle.member.ballot import (
    Ballot,
    Certificate,
    Phase,
    Subject,
    accept,
    certify,
    check_certificate,
    lock,
    sign,
)
from oracle.member.quorum import Configuration

X, Y = b"\x0a" * 32, b"\x0b" * 32
NOBODY = Attestation(0, b"")
SUBJECT = Subject(b"\x01" * 32, b"\x02" * 32, 7, 1)
KEYS = [PrivateKey(keccak256(b"voter %d" % index)) for index in range(4)]
MEMBERS = tuple(
    Member(address_of(key.public_key), account_id(f"o{index}"), Kind.REGULATOR)
    for index, key in enumerate(KEYS)
)
FOUR = Configuration(1, 3, MEMBERS)


def accepts(report_hash: bytes, round_: int) -> Certificate:
    return Certificate(Phase.ACCEPT, round_, report_hash, NOBODY)


def locks(report_hash: bytes, round_: int) -> Certificate:
    return Certificate(Phase.LOCK, round_, report_hash, NOBODY)


class TestAccept:
    def test_votes_once_a_round(self):
        ballot = accept(Ballot(), 0, X, None)
        with pytest.raises(ConflictBallotError, match="vote"):
            accept(ballot, 0, Y, None)

    def test_repeats_the_same_vote(self):
        ballot = accept(Ballot(), 0, X, None)
        assert accept(ballot, 0, X, None) == ballot

    def test_never_goes_back_to_an_earlier_round(self):
        ballot = accept(Ballot(), 3, X, None)
        with pytest.raises(StaleProposalError, match="at least 3"):
            accept(ballot, 2, X, None)

    def test_may_change_its_vote_in_a_later_round(self):
        assert accept(accept(Ballot(), 0, X, None), 1, Y, None).voted_hash == Y

    def test_keeps_to_its_lock(self):
        ballot = lock(accept(Ballot(), 0, X, None), accepts(X, 0))
        with pytest.raises(ConflictBallotError, match="lock"):
            accept(ballot, 1, Y, None)

    def test_leaves_its_lock_for_a_later_quorum(self):
        ballot = lock(accept(Ballot(), 0, X, None), accepts(X, 0))
        assert accept(ballot, 2, Y, accepts(Y, 1)).voted_hash == Y

    def test_does_not_leave_its_lock_for_a_quorum_of_the_same_round(self):
        ballot = lock(accept(Ballot(), 1, X, None), accepts(X, 1))
        with pytest.raises(ConflictBallotError, match="lock"):
            accept(ballot, 2, Y, accepts(Y, 1))

    def test_never_votes_against_its_signature(self):
        ballot = sign(Ballot(), locks(X, 0))
        with pytest.raises(ConflictBallotError, match="signature"):
            accept(ballot, 9, Y, accepts(Y, 8))


class TestLock:
    def test_refuses_locks_in_place_of_accepts(self):
        with pytest.raises(InvalidProposalError, match="votes of phase accept"):
            lock(Ballot(), locks(X, 0))

    def test_refuses_a_round_that_is_past(self):
        ballot = accept(Ballot(), 3, Y, None)
        with pytest.raises(StaleProposalError, match="at least 3"):
            lock(ballot, accepts(X, 2))


class TestSign:
    def test_signs_one_report_for_ever(self):
        ballot = sign(Ballot(), locks(X, 0))
        with pytest.raises(ConflictBallotError, match="signature"):
            sign(ballot, locks(Y, 5))

    def test_signs_the_same_report_again(self):
        ballot = sign(Ballot(), locks(X, 0))
        assert sign(ballot, locks(X, 4)) == ballot

    def test_refuses_accepts_in_place_of_locks(self):
        with pytest.raises(InvalidProposalError, match="votes of phase lock"):
            sign(Ballot(), accepts(X, 0))


class TestCertificate:
    def votes(self, subject: Subject, phase: Phase, round_: int) -> dict[int, bytes]:
        digest = subject.vote_digest(phase, round_, X)
        return {place: compact_signature(KEYS[place], digest) for place in (0, 1, 2)}

    def test_survives_its_encoding(self):
        votes = self.votes(SUBJECT, Phase.ACCEPT, 2)
        certificate = certify(FOUR, SUBJECT, (Phase.ACCEPT, 2, X), votes)
        again = Certificate.from_bytes(certificate.to_bytes())
        check_certificate(FOUR, SUBJECT, again)
        assert again == certificate

    @pytest.mark.parametrize(
        "subject",
        [
            replace(SUBJECT, domain=b"\x03" * 32),
            replace(SUBJECT, stream_id=b"\x03" * 32),
            replace(SUBJECT, seq=8),
            replace(SUBJECT, rules_version=2),
        ],
    )
    def test_counts_for_its_own_subject_only(self, subject: Subject):
        votes = self.votes(SUBJECT, Phase.ACCEPT, 2)
        certificate = certify(FOUR, SUBJECT, (Phase.ACCEPT, 2, X), votes)
        with pytest.raises(InvalidProposalError, match="signature"):
            check_certificate(FOUR, subject, certificate)

    def test_does_not_turn_accepts_into_locks(self):
        votes = self.votes(SUBJECT, Phase.ACCEPT, 2)
        with pytest.raises(InvalidProposalError, match="signature"):
            certify(FOUR, SUBJECT, (Phase.LOCK, 2, X), votes)

    @pytest.mark.parametrize(
        "data", [b"", b"\x01", b"\x80", b"\x85\x01\x02\x03\x04\x05"]
    )
    def test_refuses_other_bytes(self, data: bytes):
        with pytest.raises(InvalidProposalError, match="shape"):
            Certificate.from_bytes(data)


class Schedule:
    """Three honest members and a liar that votes for everything, in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # a schedule, no secret
        self.ballots = [Ballot() for _ in range(3)]
        self.accepted: dict[tuple[int, bytes], set[int]] = {}
        self.locked: dict[tuple[int, bytes], set[int]] = {}
        self.signed: set[bytes] = set()

    def quorums(
        self, votes: dict[tuple[int, bytes], set[int]]
    ) -> list[tuple[int, bytes]]:
        """Rounds and reports with two honest votes: the liar adds the third."""
        return sorted(key for key, members in votes.items() if len(members) >= 2)

    def act(self, member: int) -> None:
        round_, report = self.random.randrange(6), self.random.choice((X, Y))
        certified = [
            accepts(h, r) for r, h in self.quorums(self.accepted) if h == report
        ]
        justify = self.random.choice([None, *certified])
        moves = ["accept", "lock", "sign"]
        match self.random.choice(moves):
            case "accept":
                after = accept(self.ballots[member], round_, report, justify)
                self.accepted.setdefault((round_, report), set()).add(member)
            case "lock":
                where, what = self.random.choice(self.quorums(self.accepted))
                after = lock(self.ballots[member], accepts(what, where))
                self.locked.setdefault((where, what), set()).add(member)
            case _:
                where, what = self.random.choice(self.quorums(self.locked))
                after = sign(self.ballots[member], locks(what, where))
                self.signed.add(what)
        self.ballots[member] = after


class TestAnySchedule:
    @settings(max_examples=100, deadline=None)
    @given(st.integers(0, 2**32))
    def test_never_signs_two_reports_of_one_number(self, seed: int):
        schedule = Schedule(seed)
        for _ in range(300):
            try:
                schedule.act(schedule.random.randrange(3))
            except (ConflictBallotError, StaleProposalError, IndexError):
                continue
        assert len(schedule.signed) <= 1

    def test_does_sign_under_some_schedules(self):
        signed = 0
        for seed in range(30):
            schedule = Schedule(seed)
            for _ in range(300):
                try:
                    schedule.act(schedule.random.randrange(3))
                except (ConflictBallotError, StaleProposalError, IndexError):
                    continue
            signed += len(schedule.signed)
        assert signed > 10
