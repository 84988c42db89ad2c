// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRulebook} from "../../src/interfaces/IRulebook.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract RulebookBlockRulesTest is LedgerTest {
    function test_tells_the_rules_of_the_block_trade() public view {
        IRulebook.BlockRules memory rules = rulebook.blockRules(NOW);
        assertEq(rules.minTonnes, 100_000);
        assertEq(rules.bandBps, 3000);
        assertEq(rules.openS, 46_800);
        assertEq(rules.closeS, 54_000);
        assertTrue(rules.workingDay);
    }

    function test_follows_a_dated_change_without_being_called_again() public {
        rulebook.set("block.min_tonnes", NOW + 100, 50_000, "Art. 17", "digest");
        rulebook.set("block.min_tonnes", NOW + 200, 20_000, "Art. 17", "digest");

        assertEq(rulebook.blockRules(NOW).minTonnes, 100_000);
        assertEq(rulebook.blockRules(NOW + 99).minTonnes, 100_000);
        assertEq(rulebook.blockRules(NOW + 100).minTonnes, 50_000);
        assertEq(rulebook.blockRules(NOW + 200).minTonnes, 20_000);
        assertEq(rulebook.blockRules(NOW - 1).minTonnes, 100_000);
    }

    function test_anyone_may_keep_the_present_rules_at_hand() public {
        rulebook.set("block.min_tonnes", NOW + 100, 50_000, "Art. 17", "digest");
        VM.warp(NOW + 100);
        VM.prank(addressOf("stranger"));
        rulebook.cacheBlockRules();

        assertEq(rulebook.blockRules(NOW + 100).minTonnes, 50_000);
        assertEq(rulebook.blockRules(NOW).minTonnes, 100_000);
    }

    function test_refuses_before_all_rules_are_set() public {
        IRulebook fresh = IRulebook(_create("Rulebook", abi.encode(manager)));
        fresh.set("block.min_tonnes", 1, 1, "Art. 17", "digest");
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNoValue.selector, bytes32("block.band_bps"), NOW));
        fresh.blockRules(NOW);
    }

    /// @dev With or without the rules at hand, the answer is that of the single rules.
    function testFuzz_agrees_with_the_single_rules(uint16[4] calldata steps, uint16 warp, uint16 time) public {
        uint64 from = NOW - 30_000;
        for (uint256 i = 0; i < steps.length; ++i) {
            from += uint64(steps[i]) + 1;
            rulebook.set("block.band_bps", from, int256(i), "Art. 18", "digest");
            rulebook.set("block.min_tonnes", from + 7, int256(i), "Art. 17", "digest");
        }
        VM.warp(NOW + warp);
        rulebook.cacheBlockRules();

        uint64 asked = NOW - 30_000 + time;
        IRulebook.BlockRules memory rules = rulebook.blockRules(asked);
        assertEq(int256(uint256(rules.bandBps)), rulebook.valueAt("block.band_bps", asked));
        assertEq(int256(uint256(rules.minTonnes)), rulebook.valueAt("block.min_tonnes", asked));
    }
}
