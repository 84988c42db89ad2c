// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Market as Shipped} from "../../src/Market.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {ICash} from "../../src/interfaces/ICash.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {IRulebook} from "../../src/interfaces/IRulebook.sol";

/// @title A later edition that upgrades are tried on
contract Market is Shipped {
    constructor(address authority, IAccounts accounts, IRulebook rulebook, IQuota quota, ICash cash)
        Shipped(authority, accounts, rulebook, quota, cash)
    {}

    /// @notice What the shipped edition does not have.
    function edition() external pure returns (uint256) {
        return 2;
    }
}
