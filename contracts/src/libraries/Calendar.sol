// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Local calendar, UTC+8 without summer time
library Calendar {
    /// @dev Offset of local time (s).
    uint256 private constant OFFSET_S = 8 hours;

    /// @dev Days from 1 March of year 0 to 1 January 1970.
    uint256 private constant EPOCH_DAY = 719_468;

    /// @notice Second of the local day.
    /// @param time Time (unix s).
    function secondOfDay(uint64 time) internal pure returns (uint24) {
        return uint24((uint256(time) + OFFSET_S) % 1 days);
    }

    /// @notice Local year and day of the year.
    /// @param time Time (unix s).
    /// @return year Year of the Gregorian calendar.
    /// @return day Day of the year, 0 for 1 January.
    function yearAndDay(uint64 time) internal pure returns (uint16 year, uint16 day) {
        // Years run from 1 March here, so that the leap day is the last day of its year.
        uint256 days_ = (uint256(time) + OFFSET_S) / 1 days + EPOCH_DAY;
        uint256 era = days_ / 146_097;
        uint256 dayOfEra = days_ % 146_097;
        uint256 yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        uint256 marchYear = era * 400 + yearOfEra;
        uint256 marchDay = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        if (marchDay >= 306) return (uint16(marchYear + 1), uint16(marchDay - 306));
        return (uint16(marchYear), uint16(marchDay + (_isLeap(marchYear) ? 60 : 59)));
    }

    function _isLeap(uint256 year) private pure returns (bool) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    }
}
