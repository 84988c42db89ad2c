// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {APPROVE, AccountStatus, INITIATE, Kind, Signatures} from "./interfaces/Types.sol";
import {CompactSignature} from "./libraries/CompactSignature.sol";
import {InstructionHash} from "./libraries/InstructionHash.sol";

/// @title Accounts
contract Accounts is IAccounts, AccessManaged, EIP712 {
    using InstructionHash for ChangeRepresentative;

    /// @dev One slot, so that an instruction reads and writes it once.
    struct Account {
        Kind kind;
        AccountStatus status;
        uint64 nonce;
        uint16 representatives;
        uint16 initiators;
        uint16 approvers;
    }

    /// @dev How many accounts a key represents, by kind of account.
    struct KeyUse {
        uint32 verifiers;
        uint32 others;
    }

    /// @notice Greatest number of representatives at opening.
    uint256 public constant MAX_REPRESENTATIVES = 16;

    mapping(address account => Account state) private _accounts;
    mapping(address account => mapping(address key => uint8 rights)) private _rights;
    mapping(address key => KeyUse uses) private _keyUses;
    mapping(address where => bool allowed) private _authorisers;

    constructor(address authority) AccessManaged(authority) EIP712("Park Carbon Ledger", "1") {}

    /* OPENING AND STATUS */

    /// @inheritdoc IAccounts
    function open(address account, string calldata name, Kind kind, Representative[] calldata representatives)
        external
        restricted
    {
        address derived = address(uint160(uint256(keccak256(abi.encodePacked("ccl/account/v1", name)))));
        if (account != derived) revert AccountsNameMismatch(account, derived);
        if (kind == Kind.None) revert AccountsKindMismatch(account, kind, kind);
        if (_accounts[account].kind != Kind.None) revert AccountsAlreadyOpened(account);
        if (representatives.length > MAX_REPRESENTATIVES) {
            revert AccountsTooManyRepresentatives(representatives.length, MAX_REPRESENTATIVES);
        }

        _accounts[account].kind = kind;
        _accounts[account].status = AccountStatus.Open;

        emit AccountOpened(account, kind, name);

        for (uint256 i = 0; i < representatives.length; ++i) {
            Representative calldata given = representatives[i];
            if (given.rights == 0) revert AccountsRightsInvalid(given.rights);
            if (_rights[account][given.key] != 0) revert AccountsKeyInvalid(account, given.key);
            _setRights(account, given.key, given.rights);
        }
        _requireAblePair(account);
    }

    /// @inheritdoc IAccounts
    function setStatus(address account, AccountStatus status, bytes32 reason) external restricted {
        Account storage state = _known(account);
        AccountStatus present = state.status;
        if (status == AccountStatus.None || present == AccountStatus.Closed) {
            revert AccountsStatusRefused(account, status, present);
        }

        state.status = status;

        emit AccountStatusSet(account, status, reason);
    }

    /* REPRESENTATIVES */

    /// @inheritdoc IAccounts
    function setRepresentative(address account, address key, uint8 rights) external restricted {
        _known(account);

        _setRights(account, key, rights);
        _requireAblePair(account);
    }

    /// @inheritdoc IAccounts
    function changeRepresentative(ChangeRepresentative calldata instruction, Signatures calldata signatures) external {
        bytes32 digest = _hashTypedDataV4(instruction.hash());
        _requireDeadline(instruction.deadline);
        _authorise(instruction.account, Kind.None, instruction.nonce, digest, signatures);

        _setRights(instruction.account, instruction.key, instruction.rights);
        _requireAblePair(instruction.account);
    }

    function _setRights(address account, address key, uint8 rights) private {
        if (key == address(0)) revert AccountsKeyInvalid(account, key);
        if (rights > INITIATE | APPROVE) revert AccountsRightsInvalid(rights);
        uint8 previous = _rights[account][key];
        if (previous == 0 && rights == 0) revert AccountsKeyInvalid(account, key);

        if (previous == 0) _countUse(account, key);
        if (rights == 0) _uncountUse(account, key);
        _count(account, previous, rights);
        _rights[account][key] = rights;

        emit RepresentativeSet(account, key, rights);
    }

    /// @dev A verifier's representative represents nobody else, and nobody else's represents a verifier.
    function _countUse(address account, address key) private {
        KeyUse storage uses = _keyUses[key];
        if (_accounts[account].kind == Kind.Verifier) {
            if (uses.verifiers + uses.others != 0) revert AccountsRepresentsAnother(key, account);
            uses.verifiers = 1;
        } else {
            if (uses.verifiers != 0) revert AccountsRepresentsAnother(key, account);
            uses.others += 1;
        }
    }

    function _uncountUse(address account, address key) private {
        KeyUse storage uses = _keyUses[key];
        if (_accounts[account].kind == Kind.Verifier) uses.verifiers = 0;
        else uses.others -= 1;
    }

    function _count(address account, uint8 previous, uint8 rights) private {
        Account storage state = _accounts[account];
        state.representatives = state.representatives + _one(rights) - _one(previous);
        state.initiators = state.initiators + _one(rights & INITIATE) - _one(previous & INITIATE);
        state.approvers = state.approvers + _one(rights & APPROVE) - _one(previous & APPROVE);
    }

    function _one(uint8 rights) private pure returns (uint16) {
        return rights == 0 ? 0 : 1;
    }

    /// @dev With two representatives, an initiator and an approver there is a distinct pair of both.
    function _requireAblePair(address account) private view {
        Account memory state = _accounts[account];
        if (state.representatives < 2 || state.initiators == 0 || state.approvers == 0) {
            revert AccountsTooFewRepresentatives(
                account, state.representatives, state.initiators, state.approvers
            );
        }
    }

    /* AUTHORISATION */

    /// @inheritdoc IAccounts
    function setAuthoriser(address where, bool allowed) external restricted {
        _authorisers[where] = allowed;

        emit AuthoriserSet(where, allowed);
    }

    /// @inheritdoc IAccounts
    function authorise(
        address account,
        Kind required,
        uint64 nonce,
        uint64 deadline,
        bytes32 digest,
        Signatures calldata signatures
    ) external {
        _requireAuthoriser();
        _requireDeadline(deadline);
        _authorise(account, required, nonce, digest, signatures);
    }

    /// @inheritdoc IAccounts
    function authorisePair(
        address first,
        uint64 firstNonce,
        address second,
        uint64 secondNonce,
        uint64 deadline,
        bytes32 digest,
        Signatures calldata firstSignatures,
        Signatures calldata secondSignatures
    ) external {
        _requireAuthoriser();
        _requireDeadline(deadline);
        _authorise(first, Kind.Enterprise, firstNonce, digest, firstSignatures);
        _authorise(second, Kind.Enterprise, secondNonce, digest, secondSignatures);
    }

    function _authorise(
        address account,
        Kind required,
        uint64 nonce,
        bytes32 digest,
        Signatures calldata signatures
    ) private {
        Account storage state = _known(account);
        Kind kind = state.kind;
        if (required != Kind.None && kind != required) revert AccountsKindMismatch(account, kind, required);
        if (state.status != AccountStatus.Open) {
            revert AccountsStatusMismatch(account, state.status, AccountStatus.Open);
        }
        if (nonce != state.nonce) revert AccountsNonceMismatch(account, nonce, state.nonce);
        (address initiator, address approver) = _requirePair(account, digest, signatures);

        state.nonce = nonce + 1;

        emit InstructionAuthorised(account, nonce, digest, initiator, approver);
    }

    function _requirePair(address account, bytes32 digest, Signatures calldata signatures)
        private
        view
        returns (address initiator, address approver)
    {
        initiator = CompactSignature.recover(digest, signatures.initiatorR, signatures.initiatorVs);
        approver = CompactSignature.recover(digest, signatures.approverR, signatures.approverVs);
        mapping(address key => uint8 rights) storage rights = _rights[account];
        _requireRight(account, initiator, rights[initiator], INITIATE);
        _requireRight(account, approver, rights[approver], APPROVE);
        if (initiator == approver) revert AccountsSignersEqual(account, initiator);
    }

    function _requireRight(address account, address key, uint8 rights, uint8 needed) private pure {
        if (rights & needed != 0) return;
        if (key == address(0)) revert AccountsSignatureInvalid(account, needed);
        revert AccountsRightMissing(account, key, rights, needed);
    }

    function _requireAuthoriser() private view {
        if (!_authorisers[msg.sender]) revert AccountsNotAuthoriser(msg.sender);
    }

    function _requireDeadline(uint64 deadline) private view {
        if (block.timestamp > deadline) revert AccountsDeadlinePassed(deadline, uint64(block.timestamp));
    }

    /* VIEWS */

    /// @inheritdoc IAccounts
    function accountOf(address account) external view returns (Kind kind, AccountStatus status, uint64 nonce) {
        Account memory state = _accounts[account];
        return (state.kind, state.status, state.nonce);
    }

    /// @inheritdoc IAccounts
    function rightsOf(address account, address key) external view returns (uint8 rights) {
        return _rights[account][key];
    }

    /// @inheritdoc IAccounts
    function isAuthoriser(address where) external view returns (bool) {
        return _authorisers[where];
    }

    function _known(address account) private view returns (Account storage state) {
        state = _accounts[account];
        if (state.kind == Kind.None) revert AccountsUnknown(account);
    }
}
