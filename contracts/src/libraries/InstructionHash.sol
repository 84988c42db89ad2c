// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../interfaces/IAccounts.sol";
import {ICarbonCodes} from "../interfaces/ICarbonCodes.sol";
import {IEmissionLedger} from "../interfaces/IEmissionLedger.sol";
import {IMandate} from "../interfaces/IMandate.sol";

/// @title EIP-712 struct hashes of the instructions about accounts, carriers, statements and codes
library InstructionHash {
    bytes32 internal constant CHANGE_REPRESENTATIVE = keccak256(
        "ChangeRepresentative(address account,address key,uint8 rights,uint64 nonce,uint64 deadline)"
    );
    bytes32 internal constant CALL = keccak256("Call(address target,bytes data,uint64 nonce,uint64 deadline)");
    bytes32 internal constant CALL_BATCH =
        keccak256("CallBatch(address[] targets,bytes[] data,uint64 nonce,uint64 deadline)");
    bytes32 internal constant ROTATE_KEY =
        keccak256("RotateKey(bytes32 idHash,uint8 suite,bytes publicKey,uint64 fromSeq)");
    bytes32 internal constant SUBMIT_STATEMENT =
        keccak256("SubmitStatement(address account,bytes32 statement,uint64 nonce,uint64 deadline)");
    bytes32 internal constant VERIFY_STATEMENT = keccak256(
        "VerifyStatement(address account,bytes32 statement,uint8 opinion,bytes32 findingsDigest,"
        "uint64 nonce,uint64 deadline)"
    );
    bytes32 internal constant CONFIRM_STATEMENT =
        keccak256("ConfirmStatement(address account,bytes32 statement,uint64 nonce,uint64 deadline)");
    bytes32 internal constant DECLARE_VALUE_ADDED = keccak256(
        "DeclareValueAdded(address account,bytes32 boundary,uint64 periodStart,uint64 periodEnd,"
        "uint256 valueAddedFen,bytes32 evidenceDigest,uint64 nonce,uint64 deadline)"
    );

    /// @notice Struct hash of a change of representatives.
    function hash(IAccounts.ChangeRepresentative calldata i) internal pure returns (bytes32) {
        return keccak256(abi.encode(CHANGE_REPRESENTATIVE, i));
    }

    /// @notice Struct hash of a governed call.
    function hash(IMandate.Call calldata c) internal pure returns (bytes32) {
        return keccak256(abi.encode(CALL, c.target, keccak256(c.data), c.nonce, c.deadline));
    }

    /// @notice Struct hash of several governed calls.
    function hash(IMandate.CallBatch calldata b) internal pure returns (bytes32) {
        bytes32[] memory data = new bytes32[](b.data.length);
        for (uint256 i = 0; i < data.length; ++i) {
            data[i] = keccak256(b.data[i]);
        }
        bytes32 targets = keccak256(abi.encodePacked(b.targets));
        return keccak256(abi.encode(CALL_BATCH, targets, keccak256(abi.encodePacked(data)), b.nonce, b.deadline));
    }

    /// @notice Struct hash of a key rotation.
    function hashRotation(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ROTATE_KEY, idHash, suite, keccak256(publicKey), fromSeq));
    }

    /// @notice Struct hash of a submission.
    function hash(IEmissionLedger.SubmitStatement calldata i) internal pure returns (bytes32) {
        return keccak256(abi.encode(SUBMIT_STATEMENT, i));
    }

    /// @notice Struct hash of a verifier's opinion.
    function hash(IEmissionLedger.VerifyStatement calldata i) internal pure returns (bytes32) {
        return keccak256(abi.encode(VERIFY_STATEMENT, i));
    }

    /// @notice Struct hash of a confirmation.
    function hash(IEmissionLedger.ConfirmStatement calldata i) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONFIRM_STATEMENT, i));
    }

    /// @notice Struct hash of a declaration of value added.
    function hash(ICarbonCodes.DeclareValueAdded calldata i) internal pure returns (bytes32) {
        return keccak256(abi.encode(DECLARE_VALUE_ADDED, i));
    }
}
