// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Libraries} from "../Libraries.sol";
import {TestBase} from "../TestBase.sol";

contract LogInclusionTest is TestBase {
    Libraries private libraries = new Libraries();

    function _leaf(uint256 i) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"00", bytes32(i)));
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    /// @dev Root of the entries start … start + size − 1, by the recursive definition of RFC 9162, 2.1.1.
    function _root(uint256 start, uint256 size) private pure returns (bytes32) {
        if (size == 1) return _leaf(start);
        uint256 split = _split(size);
        return _node(_root(start, split), _root(start + split, size - split));
    }

    /// @dev Largest power of two below a size.
    function _split(uint256 size) private pure returns (uint256 split) {
        split = 1;
        while (split * 2 < size) split *= 2;
    }

    /// @dev Path by the recursive definition of RFC 9162, 2.1.3.1, from the leaf upward.
    function _path(uint256 index, uint256 start, uint256 size) private pure returns (bytes32[] memory path) {
        if (size == 1) return path;
        uint256 split = _split(size);
        bool isLeft = index < split;
        bytes32[] memory below =
            isLeft ? _path(index, start, split) : _path(index - split, start + split, size - split);
        path = new bytes32[](below.length + 1);
        for (uint256 i = 0; i < below.length; ++i) {
            path[i] = below[i];
        }
        path[below.length] = isLeft ? _root(start + split, size - split) : _root(start, split);
    }

    function test_every_entry_of_every_small_tree_is_included() public view {
        for (uint256 size = 1; size <= 17; ++size) {
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory path = _path(index, 0, size);
                assertTrue(libraries.verifyInclusion(bytes32(index), index, size, path, _root(0, size)));
            }
        }
    }

    function testFuzz_nothing_else_is_included(uint8 size, uint8 index, uint8 other, bytes32 entry) public view {
        size = uint8(bound(size, 2, 64));
        index = uint8(bound(index, 0, size - 1));
        other = uint8(bound(other, 0, 255));
        bytes32 root = _root(0, size);
        bytes32[] memory path = _path(index, 0, size);

        if (other != index) assertFalse(libraries.verifyInclusion(bytes32(uint256(index)), other, size, path, root));
        if (entry != bytes32(uint256(index))) {
            assertFalse(libraries.verifyInclusion(entry, index, size, path, root));
        }
        path[other % path.length] ^= bytes32(uint256(1));
        assertFalse(libraries.verifyInclusion(bytes32(uint256(index)), index, size, path, root));
    }

    function test_refuses_an_index_beyond_the_tree() public view {
        assertFalse(libraries.verifyInclusion(0, 1, 1, new bytes32[](0), _leaf(0)));
        assertFalse(libraries.verifyInclusion(0, 0, 0, new bytes32[](0), sha256("")));
    }

    function test_refuses_a_path_that_is_too_long() public view {
        assertFalse(libraries.verifyInclusion(0, 0, 1, new bytes32[](1), _leaf(0)));
    }

    function test_refuses_a_path_that_is_too_short() public view {
        assertFalse(libraries.verifyInclusion(0, 0, 2, new bytes32[](0), _root(0, 2)));
    }
}
