// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Compact secp256k1 signatures (EIP-2098)
library CompactSignature {
    /// @notice Recovers the key that signed a digest.
    /// @param digest 32 bytes that were signed.
    /// @param r r of the signature.
    /// @param vs s with the parity in the top bit.
    /// @return key Address of the key; zero where s is high or no key recovers.
    function recover(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address key) {
        (key,,) = ECDSA.tryRecover(digest, r, vs);
    }
}
