// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountStatus, Kind, Signatures} from "./Types.sol";

/// @title Organisations, their representatives and the authorisation of their instructions
/// @notice An account is not a key: it is a 20-byte id derived from a name. Two distinct representatives sign each
/// instruction, one with the right to initiate and one with the right to approve (Regulation (EU) 2019/1122, Art. 20).
/// @dev `authorise` is the only place where an instruction nonce is used up. Any contract that takes instructions
/// calls it before it changes its own state.
interface IAccounts {
    /// @notice Thrown when an account id does not follow from its name.
    /// @param given Account id of the call.
    /// @param needed `address(uint160(uint256(keccak256("ccl/account/v1" ‖ name))))`.
    error AccountsNameMismatch(address given, address needed);

    /// @notice Thrown when an account is opened twice.
    /// @param account Account id.
    error AccountsAlreadyOpened(address account);

    /// @notice Thrown when an account id was never opened.
    /// @param account Account id.
    error AccountsUnknown(address account);

    /// @notice Thrown when an account is not of the kind that may give the instruction, or is opened as kind None.
    /// @param account Account id.
    /// @param given Kind of the account.
    /// @param needed Kind that may give the instruction; None where any but None would do.
    error AccountsKindMismatch(address account, Kind given, Kind needed);

    /// @notice Thrown when an account that is not open gives an instruction.
    /// @param account Account id.
    /// @param given Status of the account.
    /// @param needed Status that lets it act.
    error AccountsStatusMismatch(address account, AccountStatus given, AccountStatus needed);

    /// @notice Thrown when a status may not follow the present one: None is no status, Closed is final.
    /// @param account Account id.
    /// @param given Status asked for.
    /// @param present Status of the account.
    error AccountsStatusRefused(address account, AccountStatus given, AccountStatus present);

    /// @notice Thrown when an instruction does not carry the account's next nonce.
    /// @param account Account id.
    /// @param given Nonce of the instruction.
    /// @param needed Next nonce of the account.
    error AccountsNonceMismatch(address account, uint64 given, uint64 needed);

    /// @notice Thrown when an instruction arrives after its deadline.
    /// @param deadline Last second at which the instruction is valid (unix s).
    /// @param given Time of the block (unix s).
    error AccountsDeadlinePassed(uint64 deadline, uint64 given);

    /// @notice Thrown when a contract that is no authoriser asks for an authorisation.
    /// @param given Caller.
    error AccountsNotAuthoriser(address given);

    /// @notice Thrown when a signature is malformed, has a high s or recovers to no key.
    /// @param account Account id.
    /// @param needed Right of the signature in question: 1 initiate, 2 approve.
    error AccountsSignatureInvalid(address account, uint8 needed);

    /// @notice Thrown when the key that signed lacks the right; a changed instruction recovers to an unknown key.
    /// @param account Account id.
    /// @param key Recovered key.
    /// @param given Rights of the key in this account.
    /// @param needed Right it must have: 1 initiate, 2 approve.
    error AccountsRightMissing(address account, address key, uint8 given, uint8 needed);

    /// @notice Thrown when one representative signed twice.
    /// @param account Account id.
    /// @param key The only key that signed.
    error AccountsSignersEqual(address account, address key);

    /// @notice Thrown when two distinct representatives, one to initiate and one to approve, would not be left.
    /// @param account Account id.
    /// @param representatives Number that would be left.
    /// @param initiators Number of those who may initiate.
    /// @param approvers Number of those who may approve.
    error AccountsTooFewRepresentatives(address account, uint16 representatives, uint16 initiators, uint16 approvers);

    /// @notice Thrown when a list of representatives is longer than the bound.
    /// @param given Length of the list.
    /// @param needed Greatest length.
    error AccountsTooManyRepresentatives(uint256 given, uint256 needed);

    /// @notice Thrown when rights are no combination of initiate (1) and approve (2).
    /// @param given Rights of the call.
    error AccountsRightsInvalid(uint8 given);

    /// @notice Thrown when a representative is the zero key or is listed twice.
    /// @param account Account id.
    /// @param key Key of the call.
    error AccountsKeyInvalid(address account, address key);

    /// @notice Thrown when a verifier's representative would also represent another account, or the other way round.
    /// @param key Key of the representative.
    /// @param account Account it was to represent.
    error AccountsRepresentsAnother(address key, address account);

    /// @notice Emitted when an account is opened.
    /// @param account Account id.
    /// @param kind What the organisation is.
    /// @param name Name from which the id follows.
    event AccountOpened(address indexed account, Kind kind, string name);

    /// @notice Emitted when the status of an account changes.
    /// @param account Account id.
    /// @param status Status from now on.
    /// @param reason Digest of the document that gives the reason.
    event AccountStatusSet(address indexed account, AccountStatus status, bytes32 reason);

    /// @notice Emitted when a representative gets, changes or loses (0) rights.
    /// @param account Account id.
    /// @param key Key of the representative.
    /// @param rights Rights from now on.
    event RepresentativeSet(address indexed account, address indexed key, uint8 rights);

    /// @notice Emitted when a contract may, or may no longer, ask for authorisations.
    /// @param where Contract that takes instructions.
    /// @param allowed Whether it may ask.
    event AuthoriserSet(address indexed where, bool allowed);

    /// @notice Emitted when an instruction is authorised and its nonce used up.
    /// @param account Account that gave it.
    /// @param nonce Nonce used up.
    /// @param digest EIP-712 digest that was signed.
    /// @param initiator Representative who started it.
    /// @param approver Representative who approved it.
    event InstructionAuthorised(
        address indexed account, uint64 nonce, bytes32 digest, address initiator, address approver
    );

    /// @notice A person's key with its rights in one account.
    /// @param key Address of the key.
    /// @param rights 1 initiate, 2 approve, 3 both.
    struct Representative {
        address key;
        uint8 rights;
    }

    /// @notice Instruction: an account changes its own representatives.
    /// @param account Account id.
    /// @param key Key of the representative.
    /// @param rights New rights; 0 removes.
    /// @param nonce Next nonce of the account.
    /// @param deadline Last second at which the instruction is valid (unix s).
    struct ChangeRepresentative {
        address account;
        address key;
        uint8 rights;
        uint64 nonce;
        uint64 deadline;
    }

    /// @notice Opens an account with its first representatives.
    /// @param account Account id, which must follow from the name.
    /// @param name Name of the organisation.
    /// @param kind What the organisation is.
    /// @param representatives At least two, at most 16, distinct.
    function open(address account, string calldata name, Kind kind, Representative[] calldata representatives)
        external;

    /// @notice Sets the status of an account.
    /// @param account Account id.
    /// @param status New status.
    /// @param reason Digest of the document that gives the reason.
    function setStatus(address account, AccountStatus status, bytes32 reason) external;

    /// @notice Appoints, changes or removes a representative by authority (recovery of lost keys).
    /// @dev Two able representatives must be left: appoint the new one before removing the old one.
    /// @param account Account id.
    /// @param key Key of the representative.
    /// @param rights New rights; 0 removes.
    function setRepresentative(address account, address key, uint8 rights) external;

    /// @notice Changes a representative by instruction of the account itself.
    /// @param instruction The change.
    /// @param signatures Initiator's and approver's signature.
    function changeRepresentative(ChangeRepresentative calldata instruction, Signatures calldata signatures) external;

    /// @notice Lets a contract ask for authorisations, or no longer.
    /// @param where Contract that takes instructions.
    /// @param allowed Whether it may ask.
    function setAuthoriser(address where, bool allowed) external;

    /// @notice Authorises one instruction of an account and uses up its nonce.
    /// @dev Warning: the caller vouches that `digest` binds every field of the instruction, the chain and itself.
    /// @param account Account that gives the instruction.
    /// @param required Kind that may give it; None for any.
    /// @param nonce Nonce of the instruction.
    /// @param deadline Last second at which it is valid (unix s).
    /// @param digest EIP-712 digest of the instruction.
    /// @param signatures Initiator's and approver's signature.
    function authorise(
        address account,
        Kind required,
        uint64 nonce,
        uint64 deadline,
        bytes32 digest,
        Signatures calldata signatures
    ) external;

    /// @notice Authorises one agreement of two enterprises that both signed the same digest.
    /// @param first First account.
    /// @param firstNonce Nonce of the first account.
    /// @param second Second account.
    /// @param secondNonce Nonce of the second account.
    /// @param deadline Last second at which the agreement is valid (unix s).
    /// @param digest EIP-712 digest of the agreement.
    /// @param firstSignatures Signatures of the first account's representatives.
    /// @param secondSignatures Signatures of the second account's representatives.
    function authorisePair(
        address first,
        uint64 firstNonce,
        address second,
        uint64 secondNonce,
        uint64 deadline,
        bytes32 digest,
        Signatures calldata firstSignatures,
        Signatures calldata secondSignatures
    ) external;

    /// @notice What the ledger knows of an account.
    /// @param account Account id.
    /// @return kind What the organisation is; None where it was never opened.
    /// @return status Its status.
    /// @return nonce Nonce of its next instruction.
    function accountOf(address account) external view returns (Kind kind, AccountStatus status, uint64 nonce);

    /// @notice Rights of a key in an account.
    /// @param account Account id.
    /// @param key Key of a representative.
    /// @return rights 0 none, 1 initiate, 2 approve, 3 both.
    function rightsOf(address account, address key) external view returns (uint8 rights);

    /// @notice Whether a contract may ask for authorisations.
    /// @param where Contract that takes instructions.
    function isAuthoriser(address where) external view returns (bool);
}
