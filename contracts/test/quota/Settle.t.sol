// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaSettleTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _issue(VINTAGE, 500);
        _allocate(alpha, VINTAGE, 100);
    }

    function test_the_market_moves_quota() public {
        VM.expectEmit();
        emit IQuota.QuotaMarketSet(address(this));
        quota.setMarket(address(this));
        quota.settle(alpha, beta, VINTAGE, 30);

        assertEq(IERC1155(address(quota)).balanceOf(beta, VINTAGE), 30);
    }

    function test_refuses_anyone_else() public {
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaNotMarket.selector, address(this), address(market)));
        quota.settle(alpha, beta, VINTAGE, 30);
    }

    function test_refuses_a_stranger_who_would_be_market() public {
        _expectUnauthorized();
        quota.setMarket(address(this));
    }
}
