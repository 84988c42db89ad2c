// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Compact secp256k1 signatures (EIP-2098)
library CompactSignature {
    /// @dev Greatest s of the two that would verify: half the order of the group, rounded down.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Recovers the key that signed a digest.
    /// @dev Warning: compare the result with a known key or look its rights up; zero is nobody's key.
    /// @param digest 32 bytes that were signed.
    /// @param r r of the signature.
    /// @param vs s with the parity in the top bit.
    /// @return key Address of the key; zero where s is high or no key recovers.
    function recover(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address key) {
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return address(0);

        return ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), r, bytes32(s));
    }
}
