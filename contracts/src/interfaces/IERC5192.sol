// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tokens that stay where they were minted (ERC-5192)
/// @dev The ERC-165 identifier of this interface is 0xb45a3c0e.
interface IERC5192 {
    /// @notice Emitted when a token becomes locked.
    /// @param tokenId The token.
    event Locked(uint256 tokenId);

    /// @notice Emitted when a token becomes unlocked; never by this ledger.
    /// @param tokenId The token.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token is locked; reverts for a token that does not exist.
    /// @param tokenId The token.
    function locked(uint256 tokenId) external view returns (bool);
}
