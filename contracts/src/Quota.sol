// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {IEmissionLedger} from "./interfaces/IEmissionLedger.sol";
import {IQuota} from "./interfaces/IQuota.sol";
import {AccountStatus, Kind, Signatures} from "./interfaces/Types.sol";
import {SettlementHash} from "./libraries/SettlementHash.sol";

/// @title Quota
contract Quota is IQuota, ERC1155, AccessManaged, InstructionTaker {
    using SettlementHash for IssueQuota;
    using SettlementHash for AllocateQuota;
    using SettlementHash for SurrenderQuota;
    using SettlementHash for CancelQuota;

    struct Supply {
        uint128 issued;
        uint128 surrendered;
        uint128 cancelled;
    }

    /// @notice Purpose of the statements that make an obligation: ets_direct.
    uint8 public constant PURPOSE = 1;

    /// @dev Grams in a tonne.
    int256 private constant GRAMS = 1e6;

    /// @notice Statements that make obligations.
    IEmissionLedger public immutable LEDGER;

    address private _market;
    mapping(uint16 vintage => Supply supply) private _supplies;
    mapping(bytes32 obligation => uint256 tonnes) private _surrendered;

    constructor(address authority, IAccounts accounts, IEmissionLedger ledger)
        ERC1155("")
        AccessManaged(authority)
        InstructionTaker(accounts)
    {
        LEDGER = ledger;
    }

    /* ISSUE AND ALLOCATION */

    /// @inheritdoc IQuota
    function issue(IssueQuota calldata instruction, Signatures calldata signatures) external {
        if (instruction.vintage < 2000 || instruction.vintage > 2199) revert QuotaVintageInvalid(instruction.vintage);

        _supplies[instruction.vintage].issued += instruction.tonnes;
        _move(address(0), instruction.account, instruction.vintage, instruction.tonnes);

        emit QuotaIssued(instruction.account, instruction.vintage, instruction.tonnes, instruction.document);

        _authorise(
            instruction.account,
            Kind.Regulator,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /// @inheritdoc IQuota
    function allocate(AllocateQuota calldata instruction, Signatures calldata signatures) external {
        (Kind kind, AccountStatus status,) = ACCOUNTS.accountOf(instruction.to);
        if (kind != Kind.Enterprise || status != AccountStatus.Open) revert QuotaReceiverInvalid(instruction.to);

        _move(instruction.account, instruction.to, instruction.vintage, instruction.tonnes);

        emit QuotaAllocated(
            instruction.account, instruction.to, instruction.vintage, instruction.tonnes, instruction.document
        );

        _authorise(
            instruction.account,
            Kind.Regulator,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /* SURRENDER AND CANCELLATION */

    /// @inheritdoc IQuota
    function surrender(SurrenderQuota calldata instruction, Signatures calldata signatures) external {
        (bytes32 obligation, address owner, uint256 due) = _obligation(instruction.statement);
        if (instruction.account != owner) revert QuotaNotOwner(instruction.account, owner);
        uint256 total = _surrendered[obligation] + instruction.tonnes;
        if (total > due) revert QuotaBeyondObligation(total, due);

        _surrendered[obligation] = total;
        _supplies[instruction.vintage].surrendered += instruction.tonnes;
        _move(instruction.account, address(0), instruction.vintage, instruction.tonnes);

        emit QuotaSurrendered(instruction.account, instruction.statement, instruction.vintage, instruction.tonnes);

        _authorise(
            instruction.account,
            Kind.Enterprise,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /// @inheritdoc IQuota
    function cancel(CancelQuota calldata instruction, Signatures calldata signatures) external {
        _supplies[instruction.vintage].cancelled += instruction.tonnes;
        _move(instruction.account, address(0), instruction.vintage, instruction.tonnes);

        emit QuotaCancelled(instruction.account, instruction.vintage, instruction.tonnes, instruction.reason);

        _authorise(
            instruction.account,
            Kind.None,
            instruction.nonce,
            instruction.deadline,
            instruction.hash(),
            signatures
        );
    }

    /// @dev One obligation for a boundary, a period and a purpose, whichever statement stands for it.
    function _obligation(bytes32 statement) private view returns (bytes32 key, address owner, uint256 due) {
        (
            IEmissionLedger.StatementStatus status,
            bytes32 boundary,
            address account,
            uint64 periodStart,
            uint64 periodEnd,
            uint8 purpose,
            int256 grams
        ) = LEDGER.statementOf(statement);
        if (status != IEmissionLedger.StatementStatus.Confirmed) revert QuotaStatementNotConfirmed(statement);
        if (purpose != PURPOSE) revert QuotaPurposeMismatch(purpose, PURPOSE);

        key = _obligationKey(boundary, periodStart, periodEnd);
        due = grams > 0 ? uint256((grams - 1) / GRAMS + 1) : 0;
        return (key, account, due);
    }

    function _obligationKey(bytes32 boundary, uint64 periodStart, uint64 periodEnd) private pure returns (bytes32) {
        return keccak256(abi.encode(boundary, periodStart, periodEnd));
    }

    /* SETTLEMENT */

    /// @inheritdoc IQuota
    function settle(address from, address to, uint16 vintage, uint128 tonnes) external {
        if (msg.sender != _market) revert QuotaNotMarket(msg.sender, _market);

        _move(from, to, vintage, tonnes);
    }

    /// @inheritdoc IQuota
    function setMarket(address market) external restricted {
        _market = market;

        emit QuotaMarketSet(market);
    }

    /// @dev Accounts are ids without code, so there is no receiver to ask.
    function _move(address from, address to, uint16 vintage, uint128 tonnes) private {
        if (tonnes == 0) revert QuotaAmountZero();

        uint256[] memory ids = new uint256[](1);
        uint256[] memory values = new uint256[](1);
        (ids[0], values[0]) = (vintage, tonnes);
        _update(from, to, ids, values);
    }

    /* VIEWS */

    /// @inheritdoc IQuota
    function supplyOf(uint16 vintage)
        external
        view
        returns (uint256 issued, uint256 held, uint256 surrendered, uint256 cancelled)
    {
        Supply memory supply = _supplies[vintage];
        (issued, surrendered, cancelled) = (supply.issued, supply.surrendered, supply.cancelled);
        held = issued - surrendered - cancelled;
    }

    /// @inheritdoc IQuota
    function surrenderedFor(bytes32 statement) external view returns (uint256) {
        (, bytes32 boundary,, uint64 periodStart, uint64 periodEnd, uint8 purpose,) = LEDGER.statementOf(statement);
        return purpose == PURPOSE ? _surrendered[_obligationKey(boundary, periodStart, periodEnd)] : 0;
    }

    /// @inheritdoc IQuota
    function obligationOf(bytes32 statement) external view returns (uint256 due) {
        (,, due) = _obligation(statement);
    }

    /* CLOSED TRANSFERS */

    /// @inheritdoc ERC1155
    function safeTransferFrom(address, address, uint256, uint256, bytes memory) public pure override {
        revert QuotaTransferClosed();
    }

    /// @inheritdoc ERC1155
    function safeBatchTransferFrom(address, address, uint256[] memory, uint256[] memory, bytes memory)
        public
        pure
        override
    {
        revert QuotaTransferClosed();
    }

    /// @inheritdoc ERC1155
    function setApprovalForAll(address, bool) public pure override {
        revert QuotaTransferClosed();
    }
}
