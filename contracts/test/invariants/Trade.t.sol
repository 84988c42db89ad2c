// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestBase} from "../TestBase.sol";
import {TradeHandler} from "./TradeHandler.sol";

/// @dev Units are conserved per vintage, cash is conserved, nothing moves without two representatives.
contract TradeInvariantTest is TestBase {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    TradeHandler private handler;

    function setUp() public {
        handler = new TradeHandler();
        handler.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), new bytes4[](11));
        targets[0].selectors[0] = TradeHandler.issue.selector;
        targets[0].selectors[1] = TradeHandler.allocate.selector;
        targets[0].selectors[2] = TradeHandler.cancel.selector;
        targets[0].selectors[3] = TradeHandler.surrender.selector;
        targets[0].selectors[4] = TradeHandler.credit.selector;
        targets[0].selectors[5] = TradeHandler.requestPayout.selector;
        targets[0].selectors[6] = TradeHandler.payOut.selector;
        targets[0].selectors[7] = TradeHandler.trade.selector;
        targets[0].selectors[8] = TradeHandler.cancelAlone.selector;
        targets[0].selectors[9] = TradeHandler.tradeAlone.selector;
        targets[0].selectors[10] = TradeHandler.moveDirectly.selector;
    }

    function invariant_ledger_and_books_agree() public view {
        handler.check();
    }

    /// @dev The campaign above proves nothing unless its acts go through.
    function test_the_handler_moves_quota_and_cash() public {
        handler.issue(0, 1000);
        handler.allocate(0, 0, 500);
        handler.credit(1, 1e12);
        handler.trade(0, 0, 100, 0);
        handler.surrender(0, 10);
        handler.cancel(0, 1, 10);
        handler.requestPayout(0, 5);
        handler.payOut();
        handler.cancelAlone(0, 0, 1);
        handler.tradeAlone(0, 0, 1, 1);
        handler.moveDirectly(0, 0);

        assertEq(handler.acts(), 8);
        handler.check();
    }
}
