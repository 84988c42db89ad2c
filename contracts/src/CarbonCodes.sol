// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {ICarbonCodes} from "./interfaces/ICarbonCodes.sol";
import {IEmissionLedger} from "./interfaces/IEmissionLedger.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {IReadingAnchor} from "./interfaces/IReadingAnchor.sol";
import {Attestation, Kind, Signatures} from "./interfaces/Types.sol";
import {InstructionHash} from "./libraries/InstructionHash.sol";
import {ReportHash} from "./libraries/ReportHash.sol";

/// @title CarbonCodes
contract CarbonCodes is ICarbonCodes, IERC5192, ERC721, AccessManaged, InstructionTaker {
    using ReportHash for CodeReport;
    using InstructionHash for DeclareValueAdded;

    /// @notice Purpose that codes are issued for: total_with_indirect.
    uint8 public constant PURPOSE = 2;

    /// @notice Greatest number of codes that one step takes over.
    uint256 public constant MAX_ADOPTED = 32;

    /// @dev Grades run from 1 (best) to this one.
    uint8 private constant LAST_GRADE = 5;

    /// @dev The whole, in 1/10,000.
    uint16 private constant WHOLE_BPS = 10_000;

    /// @notice Members that recompute codes.
    IReadingAnchor public immutable ANCHOR;

    /// @notice Statements that codes rest on.
    IEmissionLedger public immutable LEDGER;

    /// @inheritdoc ICarbonCodes
    ICarbonCodes public immutable predecessor;

    /// @inheritdoc ICarbonCodes
    ICarbonCodes public successor;

    /// @inheritdoc ICarbonCodes
    uint64 public total;

    /// @inheritdoc ICarbonCodes
    bool public isComplete;

    mapping(uint256 tokenId => Code code) private _codes;
    mapping(bytes32 statement => uint256 tokenId) private _live;

    constructor(
        address authority,
        IAccounts accounts,
        IReadingAnchor anchor,
        IEmissionLedger ledger,
        ICarbonCodes predecessor_
    )
        ERC721("Carbon-efficiency code", "CEC")
        AccessManaged(authority)
        InstructionTaker(accounts)
    {
        ANCHOR = anchor;
        LEDGER = ledger;
        predecessor = predecessor_;
        isComplete = address(predecessor_) == address(0);
    }

    /* VALUE ADDED */

    /// @inheritdoc ICarbonCodes
    function declareValueAdded(DeclareValueAdded calldata instruction, Signatures calldata signatures) external {
        _requireInOffice();
        (address owner,) = LEDGER.boundaryOf(instruction.boundary);
        if (instruction.account != owner) revert CodesNotOwner(instruction.account, owner);
        if (instruction.periodStart >= instruction.periodEnd) {
            revert CodesPeriodInvalid(instruction.periodStart, instruction.periodEnd);
        }

        emit ValueAddedDeclared(
            instruction.boundary,
            instruction.account,
            instruction.periodStart,
            instruction.periodEnd,
            instruction.valueAddedFen,
            instruction.evidenceDigest
        );

        _authorise(
            instruction.account,
            Kind.Enterprise,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /* CODES */

    /// @inheritdoc ICarbonCodes
    function issue(CodeReport calldata report, Attestation calldata attestation) external returns (uint256 tokenId) {
        _requireInOffice();
        _requireSound(report);
        address account = _requireStatement(report.statement);
        uint256 live = _live[report.statement];
        if (live != 0) revert CodesAlreadyIssued(report.statement, live);
        bytes32 structHash = report.hash();
        tokenId = uint256(structHash);
        if (_ownerOf(tokenId) != address(0)) revert CodesRevoked(tokenId);
        ANCHOR.requireQuorum(_hashTypedDataV4(structHash), attestation);

        _live[report.statement] = tokenId;
        _codes[tokenId] = Code(
            report.statement,
            report.benchmarkDigest,
            report.levelMicro,
            report.ratioMicro,
            report.expires,
            report.coverageBps,
            report.attestedBps,
            report.grade,
            false
        );
        ++total;
        _mint(account, tokenId);

        emit Locked(tokenId);
        emit CodeIssued(tokenId, report.statement, account, report);
    }

    function _requireSound(CodeReport calldata report) private view {
        if (report.grade == 0 || report.grade > LAST_GRADE) revert CodesGradeInvalid(report.grade);
        if (report.coverageBps > WHOLE_BPS) revert CodesShareInvalid(report.coverageBps, WHOLE_BPS);
        if (report.attestedBps > WHOLE_BPS) revert CodesShareInvalid(report.attestedBps, WHOLE_BPS);
        if (report.expires <= block.timestamp) revert CodesExpiryInvalid(report.expires, uint64(block.timestamp));
    }

    function _requireStatement(bytes32 statement) private view returns (address) {
        (IEmissionLedger.StatementStatus status,, address account,,, uint8 purpose,) = LEDGER.statementOf(statement);
        if (status != IEmissionLedger.StatementStatus.Confirmed) revert CodesStatementNotConfirmed(statement);
        if (purpose != PURPOSE) revert CodesPurposeMismatch(purpose, PURPOSE);
        return account;
    }

    /// @inheritdoc ICarbonCodes
    function revoke(uint256 tokenId, bytes32 reason) external restricted {
        _requireInOffice();
        Code storage code = _known(tokenId);
        if (code.revoked) revert CodesRevoked(tokenId);

        code.revoked = true;
        delete _live[code.statement];

        emit CodeRevoked(tokenId, reason);
    }

    /* SUCCESSION */

    /// @inheritdoc ICarbonCodes
    function retire(ICarbonCodes successor_) external restricted {
        _requireInOffice();
        if (successor_.predecessor() != this) revert CodesNotSuccessor(successor_, this);

        successor = successor_;

        emit CodesRetired(successor_, total);
    }

    /// @inheritdoc ICarbonCodes
    function adopt(uint256[] calldata tokenIds) external {
        if (isComplete) revert CodesNothingToAdopt(total);
        if (tokenIds.length > MAX_ADOPTED) revert CodesTooMany(tokenIds.length, MAX_ADOPTED);
        if (predecessor.successor() != this) revert CodesNotSuccessor(this, predecessor);

        for (uint256 i = 0; i < tokenIds.length; ++i) {
            if (_ownerOf(tokenIds[i]) == address(0)) _adopt(tokenIds[i]);
        }
        isComplete = total == predecessor.total();
    }

    /// @dev Everything is read from the predecessor, nothing from the caller: whoever carries this cannot alter a code.
    function _adopt(uint256 tokenId) private {
        Code memory code = predecessor.codeOf(tokenId);
        address account = IERC721(address(predecessor)).ownerOf(tokenId);

        _codes[tokenId] = code;
        if (!code.revoked) _live[code.statement] = tokenId;
        ++total;
        _mint(account, tokenId);

        emit Locked(tokenId);
        emit CodeAdopted(tokenId, code.statement, account);
    }

    function _requireInOffice() private view {
        if (address(successor) != address(0)) revert CodesOutOfOffice(successor);
        if (!isComplete) revert CodesNotComplete(total);
    }

    /* VIEWS */

    /// @inheritdoc ICarbonCodes
    function codeOf(uint256 tokenId) external view returns (Code memory) {
        return _known(tokenId);
    }

    /// @inheritdoc ICarbonCodes
    function liveCode(bytes32 statement) external view returns (uint256) {
        return _live[statement];
    }

    /// @inheritdoc ICarbonCodes
    function isValid(uint256 tokenId) external view returns (bool) {
        if (address(successor) != address(0)) return successor.isValid(tokenId);
        Code storage code = _known(tokenId);
        if (code.revoked || code.expires <= block.timestamp) return false;

        (IEmissionLedger.StatementStatus status,,,,,,) = LEDGER.statementOf(code.statement);
        return status == IEmissionLedger.StatementStatus.Confirmed;
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _known(tokenId);
        return true;
    }

    /// @inheritdoc ERC721
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || super.supportsInterface(interfaceId);
    }

    function _known(uint256 tokenId) private view returns (Code storage code) {
        code = _codes[tokenId];
        if (code.grade == 0) revert CodesUnknown(tokenId);
    }

    /* LOCK */

    /// @inheritdoc ERC721
    function _update(address to, uint256 tokenId, address auth) internal override returns (address) {
        if (_ownerOf(tokenId) != address(0)) revert CodesLocked();

        return super._update(to, tokenId, auth);
    }

    /// @inheritdoc ERC721
    function approve(address, uint256) public pure override {
        revert CodesLocked();
    }

    /// @inheritdoc ERC721
    function setApprovalForAll(address, bool) public pure override {
        revert CodesLocked();
    }
}
