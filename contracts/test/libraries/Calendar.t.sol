// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Libraries} from "../Libraries.sol";
import {TestBase} from "../TestBase.sol";

contract CalendarTest is TestBase {
    Libraries private libraries = new Libraries();

    function test_the_first_days_of_known_years() public view {
        assertEq(libraries.firstDayOf(1970), 0);
        assertEq(libraries.firstDayOf(1971), 365);
        assertEq(libraries.firstDayOf(1973), 1096);
        assertEq(libraries.firstDayOf(2000), 10_957);
        assertEq(libraries.firstDayOf(2024), 19_723);
        assertEq(libraries.firstDayOf(2025), 20_089);
        assertEq(libraries.firstDayOf(2101), 47_847);
    }

    function test_every_year_is_as_long_as_the_calendar_says() public view {
        for (uint256 year = 1970; year < 2200; ++year) {
            bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            assertEq(libraries.firstDayOf(year + 1) - libraries.firstDayOf(year), isLeap ? 366 : 365);
        }
    }

    function test_the_local_day_begins_at_16_utc() public view {
        assertEq(libraries.dayOf(16 hours - 1), 0);
        assertEq(libraries.dayOf(16 hours), 1);
        assertEq(libraries.secondOfDay(16 hours - 1), 86_399);
        assertEq(libraries.secondOfDay(16 hours), 0);
        assertEq(libraries.secondOfDay(0), 8 hours);
    }

    function testFuzz_day_and_second_make_the_time(uint64 time) public view {
        uint256 local = libraries.dayOf(time) * 1 days + libraries.secondOfDay(time);
        assertEq(local, uint256(time) + 8 hours);
    }
}
