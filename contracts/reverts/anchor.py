"""What ReadingAnchor refuses: one class a custom error."""

from contracts.reverts.tree import (
    ConflictError,
    InvalidInputError,
    StaleError,
    UnavailableError,
    revert,
)


@revert(
    "AnchorMembersInvalid(uint256 given, uint256 needed)",
    "expected 1 to {needed} members, got {given}",
)
class AnchorMembersInvalidError(InvalidInputError):
    """Raised when the number of members is zero or above the bound."""


@revert(
    "AnchorMemberInvalid(uint256 index)",
    "member {index} lacks key, organisation or kind, or repeats a key; expected all"
    " of them, each key once",
)
class AnchorMemberInvalidError(InvalidInputError):
    """Raised when a member has no key, no organisation, no kind."""


@revert(
    "AnchorThresholdInvalid(uint8 given, uint256 least, uint256 greatest)",
    "expected a threshold of {least} to {greatest}, got {given}",
)
class AnchorThresholdInvalidError(InvalidInputError):
    """Raised when a threshold is outside ⌊2n/3⌋+1 … n."""


@revert(
    "AnchorRoleMissing()",
    "expected a verifier or a regulator among the members that sign, got none",
)
class AnchorRoleMissingError(InvalidInputError):
    """Raised when neither a verifier nor a regulator is among those who sign."""


@revert(
    "AnchorQuorumMissing(uint256 given, uint256 needed)",
    "expected signatures of {needed} members, got {given}",
)
class AnchorQuorumMissingError(InvalidInputError):
    """Raised when fewer members signed than the threshold."""


@revert(
    "AnchorNotConfigured()",
    "the oracle has no members yet, expected the regulator to configure them first",
)
class AnchorNotConfiguredError(ConflictError):
    """Raised when members are needed before the first configuration."""


@revert(
    "AnchorTooManyStreams(uint256 needed)",
    "there are {needed} streams already, expected fewer before another is opened",
)
class AnchorTooManyStreamsError(ConflictError):
    """Raised when no more streams can be opened."""


@revert(
    "AnchorSignerUnknown(uint256 signers, uint256 members)",
    "the signers' bit set {signers} names a member that is not there, expected only"
    " the {members} members",
)
class AnchorSignerUnknownError(InvalidInputError):
    """Raised when a bit."""


@revert(
    "AnchorSignaturesLength(uint256 given, uint256 needed)",
    "expected {needed} bytes of signatures, got {given}",
)
class AnchorSignaturesLengthError(InvalidInputError):
    """Raised when the signatures are not 64 bytes for each signer."""


@revert(
    "AnchorSignatureInvalid(uint256 index, address given, address needed)",
    "the signature of member {index} recovers to {given}, expected {needed}",
)
class AnchorSignatureInvalidError(InvalidInputError):
    """Raised when a signature is malformed, has a high s."""


@revert(
    "AnchorOrganisationTwice(uint256 index)",
    "member {index} is of an organisation that signed already, expected one "
    "signature an organisation",
)
class AnchorOrganisationTwiceError(InvalidInputError):
    """Raised when two keys of one organisation signed."""


@revert(
    "AnchorMemberSuspended(uint256 signers, uint256 suspended)",
    "among the signers {signers} is one of the suspended members {suspended} (bit "
    "sets), expected only members in good standing",
)
class AnchorMemberSuspendedError(ConflictError):
    """Raised when a suspended member is among the signers."""


@revert(
    "AnchorStreamOpened(bytes32 streamId)",
    "stream {stream_id} is open already, expected a new one",
)
class AnchorStreamOpenedError(ConflictError):
    """Raised when a stream is opened twice."""


@revert(
    "AnchorStreamUnknown(bytes32 streamId)",
    "stream {stream_id} was never opened: check its name",
)
class AnchorStreamUnknownError(InvalidInputError):
    """Raised when a stream was never opened."""


@revert(
    "AnchorSilenceInvalid(bytes32 streamId)",
    "stream {stream_id} needs a greatest silence of at least 1 s, got 0",
)
class AnchorSilenceInvalidError(InvalidInputError):
    """Raised when a stream is opened without a greatest silence."""


@revert(
    "AnchorSeqMismatch(uint64 given, uint64 needed)",
    "the stream expects batch {needed}, got batch {given}: another report came first",
)
class AnchorSeqMismatchError(StaleError):
    """Raised when a report does not carry the stream's next number."""


@revert(
    "AnchorHeadMismatch(bytes32 given, bytes32 needed)",
    "the report follows {given}, the stream's head is {needed}: expected a report "
    "on that head",
)
class AnchorHeadMismatchError(ConflictError):
    """Raised when a report does not follow the stream's head."""


@revert(
    "AnchorLogSizeMismatch(uint64 given, uint64 needed)",
    "expected a log of {needed} earlier batches, got {given}",
)
class AnchorLogSizeMismatchError(InvalidInputError):
    """Raised when a report's log does not hold exactly the earlier batches."""


@revert(
    "AnchorConfigurationMismatch(uint32 given, uint32 needed)",
    "the report was made under configuration {given}, the current one is {needed}: "
    "attest it anew",
)
class AnchorConfigurationMismatchError(StaleError):
    """Raised when a report was made under another configuration."""


@revert(
    "AnchorReferenceMismatch(uint64 number, bytes32 given, bytes32 needed)",
    "block {number} has the hash {needed} here, got {given}: the reference block is"
    " too old or of another chain",
)
class AnchorReferenceMismatchError(StaleError):
    """Raised when the reference block is not one of the last 256 of this chain."""


@revert(
    "AnchorTimeBackward(uint64 given, uint64 needed)",
    "expected a time of {needed} or later, got {given}",
)
class AnchorTimeBackwardError(InvalidInputError):
    """Raised when times go back."""


@revert(
    "AnchorTimeAhead(uint64 given, uint64 needed)",
    "the batch ends at {given}, expected {needed} at the latest: wait until that "
    "time has come",
)
class AnchorTimeAheadError(UnavailableError):
    """Raised when a batch claims a time that has not come."""


@revert(
    "AnchorLeavesInvalid(uint32 leafCount, bytes32 batchRoot)",
    "expected leaves with a root or neither, got {leaf_count} leaves with root "
    "{batch_root}",
)
class AnchorLeavesInvalidError(InvalidInputError):
    """Raised when a report is neither a batch."""


@revert(
    "AnchorStale(bytes32 streamId, uint64 age, uint64 needed)",
    "stream {stream_id} has been silent for {age} s, expected at most {needed} s: "
    "do its members run?",
)
class AnchorStaleError(UnavailableError):
    """Raised when a stream has been silent for too long."""


@revert(
    "AnchorProofNotLatest(bytes32 given, bytes32 needed)",
    "the proof ends at head {given}, the stream's head is {needed}: make the proof "
    "anew",
)
class AnchorProofNotLatestError(StaleError):
    """Raised when the latest report of a proof is not the stream's head."""


@revert(
    "AnchorProofNotInLog(uint64 seq)",
    "batch {seq} is not in the log of the latest report, expected its inclusion path",
)
class AnchorProofNotInLogError(InvalidInputError):
    """Raised when a batch is not in the log of the latest report."""


@revert(
    "AnchorProofNotInBatch(bytes32 leaf, bytes32 batchRoot)",
    "leaf {leaf} is not in the batch with root {batch_root}, expected its path",
)
class AnchorProofNotInBatchError(InvalidInputError):
    """Raised when a reading is not in its batch."""


@revert(
    "AnchorReadingSeqMismatch(uint64 given, uint64 needed)",
    "the message has sequence number {given}, expected {needed} as in the proof",
)
class AnchorReadingSeqMismatchError(InvalidInputError):
    """Raised when message and proof differ in the sequence number."""


@revert(
    "AnchorReadingCutOff(uint64 seq, uint64 cutoffSeq)",
    "reading {seq} comes after the carrier's cut-off, expected at most {cutoff_seq}",
)
class AnchorReadingCutOffError(InvalidInputError):
    """Raised when a reading comes after the carrier's cut-off."""


@revert(
    "AnchorSuiteNotOnChain(uint8 suite)",
    "the chain cannot check signatures of suite {suite}, expected suite 1 (ES256)",
)
class AnchorSuiteNotOnChainError(InvalidInputError):
    """Raised when the carrier's suite cannot be checked on chain."""


@revert(
    "AnchorNoEquivocation(bytes32 first, bytes32 second)",
    "reports {first} and {second} contradict nothing, expected two different ones "
    "for one stream and number",
)
class AnchorNoEquivocationError(InvalidInputError):
    """Raised when two reports are no equivocation."""


@revert(
    "CoseMalformed(uint256 offset)",
    "the message is malformed at byte {offset}, expected a signed reading",
)
class CoseMalformedError(InvalidInputError):
    """Raised when a message is no signed reading."""


@revert(
    "AnchorMessageLength(uint256 given, uint256 needed)",
    "expected a message of 1 to {needed} bytes, got {given}",
)
class AnchorMessageLengthError(InvalidInputError):
    """Raised when a message that inclusion is asked for is empty or too long."""


@revert(
    "AnchorInclusionForced(bytes32 digest)",
    "the inclusion of reading {digest} is awaited already: wait for its due time",
)
class AnchorInclusionForcedError(ConflictError):
    """Raised when a reading's inclusion is asked for again while it is awaited."""


@revert(
    "AnchorInclusionUnknown(bytes32 digest)",
    "nobody awaits the inclusion of reading {digest}: it was settled, or never asked",
)
class AnchorInclusionUnknownError(StaleError):
    """Raised when nobody awaits a reading's inclusion."""
