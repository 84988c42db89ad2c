// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CarbonCodes as Shipped} from "../../src/CarbonCodes.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";

/// @title A later edition that upgrades are tried on
contract CarbonCodes is Shipped {
    constructor(
        address authority,
        IAccounts accounts,
        IReadingAnchor anchor,
        IEmissionLedger ledger,
        ICarbonCodes predecessor_
    ) Shipped(authority, accounts, anchor, ledger, predecessor_) {}

    /// @notice What the shipped edition does not have.
    function edition() external pure returns (uint256) {
        return 2;
    }
}
