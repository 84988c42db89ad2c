// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {Kind, Signatures} from "./interfaces/Types.sol";

/// @title What every contract that takes instructions shares
/// @notice Binds an instruction to this chain and this contract and has `Accounts` authorise it.
abstract contract InstructionTaker is EIP712 {
    /// @notice Accounts whose representatives sign.
    IAccounts public immutable ACCOUNTS;

    constructor(IAccounts accounts) EIP712("Park Carbon Ledger", "1") {
        ACCOUNTS = accounts;
    }

    /// @dev Has one instruction authorised; `structHash` is its EIP-712 struct hash. Returns its digest.
    function _authorise(
        address account,
        Kind required,
        uint64 nonce,
        uint64 deadline,
        bytes32 structHash,
        Signatures calldata signatures
    ) internal returns (bytes32 digest) {
        digest = _hashTypedDataV4(structHash);
        ACCOUNTS.authorise(account, required, nonce, deadline, digest, signatures);
    }
}
