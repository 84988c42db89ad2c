// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "./Types.sol";

/// @title Cash at the settlement bank
/// @notice Balances in fen. They arise from receipts that the bank signed, and end in payouts that the bank signed.
/// @dev Law: credited − paid out = sum of balances + pending.
interface ICash {
    /// @notice Thrown when an amount is zero.
    error CashAmountZero();

    /// @notice Thrown when a bank reference is used a second time.
    /// @param bankReference Hash of the bank's receipt number.
    error CashReferenceUsed(bytes32 bankReference);

    /// @notice Thrown when cash is credited to an unknown or closed account.
    /// @param account Account id.
    error CashReceiverInvalid(address account);

    /// @notice Thrown when an account holds too little.
    /// @param account Account id.
    /// @param given Balance (fen).
    /// @param needed Amount (fen).
    error CashInsufficient(address account, uint256 given, uint256 needed);

    /// @notice Thrown when a payout is not pending.
    /// @param payout Id of the payout.
    error CashPayoutUnknown(bytes32 payout);

    /// @notice Thrown when someone else than the market settles.
    /// @param given Caller.
    /// @param needed The market.
    error CashNotMarket(address given, address needed);

    /// @notice Emitted when the bank credits an account.
    /// @param account Account credited.
    /// @param fen Amount (fen).
    /// @param bankReference Hash of the bank's receipt number.
    event CashCredited(address indexed account, uint128 fen, bytes32 bankReference);

    /// @notice Emitted when an account asks for a payout; the amount leaves its balance.
    /// @param payout Id of the payout: the EIP-712 digest of the request.
    /// @param account Account that asks.
    /// @param fen Amount (fen).
    /// @param destination Hash of the bank account.
    event PayoutRequested(bytes32 indexed payout, address indexed account, uint128 fen, bytes32 destination);

    /// @notice Emitted when the bank has paid out.
    /// @param payout Id of the payout.
    /// @param account Account that asked.
    /// @param fen Amount (fen).
    /// @param bankReference Hash of the bank's receipt number.
    event CashPaidOut(bytes32 indexed payout, address indexed account, uint128 fen, bytes32 bankReference);

    /// @notice Emitted when cash moves between accounts.
    /// @param from Account that pays.
    /// @param to Account that is paid.
    /// @param fen Amount (fen).
    event CashMoved(address indexed from, address indexed to, uint128 fen);

    /// @notice Emitted when another market may settle.
    /// @param market The market.
    event CashMarketSet(address indexed market);

    /// @notice Instruction: the bank has received money for an account.
    /// @param account Bank's account.
    /// @param to Account credited.
    /// @param fen Amount (fen).
    /// @param bankReference Hash of the bank's receipt number; used once.
    /// @param nonce Next nonce of the bank's account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct CreditReceipt {
        address account;
        address to;
        uint128 fen;
        bytes32 bankReference;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: an account asks for a payout.
    /// @param account Account that asks.
    /// @param fen Amount (fen).
    /// @param destination Hash of the bank account.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct PayoutRequest {
        address account;
        uint128 fen;
        bytes32 destination;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: the bank has paid out.
    /// @param account Bank's account.
    /// @param payout Id of the payout.
    /// @param bankReference Hash of the bank's receipt number; used once.
    /// @param nonce Next nonce of the bank's account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct PayoutReceipt {
        address account;
        bytes32 payout;
        bytes32 bankReference;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Credits an account.
    /// @param instruction The bank's receipt.
    /// @param signatures Initiator's and approver's signature.
    function credit(CreditReceipt calldata instruction, Signatures calldata signatures) external;

    /// @notice Asks for a payout.
    /// @param instruction The request.
    /// @param signatures Initiator's and approver's signature.
    function requestPayout(PayoutRequest calldata instruction, Signatures calldata signatures) external;

    /// @notice Ends a payout.
    /// @param instruction The bank's receipt.
    /// @param signatures Initiator's and approver's signature.
    function payOut(PayoutReceipt calldata instruction, Signatures calldata signatures) external;

    /// @notice Moves cash as the market settled it.
    /// @dev Warning: the market has checked the accounts' signatures.
    /// @param from Account that pays.
    /// @param to Account that is paid.
    /// @param fen Amount (fen).
    function settle(address from, address to, uint128 fen) external;

    /// @notice Lets a market settle.
    /// @param market The market.
    function setMarket(address market) external;

    /// @notice Balance of an account (fen).
    /// @param account Account id.
    function balanceOf(address account) external view returns (uint256);

    /// @notice A pending payout.
    /// @param payout Id of the payout.
    /// @return account Account that asked; 0 where none is pending.
    /// @return fen Amount (fen).
    function payoutOf(bytes32 payout) external view returns (address account, uint128 fen);

    /// @notice Totals since the beginning.
    /// @return credited Sum of credits (fen).
    /// @return paidOut Sum of payouts done (fen).
    /// @return pending Sum of payouts asked and not done (fen).
    function totals() external view returns (uint256 credited, uint256 paidOut, uint256 pending);
}
