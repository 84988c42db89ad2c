// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Attestation} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract LedgerRecordTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _anchor(0, 0);
    }

    function _expectRefusal(IEmissionLedger.StatementReport memory report, bytes memory reason) private {
        Attestation memory attestation = _attest(address(ledger), hasher.hash(report), 13);
        VM.expectRevert(reason);
        ledger.record(report, attestation);
    }

    function test_records_what_a_quorum_recomputed() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        bytes32 id = hasher.hash(report);
        Attestation memory attestation = _attest(address(ledger), id, 13);
        VM.expectEmit();
        emit IEmissionLedger.StatementRecorded(id, BOUNDARY, report, 13);
        ledger.record(report, attestation);

        (
            IEmissionLedger.StatementStatus status,
            bytes32 boundary,
            address account,
            uint64 periodStart,
            uint64 periodEnd,
            uint8 purpose,
            int256 grams
        ) = ledger.statementOf(id);
        assertTrue(status == IEmissionLedger.StatementStatus.Recorded);
        assertEq(boundary, BOUNDARY);
        assertEq(account, alpha);
        assertEq(periodStart, report.periodStart);
        assertEq(periodEnd, report.periodEnd);
        assertEq(purpose, 1);
        assertEq(grams, report.grams);
        assertEq(ledger.liveStatement(BOUNDARY, periodStart, periodEnd, 1), id);
    }

    function test_a_restatement_takes_the_place_of_the_live_statement() public {
        bytes32 old = _confirmed(1);
        IEmissionLedger.StatementReport memory report = _statement(1);
        (report.grams, report.supersedes) = (-5, old);
        bytes32 fresh = hasher.hash(report);
        Attestation memory attestation = _attest(address(ledger), fresh, 13);
        VM.expectEmit();
        emit IEmissionLedger.StatementSuperseded(old, fresh);
        ledger.record(report, attestation);

        (IEmissionLedger.StatementStatus status,,,,,,) = ledger.statementOf(old);
        assertTrue(status == IEmissionLedger.StatementStatus.Superseded);
        assertEq(ledger.liveStatement(BOUNDARY, report.periodStart, report.periodEnd, 1), fresh);
    }

    function test_refuses_to_record_twice() public {
        bytes32 id = _record(_statement(1));
        _expectRefusal(_statement(1), abi.encodeWithSelector(IEmissionLedger.LedgerAlreadyRecorded.selector, id));
    }

    function test_refuses_a_second_statement_that_supersedes_nothing() public {
        bytes32 live = _record(_statement(1));
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.grams = 1;
        _expectRefusal(
            report, abi.encodeWithSelector(IEmissionLedger.LedgerSupersedesMismatch.selector, bytes32(0), live)
        );
    }

    function test_refuses_a_first_statement_that_supersedes_something() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.supersedes = "other";
        _expectRefusal(
            report,
            abi.encodeWithSelector(IEmissionLedger.LedgerSupersedesMismatch.selector, bytes32("other"), bytes32(0))
        );
    }

    function test_refuses_an_unknown_boundary() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.boundary = "other";
        _expectRefusal(
            report, abi.encodeWithSelector(IEmissionLedger.LedgerBoundaryUnknown.selector, bytes32("other"))
        );
    }

    function test_refuses_other_content_of_the_boundary() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.boundaryDigest = "other";
        _expectRefusal(
            report,
            abi.encodeWithSelector(
                IEmissionLedger.LedgerBoundaryMismatch.selector, bytes32("other"), sha256(CONTENT)
            )
        );
    }

    function test_refuses_an_empty_period() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.periodEnd = report.periodStart;
        _expectRefusal(
            report,
            abi.encodeWithSelector(
                IEmissionLedger.LedgerPeriodInvalid.selector, report.periodStart, report.periodStart
            )
        );
    }

    function test_refuses_purposes_outside_one_to_four() public {
        _expectRefusal(_statement(0), abi.encodeWithSelector(IEmissionLedger.LedgerPurposeUnknown.selector, 0));
        _expectRefusal(_statement(5), abi.encodeWithSelector(IEmissionLedger.LedgerPurposeUnknown.selector, 5));
    }

    function test_refuses_a_batch_that_is_not_anchored() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.lastBatch = 1;
        _expectRefusal(report, abi.encodeWithSelector(IEmissionLedger.LedgerBatchesInvalid.selector, 0, 1, 1));
    }

    function test_refuses_batches_in_the_wrong_order() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.firstBatch = 1;
        _expectRefusal(report, abi.encodeWithSelector(IEmissionLedger.LedgerBatchesInvalid.selector, 1, 0, 1));
    }

    function test_refuses_a_minority() public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        Attestation memory attestation = _attest(address(ledger), hasher.hash(report), 12);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorQuorumMissing.selector, 2, 3));
        ledger.record(report, attestation);
    }

    /// @dev One changed gram, and the members did not sign it.
    function testFuzz_refuses_changed_grams(int256 grams) public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        VM.assume(grams != report.grams);
        Attestation memory attestation = _attest(address(ledger), hasher.hash(report), 13);
        report.grams = grams;
        VM.expectRevert();
        ledger.record(report, attestation);
    }
}
