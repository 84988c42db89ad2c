// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {IERC5192} from "../../src/interfaces/IERC5192.sol";
import {CodeTest} from "../CodeTest.sol";
import {VM} from "../Vm.sol";

contract CodesLockTest is CodeTest {
    uint256 private tokenId;
    IERC721 private token;

    function setUp() public override {
        super.setUp();
        tokenId = _issueCode(_report());
        token = IERC721(address(codes));
    }

    function test_tells_that_a_code_is_locked() public {
        assertTrue(IERC5192(address(codes)).locked(tokenId));
        assertTrue(token.supportsInterface(0xb45a3c0e));
        assertTrue(token.supportsInterface(type(IERC721).interfaceId));
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesUnknown.selector, 7));
        IERC5192(address(codes)).locked(7);
    }

    function test_refuses_a_transfer() public {
        VM.prank(alpha);
        VM.expectRevert(ICarbonCodes.CodesLocked.selector);
        token.transferFrom(alpha, beta, tokenId);
    }

    function test_refuses_a_safe_transfer() public {
        VM.prank(alpha);
        VM.expectRevert(ICarbonCodes.CodesLocked.selector);
        token.safeTransferFrom(alpha, beta, tokenId);
    }

    function test_refuses_approvals() public {
        VM.prank(alpha);
        VM.expectRevert(ICarbonCodes.CodesLocked.selector);
        token.approve(beta, tokenId);
        VM.prank(alpha);
        VM.expectRevert(ICarbonCodes.CodesLocked.selector);
        token.setApprovalForAll(beta, true);
    }
}
