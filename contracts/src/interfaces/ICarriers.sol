// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Carriers: the devices that sign readings
/// @notice Key epochs, suite, channel table and status of each carrier. Keys are pinned here, never negotiated.
/// @dev A carrier is known by `idHash = keccak256(utf8(identifier))`.
interface ICarriers {
    /// @notice Thrown when a call registers nothing or more carriers than the bound.
    /// @param given Number of registrations.
    /// @param needed Greatest number in a call.
    error CarriersBatchInvalid(uint256 given, uint256 needed);

    /// @notice Thrown when an identifier is registered twice.
    /// @param idHash keccak256 of the identifier.
    error CarriersAlreadyRegistered(bytes32 idHash);

    /// @notice Thrown when a carrier is not registered.
    /// @param idHash keccak256 of the identifier.
    error CarriersUnknown(bytes32 idHash);

    /// @notice Thrown when the owner of a carrier is no known account.
    /// @param idHash keccak256 of the identifier.
    /// @param owner Account id of the call.
    error CarriersOwnerUnknown(bytes32 idHash, address owner);

    /// @notice Thrown when a suite is not one that the chain can pin.
    /// @param given Suite of the call.
    error CarriersSuiteUnknown(uint8 given);

    /// @notice Thrown when a public key has the wrong length for its suite or is no point of the curve.
    /// @param suite 1 ES256, 2 EdDSA.
    /// @param length Length of the given key in bytes.
    /// @param needed Length that the suite needs in bytes.
    error CarriersKeyInvalid(uint8 suite, uint256 length, uint256 needed);

    /// @notice Thrown when a key id is already that of a carrier's key.
    /// @param kid First 8 bytes of SHA-256 of the key's SubjectPublicKeyInfo.
    /// @param idHash Carrier that has the key.
    error CarriersKidTaken(bytes8 kid, bytes32 idHash);

    /// @notice Thrown when an epoch does not start after the last one.
    /// @param idHash keccak256 of the identifier.
    /// @param given First sequence number of the new epoch.
    /// @param needed Least first sequence number that would do.
    error CarriersEpochNotAfter(bytes32 idHash, uint64 given, uint64 needed);

    /// @notice Thrown when a status may not follow the present one, or a carrier's status admits no new key: revoked
    /// and retired are final, and a suspended carrier gets a new key from the authority alone.
    /// @param idHash keccak256 of the identifier.
    /// @param given Status of the call.
    /// @param present Status of the carrier.
    error CarriersStatusRefused(bytes32 idHash, CarrierStatus given, CarrierStatus present);

    /// @notice Thrown when the cut-off does not fit the status: an active carrier has none (2^64 − 1).
    /// @param idHash keccak256 of the identifier.
    /// @param given Last good sequence number of the call.
    /// @param needed Value that would do.
    error CarriersCutoffInvalid(bytes32 idHash, uint64 given, uint64 needed);

    /// @notice Thrown when a rotation is not signed by the old or the new key.
    /// @param idHash keccak256 of the identifier.
    /// @param isNewKey Whether it is the new key's signature that does not verify.
    error CarriersRotationUnsigned(bytes32 idHash, bool isNewKey);

    /// @notice Thrown when the chain cannot check a signature of a suite.
    /// @param suite Suite of the key.
    error CarriersSuiteNotOnChain(uint8 suite);

    /// @notice Emitted when a carrier is registered.
    /// @param idHash keccak256 of the identifier.
    /// @param owner Account that answers for the carrier.
    /// @param identifier The identifier itself.
    /// @param suite 1 ES256, 2 EdDSA.
    /// @param publicKey 64 bytes x ‖ y, or 32 bytes.
    /// @param channelTable Canonical JSON of its channels.
    event CarrierRegistered(
        bytes32 indexed idHash,
        address indexed owner,
        string identifier,
        uint8 suite,
        bytes publicKey,
        bytes channelTable
    );

    /// @notice Emitted when a new key counts from a sequence number on.
    /// @param idHash keccak256 of the identifier.
    /// @param epoch Number of the epoch, from 0.
    /// @param fromSeq First sequence number of the epoch.
    /// @param suite 1 ES256, 2 EdDSA.
    /// @param publicKey 64 bytes x ‖ y, or 32 bytes.
    event KeyRotated(bytes32 indexed idHash, uint32 epoch, uint64 fromSeq, uint8 suite, bytes publicKey);

    /// @notice Emitted when the status of a carrier changes.
    /// @param idHash keccak256 of the identifier.
    /// @param status Status from now on.
    /// @param cutoffSeq Last sequence number whose readings count.
    event CarrierStatusSet(bytes32 indexed idHash, CarrierStatus status, uint64 cutoffSeq);

    /// @notice Life of a carrier.
    enum CarrierStatus {
        None,
        Active,
        Suspended,
        Revoked,
        Retired
    }

    /// @notice A carrier to register.
    /// @param identifier `<prefix>/<suffix>`.
    /// @param owner Account that answers for the carrier.
    /// @param suite 1 ES256, 2 EdDSA.
    /// @param publicKey ES256: x ‖ y, 64 bytes; EdDSA: 32 bytes.
    /// @param channelTable Canonical JSON of its channels.
    struct Registration {
        string identifier;
        address owner;
        uint8 suite;
        bytes publicKey;
        bytes channelTable;
    }

    /// @notice Registers carriers; their first key counts from sequence number 0.
    /// @param registrations At most 32.
    function register(Registration[] calldata registrations) external;

    /// @notice Rotates a key, signed by the old and the new key.
    /// @dev Both sign, by ES256, the 32 bytes of the EIP-712 digest of
    /// `RotateKey(bytes32 idHash,uint8 suite,bytes publicKey,uint64 fromSeq)`.
    /// @param idHash keccak256 of the identifier.
    /// @param suite Suite of the new key.
    /// @param publicKey The new key.
    /// @param fromSeq First sequence number of the new key.
    /// @param signatureOld r ‖ s by the present key, 64 bytes.
    /// @param signatureNew r ‖ s by the new key, 64 bytes.
    function rotate(
        bytes32 idHash,
        uint8 suite,
        bytes calldata publicKey,
        uint64 fromSeq,
        bytes calldata signatureOld,
        bytes calldata signatureNew
    ) external;

    /// @notice Rotates a key by authority, where the old key is lost.
    /// @param idHash keccak256 of the identifier.
    /// @param suite Suite of the new key.
    /// @param publicKey The new key.
    /// @param fromSeq First sequence number of the new key.
    function rotateByAuthority(bytes32 idHash, uint8 suite, bytes calldata publicKey, uint64 fromSeq) external;

    /// @notice Sets the status of a carrier.
    /// @param idHash keccak256 of the identifier.
    /// @param status New status.
    /// @param cutoffSeq Last sequence number whose readings count; 2^64 − 1 for none: then all readings of an active
    /// carrier count, and none of any other.
    function setStatus(bytes32 idHash, CarrierStatus status, uint64 cutoffSeq) external;

    /// @notice What the ledger knows of a carrier.
    /// @param idHash keccak256 of the identifier.
    /// @return owner Account that answers for it.
    /// @return status Its status.
    /// @return cutoffSeq Last sequence number whose readings count.
    /// @return channelTableHash keccak256 of its channel table.
    /// @return epochs Number of key epochs.
    function carrier(bytes32 idHash)
        external
        view
        returns (address owner, CarrierStatus status, uint64 cutoffSeq, bytes32 channelTableHash, uint32 epochs);

    /// @notice The key that counts at a sequence number.
    /// @param idHash keccak256 of the identifier.
    /// @param seq Sequence number of a reading.
    /// @return suite 1 ES256, 2 EdDSA.
    /// @return publicKey ES256: x ‖ y, 64 bytes; EdDSA: 32 bytes.
    function keyAt(bytes32 idHash, uint64 seq) external view returns (uint8 suite, bytes memory publicKey);
}
