// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRulebook} from "../../src/interfaces/IRulebook.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract RulebookSetWorkingDaysTest is LedgerTest {
    /// @dev 1 January 2025, 00:00 local time.
    uint64 private constant NEW_YEAR = 1_735_660_800;

    function test_a_day_is_a_working_day_where_its_bit_is_set() public {
        uint256[2] memory bitmap = [uint256(1) << 1, uint256(1) << (364 - 256)];
        VM.expectEmit();
        emit IRulebook.WorkingDaysSet(2025, bitmap);
        rulebook.setWorkingDays(2025, bitmap);

        assertFalse(rulebook.isWorkingDay(NEW_YEAR));
        assertTrue(rulebook.isWorkingDay(NEW_YEAR + 1 days));
        assertTrue(rulebook.isWorkingDay(NEW_YEAR + 2 days - 1));
        assertFalse(rulebook.isWorkingDay(NEW_YEAR + 2 days));
        assertTrue(rulebook.isWorkingDay(NEW_YEAR + 364 days));
    }

    function test_leaves_the_neighbouring_year_alone() public {
        rulebook.setWorkingDays(2025, [uint256(0), 0]);

        assertTrue(rulebook.isWorkingDay(NEW_YEAR - 1));
        assertFalse(rulebook.isWorkingDay(NEW_YEAR));
    }

    function test_mends_a_calendar() public {
        rulebook.setWorkingDays(2024, [uint256(0), 0]);

        assertFalse(rulebook.isWorkingDay(NOW));
    }

    function test_refuses_a_year_without_calendar() public {
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookNoCalendar.selector, NEW_YEAR));
        rulebook.isWorkingDay(NEW_YEAR);
    }

    function test_refuses_a_year_outside_the_calendar() public {
        VM.expectRevert(abi.encodeWithSelector(IRulebook.RulebookYearInvalid.selector, 1969, 1970, 2199));
        rulebook.setWorkingDays(1969, [uint256(0), 0]);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        rulebook.setWorkingDays(2025, [uint256(0), 0]);
    }
}
