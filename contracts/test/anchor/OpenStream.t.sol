// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorOpenStreamTest is LedgerTest {
    function test_opens_a_stream_without_batches() public {
        VM.expectEmit();
        emit IReadingAnchor.StreamOpened("second", 60);
        anchor.openStream("second", 60);

        (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt) = anchor.head("second");
        assertEq(headHash, 0);
        assertEq(uint256(seq) + lastTs + anchoredAt, 0);
        assertEq(anchor.maxSilenceOf("second"), 60);
        assertEq(anchor.maxSilenceOf("third"), 0);
    }

    function test_refuses_to_open_twice() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorStreamOpened.selector, STREAM));
        anchor.openStream(STREAM, 60);
    }

    function test_refuses_a_stream_without_greatest_silence() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorSilenceInvalid.selector, bytes32("second")));
        anchor.openStream("second", 0);
    }

    function test_refuses_more_streams_than_the_bound() public {
        for (uint256 i = 1; i < 64; ++i) {
            anchor.openStream(bytes32(i), 60);
        }
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorTooManyStreams.selector, 64));
        anchor.openStream(bytes32(uint256(64)), 60);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        anchor.openStream("second", 60);
    }
}
