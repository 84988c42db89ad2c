// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {ICarriers} from "./interfaces/ICarriers.sol";
import {IReadingAnchor} from "./interfaces/IReadingAnchor.sol";
import {Attestation, Kind} from "./interfaces/Types.sol";
import {CompactSignature} from "./libraries/CompactSignature.sol";
import {CoseReading} from "./libraries/CoseReading.sol";
import {LogInclusion} from "./libraries/LogInclusion.sol";
import {ReportHash} from "./libraries/ReportHash.sol";

/// @title ReadingAnchor
contract ReadingAnchor is IReadingAnchor, AccessManaged, EIP712 {
    using ReportHash for BatchReport;

    /// @dev One slot. `roll` is a clone that never runs: its immutable arguments hold one word for each member, so that
    /// all members together cost one cold access.
    struct Configuration {
        uint32 version;
        uint8 threshold;
        uint8 count;
        uint32 suspended;
        address roll;
    }

    /// @dev Two slots: the head, and the rest.
    struct Stream {
        bytes32 head;
        uint64 seq;
        uint64 lastTs;
        uint64 anchoredAt;
        uint32 maxSilence;
    }

    /// @notice Greatest number of members.
    uint256 public constant MAX_MEMBERS = 32;

    /// @notice How far a batch's time may run ahead of the block's (s).
    uint64 public constant MAX_AHEAD_S = 300;

    /// @dev Length of an EIP-2098 signature in bytes.
    uint256 private constant SIGNATURE_BYTES = 64;

    /// @dev Suite of ECDSA over P-256 with SHA-256.
    uint8 private constant ES256 = 1;

    /// @notice Carriers whose readings are anchored.
    ICarriers public immutable CARRIERS;

    /// @inheritdoc IReadingAnchor
    bytes32 public configDigest;

    Configuration private _configuration;
    Member[] private _members;
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
        uint256[] memory words = _pack(members);

        uint32 version = _configuration.version + 1;
        // A clone of nothing: only its arguments are read.
        address roll = Clones.cloneWithImmutableArgs(address(0), abi.encode(words));
        _configuration = Configuration(version, threshold, uint8(count), 0, roll);
        delete _members;
        for (uint256 i = 0; i < count; ++i) {
            _members.push(members[i]);
        }
        configDigest = keccak256(abi.encode(block.chainid, address(this), version, threshold, members));

        emit ConfigurationSet(version, threshold, members, configDigest);
    }

    /// @dev One word for each member: key (160 bits), kind (8 bits), bit set (32 bits) of its organisation's members.
    function _pack(Member[] calldata members) private pure returns (uint256[] memory words) {
        words = new uint256[](members.length);
        bool hasRole = false;
        for (uint256 i = 0; i < members.length; ++i) {
            Member calldata member = members[i];
            if (member.key == address(0) || member.organisation == address(0) || member.role == Kind.None) {
                revert AnchorMemberInvalid(i);
            }
            hasRole = hasRole || _isSupervisor(member.role);
            uint256 colleagues = 0;
            for (uint256 j = 0; j < members.length; ++j) {
                if (j < i && members[j].key == member.key) revert AnchorMemberInvalid(i);
                if (members[j].organisation == member.organisation) colleagues |= 1 << j;
            }
            words[i] = uint160(member.key) | uint256(member.role) << 160 | colleagues << 168;
        }
        if (!hasRole) revert AnchorRoleMissing();
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
        _requireQuorum(_configuration, digest, attestation);
    }

    function _requireQuorum(Configuration memory current, bytes32 digest, Attestation calldata attestation)
        private
        view
    {
        uint256 signers = attestation.signers;
        bytes calldata signatures = attestation.signatures;
        if (signers >> current.count != 0) revert AnchorSignerUnknown(signers, current.count);
        uint256 count = _ones(signers);
        if (count < current.threshold) revert AnchorQuorumMissing(count, current.threshold);
        if (signatures.length != count * SIGNATURE_BYTES) {
            revert AnchorSignaturesLength(signatures.length, count * SIGNATURE_BYTES);
        }

        uint256[] memory words = _words(current.roll);
        bool hasRole = false;
        uint256 offset = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            if (signers >> i & 1 == 0) continue;
            _requireMember(current.suspended, words[i], i, signers);
            _requireSigned(words[i], i, digest, signatures[offset:offset + SIGNATURE_BYTES]);
            hasRole = hasRole || _isSupervisor(_roleOf(words[i]));
            offset += SIGNATURE_BYTES;
        }
        if (!hasRole) revert AnchorRoleMissing();
    }

    /// @dev `signers` below the member's own bit hold no colleague of its organisation.
    function _requireMember(uint256 suspended, uint256 word, uint256 index, uint256 signers) private pure {
        if (suspended >> index & 1 == 1) revert AnchorMemberSuspended(index);
        uint256 earlierColleagues = (word >> 168) & ((1 << index) - 1);
        if (earlierColleagues & signers != 0) revert AnchorOrganisationTwice(index);
    }

    function _requireSigned(uint256 word, uint256 index, bytes32 digest, bytes calldata signature) private pure {
        address key = CompactSignature.recover(digest, bytes32(signature[:32]), bytes32(signature[32:]));
        if (key != address(uint160(word))) revert AnchorSignatureInvalid(index, key, address(uint160(word)));
    }

    function _words(address roll) private view returns (uint256[] memory) {
        return abi.decode(Clones.fetchCloneArgs(roll), (uint256[]));
    }

    function _roleOf(uint256 word) private pure returns (Kind) {
        return Kind(uint8(word >> 160));
    }

    function _isSupervisor(Kind role) private pure returns (bool) {
        return role == Kind.Verifier || role == Kind.Regulator;
    }

    function _ones(uint256 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) {
            ++count;
        }
    }

    /* BATCHES */

    /// @inheritdoc IReadingAnchor
    function openStream(bytes32 streamId, uint32 maxSilence) external restricted {
        if (maxSilence == 0) revert AnchorSilenceInvalid(streamId);
        if (_streams[streamId].maxSilence != 0) revert AnchorStreamOpened(streamId);

        _streams[streamId].maxSilence = maxSilence;

        emit StreamOpened(streamId, maxSilence);
    }

    /// @inheritdoc IReadingAnchor
    function submit(BatchReport calldata report, Attestation calldata attestation) external {
        Stream storage stream = _streams[report.streamId];
        Configuration memory current = _configuration;
        _requireNext(stream, report);
        _requireSound(current, report);
        bytes32 head_ = report.hash();
        _requireQuorum(current, _hashTypedDataV4(head_), attestation);

        stream.head = head_;
        stream.seq = report.seq + 1;
        stream.lastTs = report.lastTs;
        stream.anchoredAt = uint64(block.timestamp);

        emit BatchAnchored(report.streamId, report.seq, head_, report, attestation.signers);
    }

    /// @dev What the report must share with the stream.
    function _requireNext(Stream storage stream, BatchReport calldata report) private view {
        if (stream.maxSilence == 0) revert AnchorStreamUnknown(report.streamId);
        uint64 seq = stream.seq;
        if (report.seq != seq) revert AnchorSeqMismatch(report.seq, seq);
        if (report.logSize != seq) revert AnchorLogSizeMismatch(report.logSize, seq);
        bytes32 prevHead = stream.head;
        if (report.prevHead != prevHead) revert AnchorHeadMismatch(report.prevHead, prevHead);
        uint64 lastTs = stream.lastTs;
        if (report.lastTs < lastTs) revert AnchorTimeBackward(report.lastTs, lastTs);
    }

    /// @dev What the report must hold by itself.
    function _requireSound(Configuration memory current, BatchReport calldata report) private view {
        if (report.rulesVersion != current.version) {
            revert AnchorConfigurationMismatch(report.rulesVersion, current.version);
        }
        if ((report.leafCount == 0) != (report.batchRoot == 0)) {
            revert AnchorLeavesInvalid(report.leafCount, report.batchRoot);
        }
        if (report.firstTs > report.lastTs) revert AnchorTimeBackward(report.lastTs, report.firstTs);
        if (report.lastTs > block.timestamp + MAX_AHEAD_S) {
            revert AnchorTimeAhead(report.lastTs, uint64(block.timestamp) + MAX_AHEAD_S);
        }
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
            && first.rulesVersion == second.rulesVersion && first.rulesVersion == current.version;
        if (!sameSlot || a == b) revert AnchorNoEquivocation(a, b);
        if (index >= current.count) revert AnchorSignerUnknown(1 << index, current.count);
        if (current.suspended >> index & 1 == 1) revert AnchorMemberSuspended(index);
        uint256 word = _words(current.roll)[index];
        _requireSingle(word, index, a, firstSignature);
        _requireSingle(word, index, b, secondSignature);

        _configuration.suspended = current.suspended | uint32(1 << index);

        emit MemberSuspended(current.version, index, address(uint160(word)), a, b);
    }

    function _requireSingle(uint256 word, uint256 index, bytes32 structHash, bytes calldata signature) private view {
        if (signature.length != SIGNATURE_BYTES) revert AnchorSignaturesLength(signature.length, SIGNATURE_BYTES);
        _requireSigned(word, index, _hashTypedDataV4(structHash), signature);
    }

    /* READINGS */

    /// @inheritdoc IReadingAnchor
    function verifyReading(bytes calldata message, ReadingProof calldata proof) external view returns (bool) {
        _requireAnchored(proof);
        _requireInBatch(message, proof);
        (bytes calldata payload, uint64 seq, bytes32 r, bytes32 s) = CoseReading.split(message);
        if (seq != proof.readingSeq) revert AnchorReadingSeqMismatch(seq, proof.readingSeq);
        (,, uint64 cutoffSeq,,) = CARRIERS.carrier(proof.idHash);
        if (seq > cutoffSeq) revert AnchorReadingCutOff(seq, cutoffSeq);

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
    function _requireInBatch(bytes calldata message, ReadingProof calldata proof) private pure {
        bytes32 inner = keccak256(
            abi.encode(
                proof.batch.streamId,
                proof.batch.seq,
                proof.index,
                proof.idHash,
                proof.readingSeq,
                keccak256(message)
            )
        );
        bytes32 leaf = keccak256(abi.encodePacked(inner));
        bool isInBatch = proof.index < proof.batch.leafCount
            && MerkleProof.verifyCalldata(proof.path, proof.batch.batchRoot, leaf);
        if (!isInBatch) revert AnchorProofNotInBatch(leaf, proof.batch.batchRoot);
    }
}
