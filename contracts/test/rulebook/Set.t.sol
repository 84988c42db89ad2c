// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRulebook} from "../../src/interfaces/IRulebook.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract RulebookSetTest is LedgerTest {
    function test_a_value_counts_from_its_date_and_the_old_one_before() public {
        VM.expectEmit();
        emit IRulebook.RuleSet("x", 100, -5, "Art. 1", "digest");
        rulebook.set("x", 100, -5, "Art. 1", "digest");
        rulebook.set("x", 200, 7, "Art. 1", "digest");
        rulebook.set("x", 300, 9, "Art. 1", "digest");

        assertEq(rulebook.valueAt("x", 100), -5);
        assertEq(rulebook.valueAt("x", 199), -5);
        assertEq(rulebook.valueAt("x", 200), 7);
        assertEq(rulebook.valueAt("x", 299), 7);
        assertEq(rulebook.valueAt("x", 300), 9);
        assertEq(rulebook.valueAt("x", type(uint64).max), 9);
    }

    function test_refuses_a_time_before_the_first_value() public {
        rulebook.set("x", 100, 5, "Art. 1", "digest");
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNoValue.selector, bytes32("x"), 99));
        rulebook.valueAt("x", 99);
    }

    function test_refuses_a_rule_without_value() public {
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNoValue.selector, bytes32("y"), NOW));
        rulebook.valueAt("y", NOW);
    }

    function test_refuses_a_value_that_does_not_start_later() public {
        rulebook.set("x", 100, 5, "Art. 1", "digest");
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNotAfter.selector, bytes32("x"), 100, 101));
        rulebook.set("x", 100, 6, "Art. 1", "digest");
    }

    function test_refuses_the_start_zero() public {
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNotAfter.selector, bytes32("x"), 0, 1));
        rulebook.set("x", 0, 6, "Art. 1", "digest");
    }

    function test_refuses_a_value_beyond_192_bits() public {
        int256 value = int256(type(int192).max) + 1;
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookValueTooLarge.selector, bytes32("x"), value));
        rulebook.set("x", 1, value, "Art. 1", "digest");
    }

    function test_refuses_a_band_beyond_the_whole() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IRulebook.RulebookValueOutOfRange.selector, bytes32("block.band_bps"), int256(10_001), int256(10_000)
            )
        );
        rulebook.set("block.band_bps", NOW, 10_001, "Art. 1", "digest");
    }

    function test_refuses_a_negative_least_block() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IRulebook.RulebookValueOutOfRange.selector,
                bytes32("block.min_tonnes"),
                int256(-1),
                int256(uint256(type(uint64).max))
            )
        );
        rulebook.set("block.min_tonnes", NOW, -1, "Art. 1", "digest");
    }

    function test_refuses_a_session_beyond_the_day() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IRulebook.RulebookValueOutOfRange.selector, bytes32("block.close_s"), int256(86_401), int256(86_400)
            )
        );
        rulebook.set("block.close_s", NOW, 86_401, "Art. 1", "digest");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        rulebook.set("x", 1, 1, "Art. 1", "digest");
    }

    /// @dev The search agrees with a walk over all entries.
    function testFuzz_finds_the_last_value_that_started(uint8[9] calldata steps, uint16 time) public {
        uint64 from = 0;
        int256 needed = -1;
        for (uint256 i = 0; i < steps.length; ++i) {
            from += uint64(steps[i]) + 1;
            rulebook.set("x", from, int256(i), "Art. 1", "digest");
            if (from <= time) needed = int256(i);
        }
        if (needed < 0) VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNoValue.selector, bytes32("x"), time));
        int256 given = rulebook.valueAt("x", time);
        if (needed >= 0) assertEq(given, needed);
    }
}
