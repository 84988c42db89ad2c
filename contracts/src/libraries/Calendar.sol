// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Local calendar, UTC+8 without summer time
/// @dev Local days are numbered from 1 January 1970.
library Calendar {
    /// @dev Offset of local time (s).
    uint256 private constant OFFSET_S = 8 hours;

    /// @dev Leap days of the Gregorian calendar from year 1 to 1969.
    uint256 private constant LEAP_DAYS_BEFORE_1970 = 477;

    /// @notice Second of the local day.
    /// @param time Time (unix s).
    function secondOfDay(uint64 time) internal pure returns (uint24) {
        return uint24((time + OFFSET_S) % 1 days);
    }

    /// @notice Number of the local day.
    /// @param time Time (unix s).
    function dayOf(uint64 time) internal pure returns (uint256) {
        return (time + OFFSET_S) / 1 days;
    }

    /// @notice Number of the day 1 January of a year.
    /// @param year Year of the Gregorian calendar, at least 1970.
    function firstDayOf(uint256 year) internal pure returns (uint256) {
        uint256 past = year - 1;
        return 365 * (year - 1970) + (past / 4 - past / 100 + past / 400) - LEAP_DAYS_BEFORE_1970;
    }

    /// @notice Number of days of a year.
    /// @param year Year of the Gregorian calendar, at least 1970.
    function daysOf(uint256 year) internal pure returns (uint256) {
        return firstDayOf(year + 1) - firstDayOf(year);
    }
}
