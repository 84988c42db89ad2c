// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../src/interfaces/IAccounts.sol";
import {ICarbonCodes} from "../src/interfaces/ICarbonCodes.sol";
import {ICash} from "../src/interfaces/ICash.sol";
import {IEmissionLedger} from "../src/interfaces/IEmissionLedger.sol";
import {IMandate} from "../src/interfaces/IMandate.sol";
import {IMarket} from "../src/interfaces/IMarket.sol";
import {IQuota} from "../src/interfaces/IQuota.sol";
import {IReadingAnchor} from "../src/interfaces/IReadingAnchor.sol";
import {InstructionHash} from "../src/libraries/InstructionHash.sol";
import {ReportHash} from "../src/libraries/ReportHash.sol";
import {SettlementHash} from "../src/libraries/SettlementHash.sol";

/// @dev The hash libraries, reachable with structs in memory. Two names differ from `hash` because their structs have
/// the shape of others.
contract Hasher {
    function hash(IAccounts.ChangeRepresentative calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hash(IMandate.Call calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hash(IMandate.CallBatch calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hashRotation(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq)
        external
        pure
        returns (bytes32)
    {
        return InstructionHash.hashRotation(idHash, suite, publicKey, fromSeq);
    }

    function hash(IEmissionLedger.SubmitStatement calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hash(IEmissionLedger.VerifyStatement calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hashConfirm(IEmissionLedger.ConfirmStatement calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hash(ICarbonCodes.DeclareValueAdded calldata i) external pure returns (bytes32) {
        return InstructionHash.hash(i);
    }

    function hash(IQuota.IssueQuota calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(IQuota.AllocateQuota calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(IQuota.SurrenderQuota calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hashCancel(IQuota.CancelQuota calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(ICash.CreditReceipt calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(ICash.PayoutRequest calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(ICash.PayoutReceipt calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(IMarket.BlockTrade calldata i) external pure returns (bytes32) {
        return SettlementHash.hash(i);
    }

    function hash(IReadingAnchor.BatchReport calldata r) external pure returns (bytes32) {
        return ReportHash.hash(r);
    }

    function hash(IEmissionLedger.StatementReport calldata r) external pure returns (bytes32) {
        return ReportHash.hash(r);
    }

    function hash(ICarbonCodes.CodeReport calldata r) external pure returns (bytes32) {
        return ReportHash.hash(r);
    }

    function hashTradeWords(bytes calldata words) external pure returns (bytes32) {
        return SettlementHash.hashTradeWords(words);
    }

    function hashBatchWords(bytes calldata words) external pure returns (bytes32) {
        return ReportHash.hashBatchWords(words);
    }
}
