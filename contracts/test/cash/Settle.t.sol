// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICash} from "../../src/interfaces/ICash.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract CashSettleTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _credit(alpha, 700, "receipt");
    }

    function test_the_market_moves_cash() public {
        VM.expectEmit();
        emit ICash.CashMarketSet(address(this));
        cash.setMarket(address(this));
        VM.expectEmit();
        emit ICash.CashMoved(alpha, beta, 300);
        cash.settle(alpha, beta, 300);

        assertEq(cash.balanceOf(alpha), 400);
        assertEq(cash.balanceOf(beta), 300);
    }

    function test_refuses_more_than_the_balance() public {
        cash.setMarket(address(this));
        VM.expectRevert(abi.encodeWithSelector(ICash.CashInsufficient.selector, alpha, 700, 701));
        cash.settle(alpha, beta, 701);
    }

    function test_refuses_anyone_else() public {
        VM.expectRevert(abi.encodeWithSelector(ICash.CashNotMarket.selector, address(this), address(market)));
        cash.settle(alpha, beta, 300);
    }

    function test_refuses_a_stranger_who_would_be_market() public {
        _expectUnauthorized();
        cash.setMarket(address(this));
    }
}
