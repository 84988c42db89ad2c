// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract MarketHaltTest is LedgerTest {
    function test_halts_one_vintage() public {
        VM.expectEmit();
        emit IMarket.Halted(VINTAGE, true);
        market.halt(VINTAGE, true);

        assertTrue(market.isHalted(VINTAGE));
        assertFalse(market.isHalted(2025));
        assertFalse(market.isHalted(0));
    }

    function test_halts_the_whole_market_and_lets_it_run_again() public {
        market.halt(0, true);
        assertTrue(market.isHalted(0));
        market.halt(0, false);
        assertFalse(market.isHalted(0));
    }

    function test_a_halted_vintage_stays_halted_when_the_market_runs_again() public {
        market.halt(VINTAGE, true);
        market.halt(0, true);
        market.halt(0, false);

        assertTrue(market.isHalted(VINTAGE));
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        market.halt(0, true);
    }
}
