// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "./Types.sol";

/// @title Quota by vintage
/// @notice Allowances in whole tonnes, held by accounts; the token id is the vintage year (ERC-1155). They move only by
/// allocation and by the market's settlement, and leave by surrender or cancellation.
/// @dev An account that holds too little is refused with `ERC1155InsufficientBalance` (ERC-6093).
/// Law: issued = held + surrendered + cancelled, for each vintage.
interface IQuota {
    /// @notice Thrown when an amount is zero.
    error QuotaAmountZero();

    /// @notice Thrown when a vintage is not a year of 2000 … 2199.
    /// @param given Vintage of the call.
    error QuotaVintageInvalid(uint16 given);

    /// @notice Thrown when quota is allocated to an account that is no open enterprise.
    /// @param account Account id.
    error QuotaReceiverInvalid(address account);

    /// @notice Thrown when a statement that is not confirmed is to be met.
    /// @param statement The statement.
    error QuotaStatementNotConfirmed(bytes32 statement);

    /// @notice Thrown when a statement does not create an obligation.
    /// @param given Purpose of the statement.
    /// @param needed Purpose that does.
    error QuotaPurposeMismatch(uint8 given, uint8 needed);

    /// @notice Thrown when an account surrenders for the statement of another.
    /// @param given Account of the instruction.
    /// @param needed Account of the statement.
    error QuotaNotOwner(address given, address needed);

    /// @notice Thrown when more would be surrendered than is due.
    /// @param given Surrendered quota after the instruction (t).
    /// @param needed Obligation (t).
    error QuotaBeyondObligation(uint256 given, uint256 needed);

    /// @notice Thrown when someone else than the market settles.
    /// @param given Caller.
    /// @param needed The market.
    error QuotaNotMarket(address given, address needed);

    /// @notice Thrown on any free transfer or approval: quota moves by the rules only.
    error QuotaTransferClosed();

    /// @notice Emitted when quota is issued to the regulator's account.
    /// @param account Regulator's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param document Digest of the document it rests on.
    event QuotaIssued(address indexed account, uint16 indexed vintage, uint128 tonnes, bytes32 document);

    /// @notice Emitted when quota is allocated.
    /// @param from Regulator's account.
    /// @param to Enterprise's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param document Digest of the document it rests on.
    event QuotaAllocated(
        address indexed from, address indexed to, uint16 indexed vintage, uint128 tonnes, bytes32 document
    );

    /// @notice Emitted when quota is surrendered against an obligation.
    /// @param account Enterprise's account.
    /// @param statement Statement that made the obligation.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    event QuotaSurrendered(
        address indexed account, bytes32 indexed statement, uint16 indexed vintage, uint128 tonnes
    );

    /// @notice Emitted when quota is cancelled voluntarily; never counted as surrender.
    /// @param account Account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param reason Digest of the reason.
    event QuotaCancelled(address indexed account, uint16 indexed vintage, uint128 tonnes, bytes32 reason);

    /// @notice Emitted when another market may settle.
    /// @param market The market.
    event QuotaMarketSet(address indexed market);

    /// @notice Instruction: the regulator issues quota to its own account.
    /// @param account Regulator's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param document Digest of the document it rests on.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct IssueQuota {
        address account;
        uint16 vintage;
        uint128 tonnes;
        bytes32 document;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: the regulator allocates quota to an enterprise.
    /// @param account Regulator's account.
    /// @param to Enterprise's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param document Digest of the document it rests on.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct AllocateQuota {
        address account;
        address to;
        uint16 vintage;
        uint128 tonnes;
        bytes32 document;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: an enterprise surrenders quota against the obligation of a confirmed statement.
    /// @param account Enterprise's account.
    /// @param statement Statement of the purpose ets_direct.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct SurrenderQuota {
        address account;
        bytes32 statement;
        uint16 vintage;
        uint128 tonnes;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Instruction: an account cancels quota voluntarily.
    /// @param account Account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param reason Digest of the reason.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct CancelQuota {
        address account;
        uint16 vintage;
        uint128 tonnes;
        bytes32 reason;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Issues quota.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function issue(IssueQuota calldata instruction, Signatures calldata signatures) external;

    /// @notice Allocates quota.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function allocate(AllocateQuota calldata instruction, Signatures calldata signatures) external;

    /// @notice Surrenders quota.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function surrender(SurrenderQuota calldata instruction, Signatures calldata signatures) external;

    /// @notice Cancels quota.
    /// @param instruction The instruction.
    /// @param signatures Initiator's and approver's signature.
    function cancel(CancelQuota calldata instruction, Signatures calldata signatures) external;

    /// @notice Moves quota as the market settled it.
    /// @dev Warning: the market has checked the accounts' signatures.
    /// @param from Seller's account.
    /// @param to Buyer's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    function settle(address from, address to, uint16 vintage, uint128 tonnes) external;

    /// @notice Lets a market settle.
    /// @param market The market.
    function setMarket(address market) external;

    /// @notice Where the quota of a vintage is.
    /// @param vintage Vintage year.
    /// @return issued Ever issued (t).
    /// @return held In accounts (t).
    /// @return surrendered Surrendered (t).
    /// @return cancelled Cancelled (t).
    function supplyOf(uint16 vintage)
        external
        view
        returns (uint256 issued, uint256 held, uint256 surrendered, uint256 cancelled);

    /// @notice Quota surrendered for the boundary, period and purpose of a statement (t); a restatement keeps it.
    /// @param statement The statement.
    function surrenderedFor(bytes32 statement) external view returns (uint256);

    /// @notice Quota due for a confirmed statement of the purpose ets_direct: grams in tonnes, rounded up, at least
    /// 0 (t).
    /// @param statement The statement.
    function obligationOf(bytes32 statement) external view returns (uint256);
}
