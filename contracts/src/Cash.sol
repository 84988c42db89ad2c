// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {ICash} from "./interfaces/ICash.sol";
import {AccountStatus, Kind, Signatures} from "./interfaces/Types.sol";
import {SettlementHash} from "./libraries/SettlementHash.sol";

/// @title Cash
contract Cash is ICash, AccessManaged, InstructionTaker {
    using SettlementHash for CreditReceipt;
    using SettlementHash for PayoutRequest;
    using SettlementHash for PayoutReceipt;

    struct Payout {
        address account;
        uint128 fen;
    }

    address private _market;
    uint256 private _credited;
    uint256 private _paidOut;
    uint256 private _pending;
    mapping(address account => uint256 fen) private _balances;
    mapping(address bank => mapping(bytes32 bankReference => bool used)) private _references;
    mapping(bytes32 payout => Payout entry) private _payouts;

    constructor(address authority, IAccounts accounts) AccessManaged(authority) InstructionTaker(accounts) {}

    /* BANK RECEIPTS */

    /// @inheritdoc ICash
    function credit(CreditReceipt calldata instruction, Signatures calldata signatures) external {
        if (instruction.fen == 0) revert CashAmountZero();
        (Kind kind, AccountStatus status,) = ACCOUNTS.accountOf(instruction.to);
        if (kind == Kind.None || status == AccountStatus.Closed) revert CashReceiverInvalid(instruction.to);

        _useReference(instruction.account, instruction.bankReference);
        _credited += instruction.fen;
        _balances[instruction.to] += instruction.fen;

        emit CashCredited(instruction.to, instruction.fen, instruction.bankReference);

        _authorise(
            instruction.account, Kind.Bank, instruction.nonce, instruction.deadline, instruction.hash(), signatures
        );
    }

    /// @inheritdoc ICash
    function requestPayout(PayoutRequest calldata instruction, Signatures calldata signatures) external {
        if (instruction.fen == 0) revert CashAmountZero();
        bytes32 structHash = instruction.hash();
        bytes32 payout = _hashTypedDataV4(structHash);

        _debit(instruction.account, instruction.fen);
        _pending += instruction.fen;
        _payouts[payout] = Payout(instruction.account, instruction.fen);

        emit PayoutRequested(payout, instruction.account, instruction.fen, instruction.destination);

        _authorise(
            instruction.account, Kind.None, instruction.nonce, instruction.deadline, structHash, signatures
        );
    }

    /// @inheritdoc ICash
    function payOut(PayoutReceipt calldata instruction, Signatures calldata signatures) external {
        Payout memory payout = _payouts[instruction.payout];
        if (payout.account == address(0)) revert CashPayoutUnknown(instruction.payout);

        _useReference(instruction.account, instruction.bankReference);
        delete _payouts[instruction.payout];
        _pending -= payout.fen;
        _paidOut += payout.fen;

        emit CashPaidOut(instruction.payout, payout.account, payout.fen, instruction.bankReference);

        _authorise(
            instruction.account, Kind.Bank, instruction.nonce, instruction.deadline, instruction.hash(), signatures
        );
    }

    /// @dev Each bank numbers its own receipts: none can use up another's.
    function _useReference(address bank, bytes32 bankReference) private {
        if (_references[bank][bankReference]) revert CashReferenceUsed(bankReference);

        _references[bank][bankReference] = true;
    }

    /* SETTLEMENT */

    /// @inheritdoc ICash
    function settle(address from, address to, uint128 fen) external {
        if (msg.sender != _market) revert CashNotMarket(msg.sender, _market);

        _debit(from, fen);
        _balances[to] += fen;

        emit CashMoved(from, to, fen);
    }

    /// @inheritdoc ICash
    function setMarket(address market) external restricted {
        _market = market;

        emit CashMarketSet(market);
    }

    function _debit(address account, uint128 fen) private {
        uint256 balance = _balances[account];
        if (balance < fen) revert CashInsufficient(account, balance, fen);

        _balances[account] = balance - fen;
    }

    /* VIEWS */

    /// @inheritdoc ICash
    function balanceOf(address account) external view returns (uint256) {
        return _balances[account];
    }

    /// @inheritdoc ICash
    function payoutOf(bytes32 payout) external view returns (address account, uint128 fen) {
        Payout memory entry = _payouts[payout];
        return (entry.account, entry.fen);
    }

    /// @inheritdoc ICash
    function totals() external view returns (uint256 credited, uint256 paidOut, uint256 pending) {
        return (_credited, _paidOut, _pending);
    }
}
