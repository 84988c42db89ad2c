// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Kind} from "./Types.sol";

/// @title Batches of readings, attested by a quorum of oracle members and chained per stream
/// @notice Keeps, for each stream, the hash of its last batch report only; everything else is in the events. Each
/// report names its predecessor's hash, and the root of a log over all earlier reports, so that any reading of any
/// batch is provable against the present head.
/// @dev A batch touches two slots of its stream, whatever the number of batches.
interface IReadingAnchor {
    /// @notice Thrown when the number of members is zero or above the bound.
    /// @param given Number of members.
    /// @param needed Greatest number of members.
    error AnchorMembersInvalid(uint256 given, uint256 needed);

    /// @notice Thrown when a member has no key, no organisation, no kind, or the key of another member.
    /// @param index Position of the member.
    error AnchorMemberInvalid(uint256 index);

    /// @notice Thrown when a threshold is outside ⌊2n/3⌋+1 … n.
    /// @param given Threshold of the call.
    /// @param least Least threshold.
    /// @param greatest Greatest threshold.
    error AnchorThresholdInvalid(uint8 given, uint256 least, uint256 greatest);

    /// @notice Thrown when neither a verifier nor a regulator is among the members or among the signers.
    error AnchorRoleMissing();

    /// @notice Thrown when fewer members signed than the threshold.
    /// @param given Number of signers.
    /// @param needed Threshold.
    error AnchorQuorumMissing(uint256 given, uint256 needed);

    /// @notice Thrown when members are needed before the first configuration.
    error AnchorNotConfigured();

    /// @notice Thrown when no more streams can be opened.
    /// @param needed Greatest number of streams.
    error AnchorTooManyStreams(uint256 needed);

    /// @notice Thrown when a bit, or an index, names no member of the current configuration.
    /// @param signers Bit set of the attestation, or the index.
    /// @param members Number of members.
    error AnchorSignerUnknown(uint256 signers, uint256 members);

    /// @notice Thrown when the signatures are not 64 bytes for each signer: none may lack, none may be surplus.
    /// @param given Length in bytes.
    /// @param needed Length in bytes.
    error AnchorSignaturesLength(uint256 given, uint256 needed);

    /// @notice Thrown when a signature is malformed, has a high s, or is not by the member it stands for.
    /// @param index Position of the member.
    /// @param given Recovered key; zero where none recovers.
    /// @param needed Key of the member.
    error AnchorSignatureInvalid(uint256 index, address given, address needed);

    /// @notice Thrown when two keys of one organisation signed.
    /// @param index Position of the second key.
    error AnchorOrganisationTwice(uint256 index);

    /// @notice Thrown when a suspended member is among the signers.
    /// @param signers Bit set of the signers.
    /// @param suspended Bit set of the suspended members.
    error AnchorMemberSuspended(uint256 signers, uint256 suspended);

    /// @notice Thrown when a stream is opened twice.
    /// @param streamId keccak256("ccl/stream/v1" ‖ name).
    error AnchorStreamOpened(bytes32 streamId);

    /// @notice Thrown when a stream was never opened.
    /// @param streamId keccak256("ccl/stream/v1" ‖ name).
    error AnchorStreamUnknown(bytes32 streamId);

    /// @notice Thrown when a stream is opened without a greatest silence.
    /// @param streamId keccak256("ccl/stream/v1" ‖ name).
    error AnchorSilenceInvalid(bytes32 streamId);

    /// @notice Thrown when a report does not carry the stream's next number.
    /// @param given Number of the report.
    /// @param needed Next number of the stream.
    error AnchorSeqMismatch(uint64 given, uint64 needed);

    /// @notice Thrown when a report does not follow the stream's head.
    /// @param given prevHead of the report.
    /// @param needed Head of the stream.
    error AnchorHeadMismatch(bytes32 given, bytes32 needed);

    /// @notice Thrown when a report's log does not hold exactly the earlier batches.
    /// @param given logSize of the report.
    /// @param needed Number of earlier batches.
    error AnchorLogSizeMismatch(uint64 given, uint64 needed);

    /// @notice Thrown when a report was made under another configuration.
    /// @param given rulesVersion of the report.
    /// @param needed Current configuration version.
    error AnchorConfigurationMismatch(uint32 given, uint32 needed);

    /// @notice Thrown when the reference block is not one of the last 256 of this chain.
    /// @param number Number of the report's reference block.
    /// @param given Its hash in the report.
    /// @param needed Its hash on this chain; zero where it is too old or to come.
    error AnchorReferenceMismatch(uint64 number, bytes32 given, bytes32 needed);

    /// @notice Thrown when times go back: firstTs ≤ lastTs, and lastTs not before that of the previous batch.
    /// @param given Time of the report (unix s).
    /// @param needed Least time that would do (unix s).
    error AnchorTimeBackward(uint64 given, uint64 needed);

    /// @notice Thrown when a batch claims a time that has not come.
    /// @param given lastTs of the report (unix s).
    /// @param needed Greatest time that would do (unix s).
    error AnchorTimeAhead(uint64 given, uint64 needed);

    /// @notice Thrown when a report is neither a batch (leaves and root) nor a heartbeat (neither of both).
    /// @param leafCount Number of leaves.
    /// @param batchRoot Root of the batch tree.
    error AnchorLeavesInvalid(uint32 leafCount, bytes32 batchRoot);

    /// @notice Thrown when a stream has been silent for too long.
    /// @param streamId The stream.
    /// @param age Time since its last batch (s).
    /// @param needed Greatest age (s).
    error AnchorStale(bytes32 streamId, uint64 age, uint64 needed);

    /// @notice Thrown when the latest report of a proof is not the stream's head.
    /// @param given Hash of the report in the proof.
    /// @param needed Head of the stream.
    error AnchorProofNotLatest(bytes32 given, bytes32 needed);

    /// @notice Thrown when a batch is not in the log of the latest report.
    /// @param seq Number of the batch.
    error AnchorProofNotInLog(uint64 seq);

    /// @notice Thrown when a reading is not in its batch.
    /// @param leaf Leaf that the reading makes.
    /// @param batchRoot Root of the batch.
    error AnchorProofNotInBatch(bytes32 leaf, bytes32 batchRoot);

    /// @notice Thrown when the sequence number inside a message is not that of the proof.
    /// @param given Sequence number in the message.
    /// @param needed Sequence number in the proof.
    error AnchorReadingSeqMismatch(uint64 given, uint64 needed);

    /// @notice Thrown when a reading comes after the carrier's cut-off, or its carrier is inactive without one.
    /// @param seq Sequence number of the reading.
    /// @param cutoffSeq Last sequence number whose readings count.
    error AnchorReadingCutOff(uint64 seq, uint64 cutoffSeq);

    /// @notice Thrown when the carrier's suite cannot be checked on chain.
    /// @param suite Suite of the carrier's key.
    error AnchorSuiteNotOnChain(uint8 suite);

    /// @notice Thrown when two reports are no equivocation: they must differ, with the same stream and number.
    /// @param first Hash of the first report.
    /// @param second Hash of the second report.
    error AnchorNoEquivocation(bytes32 first, bytes32 second);

    /// @notice Thrown when a message that inclusion is asked for is empty or too long.
    /// @param given Length in bytes.
    /// @param needed Greatest length in bytes.
    error AnchorMessageLength(uint256 given, uint256 needed);

    /// @notice Thrown when a reading's inclusion is asked for again while it is awaited.
    /// @param digest keccak256 of the message.
    error AnchorInclusionForced(bytes32 digest);

    /// @notice Thrown when nobody awaits a reading's inclusion.
    /// @param digest keccak256 of the message.
    error AnchorInclusionUnknown(bytes32 digest);

    /// @notice Emitted when a batch or a heartbeat is anchored.
    /// @dev Repeats nothing, as every batch pays for it: stream and number are in the report, the head is its hash.
    /// @param report The whole report.
    /// @param signers Bit set of the members that signed.
    event BatchAnchored(BatchReport report, uint256 signers);

    /// @notice Emitted when the members change.
    /// @param version Number of the configuration, from 1.
    /// @param threshold Number of members that must sign.
    /// @param members The members.
    /// @param configDigest Digest of chain, contract, version, threshold and members.
    event ConfigurationSet(uint32 indexed version, uint8 threshold, Member[] members, bytes32 configDigest);

    /// @notice Emitted when a stream is opened.
    /// @param streamId The stream.
    /// @param maxSilence Greatest time between two batches (s).
    event StreamOpened(bytes32 indexed streamId, uint32 maxSilence);

    /// @notice Emitted when a member signed two reports for one number of a stream; it is suspended.
    /// @param version Configuration in which it is suspended.
    /// @param index Position of the member.
    /// @param key Key of the member.
    /// @param first Hash of one report.
    /// @param second Hash of the other report.
    event MemberSuspended(
        uint32 indexed version, uint256 indexed index, address key, bytes32 first, bytes32 second
    );

    /// @notice Emitted when somebody asks for a reading in the open; its clock runs from here.
    /// @param streamId The stream that must carry it.
    /// @param digest keccak256 of the message.
    /// @param due Time after which it is overdue (unix s).
    /// @param message The whole COSE_Sign1 message, so that no member can say it never had it.
    event InclusionForced(bytes32 indexed streamId, bytes32 indexed digest, uint64 due, bytes message);

    /// @notice Emitted when a reading that was asked for is shown to be in a batch.
    /// @param streamId The stream.
    /// @param digest keccak256 of the message.
    /// @param seq Number of the batch that carries it.
    event InclusionSettled(bytes32 indexed streamId, bytes32 indexed digest, uint64 seq);

    /// @notice An organisation that runs an oracle.
    /// @param key Key with which it signs.
    /// @param organisation Its account id.
    /// @param role What it is.
    struct Member {
        address key;
        address organisation;
        Kind role;
    }

    /// @notice What the members agree on for one batch.
    /// @param streamId The stream.
    /// @param seq Number of the batch in the stream, from 0.
    /// @param prevHead Hash of the previous report; 0 for the first.
    /// @param batchRoot Root of the batch tree; 0 for a heartbeat.
    /// @param leafCount Number of readings; 0 for a heartbeat.
    /// @param logSize Number of earlier reports (= seq).
    /// @param logRoot RFC 9162 SHA-256 root over the earlier reports.
    /// @param refBlockNumber Block at which the registry was read.
    /// @param refBlockHash Hash of that block.
    /// @param firstTs Earliest time of the batch's readings (unix s).
    /// @param lastTs Time up to which the stream runs after this batch (unix s).
    /// @param gapsDigest Digest of the facts found in the batch.
    /// @param dataDigest Root of the carrier registry at the reference block.
    /// @param rulesVersion Version of the members' configuration.
    struct BatchReport {
        bytes32 streamId;
        uint64 seq;
        bytes32 prevHead;
        bytes32 batchRoot;
        uint32 leafCount;
        uint64 logSize;
        bytes32 logRoot;
        uint64 refBlockNumber;
        bytes32 refBlockHash;
        uint64 firstTs;
        uint64 lastTs;
        bytes32 gapsDigest;
        bytes32 dataDigest;
        uint32 rulesVersion;
    }

    /// @notice Way from one reading to the stream's head.
    /// @param batch Report of the batch that holds the reading.
    /// @param latest Report that is the stream's head.
    /// @param logPath RFC 9162 inclusion path of the batch in latest.logRoot; empty where the batch is the latest.
    /// @param index Position of the reading in the batch.
    /// @param readingSeq Sequence number of the reading.
    /// @param idHash keccak256 of the carrier's identifier.
    /// @param path Path from the leaf to batch.batchRoot.
    struct ReadingProof {
        BatchReport batch;
        BatchReport latest;
        bytes32[] logPath;
        uint64 index;
        uint64 readingSeq;
        bytes32 idHash;
        bytes32[] path;
    }

    /// @notice Sets members and threshold; reports of the old configuration are no longer accepted.
    /// @param members At most 32, distinct keys, a verifier or a regulator among them.
    /// @param threshold At least ⌊2n/3⌋+1.
    function configure(Member[] calldata members, uint8 threshold) external;

    /// @notice Opens a stream.
    /// @param streamId keccak256("ccl/stream/v1" ‖ name).
    /// @param maxSilence Greatest time between two batches (s).
    function openStream(bytes32 streamId, uint32 maxSilence) external;

    /// @notice Anchors a batch or a heartbeat. Anyone may carry it.
    /// @param report What the members agreed on.
    /// @param attestation Their signatures over the report's EIP-712 digest.
    function submit(BatchReport calldata report, Attestation calldata attestation) external;

    /// @notice Suspends a member that signed two different reports for one number of a stream.
    /// @param index Position of the member in the current configuration.
    /// @param first One report.
    /// @param firstSignature Its signature, 64 bytes (EIP-2098).
    /// @param second The other report.
    /// @param secondSignature Its signature, 64 bytes (EIP-2098).
    function proveEquivocation(
        uint256 index,
        BatchReport calldata first,
        bytes calldata firstSignature,
        BatchReport calldata second,
        bytes calldata secondSignature
    ) external;

    /// @notice Asks in the open for a reading that the members leave out. Anyone may ask; it is due within the
    /// stream's greatest silence.
    /// @dev Whether the carrier truly signed it is for the members to check: a message that fails their checks never
    /// enters a batch and stays open, named by its digest. A reading may be asked for again once it is settled.
    /// @param streamId The stream that must carry it.
    /// @param message The whole COSE_Sign1 message.
    function forceInclude(bytes32 streamId, bytes calldata message) external;

    /// @notice Ends the wait for a reading by showing the batch that carries it. Anyone may show it.
    /// @param digest keccak256 of the message.
    /// @param proof Way from the reading to the head.
    function settleInclusion(bytes32 digest, ReadingProof calldata proof) external;

    /// @notice Time after which a reading that was asked for is overdue (unix s); 0 where none is awaited.
    /// @param streamId The stream.
    /// @param digest keccak256 of the message.
    function inclusionDue(bytes32 streamId, bytes32 digest) external view returns (uint64);

    /// @notice The current configuration.
    /// @return version Its number.
    /// @return threshold Number of members that must sign.
    /// @return members The members.
    function configuration() external view returns (uint32 version, uint8 threshold, Member[] memory members);

    /// @notice keccak256 of the ABI encoding of chain id, this address, version, threshold and members.
    function configDigest() external view returns (bytes32);

    /// @notice Bit set of the suspended members of the current configuration.
    function suspendedMembers() external view returns (uint256);

    /// @notice State of a stream.
    /// @param streamId The stream.
    /// @return headHash Hash of its last report; 0 before the first.
    /// @return seq Number of the next batch.
    /// @return lastTs Time up to which it runs (unix s).
    /// @return anchoredAt Time of the block that anchored the last batch (unix s).
    function head(bytes32 streamId)
        external
        view
        returns (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt);

    /// @notice Like `head`, but refuses a stream that has been silent for too long.
    /// @param streamId The stream.
    /// @param maxAge Greatest time since the last batch (s).
    /// @return headHash Hash of its last report.
    /// @return seq Number of the next batch.
    /// @return lastTs Time up to which it runs (unix s).
    /// @return anchoredAt Time of the block that anchored the last batch (unix s).
    function freshHead(bytes32 streamId, uint32 maxAge)
        external
        view
        returns (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt);

    /// @notice Greatest time between two batches of a stream (s); 0 where it was never opened.
    /// @param streamId The stream.
    function maxSilenceOf(bytes32 streamId) external view returns (uint32);

    /// @notice Reverts unless a quorum of the current members signed a digest.
    /// @dev Every signer must be a member, not suspended, and of an organisation that has not signed yet; a verifier or
    /// a regulator must be among them. More signatures than the threshold are welcome and checked all the same.
    /// @param digest EIP-712 digest under the caller's domain.
    /// @param attestation Signatures of members.
    function requireQuorum(bytes32 digest, Attestation calldata attestation) external view;

    /// @notice Checks a signed reading against the stream's head.
    /// @dev Whatever cannot be proven reverts with its own error; the result tells the P-256 signature alone.
    /// @param message The whole COSE_Sign1 message.
    /// @param proof Way from the reading to the head.
    /// @return Whether the carrier's key of that sequence number signed the message.
    function verifyReading(bytes calldata message, ReadingProof calldata proof) external view returns (bool);
}
