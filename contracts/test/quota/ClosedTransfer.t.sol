// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaClosedTransferTest is LedgerTest {
    IERC1155 private token;

    function setUp() public override {
        super.setUp();
        token = IERC1155(address(quota));
        _issue(VINTAGE, 500);
        _allocate(alpha, VINTAGE, 100);
    }

    function test_refuses_a_transfer_even_by_the_holder() public {
        VM.prank(alpha);
        VM.expectRevert(IQuota.QuotaTransferClosed.selector);
        token.safeTransferFrom(alpha, beta, VINTAGE, 1, "");
    }

    function test_refuses_a_batch_of_transfers() public {
        VM.prank(alpha);
        VM.expectRevert(IQuota.QuotaTransferClosed.selector);
        token.safeBatchTransferFrom(alpha, beta, new uint256[](1), new uint256[](1), "");
    }

    function test_refuses_an_approval() public {
        VM.prank(alpha);
        VM.expectRevert(IQuota.QuotaTransferClosed.selector);
        token.setApprovalForAll(beta, true);
    }
}
