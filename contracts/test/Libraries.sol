// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Calendar} from "../src/libraries/Calendar.sol";
import {CoseReading} from "../src/libraries/CoseReading.sol";
import {LogInclusion} from "../src/libraries/LogInclusion.sol";

/// @dev The pure libraries, reachable from outside.
contract Libraries {
    function split(bytes calldata message, address carriers, bytes32 idHash)
        external
        view
        returns (bytes32 hash, uint64 seq, bytes32 r, bytes32 s)
    {
        bytes calldata payload;
        (payload, seq, r, s) = CoseReading.split(message);
        hash = CoseReading.signedHash(payload, carriers, idHash);
    }

    function verifyInclusion(bytes32 entry, uint256 index, uint256 size, bytes32[] calldata path, bytes32 root)
        external
        pure
        returns (bool)
    {
        return LogInclusion.verify(entry, index, size, path, root);
    }

    function dayOf(uint64 time) external pure returns (uint256) {
        return Calendar.dayOf(time);
    }

    function secondOfDay(uint64 time) external pure returns (uint24) {
        return Calendar.secondOfDay(time);
    }

    function firstDayOf(uint256 year) external pure returns (uint256) {
        return Calendar.firstDayOf(year);
    }
}
