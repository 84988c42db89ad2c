// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {CodeTest} from "../CodeTest.sol";
import {VM} from "../Vm.sol";

contract CodesRevokeTest is CodeTest {
    uint256 private tokenId;

    function setUp() public override {
        super.setUp();
        tokenId = _issueCode(_report());
    }

    function test_a_revoked_code_stays_and_is_no_longer_valid() public {
        VM.expectEmit();
        emit ICarbonCodes.CodeRevoked(tokenId, "reason");
        codes.revoke(tokenId, "reason");

        assertFalse(codes.isValid(tokenId));
        assertTrue(codes.codeOf(tokenId).revoked);
        assertEq(IERC721(address(codes)).ownerOf(tokenId), alpha);
        assertEq(codes.liveCode(statement), 0);
    }

    function test_another_code_may_follow() public {
        codes.revoke(tokenId, "reason");
        ICarbonCodes.CodeReport memory report = _report();
        report.grade = 4;

        assertTrue(codes.isValid(_issueCode(report)));
    }

    function test_refuses_to_revoke_twice() public {
        codes.revoke(tokenId, "reason");
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesRevoked.selector, tokenId));
        codes.revoke(tokenId, "reason");
    }

    function test_refuses_an_unknown_code() public {
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesUnknown.selector, 7));
        codes.revoke(7, "reason");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        codes.revoke(tokenId, "reason");
    }
}
