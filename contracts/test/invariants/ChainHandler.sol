// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

/// @dev Anchors batches of two streams at random, in and out of order, under changing configurations.
contract ChainHandler is LedgerTest {
    bytes32 private constant SECOND = keccak256("ccl/stream/v1second");

    mapping(bytes32 streamId => bytes32 headHash) private heads;
    mapping(bytes32 streamId => uint64 seq) private seqs;
    uint32 private version = 1;

    /// @notice Number of forbidden reports that went through.
    uint256 public forbidden;

    /// @notice Number of reports that were anchored.
    uint256 public anchored;

    function setUp() public override {
        super.setUp();
        anchor.openStream(SECOND, 60);
    }

    function _stream(uint256 seed) private pure returns (bytes32) {
        return seed % 2 == 0 ? STREAM : SECOND;
    }

    function _report(bytes32 streamId) private view returns (IReadingAnchor.BatchReport memory report) {
        report = _batch(seqs[streamId], heads[streamId]);
        report.streamId = streamId;
        report.rulesVersion = version;
    }

    function submit(uint256 seed, uint256 step, uint256 signers) public {
        VM.warp(block.timestamp + step % 3600);
        bytes32 streamId = _stream(seed);
        IReadingAnchor.BatchReport memory report = _report(streamId);
        bytes32 structHash = hasher.hash(report);
        uint256[5] memory quorums = [uint256(7), 11, 13, 14, 15];
        anchor.submit(report, _attest(address(anchor), structHash, quorums[signers % 5]));
        heads[streamId] = structHash;
        ++seqs[streamId];
        ++anchored;
    }

    function configure() public {
        anchor.configure(_members(), 3);
        ++version;
    }

    /// @dev One field departs from what the stream needs, or too few sign.
    function submitWrongly(uint256 seed, uint256 way, uint64 wrong) public {
        bytes32 streamId = _stream(seed);
        IReadingAnchor.BatchReport memory report = _report(streamId);
        uint256 signers = 13;
        wrong = wrong == 0 ? 1 : wrong;
        way %= 6;
        unchecked {
            if (way == 0) report.seq += wrong;
            else if (way == 1) report.prevHead ^= bytes32(uint256(wrong));
            else if (way == 2) report.rulesVersion += uint32(wrong % 1000) + 1;
            else if (way == 3) report.logSize += wrong;
            else if (way == 4) signers = 1 << (wrong % 4) | 1 << ((wrong / 4) % 4);
            else report.refBlockNumber -= 300;
        }
        try anchor.submit(report, _attest(address(anchor), hasher.hash(report), signers)) {
            ++forbidden;
        } catch {}
    }

    /// @notice Fails unless each head is the one that the accepted reports make.
    function check() external view {
        _checkStream(STREAM);
        _checkStream(SECOND);
        assertEq(forbidden, 0);
    }

    function _checkStream(bytes32 streamId) private view {
        (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt) = anchor.head(streamId);
        assertEq(headHash, heads[streamId]);
        assertEq(seq, seqs[streamId]);
        assertTrue(lastTs <= block.timestamp && anchoredAt <= block.timestamp);
    }
}
