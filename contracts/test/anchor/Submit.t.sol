// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Attestation} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorSubmitTest is LedgerTest {
    function _attested(IReadingAnchor.BatchReport memory report) private view returns (Attestation memory) {
        return _attest(address(anchor), hasher.hash(report), 13);
    }

    function _expectRefusal(IReadingAnchor.BatchReport memory report, bytes memory reason) private {
        Attestation memory attestation = _attested(report);
        VM.expectRevert(reason);
        anchor.submit(report, attestation);
    }

    function test_chains_the_head_and_tells_the_whole_report() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attested(report);
        VM.expectEmit();
        emit IReadingAnchor.BatchAnchored(report, 13);
        anchor.submit(report, attestation);

        bytes32 second = _anchor(1, hasher.hash(report));
        (bytes32 headHash, uint64 seq,,) = anchor.head(STREAM);
        assertEq(headHash, second);
        assertEq(seq, 2);
    }

    function test_takes_a_heartbeat() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        (report.leafCount, report.batchRoot, report.firstTs) = (0, 0, report.lastTs);
        anchor.submit(report, _attested(report));

        (, uint64 seq,,) = anchor.head(STREAM);
        assertEq(seq, 1);
    }

    function test_takes_a_batch_of_late_readings_alone() public {
        bytes32 headHash = _anchor(0, 0);
        IReadingAnchor.BatchReport memory report = _batch(1, headHash);
        report.firstTs = NOW - 30 days;
        anchor.submit(report, _attested(report));

        (, uint64 seq,,) = anchor.head(STREAM);
        assertEq(seq, 2);
    }

    function test_anyone_may_carry_a_report() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attested(report);
        VM.prank(addressOf("stranger"));
        anchor.submit(report, attestation);

        (, uint64 seq,,) = anchor.head(STREAM);
        assertEq(seq, 1);
    }

    function test_refuses_an_unknown_stream() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.streamId = "other";
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorStreamUnknown.selector, bytes32("other")));
    }

    function test_refuses_a_number_ahead() public {
        IReadingAnchor.BatchReport memory report = _batch(1, 0);
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorSeqMismatch.selector, 1, 0));
    }

    function test_refuses_a_replay() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        anchor.submit(report, _attested(report));
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorSeqMismatch.selector, 0, 1));
    }

    function test_refuses_another_log_size() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.logSize = 1;
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorLogSizeMismatch.selector, 1, 0));
    }

    function test_refuses_another_predecessor() public {
        bytes32 headHash = _anchor(0, 0);
        IReadingAnchor.BatchReport memory report = _batch(1, "other");
        _expectRefusal(
            report,
            abi.encodeWithSelector(IReadingAnchor.AnchorHeadMismatch.selector, bytes32("other"), headHash)
        );
    }

    function test_refuses_a_time_before_the_last_batch() public {
        bytes32 headHash = _anchor(0, 0);
        IReadingAnchor.BatchReport memory report = _batch(1, headHash);
        report.lastTs = NOW - 1;
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorTimeBackward.selector, NOW - 1, NOW));
    }

    function test_refuses_an_end_before_the_start() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.firstTs = NOW + 1;
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorTimeBackward.selector, NOW, NOW + 1));
    }

    function test_refuses_a_time_to_come() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.lastTs = NOW + 301;
        _expectRefusal(
            report, abi.encodeWithSelector(IReadingAnchor.AnchorTimeAhead.selector, NOW + 301, NOW + 300)
        );
    }

    function test_refuses_leaves_without_root() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.batchRoot = 0;
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorLeavesInvalid.selector, 4096, bytes32(0)));
    }

    function test_refuses_a_root_without_leaves() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.leafCount = 0;
        _expectRefusal(
            report, abi.encodeWithSelector(IReadingAnchor.AnchorLeavesInvalid.selector, 0, report.batchRoot)
        );
    }

    function test_refuses_a_reference_block_of_another_chain() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        bytes32 needed = report.refBlockHash;
        report.refBlockHash = "other";
        _expectRefusal(
            report,
            abi.encodeWithSelector(IReadingAnchor.AnchorReferenceMismatch.selector, 999, bytes32("other"), needed)
        );
    }

    function test_refuses_a_reference_block_that_is_too_old() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.refBlockHash = 0;
        VM.roll(2000);
        _expectRefusal(
            report,
            abi.encodeWithSelector(IReadingAnchor.AnchorReferenceMismatch.selector, 999, bytes32(0), bytes32(0))
        );
    }

    function test_refuses_another_configuration() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.rulesVersion = 2;
        _expectRefusal(report, abi.encodeWithSelector(IReadingAnchor.AnchorConfigurationMismatch.selector, 2, 1));
    }

    /// @dev One changed field, and the members did not sign it.
    function testFuzz_refuses_a_changed_report(uint8 field, bytes32 value) public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attested(report);
        VM.assume(value != 0);
        bytes32 signed = hasher.hash(report);
        if (field % 4 == 0) report.batchRoot = value;
        else if (field % 4 == 1) report.logRoot = value;
        else if (field % 4 == 2) report.dataDigest = value;
        else report.gapsDigest = value;
        VM.assume(hasher.hash(report) != signed);
        VM.expectRevert();
        anchor.submit(report, attestation);
    }

    function test_refuses_a_report_signed_for_another_contract() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attest(address(ledger), hasher.hash(report), 13);
        VM.expectRevert();
        anchor.submit(report, attestation);
    }

    function test_refuses_a_report_signed_for_another_chain() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attested(report);
        VM.chainId(1);
        VM.expectRevert();
        anchor.submit(report, attestation);
    }
}
