// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Dated rules with their articles, and the calendar of working days
/// @notice Every number of the market and of the compliance year stands here with the article it comes from.
interface IRulebook {
    /// @notice Thrown when a rule has no value at a time.
    /// @param name ASCII name of the rule, right padded with zeros.
    /// @param time Time asked for (unix s).
    error RulebookNoValue(bytes32 name, uint64 time);

    /// @notice Thrown when a new value does not start after the last one.
    /// @param name ASCII name of the rule.
    /// @param given Start of the new value (unix s).
    /// @param needed Earliest start that would do (unix s).
    error RulebookNotAfter(bytes32 name, uint64 given, uint64 needed);

    /// @notice Thrown when a value does not fit its 192 bits.
    /// @param name ASCII name of the rule.
    /// @param given Value of the call.
    error RulebookValueTooLarge(bytes32 name, int256 given);

    /// @notice Thrown when a rule of the block trade has a value that the market cannot read.
    /// @param name ASCII name of the rule.
    /// @param given Value of the call.
    /// @param needed Greatest value; the least is 0.
    error RulebookValueOutOfRange(bytes32 name, int256 given, int256 needed);

    /// @notice Thrown when the calendar of the year of a time is not set.
    /// @param time Time asked for (unix s).
    error RulebookNoCalendar(uint64 time);

    /// @notice Thrown when a year is outside the calendar.
    /// @param given Local year of the call.
    /// @param least First year that would do.
    /// @param greatest Last year that would do.
    error RulebookYearInvalid(uint16 given, uint16 least, uint16 greatest);

    /// @notice Emitted when a rule gets a value from a date on.
    /// @param name ASCII name of the rule.
    /// @param from Start of the value (unix s).
    /// @param value The value, in the unit that the name tells.
    /// @param article Article of the regulation.
    /// @param articleDigest SHA-256 of the article's text.
    event RuleSet(bytes32 indexed name, uint64 from, int256 value, string article, bytes32 articleDigest);

    /// @notice Emitted when the working days of a year are set.
    /// @param year Local year.
    /// @param bitmap Bit d is set where day d of the year (0 = 1 January) is a working day.
    event WorkingDaysSet(uint16 indexed year, uint256[2] bitmap);

    /// @notice What the market needs to judge a block trade, read in one call.
    /// @param minTonnes Least quantity of a block trade (t).
    /// @param bandBps Greatest distance of the price from the reference price (1/10,000).
    /// @param openS Start of the session (s of the local day).
    /// @param closeS End of the session, not included (s of the local day).
    /// @param workingDay Whether the local day is a working day.
    struct BlockRules {
        uint128 minTonnes;
        uint16 bandBps;
        uint24 openS;
        uint24 closeS;
        bool workingDay;
    }

    /// @notice Gives a rule a value from a date on.
    /// @param name ASCII name of the rule, right padded with zeros.
    /// @param from Start of the value (unix s), strictly after the last start of that name.
    /// @param value The value, in the unit that the name tells.
    /// @param article Article of the regulation.
    /// @param articleDigest SHA-256 of the article's text.
    function set(bytes32 name, uint64 from, int256 value, string calldata article, bytes32 articleDigest) external;

    /// @notice Sets the working days of a year.
    /// @param year Local year.
    /// @param bitmap Bit d is set where day d of the year (0 = 1 January) is a working day.
    function setWorkingDays(uint16 year, uint256[2] calldata bitmap) external;

    /// @notice Keeps the present rules of the block trade at hand, so that a trade reads one slot. Anyone may call it
    /// after a dated change came into force; the rules are the same without it, only dearer to read.
    function cacheBlockRules() external;

    /// @notice Value of a rule at a time.
    /// @param name ASCII name of the rule.
    /// @param time Time (unix s).
    function valueAt(bytes32 name, uint64 time) external view returns (int256);

    /// @notice Whether the local day (UTC+8) of a time is a working day.
    /// @param time Time (unix s).
    function isWorkingDay(uint64 time) external view returns (bool);

    /// @notice The rules of the block trade at a time.
    /// @param time Time (unix s).
    function blockRules(uint64 time) external view returns (BlockRules memory);
}
