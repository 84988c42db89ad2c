// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Inclusion proofs of an RFC 9162 SHA-256 Merkle tree
library LogInclusion {
    /// @notice Whether an entry stands at an index of a tree (RFC 9162, 2.1.3.2).
    /// @param entry Entry, 32 bytes; its leaf hash is SHA-256(0x00 ‖ entry).
    /// @param index Position of the entry.
    /// @param size Number of entries of the tree.
    /// @param path Inclusion path, from the leaf upward.
    /// @param root Root of the tree.
    function verify(bytes32 entry, uint256 index, uint256 size, bytes32[] calldata path, bytes32 root)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        bytes32 node = sha256(abi.encodePacked(bytes1(0x00), entry));
        uint256 last = size - 1;
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) return false;
            if (index % 2 == 1 || index == last) {
                node = sha256(abi.encodePacked(bytes1(0x01), path[i], node));
                while (index % 2 == 0 && index != 0) {
                    index /= 2;
                    last /= 2;
                }
            } else {
                node = sha256(abi.encodePacked(bytes1(0x01), node, path[i]));
            }
            index /= 2;
            last /= 2;
        }
        return last == 0 && node == root;
    }
}
