// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {IMandate} from "./interfaces/IMandate.sol";
import {Kind, Signatures} from "./interfaces/Types.sol";
import {InstructionHash} from "./libraries/InstructionHash.sol";

/// @title Mandate
contract Mandate is IMandate, InstructionTaker {
    using Address for address;
    using InstructionHash for Call;
    using InstructionHash for CallBatch;

    /// @notice Greatest number of calls in a batch.
    uint256 public constant MAX_CALLS = 32;

    /// @inheritdoc IMandate
    address public immutable account;

    constructor(IAccounts accounts, address account_) InstructionTaker(accounts) {
        account = account_;
    }

    /// @inheritdoc IMandate
    function execute(Call calldata call, Signatures calldata signatures) external {
        _authorise(account, Kind.None, call.nonce, call.deadline, call.hash(), signatures);

        _call(call.target, call.data, call.nonce);
    }

    /// @inheritdoc IMandate
    function executeBatch(CallBatch calldata batch, Signatures calldata signatures) external {
        uint256 calls = batch.targets.length;
        if (calls == 0 || calls > MAX_CALLS || calls != batch.data.length) {
            revert MandateBatchInvalid(calls, batch.data.length, MAX_CALLS);
        }
        _authorise(account, Kind.None, batch.nonce, batch.deadline, batch.hash(), signatures);

        for (uint256 i = 0; i < calls; ++i) {
            _call(batch.targets[i], batch.data[i], batch.nonce);
        }
    }

    /// @dev A mandate is an authoriser; without the refusal it could use up nonces of other accounts.
    function _call(address target, bytes calldata data, uint64 nonce) private {
        if (data.length < 4) revert MandateSelectorMissing(data.length, 4);
        bytes4 selector = bytes4(data);
        bool isAuthorisation =
            selector == IAccounts.authorise.selector || selector == IAccounts.authorisePair.selector;
        if (target == address(ACCOUNTS) && isAuthorisation) revert MandateCallRefused(target, selector);

        emit MandateExecuted(target, selector, nonce);

        target.functionCall(data);
    }
}
