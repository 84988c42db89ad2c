// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VM} from "./Vm.sol";

/// @dev Comparisons that tell both sides. The engine runs every function whose name starts with `test`.
abstract contract TestBase {
    error NotEqual(uint256 given, uint256 needed);
    error NotEqualInt(int256 given, int256 needed);
    error NotEqualWord(bytes32 given, bytes32 needed);
    error NotEqualAddress(address given, address needed);
    error NotEqualBytes(bytes given, bytes needed);
    error NotTrue();
    error AboveLimit(uint256 given, uint256 limit);

    function assertEq(uint256 given, uint256 needed) internal pure {
        if (given != needed) revert NotEqual(given, needed);
    }

    function assertEq(int256 given, int256 needed) internal pure {
        if (given != needed) revert NotEqualInt(given, needed);
    }

    function assertEq(bytes32 given, bytes32 needed) internal pure {
        if (given != needed) revert NotEqualWord(given, needed);
    }

    function assertEq(address given, address needed) internal pure {
        if (given != needed) revert NotEqualAddress(given, needed);
    }

    function assertEq(bytes memory given, bytes memory needed) internal pure {
        if (keccak256(given) != keccak256(needed)) revert NotEqualBytes(given, needed);
    }

    function assertTrue(bool given) internal pure {
        if (!given) revert NotTrue();
    }

    function assertFalse(bool given) internal pure {
        if (given) revert NotTrue();
    }

    function assertAtMost(uint256 given, uint256 limit) internal pure {
        if (given > limit) revert AboveLimit(given, limit);
    }

    /// @dev A value in [low, high] that depends on `x` alone.
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }

    /// @dev secp256k1 key of a name.
    function keyOf(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name))) >> 1;
    }

    function addressOf(string memory name) internal pure returns (address) {
        return VM.addr(keyOf(name));
    }
}
