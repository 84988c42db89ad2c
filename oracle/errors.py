"""Errors of the oracle package; the branch says what the caller can do.

    OracleError
    ├── InvalidMessageError         refuse: the bytes are no message of the profile
    ├── InvalidKeyError             refuse: a key or key file cannot be used
    ├── InvalidReceiptError         refuse: a receipt is not the member's word
    ├── InvalidRequestError         refuse: an HTTP request or answer has a wrong form
    ├── InvalidSeriesError          refuse: a meter series cannot be read
    ├── InvalidLogProofError        refuse: a proof or range of the log does not hold
    ├── InvalidCheckpointError      refuse: a checkpoint is malformed or under-signed
    ├── InvalidPackageError         refuse: a proof package failed a stage; names it
    ├── InvalidTrustError           refuse: a trust file cannot be used
    ├── InvalidProposalError        refuse: a proposed report is not what it must be
    ├── InvalidEnvelopeError        refuse: a message between members is not authentic
    ├── InvalidSettingsError        refuse: the configuration cannot be used
    ├── RefusedReadingError         refuse: one of checks 1 to 5 failed; names it
    ├── ReplayedReadingError        ignore: the same bytes are stored already
    ├── StaleProposalError          ignore: the round or number is past already
    ├── EquivocationError           stop: a device signed two messages for one seq
    ├── ConflictBallotError         stop: a vote or signature would contradict another
    ├── ConflictOutboxError         stop: an outbox belongs to another carrier
    ├── ConflictDatabaseError       stop: a database is damaged, foreign or in use
    ├── UnavailableQuorumError      retry: too few members answered in time
    ├── UnavailableMemberError      retry: one member cannot be reached or cannot answer
    ├── UnavailableBatchError       retry: the chain lacks a batch that was adopted
    ├── UnavailableInboxError       retry: the inbox cannot store at the moment
    └── UnavailableUplinkError      retry: the inbox cannot be reached at the moment

Each message is one sentence with what, where, expected and given; the facts are
attributes too. Wrong use by the programmer stays `ValueError` or `TypeError`.
"""


class OracleError(Exception):
    """Something the oracle expects to meet in normal operation."""


class InvalidMessageError(OracleError):
    """The bytes are not a message of the reading profile.

    Attributes:
        expected: What the profile asks for.
        given: What was found.
    """

    def __init__(self, expected: str, given: str) -> None:
        super().__init__(f"message is not of the profile: expected {expected}, {given}")
        self.expected = expected
        self.given = given


class InvalidKeyError(OracleError):
    """A key, key file or suite cannot be used; the message says what to do."""


class InvalidReceiptError(OracleError):
    """A receipt has another form, another key or a signature that fails."""


class InvalidRequestError(OracleError):
    """An HTTP request or answer has a wrong form.

    Attributes:
        status_code: HTTP status that says so.
    """

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code


class InvalidSeriesError(OracleError):
    """A meter series cannot be read; the message names file and line."""


class RefusedReadingError(OracleError):
    """A reading failed one of the checks that refuse.

    Attributes:
        check: Number of the check, as in `oracle.reading.checks`.
        name: Name of the check.
        expected: What would have passed.
        given: What was found.
    """

    def __init__(self, check: int, name: str, expected: str, given: str) -> None:
        super().__init__(
            f"check {check} ({name}) refused the reading: "
            f"expected {expected}, given {given}"
        )
        self.check = check
        self.name = name
        self.expected = expected
        self.given = given


class ReplayedReadingError(OracleError):
    """The same bytes are stored already: their first receipt answers again.

    Attributes:
        seq: Sequence number of the reading.
        digest: 32 bytes, keccak256 of the message.
    """

    def __init__(self, seq: int, digest: bytes) -> None:
        super().__init__(
            f"check 6 (sequence) saw seq {seq} again with the same bytes: "
            "the stored receipt answers it"
        )
        self.seq = seq
        self.digest = digest


class EquivocationError(OracleError):
    """A carrier signed two different messages with one sequence number.

    Attributes:
        seq: Sequence number that both messages carry.
        stored: 32 bytes, digest of the message stored first.
        given: 32 bytes, digest of the message that came now.
    """

    def __init__(self, seq: int, stored: bytes, given: bytes) -> None:
        super().__init__(
            f"check 6 (sequence) saw seq {seq} again with other bytes: expected "
            f"{stored.hex()}, given {given.hex()}; both are kept as evidence and the "
            "carrier waits for the identity platform"
        )
        self.seq = seq
        self.stored = stored
        self.given = given


class ConflictOutboxError(OracleError):
    """An outbox belongs to another carrier, key or contract; a person must decide."""


class ConflictDatabaseError(OracleError):
    """A database is damaged, of another version or used by another process."""


class UnavailableInboxError(OracleError):
    """The inbox cannot store at the moment; nothing of the request was acknowledged.

    Attributes:
        retry_after_s: Seconds after which a new attempt makes sense.
        is_overload: True when the queue is full, False when the disk or database is.
    """

    def __init__(self, message: str, retry_after_s: int, is_overload: bool) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_overload = is_overload


class UnavailableUplinkError(OracleError):
    """The inbox cannot be reached or asks to wait; what is unsent stays stored.

    Attributes:
        retry_after_s: Seconds to wait before the next attempt.
    """

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class InvalidLogProofError(OracleError):
    """A proof or compact range of the log does not hold; the message says where."""


class InvalidCheckpointError(OracleError):
    """A checkpoint is malformed, or a cosignature that must hold does not."""


class InvalidTrustError(OracleError):
    """A trust file cannot be used; the message names the field and what to do."""


class InvalidPackageError(OracleError):
    """A proof package failed one stage of the verification.

    Attributes:
        subject: The thing that fails: a byte, reading, factor, member or field.
        expected: What would have passed.
        given: What was found.
    """

    def __init__(self, subject: str, expected: str, given: str) -> None:
        super().__init__(f"{subject}: expected {expected}, given {given}")
        self.subject = subject
        self.expected = expected
        self.given = given


class InvalidProposalError(OracleError):
    """A proposed report is not the one this member computes.

    Attributes:
        reason: Field or rule that fails, as a word.
        expected: What would have passed.
        given: What was found.
    """

    def __init__(self, reason: str, expected: str, given: str) -> None:
        super().__init__(
            f"proposal refused for its {reason}: expected {expected}, given {given}"
        )
        self.reason = reason
        self.expected = expected
        self.given = given


class InvalidEnvelopeError(OracleError):
    """A message between members is malformed, foreign, old or not authentic.

    Attributes:
        expected: What would have passed.
        given: What was found.
    """

    def __init__(self, expected: str, given: str) -> None:
        super().__init__(f"message of a member: expected {expected}, given {given}")
        self.expected = expected
        self.given = given


class InvalidSettingsError(OracleError):
    """The configuration cannot be used; the message names the key and what to do."""


class StaleProposalError(OracleError):
    """The proposal's number or round is past, or not reached yet.

    Attributes:
        subject: "seq" or "round".
        expected: What would have passed.
        given: What was found.
    """

    def __init__(self, subject: str, expected: str, given: str) -> None:
        super().__init__(
            f"proposal is out of turn: expected {subject} {expected}, given {given}"
        )
        self.subject = subject
        self.expected = expected
        self.given = given


class ConflictBallotError(OracleError):
    """A vote or signature would contradict an earlier one of this member.

    Attributes:
        act: "vote", "lock" or "signature".
        earlier: 32 bytes, hash of the report that was first.
        given: 32 bytes, hash of the report that came now.
    """

    def __init__(self, act: str, earlier: bytes, given: bytes) -> None:
        super().__init__(
            f"a {act} for report {given.hex()} would contradict the earlier one for "
            f"{earlier.hex()}; this member keeps to the earlier"
        )
        self.act = act
        self.earlier = earlier
        self.given = given


class UnavailableQuorumError(OracleError):
    """Too few members answered in time; the round is tried again.

    Attributes:
        threshold: Answers needed.
        given: Answers that came.
        refusals: Reasons of the others.
    """

    def __init__(
        self, what: str, threshold: int, given: int, refusals: tuple[str, ...] = ()
    ) -> None:
        because = f" ({'; '.join(refusals)})" if refusals else ""
        super().__init__(
            f"{what}: expected answers of {threshold} members with the role rule, "
            f"got {given}{because}; the next round tries again"
        )
        self.threshold = threshold
        self.given = given
        self.refusals = refusals


class UnavailableMemberError(OracleError):
    """One member cannot be reached or cannot answer at the moment."""


class UnavailableBatchError(OracleError):
    """The chain lacks batches that this member has adopted: it lost blocks.

    Attributes:
        expected: Batches adopted here.
        given: Batches on the chain.
    """

    def __init__(self, expected: int, given: int) -> None:
        super().__init__(
            f"the chain has {given} batches of the stream, this member adopted "
            f"{expected}: it lost blocks or is another one; nothing is proposed until "
            "they are back, restore the chain from its journal or check rpc_url"
        )
        self.expected = expected
        self.given = given
