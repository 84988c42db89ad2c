// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {IEmissionLedger} from "./interfaces/IEmissionLedger.sol";
import {IReadingAnchor} from "./interfaces/IReadingAnchor.sol";
import {Attestation, Kind, Signatures} from "./interfaces/Types.sol";
import {InstructionHash} from "./libraries/InstructionHash.sol";
import {ReportHash} from "./libraries/ReportHash.sol";

/// @title EmissionLedger
contract EmissionLedger is IEmissionLedger, AccessManaged, InstructionTaker {
    using ReportHash for StatementReport;
    using InstructionHash for SubmitStatement;
    using InstructionHash for VerifyStatement;
    using InstructionHash for ConfirmStatement;

    struct Boundary {
        address account;
        bytes32 digest;
    }

    struct Statement {
        bytes32 boundary;
        int256 grams;
        uint64 periodStart;
        uint64 periodEnd;
        uint8 purpose;
        StatementStatus status;
    }

    /// @dev Purposes run from 1 (ets_direct) to this one (park).
    uint8 private constant LAST_PURPOSE = 4;

    /// @dev Opinion that leaves a statement submitted.
    uint8 private constant ADVERSE = 3;

    /// @notice Members and streams that statements rest on.
    IReadingAnchor public immutable ANCHOR;

    mapping(bytes32 boundary => Boundary entry) private _boundaries;
    mapping(bytes32 statement => Statement entry) private _statements;
    mapping(bytes32 key => bytes32 statement) private _live;

    constructor(address authority, IAccounts accounts, IReadingAnchor anchor)
        AccessManaged(authority)
        InstructionTaker(accounts)
    {
        ANCHOR = anchor;
    }

    /* BOUNDARIES */

    /// @inheritdoc IEmissionLedger
    function registerBoundary(bytes32 boundary, address account, bytes calldata content) external restricted {
        if (_boundaries[boundary].account != address(0)) revert LedgerBoundaryRegistered(boundary);
        (Kind kind,,) = ACCOUNTS.accountOf(account);
        if (kind == Kind.None) revert LedgerAccountUnknown(account);

        bytes32 digest = sha256(content);
        _boundaries[boundary] = Boundary(account, digest);

        emit BoundaryRegistered(boundary, account, digest, content);
    }

    /* STATEMENTS */

    /// @inheritdoc IEmissionLedger
    function record(StatementReport calldata report, Attestation calldata attestation) external {
        bytes32 statement = report.hash();
        if (_statements[statement].status != StatementStatus.None) revert LedgerAlreadyRecorded(statement);
        _requireSound(report);
        bytes32 key = _key(report.boundary, report.periodStart, report.periodEnd, report.purpose);
        bytes32 live = _live[key];
        if (report.supersedes != live) revert LedgerSupersedesMismatch(report.supersedes, live);
        ANCHOR.requireQuorum(_hashTypedDataV4(statement), attestation);

        if (live != 0) _statements[live].status = StatementStatus.Superseded;
        _live[key] = statement;
        _statements[statement] = Statement(
            report.boundary,
            report.grams,
            report.periodStart,
            report.periodEnd,
            report.purpose,
            StatementStatus.Recorded
        );

        if (live != 0) emit StatementSuperseded(live, statement);
        emit StatementRecorded(statement, report.boundary, report, attestation.signers);
    }

    function _requireSound(StatementReport calldata report) private view {
        Boundary memory boundary = _boundaries[report.boundary];
        if (boundary.account == address(0)) revert LedgerBoundaryUnknown(report.boundary);
        if (report.boundaryDigest != boundary.digest) {
            revert LedgerBoundaryMismatch(report.boundaryDigest, boundary.digest);
        }
        if (report.periodStart >= report.periodEnd) revert LedgerPeriodInvalid(report.periodStart, report.periodEnd);
        if (report.purpose == 0 || report.purpose > LAST_PURPOSE) revert LedgerPurposeUnknown(report.purpose);
        (, uint64 anchored,,) = ANCHOR.head(report.streamId);
        if (report.firstBatch > report.lastBatch || report.lastBatch >= anchored) {
            revert LedgerBatchesInvalid(report.firstBatch, report.lastBatch, anchored);
        }
    }

    /// @inheritdoc IEmissionLedger
    function submit(SubmitStatement calldata instruction, Signatures calldata signatures) external {
        Statement storage entry = _inStatus(instruction.statement, StatementStatus.Recorded);
        address owner = _boundaries[entry.boundary].account;
        if (instruction.account != owner) revert LedgerNotOwner(instruction.account, owner);

        entry.status = StatementStatus.Submitted;

        emit StatementSubmitted(instruction.statement, instruction.account);

        _authorise(
            instruction.account,
            Kind.Enterprise,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /// @inheritdoc IEmissionLedger
    function verify(VerifyStatement calldata instruction, Signatures calldata signatures) external {
        Statement storage entry = _inStatus(instruction.statement, StatementStatus.Submitted);
        uint8 opinion = instruction.opinion;
        if (opinion == 0 || opinion > ADVERSE) revert LedgerOpinionUnknown(opinion);

        if (opinion != ADVERSE) entry.status = StatementStatus.Verified;

        emit StatementVerified(instruction.statement, instruction.account, opinion, instruction.findingsDigest);

        _authorise(
            instruction.account,
            Kind.Verifier,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /// @inheritdoc IEmissionLedger
    function confirm(ConfirmStatement calldata instruction, Signatures calldata signatures) external {
        Statement storage entry = _inStatus(instruction.statement, StatementStatus.Verified);

        entry.status = StatementStatus.Confirmed;

        emit StatementConfirmed(instruction.statement, instruction.account);

        _authorise(
            instruction.account,
            Kind.Regulator,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    function _inStatus(bytes32 statement, StatementStatus needed) private view returns (Statement storage entry) {
        entry = _statements[statement];
        if (entry.status != needed) revert LedgerStatusMismatch(statement, entry.status, needed);
    }

    function _key(bytes32 boundary, uint64 periodStart, uint64 periodEnd, uint8 purpose)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(boundary, periodStart, periodEnd, purpose));
    }

    /* VIEWS */

    /// @inheritdoc IEmissionLedger
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
        )
    {
        Statement memory entry = _statements[statement];
        return (
            entry.status,
            entry.boundary,
            _boundaries[entry.boundary].account,
            entry.periodStart,
            entry.periodEnd,
            entry.purpose,
            entry.grams
        );
    }

    /// @inheritdoc IEmissionLedger
    function liveStatement(bytes32 boundary, uint64 periodStart, uint64 periodEnd, uint8 purpose)
        external
        view
        returns (bytes32)
    {
        return _live[_key(boundary, periodStart, periodEnd, purpose)];
    }

    /// @inheritdoc IEmissionLedger
    function boundaryOf(bytes32 boundary) external view returns (address account, bytes32 digest) {
        Boundary memory entry = _boundaries[boundary];
        return (entry.account, entry.digest);
    }
}
