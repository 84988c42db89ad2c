// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarbonCodes} from "../src/interfaces/ICarbonCodes.sol";
import {LedgerTest} from "./LedgerTest.sol";

/// @dev A confirmed statement of alpha and codes for it.
abstract contract CodeTest is LedgerTest {
    bytes32 internal statement;

    function setUp() public virtual override {
        super.setUp();
        statement = _confirmed(2);
    }

    function _report() internal view returns (ICarbonCodes.CodeReport memory) {
        return ICarbonCodes.CodeReport(statement, 3, 1_500_000, 900_000, "benchmark", 9900, 9500, NOW + 365 days);
    }

    function _issueCode(ICarbonCodes.CodeReport memory report) internal returns (uint256) {
        return codes.issue(report, _attest(address(codes), hasher.hash(report), 13));
    }
}
