// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {IERC5192} from "../../src/interfaces/IERC5192.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Attestation} from "../../src/interfaces/Types.sol";
import {CodeTest} from "../CodeTest.sol";
import {VM} from "../Vm.sol";

contract CodesIssueTest is CodeTest {
    function _expectRefusal(ICarbonCodes.CodeReport memory report, bytes memory reason) private {
        Attestation memory attestation = _attest(address(codes), hasher.hash(report), 13);
        VM.expectRevert(reason);
        codes.issue(report, attestation);
    }

    function test_issues_a_locked_code_to_the_account_of_the_boundary() public {
        ICarbonCodes.CodeReport memory report = _report();
        uint256 tokenId = uint256(hasher.hash(report));
        Attestation memory attestation = _attest(address(codes), bytes32(tokenId), 13);
        VM.expectEmit();
        emit IERC5192.Locked(tokenId);
        VM.expectEmit();
        emit ICarbonCodes.CodeIssued(tokenId, statement, alpha, report);
        assertEq(codes.issue(report, attestation), tokenId);

        assertEq(IERC721(address(codes)).ownerOf(tokenId), alpha);
        assertTrue(codes.isValid(tokenId));
        assertEq(codes.liveCode(statement), tokenId);
        ICarbonCodes.Code memory code = codes.codeOf(tokenId);
        assertEq(code.statement, statement);
        assertEq(code.grade, 3);
        assertEq(code.levelMicro, 1_500_000);
        assertEq(code.ratioMicro, 900_000);
        assertEq(code.coverageBps, 9900);
        assertEq(code.attestedBps, 9500);
        assertFalse(code.revoked);
    }

    function test_refuses_a_second_live_code() public {
        uint256 tokenId = _issueCode(_report());
        ICarbonCodes.CodeReport memory report = _report();
        report.grade = 1;
        _expectRefusal(
            report, abi.encodeWithSelector(ICarbonCodes.CodesAlreadyIssued.selector, statement, tokenId)
        );
    }

    function test_refuses_to_issue_a_revoked_code_again() public {
        uint256 tokenId = _issueCode(_report());
        codes.revoke(tokenId, "reason");
        _expectRefusal(_report(), abi.encodeWithSelector(ICarbonCodes.CodesRevoked.selector, tokenId));
    }

    function test_refuses_a_statement_that_is_not_confirmed() public {
        ICarbonCodes.CodeReport memory report = _report();
        report.statement = "other";
        _expectRefusal(
            report, abi.encodeWithSelector(ICarbonCodes.CodesStatementNotConfirmed.selector, bytes32("other"))
        );
    }

    function test_refuses_another_purpose() public {
        ICarbonCodes.CodeReport memory report = _report();
        report.statement = _confirmed(1);
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesPurposeMismatch.selector, 1, 2));
    }

    function test_refuses_grades_outside_one_to_five() public {
        ICarbonCodes.CodeReport memory report = _report();
        report.grade = 0;
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesGradeInvalid.selector, 0));
        report.grade = 6;
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesGradeInvalid.selector, 6));
    }

    function test_refuses_shares_beyond_the_whole() public {
        ICarbonCodes.CodeReport memory report = _report();
        report.coverageBps = 10_001;
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesShareInvalid.selector, 10_001, 10_000));
        (report.coverageBps, report.attestedBps) = (10_000, 10_002);
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesShareInvalid.selector, 10_002, 10_000));
    }

    function test_refuses_a_code_that_expires_at_once() public {
        ICarbonCodes.CodeReport memory report = _report();
        report.expires = NOW;
        _expectRefusal(report, abi.encodeWithSelector(ICarbonCodes.CodesExpiryInvalid.selector, NOW, NOW));
    }

    function test_refuses_a_minority() public {
        ICarbonCodes.CodeReport memory report = _report();
        Attestation memory attestation = _attest(address(codes), hasher.hash(report), 3);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorQuorumMissing.selector, 2, 3));
        codes.issue(report, attestation);
    }

    function test_a_code_ends_with_its_expiry() public {
        uint256 tokenId = _issueCode(_report());
        VM.warp(NOW + 365 days);

        assertFalse(codes.isValid(tokenId));
    }

    function test_a_code_ends_with_the_restatement_of_its_statement() public {
        uint256 tokenId = _issueCode(_report());
        IEmissionLedger.StatementReport memory report = _statement(2);
        report.supersedes = statement;
        _record(report);

        assertFalse(codes.isValid(tokenId));
    }
}
