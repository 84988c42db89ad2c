// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {ICarriers} from "./interfaces/ICarriers.sol";
import {Kind} from "./interfaces/Types.sol";
import {InstructionHash} from "./libraries/InstructionHash.sol";

/// @title Carriers
contract Carriers is ICarriers, AccessManaged, EIP712 {
    struct Carrier {
        address owner;
        CarrierStatus status;
        uint64 cutoffSeq;
        bytes32 channelTableHash;
        Epoch[] epochs;
    }

    /// @dev `y` is unused by EdDSA.
    struct Epoch {
        uint64 fromSeq;
        uint8 suite;
        bytes32 x;
        bytes32 y;
    }

    /// @notice Suite of ECDSA over P-256 with SHA-256.
    uint8 public constant ES256 = 1;

    /// @notice Suite of Ed25519.
    uint8 public constant EDDSA = 2;

    /// @notice Greatest number of registrations in a call.
    uint256 public constant MAX_REGISTRATIONS = 32;

    /// @notice Cut-off of a carrier that is active.
    uint64 public constant NO_CUTOFF = type(uint64).max;

    /// @notice Accounts that own carriers.
    IAccounts public immutable ACCOUNTS;

    mapping(bytes32 idHash => Carrier state) private _carriers;
    mapping(bytes8 kid => bytes32 idHash) private _kids;

    constructor(address authority, IAccounts accounts) AccessManaged(authority) EIP712("Park Carbon Ledger", "1") {
        ACCOUNTS = accounts;
    }

    /* REGISTRATION AND STATUS */

    /// @inheritdoc ICarriers
    function register(Registration[] calldata registrations) external restricted {
        uint256 count = registrations.length;
        if (count == 0 || count > MAX_REGISTRATIONS) revert CarriersBatchInvalid(count, MAX_REGISTRATIONS);

        for (uint256 i = 0; i < count; ++i) {
            _register(registrations[i]);
        }
    }

    function _register(Registration calldata given) private {
        bytes32 idHash = keccak256(bytes(given.identifier));
        Carrier storage state = _carriers[idHash];
        if (state.status != CarrierStatus.None) revert CarriersAlreadyRegistered(idHash);
        (Kind kind,,) = ACCOUNTS.accountOf(given.owner);
        if (kind == Kind.None) revert CarriersOwnerUnknown(idHash, given.owner);

        state.owner = given.owner;
        state.status = CarrierStatus.Active;
        state.cutoffSeq = NO_CUTOFF;
        state.channelTableHash = keccak256(given.channelTable);
        _addEpoch(idHash, given.suite, given.publicKey, 0);

        emit CarrierRegistered(
            idHash, given.owner, given.identifier, given.suite, given.publicKey, given.channelTable
        );
    }

    /// @inheritdoc ICarriers
    function setStatus(bytes32 idHash, CarrierStatus status, uint64 cutoffSeq) external restricted {
        CarrierStatus present = _known(idHash).status;
        bool isFinal = present == CarrierStatus.Revoked || present == CarrierStatus.Retired;
        if (status == CarrierStatus.None || isFinal) revert CarriersStatusRefused(idHash, status, present);
        if (status == CarrierStatus.Active && cutoffSeq != NO_CUTOFF) {
            revert CarriersCutoffInvalid(idHash, cutoffSeq, NO_CUTOFF);
        }

        _carriers[idHash].status = status;
        _carriers[idHash].cutoffSeq = cutoffSeq;

        emit CarrierStatusSet(idHash, status, cutoffSeq);
    }

    /* KEYS */

    /// @inheritdoc ICarriers
    function rotate(
        bytes32 idHash,
        uint8 suite,
        bytes calldata publicKey,
        uint64 fromSeq,
        bytes calldata signatureOld,
        bytes calldata signatureNew
    ) external {
        CarrierStatus status = _known(idHash).status;
        if (status != CarrierStatus.Active) revert CarriersStatusRefused(idHash, CarrierStatus.Active, status);
        bytes32 digest = _hashTypedDataV4(InstructionHash.hashRotation(idHash, suite, publicKey, fromSeq));
        if (!_isSignedBy(_lastEpoch(idHash), digest, signatureOld)) revert CarriersRotationUnsigned(idHash, false);
        if (!_isSignedBy(_parseKey(suite, publicKey), digest, signatureNew)) {
            revert CarriersRotationUnsigned(idHash, true);
        }

        _addRotation(idHash, suite, publicKey, fromSeq);
    }

    /// @inheritdoc ICarriers
    function rotateByAuthority(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq)
        external
        restricted
    {
        _addRotation(idHash, suite, publicKey, fromSeq);
    }

    function _addRotation(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq) private {
        Carrier storage state = _known(idHash);
        if (state.status == CarrierStatus.Revoked || state.status == CarrierStatus.Retired) {
            revert CarriersStatusRefused(idHash, CarrierStatus.Active, state.status);
        }
        uint64 lastFrom = _lastEpoch(idHash).fromSeq;
        if (fromSeq <= lastFrom) revert CarriersEpochNotAfter(idHash, fromSeq, lastFrom + 1);

        _addEpoch(idHash, suite, publicKey, fromSeq);

        emit KeyRotated(idHash, uint32(state.epochs.length - 1), fromSeq, suite, publicKey);
    }

    function _addEpoch(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq) private {
        Epoch memory epoch = _parseKey(suite, publicKey);
        epoch.fromSeq = fromSeq;
        bytes8 kid = _keyId(suite, publicKey);
        if (_kids[kid] != 0) revert CarriersKidTaken(kid, _kids[kid]);

        _kids[kid] = idHash;
        _carriers[idHash].epochs.push(epoch);
    }

    function _parseKey(uint8 suite, bytes calldata publicKey) private pure returns (Epoch memory epoch) {
        epoch.suite = suite;
        if (suite == ES256) {
            if (publicKey.length != 64) revert CarriersKeyInvalid(suite, publicKey.length, 64);
            epoch.x = bytes32(publicKey[:32]);
            epoch.y = bytes32(publicKey[32:]);
            if (!P256.isValidPublicKey(epoch.x, epoch.y)) revert CarriersKeyInvalid(suite, 64, 64);
        } else if (suite == EDDSA) {
            if (publicKey.length != 32) revert CarriersKeyInvalid(suite, publicKey.length, 32);
            epoch.x = bytes32(publicKey);
        } else {
            revert CarriersSuiteUnknown(suite);
        }
    }

    /// @dev First 8 bytes of SHA-256 of the SubjectPublicKeyInfo; the prefixes are its fixed DER head
    /// (RFC 5480 for P-256 with an uncompressed point, RFC 8410 for Ed25519).
    function _keyId(uint8 suite, bytes calldata publicKey) private pure returns (bytes8) {
        bytes memory der = suite == ES256
            ? bytes(hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004")
            : bytes(hex"302a300506032b6570032100");
        return bytes8(sha256(abi.encodePacked(der, publicKey)));
    }

    /// @dev ES256 over the 32 bytes of the digest.
    function _isSignedBy(Epoch memory epoch, bytes32 digest, bytes calldata signature) private view returns (bool) {
        if (epoch.suite != ES256) revert CarriersSuiteNotOnChain(epoch.suite);
        if (signature.length != 64) return false;
        bytes32 hash = sha256(abi.encodePacked(digest));
        return P256.verify(hash, bytes32(signature[:32]), bytes32(signature[32:]), epoch.x, epoch.y);
    }

    /* VIEWS */

    /// @inheritdoc ICarriers
    function carrier(bytes32 idHash)
        external
        view
        returns (address owner, CarrierStatus status, uint64 cutoffSeq, bytes32 channelTableHash, uint32 epochs)
    {
        Carrier storage state = _known(idHash);
        return (state.owner, state.status, state.cutoffSeq, state.channelTableHash, uint32(state.epochs.length));
    }

    /// @inheritdoc ICarriers
    function keyAt(bytes32 idHash, uint64 seq) external view returns (uint8 suite, bytes memory publicKey) {
        Epoch[] storage epochs = _known(idHash).epochs;
        // The first epoch starts at 0, so the one wanted lies in [low, high).
        uint256 low = 0;
        uint256 high = epochs.length;
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (epochs[middle].fromSeq <= seq) low = middle;
            else high = middle;
        }
        Epoch memory epoch = epochs[low];
        publicKey = epoch.suite == ES256 ? abi.encodePacked(epoch.x, epoch.y) : abi.encodePacked(epoch.x);
        return (epoch.suite, publicKey);
    }

    function _lastEpoch(bytes32 idHash) private view returns (Epoch memory) {
        Epoch[] storage epochs = _known(idHash).epochs;
        return epochs[epochs.length - 1];
    }

    function _known(bytes32 idHash) private view returns (Carrier storage state) {
        state = _carriers[idHash];
        if (state.status == CarrierStatus.None) revert CarriersUnknown(idHash);
    }
}
