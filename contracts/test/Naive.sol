// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What the ledger is measured against: every reading by itself
/// @dev Used by tests and by the bench only, never deployed with the ledger.
contract Naive {
    struct Reading {
        uint256 ts;
        uint256 value;
        bytes32 digest;
    }

    /// @notice Emitted for a reading that leaves no trace in storage.
    event ReadingStored(bytes32 indexed idHash, uint64 seq, uint64 ts, uint128 value, bytes32 digest);

    mapping(bytes32 idHash => mapping(uint64 seq => Reading reading)) public readings;

    /// @notice Writes one reading to storage and tells of it.
    function store(bytes32 idHash, uint64 seq, uint64 ts, uint128 value, bytes32 digest) external {
        readings[idHash][seq] = Reading(ts, value, digest);

        emit ReadingStored(idHash, seq, ts, value, digest);
    }

    /// @notice Tells of one reading in an event alone.
    function log(bytes32 idHash, uint64 seq, uint64 ts, uint128 value, bytes32 digest) external {
        emit ReadingStored(idHash, seq, ts, value, digest);
    }
}
