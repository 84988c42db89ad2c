// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IRulebook} from "./interfaces/IRulebook.sol";
import {Calendar} from "./libraries/Calendar.sol";

/// @title Rulebook
contract Rulebook is IRulebook, AccessManaged {
    /// @dev One slot; a rule's value counts from `from` until the next entry's.
    struct Entry {
        uint64 from;
        int192 value;
    }

    /// @dev One slot: the rules of the block trade for every time in [from, until).
    struct BlockRulesCache {
        uint64 from;
        uint64 until;
        uint64 minTonnes;
        uint16 bandBps;
        uint24 openS;
        uint24 closeS;
    }

    /// @dev 256 local days, numbered by `Calendar`: bit sets of working days and of days whose calendar is set.
    struct Days {
        uint256 working;
        uint256 known;
    }

    /// @notice First year that may have a calendar.
    uint16 public constant FIRST_YEAR = 1970;

    /// @notice Last year that may have a calendar.
    uint16 public constant LAST_YEAR = 2199;

    /// @notice Least quantity of a block trade (t).
    bytes32 public constant BLOCK_MIN_TONNES = "block.min_tonnes";

    /// @notice Greatest distance of a block's price from the reference price (1/10,000).
    bytes32 public constant BLOCK_BAND_BPS = "block.band_bps";

    /// @notice Start of the block session (s of the local day).
    bytes32 public constant BLOCK_OPEN_S = "block.open_s";

    /// @notice End of the block session, not included (s of the local day).
    bytes32 public constant BLOCK_CLOSE_S = "block.close_s";

    /// @dev Greatest value of `block.min_tonnes`, so that the rules of the block trade fit one slot.
    int256 private constant MAX_TONNES = int256(uint256(type(uint64).max));

    mapping(bytes32 name => Entry entry) private _latest;
    mapping(bytes32 name => Entry[] entries) private _history;
    mapping(uint256 word => Days days_) private _days;
    BlockRulesCache private _cache;

    constructor(address authority) AccessManaged(authority) {}

    /* RULES */

    /// @inheritdoc IRulebook
    function set(bytes32 name, uint64 from, int256 value, string calldata article, bytes32 articleDigest)
        external
        restricted
    {
        Entry memory latest = _latest[name];
        if (from <= latest.from) revert RulebookNotAfter(name, from, latest.from + 1);
        if (value != int192(value)) revert RulebookValueTooLarge(name, value);
        int256 greatest = _greatest(name);
        if (greatest != 0 && (value < 0 || value > greatest)) revert RulebookValueOutOfRange(name, value, greatest);

        if (latest.from != 0) _history[name].push(latest);
        _latest[name] = Entry(from, int192(value));
        if (greatest != 0) cacheBlockRules();

        emit RuleSet(name, from, value, article, articleDigest);
    }

    /// @inheritdoc IRulebook
    function valueAt(bytes32 name, uint64 time) external view returns (int256 value) {
        bool isKnown;
        (isKnown, value,) = _find(name, time);
        if (!isKnown) revert RulebookNoValue(name, time);
    }

    /// @dev The value of a rule at a time, and the time from which another one counts.
    function _find(bytes32 name, uint64 time) private view returns (bool isKnown, int256 value, uint64 until) {
        Entry memory latest = _latest[name];
        if (latest.from != 0 && latest.from <= time) return (true, latest.value, type(uint64).max);

        Entry[] storage entries = _history[name];
        uint256 low = 0;
        uint256 high = entries.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].from <= time) low = middle + 1;
            else high = middle;
        }
        if (low == 0) return (false, 0, 0);

        until = low < entries.length ? entries[low].from : latest.from;
        return (true, entries[low - 1].value, until);
    }

    /// @dev Greatest value of a rule that the market reads; 0 for any other rule.
    function _greatest(bytes32 name) private pure returns (int256) {
        if (name == BLOCK_MIN_TONNES) return MAX_TONNES;
        if (name == BLOCK_BAND_BPS) return 10_000;
        if (name == BLOCK_OPEN_S || name == BLOCK_CLOSE_S) return 1 days;
        return 0;
    }

    /* RULES OF THE BLOCK TRADE */

    /// @inheritdoc IRulebook
    function blockRules(uint64 time) external view returns (BlockRules memory) {
        BlockRulesCache memory rules = _cache;
        if (time < rules.from || time >= rules.until) rules = _findBlockRules(time);

        return BlockRules(rules.minTonnes, rules.bandBps, rules.openS, rules.closeS, isWorkingDay(time));
    }

    /// @inheritdoc IRulebook
    function cacheBlockRules() public {
        uint64 time = uint64(block.timestamp);
        bool isComplete = _isKnown(BLOCK_MIN_TONNES, time) && _isKnown(BLOCK_BAND_BPS, time)
            && _isKnown(BLOCK_OPEN_S, time) && _isKnown(BLOCK_CLOSE_S, time);

        if (isComplete) _cache = _findBlockRules(time);
        else delete _cache;
    }

    function _findBlockRules(uint64 time) private view returns (BlockRulesCache memory rules) {
        (rules.from, rules.until) = (time, type(uint64).max);
        rules.minTonnes = uint64(_findPart(rules, BLOCK_MIN_TONNES));
        rules.bandBps = uint16(_findPart(rules, BLOCK_BAND_BPS));
        rules.openS = uint24(_findPart(rules, BLOCK_OPEN_S));
        rules.closeS = uint24(_findPart(rules, BLOCK_CLOSE_S));
    }

    /// @dev The value of one rule at `rules.from`; ends the rules where another value of it counts.
    function _findPart(BlockRulesCache memory rules, bytes32 name) private view returns (uint256) {
        (bool isKnown, int256 value, uint64 until) = _find(name, rules.from);
        if (!isKnown) revert RulebookNoValue(name, rules.from);

        if (until < rules.until) rules.until = until;
        return uint256(value);
    }

    function _isKnown(bytes32 name, uint64 time) private view returns (bool isKnown) {
        (isKnown,,) = _find(name, time);
    }

    /* WORKING DAYS */

    /// @inheritdoc IRulebook
    function setWorkingDays(uint16 year, uint256[2] calldata bitmap) external restricted {
        if (year < FIRST_YEAR || year > LAST_YEAR) revert RulebookYearInvalid(year, FIRST_YEAR, LAST_YEAR);

        uint256 first = Calendar.firstDayOf(year);
        uint256 end = first + Calendar.daysOf(year);
        for (uint256 word = first / 256; word <= (end - 1) / 256; ++word) {
            _setWord(word, first, end, bitmap);
        }

        emit WorkingDaysSet(year, bitmap);
    }

    /// @dev Sets those days of one word of 256 days that lie in the year [first, end).
    function _setWord(uint256 word, uint256 first, uint256 end, uint256[2] calldata bitmap) private {
        Days memory days_ = _days[word];
        for (uint256 bit = 0; bit < 256; ++bit) {
            uint256 day = word * 256 + bit;
            if (day < first || day >= end) continue;
            uint256 mask = 1 << bit;
            bool isWorking = bitmap[(day - first) / 256] >> ((day - first) % 256) & 1 == 1;
            days_.working = isWorking ? days_.working | mask : days_.working & ~mask;
            days_.known |= mask;
        }
        _days[word] = days_;
    }

    /// @inheritdoc IRulebook
    function isWorkingDay(uint64 time) public view returns (bool) {
        uint256 day = Calendar.dayOf(time);
        Days storage days_ = _days[day / 256];
        if (days_.working >> (day % 256) & 1 == 1) return true;
        if (days_.known >> (day % 256) & 1 == 0) revert RulebookNoCalendar(time);

        return false;
    }
}
