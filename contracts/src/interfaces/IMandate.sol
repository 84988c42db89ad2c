// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "./Types.sol";

/// @title An institution's hand in governance
/// @notice Holds the roles of one institution and does what two of its representatives signed.
/// @dev A mandate must be an authoriser of `Accounts`. It uses the nonce of the institution's account.
interface IMandate {
    /// @notice Thrown when a batch has not one datum for each target, is empty or exceeds the bound.
    /// @param targets Number of targets.
    /// @param data Number of data.
    /// @param needed Greatest number of calls in a batch.
    error MandateBatchInvalid(uint256 targets, uint256 data, uint256 needed);

    /// @notice Thrown when call data are too short to name a function.
    /// @param given Length in bytes.
    /// @param needed Least length in bytes.
    error MandateSelectorMissing(uint256 given, uint256 needed);

    /// @notice Thrown when a call would authorise instructions of an account, which a mandate never does for others.
    /// @param target Contract of the call.
    /// @param selector Function of the call.
    error MandateCallRefused(address target, bytes4 selector);

    /// @notice Emitted when a governed function is called; a call that fails takes it back.
    /// @param target Contract that is called.
    /// @param selector Function that is called.
    /// @param nonce Nonce of the institution's account that was used up.
    event MandateExecuted(address indexed target, bytes4 indexed selector, uint64 nonce);

    /// @notice Instruction: one governed call.
    /// @param target Contract to call.
    /// @param data Selector and arguments.
    /// @param nonce Next nonce of the institution's account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct Call {
        address target;
        bytes data;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: several governed calls in one, all or nothing.
    /// @param targets Contracts to call, in order.
    /// @param data Selector and arguments of each call.
    /// @param nonce Next nonce of the institution's account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct CallBatch {
        address[] targets;
        bytes[] data;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Does one governed call.
    /// @param call The call.
    /// @param signatures Initiator's and approver's signature.
    function execute(Call calldata call, Signatures calldata signatures) external;

    /// @notice Does several governed calls, all or nothing.
    /// @param batch The calls.
    /// @param signatures Initiator's and approver's signature.
    function executeBatch(CallBatch calldata batch, Signatures calldata signatures) external;

    /// @notice The account whose representatives act through this mandate.
    function account() external view returns (address);
}
