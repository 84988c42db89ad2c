// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract AnchorForceIncludeTest is ReadingTest {
    bytes private message;
    bytes32 private digest;

    function setUp() public override {
        super.setUp();
        _register();
        message = _message(CARRIER_KEY, hex"05");
        digest = keccak256(message);
    }

    function test_starts_a_clock_and_publishes_the_message() public {
        VM.expectEmit();
        emit IReadingAnchor.InclusionForced(STREAM, digest, NOW + 3600, message);
        VM.prank(address(0xdead));
        anchor.forceInclude(STREAM, message);

        assertEq(anchor.inclusionDue(STREAM, digest), NOW + 3600);
    }

    function test_refuses_a_reading_that_is_awaited_already() public {
        anchor.forceInclude(STREAM, message);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorInclusionForced.selector, digest));
        anchor.forceInclude(STREAM, message);
    }

    function test_refuses_an_unknown_stream() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorStreamUnknown.selector, bytes32("other")));
        anchor.forceInclude("other", message);
    }

    function test_refuses_an_empty_message() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMessageLength.selector, 0, 4096));
        anchor.forceInclude(STREAM, "");
    }

    function test_refuses_a_message_that_is_too_long() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMessageLength.selector, 4097, 4096));
        anchor.forceInclude(STREAM, new bytes(4097));
    }

    function test_is_settled_by_the_batch_that_carries_it() public {
        anchor.forceInclude(STREAM, message);
        IReadingAnchor.ReadingProof memory proof = _anchorReading(0, 0, 5, message);
        VM.expectEmit();
        emit IReadingAnchor.InclusionSettled(STREAM, digest, 0);
        anchor.settleInclusion(digest, proof);

        assertEq(anchor.inclusionDue(STREAM, digest), 0);
    }

    function test_can_be_asked_for_again_once_settled() public {
        anchor.forceInclude(STREAM, message);
        anchor.settleInclusion(digest, _anchorReading(0, 0, 5, message));
        anchor.forceInclude(STREAM, message);

        assertEq(anchor.inclusionDue(STREAM, digest), NOW + 3600);
    }

    function test_is_not_settled_by_a_batch_without_it() public {
        anchor.forceInclude(STREAM, message);
        bytes memory other = _message(CARRIER_KEY, hex"06");
        IReadingAnchor.ReadingProof memory proof = _anchorReading(0, 0, 5, other);
        bytes32 leaf = _leaf(0, 0, 5, message);
        bytes32 root = proof.batch.batchRoot;
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorProofNotInBatch.selector, leaf, root));
        anchor.settleInclusion(digest, proof);
    }

    function test_is_not_settled_by_a_head_that_was_overtaken() public {
        anchor.forceInclude(STREAM, message);
        IReadingAnchor.ReadingProof memory proof = _anchorReading(0, 0, 5, message);
        bytes32 old = hasher.hash(proof.batch);
        bytes32 latest = _anchor(1, old);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorProofNotLatest.selector, old, latest));
        anchor.settleInclusion(digest, proof);
    }

    function test_refuses_to_settle_what_nobody_awaits() public {
        IReadingAnchor.ReadingProof memory proof = _anchorReading(0, 0, 5, message);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorInclusionUnknown.selector, digest));
        anchor.settleInclusion(digest, proof);
    }
}
