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

    /// @notice Least quantity of a block trade (t).
    bytes32 public constant BLOCK_MIN_TONNES = "block.min_tonnes";

    /// @notice Greatest distance of a block's price from the reference price (1/10,000).
    bytes32 public constant BLOCK_BAND_BPS = "block.band_bps";

    /// @notice Start of the block session (s of the local day).
    bytes32 public constant BLOCK_OPEN_S = "block.open_s";

    /// @notice End of the block session, not included (s of the local day).
    bytes32 public constant BLOCK_CLOSE_S = "block.close_s";

    mapping(bytes32 name => Entry entry) private _latest;
    mapping(bytes32 name => Entry[] entries) private _history;
    mapping(uint16 year => uint256[2] bitmap) private _workingDays;
    mapping(uint16 year => bool known) private _hasCalendar;

    constructor(address authority) AccessManaged(authority) {}

    /* RULES */

    /// @inheritdoc IRulebook
    function set(bytes32 name, uint64 from, int256 value, string calldata article, bytes32 articleDigest)
        external
        restricted
    {
        Entry memory latest = _latest[name];
        if (latest.from != 0 && from <= latest.from) revert RulebookNotAfter(name, from, latest.from + 1);
        if (from == 0) revert RulebookNotAfter(name, from, 1);
        if (value != int192(value)) revert RulebookValueTooLarge(name, value);
        int256 greatest = _greatest(name);
        if (greatest != 0 && (value < 0 || value > greatest)) revert RulebookValueOutOfRange(name, value, greatest);

        if (latest.from != 0) _history[name].push(latest);
        _latest[name] = Entry(from, int192(value));

        emit RuleSet(name, from, value, article, articleDigest);
    }

    /// @inheritdoc IRulebook
    function valueAt(bytes32 name, uint64 time) public view returns (int256) {
        Entry memory latest = _latest[name];
        if (latest.from != 0 && latest.from <= time) return latest.value;

        Entry[] storage entries = _history[name];
        uint256 low = 0;
        uint256 high = entries.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].from <= time) low = middle + 1;
            else high = middle;
        }
        if (low == 0) revert RulebookNoValue(name, time);

        return entries[low - 1].value;
    }

    /// @inheritdoc IRulebook
    function blockRules(uint64 time) external view returns (BlockRules memory rules) {
        rules.minTonnes = uint128(uint256(valueAt(BLOCK_MIN_TONNES, time)));
        rules.bandBps = uint16(uint256(valueAt(BLOCK_BAND_BPS, time)));
        rules.openS = uint24(uint256(valueAt(BLOCK_OPEN_S, time)));
        rules.closeS = uint24(uint256(valueAt(BLOCK_CLOSE_S, time)));
        rules.workingDay = isWorkingDay(time);
    }

    /// @dev Greatest value of a rule that the market reads; 0 for any other rule.
    function _greatest(bytes32 name) private pure returns (int256) {
        if (name == BLOCK_MIN_TONNES) return int256(uint256(type(uint128).max));
        if (name == BLOCK_BAND_BPS) return 10_000;
        if (name == BLOCK_OPEN_S || name == BLOCK_CLOSE_S) return 1 days;
        return 0;
    }

    /* WORKING DAYS */

    /// @inheritdoc IRulebook
    function setWorkingDays(uint16 year, uint256[2] calldata bitmap) external restricted {
        _workingDays[year] = bitmap;
        _hasCalendar[year] = true;

        emit WorkingDaysSet(year, bitmap);
    }

    /// @inheritdoc IRulebook
    function isWorkingDay(uint64 time) public view returns (bool) {
        (uint16 year, uint16 day) = Calendar.yearAndDay(time);
        if (_workingDays[year][day / 256] >> (day % 256) & 1 == 1) return true;
        if (!_hasCalendar[year]) revert RulebookNoCalendar(year);

        return false;
    }
}
