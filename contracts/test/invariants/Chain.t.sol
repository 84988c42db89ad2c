// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestBase} from "../TestBase.sol";
import {ChainHandler} from "./ChainHandler.sol";

/// @dev The chain of heads has no gap, no fork and no report that a quorum did not sign.
contract ChainInvariantTest is TestBase {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    ChainHandler private handler;

    function setUp() public {
        handler = new ChainHandler();
        handler.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), new bytes4[](3));
        targets[0].selectors[0] = ChainHandler.submit.selector;
        targets[0].selectors[1] = ChainHandler.configure.selector;
        targets[0].selectors[2] = ChainHandler.submitWrongly.selector;
    }

    function invariant_every_head_follows_the_one_before() public view {
        handler.check();
    }

    /// @dev The campaign above proves nothing unless its reports go through.
    function test_the_handler_anchors() public {
        handler.submit(0, 10, 0);
        handler.configure();
        handler.submit(1, 10, 3);
        handler.submit(0, 0, 4);
        handler.submitWrongly(0, 0, 5);

        assertEq(handler.anchored(), 3);
        handler.check();
    }
}
