// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Signatures} from "./Types.sol";

/// @title Statements: emissions of a boundary, a period and a purpose
/// @notice A quorum records what its members recomputed; the enterprise submits, a verifier verifies, the regulator
/// confirms. Quantities are grams, signed.
/// @dev A statement's id is the EIP-712 struct hash of its report.
interface IEmissionLedger {
    /// @notice Thrown when a boundary is registered twice.
    /// @param boundary keccak256("ccl/boundary/v1" ‖ name).
    error LedgerBoundaryRegistered(bytes32 boundary);

    /// @notice Thrown when a boundary is not registered.
    /// @param boundary keccak256("ccl/boundary/v1" ‖ name).
    error LedgerBoundaryUnknown(bytes32 boundary);

    /// @notice Thrown when a boundary is registered for an unknown account.
    /// @param account Account id of the call.
    error LedgerAccountUnknown(address account);

    /// @notice Thrown when a report was computed over other content of the boundary.
    /// @param given Digest of the report.
    /// @param needed Digest on chain.
    error LedgerBoundaryMismatch(bytes32 given, bytes32 needed);

    /// @notice Thrown when a period is empty.
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    error LedgerPeriodInvalid(uint64 periodStart, uint64 periodEnd);

    /// @notice Thrown when a purpose is not one of 1 … 4.
    /// @param given Purpose of the report.
    error LedgerPurposeUnknown(uint8 given);

    /// @notice Thrown when a report relies on batches that are not anchored, or on none.
    /// @param firstBatch First batch of the report.
    /// @param lastBatch Last batch of the report.
    /// @param needed Number of anchored batches of the stream.
    error LedgerBatchesInvalid(uint64 firstBatch, uint64 lastBatch, uint64 needed);

    /// @notice Thrown when a report does not supersede exactly the live statement.
    /// @param given Statement that the report supersedes.
    /// @param needed Live statement of boundary, period and purpose; 0 where there is none.
    error LedgerSupersedesMismatch(bytes32 given, bytes32 needed);

    /// @notice Thrown when a statement was recorded before.
    /// @param statement Its id.
    error LedgerAlreadyRecorded(bytes32 statement);

    /// @notice Thrown when a statement is not in the state that an instruction needs.
    /// @param statement Its id.
    /// @param given Status of the statement.
    /// @param needed Status that the instruction needs.
    error LedgerStatusMismatch(bytes32 statement, StatementStatus given, StatementStatus needed);

    /// @notice Thrown when an account submits the statement of another.
    /// @param given Account of the instruction.
    /// @param needed Account of the boundary.
    error LedgerNotOwner(address given, address needed);

    /// @notice Thrown when an opinion is not one of 1 positive, 2 qualified, 3 adverse.
    /// @param given Opinion of the instruction.
    error LedgerOpinionUnknown(uint8 given);

    /// @notice Emitted when a boundary is registered.
    /// @param boundary Its id.
    /// @param account Account that answers for it.
    /// @param digest SHA-256 of the content.
    /// @param content Canonical JSON of the boundary.
    event BoundaryRegistered(bytes32 indexed boundary, address indexed account, bytes32 digest, bytes content);

    /// @notice Emitted when a quorum records a statement.
    /// @param statement Its id.
    /// @param boundary Its boundary.
    /// @param report The whole report.
    /// @param signers Bit set of the members that signed.
    event StatementRecorded(
        bytes32 indexed statement, bytes32 indexed boundary, StatementReport report, uint256 signers
    );

    /// @notice Emitted when the enterprise submits a statement.
    /// @param statement Its id.
    /// @param account Account of the boundary.
    event StatementSubmitted(bytes32 indexed statement, address indexed account);

    /// @notice Emitted when a verifier gives an opinion; an adverse one leaves the statement submitted.
    /// @param statement Its id.
    /// @param verifier Account of the verifier.
    /// @param opinion 1 positive, 2 qualified, 3 adverse.
    /// @param findingsDigest SHA-256 of the findings.
    event StatementVerified(
        bytes32 indexed statement, address indexed verifier, uint8 opinion, bytes32 findingsDigest
    );

    /// @notice Emitted when the regulator confirms a statement.
    /// @param statement Its id.
    /// @param regulator Account of the regulator.
    event StatementConfirmed(bytes32 indexed statement, address indexed regulator);

    /// @notice Emitted when a restatement takes the place of a statement.
    /// @param statement The old one.
    /// @param by The new one.
    event StatementSuperseded(bytes32 indexed statement, bytes32 by);

    /// @notice Life of a statement.
    enum StatementStatus {
        None,
        Recorded,
        Submitted,
        Verified,
        Confirmed,
        Superseded
    }

    /// @notice What the members agree on for one statement.
    /// @param boundary keccak256("ccl/boundary/v1" ‖ name).
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    /// @param purpose 1 ets_direct, 2 total_with_indirect, 3 product, 4 park.
    /// @param streamId Stream of the readings.
    /// @param firstBatch First batch that was read.
    /// @param lastBatch Last batch that was read, included.
    /// @param inputRoot Root over the readings that were used.
    /// @param ruleSetDigest Digest of the rule sets.
    /// @param factorSetDigest Digest of the emission factors.
    /// @param boundaryDigest SHA-256 of the boundary's content.
    /// @param grams Emissions (g CO2e), signed.
    /// @param resultDigest Digest of the statement's document.
    /// @param supersedes Statement that this one restates; 0 for a first one.
    struct StatementReport {
        bytes32 boundary;
        uint64 periodStart;
        uint64 periodEnd;
        uint8 purpose;
        bytes32 streamId;
        uint64 firstBatch;
        uint64 lastBatch;
        bytes32 inputRoot;
        bytes32 ruleSetDigest;
        bytes32 factorSetDigest;
        bytes32 boundaryDigest;
        int256 grams;
        bytes32 resultDigest;
        bytes32 supersedes;
    }

    /// @notice Instruction: an enterprise submits its statement.
    /// @param account Account of the boundary.
    /// @param statement Id of the statement.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct SubmitStatement {
        address account;
        bytes32 statement;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: a verifier gives its opinion on a submitted statement.
    /// @param account Account of the verifier.
    /// @param statement Id of the statement.
    /// @param opinion 1 positive, 2 qualified, 3 adverse.
    /// @param findingsDigest SHA-256 of the findings.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct VerifyStatement {
        address account;
        bytes32 statement;
        uint8 opinion;
        bytes32 findingsDigest;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: the regulator confirms a verified statement.
    /// @param account Account of the regulator.
    /// @param statement Id of the statement.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct ConfirmStatement {
        address account;
        bytes32 statement;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Registers a boundary.
    /// @param boundary keccak256("ccl/boundary/v1" ‖ name).
    /// @param account Account that answers for it.
    /// @param content Canonical JSON of the boundary.
    function registerBoundary(bytes32 boundary, address account, bytes calldata content) external;

    /// @notice Records a statement that a quorum recomputed. Anyone may carry it.
    /// @param report What the members agreed on.
    /// @param attestation Their signatures over the report's EIP-712 digest.
    function record(StatementReport calldata report, Attestation calldata attestation) external;

    /// @notice Submits a recorded statement.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function submit(SubmitStatement calldata instruction, Signatures calldata signatures) external;

    /// @notice Gives an opinion on a submitted statement.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function verify(VerifyStatement calldata instruction, Signatures calldata signatures) external;

    /// @notice Confirms a verified statement.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function confirm(ConfirmStatement calldata instruction, Signatures calldata signatures) external;

    /// @notice What the ledger knows of a statement.
    /// @param statement Its id.
    /// @return status Its status.
    /// @return boundary Its boundary.
    /// @return account Account of the boundary.
    /// @return periodStart Start (unix s).
    /// @return periodEnd End, not included (unix s).
    /// @return purpose 1 ets_direct, 2 total_with_indirect, 3 product, 4 park.
    /// @return grams Emissions (g CO2e).
    function statementOf(bytes32 statement)
        external
        view
        returns (
            StatementStatus status,
            bytes32 boundary,
            address account,
            uint64 periodStart,
            uint64 periodEnd,
            uint8 purpose,
            int256 grams
        );

    /// @notice The live statement of a boundary, a period and a purpose; 0 where there is none.
    /// @param boundary The boundary.
    /// @param periodStart Start (unix s).
    /// @param periodEnd End, not included (unix s).
    /// @param purpose Purpose.
    function liveStatement(bytes32 boundary, uint64 periodStart, uint64 periodEnd, uint8 purpose)
        external
        view
        returns (bytes32);

    /// @notice Account and content digest of a boundary.
    /// @param boundary The boundary.
    /// @return account Account that answers for it; 0 where it is not registered.
    /// @return digest SHA-256 of its content.
    function boundaryOf(bytes32 boundary) external view returns (address account, bytes32 digest);
}
