// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorHeadTest is LedgerTest {
    function test_tells_the_last_report_and_its_times() public {
        bytes32 needed = _anchor(0, 0);

        (bytes32 headHash, uint64 seq, uint64 lastTs, uint64 anchoredAt) = anchor.freshHead(STREAM, 0);
        assertEq(headHash, needed);
        assertEq(seq, 1);
        assertEq(lastTs, NOW);
        assertEq(anchoredAt, NOW);
    }

    function test_refuses_a_stale_stream_to_who_passes_a_greatest_age() public {
        _anchor(0, 0);
        VM.warp(NOW + 61);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorStale.selector, STREAM, 61, 60));
        anchor.freshHead(STREAM, 60);
    }

    function test_a_stream_is_fresh_at_the_greatest_age() public {
        _anchor(0, 0);
        VM.warp(NOW + 60);

        (, uint64 seq,,) = anchor.freshHead(STREAM, 60);
        assertEq(seq, 1);
    }

    function test_refuses_an_unknown_stream() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorStreamUnknown.selector, bytes32("other")));
        anchor.head("other");
    }
}
