// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rulebook as Shipped} from "../../src/Rulebook.sol";

/// @title A later edition that upgrades are tried on
contract Rulebook is Shipped {
    constructor(address authority) Shipped(authority) {}

    /// @notice What the shipped edition does not have.
    function edition() external pure returns (uint256) {
        return 2;
    }
}
