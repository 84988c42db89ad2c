// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {ICarriers} from "./interfaces/ICarriers.sol";
import {IReadingAnchor} from "./interfaces/IReadingAnchor.sol";
import {Attestation} from "./interfaces/Types.sol";
import {CompactSignature} from "./libraries/CompactSignature.sol";
import {CoseReading} from "./libraries/CoseReading.sol";
import {LogInclusion} from "./libraries/LogInclusion.sol";
import {ReportHash} from "./libraries/ReportHash.sol";
import {Roll} from "./libraries/Roll.sol";

/// @title ReadingAnchor
contract ReadingAnchor is IReadingAnchor, AccessManaged, EIP712 {
    using ReportHash for BatchReport;
    using Roll for Memory.Slice;

    /// @dev One slot.
    struct Configuration {
        address roll;
        uint32 version;
        uint8 threshold;
        uint32 suspended;
    }

    /// @dev A batch reads and writes the first two slots. Times fit 32 bits until the year 2106.
    struct Stream {
        bytes32 head;
        address roll;
        uint32 seq;
        uint32 lastTs;
        uint32 anchoredAt;
        uint32 maxSilence;
    }

    /// @notice Greatest number of members.
    uint256 public constant MAX_MEMBERS = 32;

    /// @notice Greatest number of streams.
    uint256 public constant MAX_STREAMS = 64;

    /// @notice How far a batch's time may run ahead of the block's (s).
    uint64 public constant MAX_AHEAD_S = 300;

    /// @notice Longest message whose inclusion can be forced, in bytes.
    uint256 public constant MAX_MESSAGE_BYTES = 4096;

    /// @dev Length of an EIP-2098 signature in bytes.
    uint256 private constant SIGNATURE_BYTES = 64;

    /// @dev Suite of ECDSA over P-256 with SHA-256.
    uint8 private constant ES256 = 1;

    /// @dev What `Carriers` gives for a carrier without a cut-off.
    uint64 private constant NO_CUTOFF = type(uint64).max;

    /// @notice Carriers whose readings are anchored.
    ICarriers public immutable CARRIERS;

    /// @inheritdoc IReadingAnchor
    bytes32 public configDigest;

    /// @inheritdoc IReadingAnchor
    mapping(bytes32 streamId => mapping(bytes32 digest => uint64 due)) public inclusionDue;

    Configuration private _configuration;
    Member[] private _members;
    bytes32[] private _streamIds;
    mapping(bytes32 streamId => Stream stream) private _streams;

    constructor(address authority, ICarriers carriers) AccessManaged(authority) EIP712("Park Carbon Ledger", "1") {
        CARRIERS = carriers;
    }

    /* CONFIGURATION */

    /// @inheritdoc IReadingAnchor
    function configure(Member[] calldata members, uint8 threshold) external restricted {
        uint256 count = members.length;
        if (count == 0 || count > MAX_MEMBERS) revert AnchorMembersInvalid(count, MAX_MEMBERS);
        uint256 least = 2 * count / 3 + 1;
        if (threshold < least || threshold > count) revert AnchorThresholdInvalid(threshold, least, count);
        uint32 version = _configuration.version + 1;
        bytes memory words = Roll.pack(members, version, threshold);

        _configuration = Configuration(address(0), version, threshold, 0);
        _setRoll(words);
        delete _members;
        for (uint256 i = 0; i < count; ++i) {
            _members.push(members[i]);
        }
        configDigest = keccak256(abi.encode(block.chainid, address(this), version, threshold, members));

        emit ConfigurationSet(version, threshold, members, configDigest);
    }

    /// @dev Each stream keeps the address of the roll beside its counters.
    function _setRoll(bytes memory words) private {
        address roll = Clones.cloneWithImmutableArgs(address(0), words);
        _configuration.roll = roll;
        for (uint256 i = 0; i < _streamIds.length; ++i) {
            _streams[_streamIds[i]].roll = roll;
        }
    }

    /// @inheritdoc IReadingAnchor
    function configuration() external view returns (uint32 version, uint8 threshold, Member[] memory members) {
        return (_configuration.version, _configuration.threshold, _members);
    }

    /// @inheritdoc IReadingAnchor
    function suspendedMembers() external view returns (uint256) {
        return _configuration.suspended;
    }

    /* QUORUM */

    /// @inheritdoc IReadingAnchor
    function requireQuorum(bytes32 digest, Attestation calldata attestation) external view {
        _requireQuorum(Roll.wordsOf(_configuration.roll), digest, attestation);
    }

    function _requireQuorum(Memory.Slice words, bytes32 digest, Attestation calldata attestation) private view {
        uint256 signers = attestation.signers;
        bytes calldata signatures = attestation.signatures;
        if (signers >> words.membersIn() != 0) revert AnchorSignerUnknown(signers, words.membersIn());
        uint256 seen = 0;
        uint256 end = 0;
        // No number here exceeds 32 · 64.
        unchecked {
            for (uint256 i = 0; signers >> i != 0; ++i) {
                if (signers >> i & 1 == 0) continue;
                uint256 word = words.at(i + 1);
                if (seen & word & Roll.ORGANISATIONS != 0) revert AnchorOrganisationTwice(i);
                end += SIGNATURE_BYTES;
                _requireSigned(word, i, digest, signatures, end);
                seen |= word;
            }
        }
        uint256 threshold = words.at(0) >> Roll.THRESHOLD_SHIFT;
        if (end < threshold * SIGNATURE_BYTES) revert AnchorQuorumMissing(end / SIGNATURE_BYTES, threshold);
        if (signatures.length != end) revert AnchorSignaturesLength(signatures.length, end);
        if (seen & Roll.SUSPENDED != 0) revert AnchorMemberSuspended(signers, _configuration.suspended);
        if (seen & Roll.SUPERVISES == 0) revert AnchorRoleMissing();
    }

    /// @dev The member's signature is the one that ends at `end` of `signatures`.
    function _requireSigned(uint256 word, uint256 index, bytes32 digest, bytes calldata signatures, uint256 end)
        private
        pure
    {
        if (signatures.length < end) revert AnchorSignaturesLength(signatures.length, end);
        (bytes32 r, bytes32 vs) = abi.decode(signatures[end - SIGNATURE_BYTES:], (bytes32, bytes32));
        address key = CompactSignature.recover(digest, r, vs);
        if (key != address(uint160(word))) revert AnchorSignatureInvalid(index, key, address(uint160(word)));
    }

    /* BATCHES */

    /// @inheritdoc IReadingAnchor
    function openStream(bytes32 streamId, uint32 maxSilence) external restricted {
        if (maxSilence == 0) revert AnchorSilenceInvalid(streamId);
        if (_streams[streamId].maxSilence != 0) revert AnchorStreamOpened(streamId);
        if (_streamIds.length == MAX_STREAMS) revert AnchorTooManyStreams(MAX_STREAMS);

        _streamIds.push(streamId);
        _streams[streamId].maxSilence = maxSilence;
        _streams[streamId].roll = _configuration.roll;

        emit StreamOpened(streamId, maxSilence);
    }

    /// @inheritdoc IReadingAnchor
    function submit(BatchReport calldata report, Attestation calldata attestation) external {
        Stream storage stream = _streams[report.streamId];
        uint32 seq = _requireNext(stream, report);
        Memory.Slice words = Roll.wordsOf(stream.roll);
        _requireSound(uint32(words.at(0)), report);
        // The report is static and the first argument: its words stand right behind the selector.
        bytes32 headHash = ReportHash.hashBatchWords(msg.data[4:4 + ReportHash.BATCH_REPORT_BYTES]);
        _requireQuorum(words, _hashTypedDataV4(headHash), attestation);

        stream.head = headHash;
        stream.seq = seq + 1;
        stream.lastTs = uint32(report.lastTs);
        stream.anchoredAt = uint32(block.timestamp);

        emit BatchAnchored(report, attestation.signers);
    }

    /// @dev What the report must share with the stream; returns the number of both.
    function _requireNext(Stream storage stream, BatchReport calldata report) private view returns (uint32 seq) {
        if (stream.roll == address(0)) revert AnchorStreamUnknown(report.streamId);
        seq = stream.seq;
        if (report.seq != seq) revert AnchorSeqMismatch(report.seq, seq);
        if (report.logSize != seq) revert AnchorLogSizeMismatch(report.logSize, seq);
        bytes32 headHash = stream.head;
        if (report.prevHead != headHash) revert AnchorHeadMismatch(report.prevHead, headHash);
        uint32 lastTs = stream.lastTs;
        if (report.lastTs < lastTs) revert AnchorTimeBackward(report.lastTs, lastTs);
    }

    /// @dev What the report must hold by itself.
    function _requireSound(uint32 version, BatchReport calldata report) private view {
        if (report.rulesVersion != version) revert AnchorConfigurationMismatch(report.rulesVersion, version);
        if ((report.leafCount == 0) != (report.batchRoot == 0)) {
            revert AnchorLeavesInvalid(report.leafCount, report.batchRoot);
        }
        if (report.firstTs > report.lastTs) revert AnchorTimeBackward(report.lastTs, report.firstTs);
        uint256 latest = block.timestamp + MAX_AHEAD_S;
        if (report.lastTs > latest) revert AnchorTimeAhead(report.lastTs, uint64(latest));
        bytes32 refBlockHash = blockhash(report.refBlockNumber);
        if (report.refBlockHash != refBlockHash || refBlockHash == 0) {
            revert AnchorReferenceMismatch(report.refBlockNumber, report.refBlockHash, refBlockHash);
        }
    }

    /// @inheritdoc IReadingAnchor
    function head(bytes32 streamId)
        public
        view
        returns (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt)
    {
        Stream memory stream = _streams[streamId];
        if (stream.maxSilence == 0) revert AnchorStreamUnknown(streamId);

        return (stream.head, stream.seq, stream.lastTs, stream.anchoredAt);
    }

    /// @inheritdoc IReadingAnchor
    function freshHead(bytes32 streamId, uint32 maxAge)
        external
        view
        returns (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt)
    {
        (headHash, seq, lastTs, anchoredAt) = head(streamId);
        uint64 age = uint64(block.timestamp) - anchoredAt;
        if (age > maxAge) revert AnchorStale(streamId, age, maxAge);
    }

    /// @inheritdoc IReadingAnchor
    function maxSilenceOf(bytes32 streamId) external view returns (uint32) {
        return _streams[streamId].maxSilence;
    }

    /* FORCED INCLUSION */

    /// @inheritdoc IReadingAnchor
    function forceInclude(bytes32 streamId, bytes calldata message) external {
        uint256 length = message.length;
        if (length == 0 || length > MAX_MESSAGE_BYTES) revert AnchorMessageLength(length, MAX_MESSAGE_BYTES);
        uint64 silence = _streams[streamId].maxSilence;
        if (silence == 0) revert AnchorStreamUnknown(streamId);
        bytes32 digest = keccak256(message);
        if (inclusionDue[streamId][digest] != 0) revert AnchorInclusionForced(digest);

        uint64 due = uint64(block.timestamp) + silence;
        inclusionDue[streamId][digest] = due;

        emit InclusionForced(streamId, digest, due, message);
    }

    /// @inheritdoc IReadingAnchor
    function settleInclusion(bytes32 digest, ReadingProof calldata proof) external {
        bytes32 streamId = proof.batch.streamId;
        if (inclusionDue[streamId][digest] == 0) revert AnchorInclusionUnknown(digest);
        _requireAnchored(proof);
        _requireInBatch(digest, proof);

        delete inclusionDue[streamId][digest];

        emit InclusionSettled(streamId, digest, proof.batch.seq);
    }

    /* EQUIVOCATION */

    /// @inheritdoc IReadingAnchor
    function proveEquivocation(
        uint256 index,
        BatchReport calldata first,
        bytes calldata firstSignature,
        BatchReport calldata second,
        bytes calldata secondSignature
    ) external {
        Configuration memory current = _configuration;
        (bytes32 a, bytes32 b) = (first.hash(), second.hash());
        bool sameSlot = first.streamId == second.streamId && first.seq == second.seq
            && first.rulesVersion == current.version && second.rulesVersion == current.version;
        if (!sameSlot || a == b) revert AnchorNoEquivocation(a, b);
        Memory.Slice words = Roll.wordsOf(current.roll);
        if (index >= words.membersIn()) revert AnchorSignerUnknown(index, words.membersIn());
        uint256 word = words.at(index + 1);
        if (word & Roll.SUSPENDED != 0) revert AnchorMemberSuspended(1 << index, current.suspended);
        _requireSingle(word, index, a, firstSignature);
        _requireSingle(word, index, b, secondSignature);

        _configuration.suspended = current.suspended | uint32(1 << index);
        _setRoll(words.withWord(index + 1, word | Roll.SUSPENDED));

        emit MemberSuspended(current.version, index, address(uint160(word)), a, b);
    }

    function _requireSingle(uint256 word, uint256 index, bytes32 structHash, bytes calldata signature) private view {
        if (signature.length != SIGNATURE_BYTES) revert AnchorSignaturesLength(signature.length, SIGNATURE_BYTES);
        _requireSigned(word, index, _hashTypedDataV4(structHash), signature, SIGNATURE_BYTES);
    }

    /* READINGS */

    /// @inheritdoc IReadingAnchor
    function verifyReading(bytes calldata message, ReadingProof calldata proof) external view returns (bool) {
        _requireAnchored(proof);
        _requireInBatch(keccak256(message), proof);
        (bytes calldata payload, uint64 seq, bytes32 r, bytes32 s) = CoseReading.split(message);
        if (seq != proof.readingSeq) revert AnchorReadingSeqMismatch(seq, proof.readingSeq);
        (, ICarriers.CarrierStatus status, uint64 cutoffSeq,,) = CARRIERS.carrier(proof.idHash);
        // Without a cut-off all readings of an active carrier count, and none of any other.
        bool isActive = status == ICarriers.CarrierStatus.Active;
        if (seq > cutoffSeq || (!isActive && cutoffSeq == NO_CUTOFF)) revert AnchorReadingCutOff(seq, cutoffSeq);

        return _isSigned(CoseReading.signedHash(payload, address(CARRIERS), proof.idHash), proof.idHash, seq, r, s);
    }

    function _isSigned(bytes32 hash, bytes32 idHash, uint64 seq, bytes32 r, bytes32 s) private view returns (bool) {
        (uint8 suite, bytes memory publicKey) = CARRIERS.keyAt(idHash, seq);
        if (suite != ES256) revert AnchorSuiteNotOnChain(suite);

        (bytes32 x, bytes32 y) = abi.decode(publicKey, (bytes32, bytes32));
        return P256.verify(hash, r, s, x, y);
    }

    /// @dev The batch is the stream's head, or in the log that the head's report names.
    function _requireAnchored(ReadingProof calldata proof) private view {
        bytes32 latest = proof.latest.hash();
        bytes32 needed = _streams[proof.latest.streamId].head;
        if (latest != needed) revert AnchorProofNotLatest(latest, needed);

        bytes32 batch = proof.batch.hash();
        if (batch == latest && proof.logPath.length == 0) return;
        bool isInLog = LogInclusion.verify(
            batch, proof.batch.seq, proof.latest.logSize, proof.logPath, proof.latest.logRoot
        );
        if (!isInLog) revert AnchorProofNotInLog(proof.batch.seq);
    }

    /// @dev Leaves as in OpenZeppelin's standard-v1 tree: hashed twice, pairs sorted.
    function _requireInBatch(bytes32 digest, ReadingProof calldata proof) private pure {
        bytes32 inner = keccak256(
            abi.encode(
                proof.batch.streamId,
                proof.batch.seq,
                proof.index,
                proof.idHash,
                proof.readingSeq,
                digest
            )
        );
        bytes32 leaf = keccak256(abi.encodePacked(inner));
        bool isInBatch = proof.index < proof.batch.leafCount
            && MerkleProof.verifyCalldata(proof.path, proof.batch.batchRoot, leaf);
        if (!isInBatch) revert AnchorProofNotInBatch(leaf, proof.batch.batchRoot);
    }
}
