// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What an organisation is; decides which instructions its account may give.
enum Kind {
    None,
    Enterprise,
    Verifier,
    Regulator,
    Bank,
    ParkOperator,
    IdentityPlatform
}

/// @notice State of an account. Only an open account gives instructions; a closed one never opens again.
enum AccountStatus {
    None,
    Open,
    Restricted,
    Suspended,
    Frozen,
    Closed
}

/// @dev Right of a representative to start an instruction (bit set, combined by addition).
uint8 constant INITIATE = 1;

/// @dev Right of a representative to approve an instruction that another one started.
uint8 constant APPROVE = 2;

/// @notice Two signatures over one digest, by two distinct representatives of an account.
/// @param initiatorR r of the initiator's signature.
/// @param initiatorVs s of the initiator's signature with the parity in the top bit (EIP-2098).
/// @param approverR r of the approver's signature.
/// @param approverVs s of the approver's signature with the parity in the top bit (EIP-2098).
struct Signatures {
    bytes32 initiatorR;
    bytes32 initiatorVs;
    bytes32 approverR;
    bytes32 approverVs;
}

/// @notice Signatures of oracle members over one digest.
/// @param signers Bit i is set where member i of the current configuration signed.
/// @param signatures 64 bytes (EIP-2098 r, vs) for each set bit, ascending by index, nothing else.
struct Attestation {
    uint256 signers;
    bytes signatures;
}
