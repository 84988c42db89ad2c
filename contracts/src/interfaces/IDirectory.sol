// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Addresses of the ledger's contracts by name
/// @notice The one place where a client learns which contract holds which subject.
interface IDirectory {
    /// @notice Thrown when a name without an entry is asked for.
    /// @param name ASCII name, right padded with zeros.
    error DirectoryNameUnknown(bytes32 name);

    /// @notice Thrown when a name is to point to an address without code.
    /// @param name ASCII name, right padded with zeros.
    /// @param given Address without code.
    error DirectoryNotAContract(bytes32 name, address given);

    /// @notice Emitted when a name points to a new address.
    /// @param name ASCII name, right padded with zeros.
    /// @param where Contract of that name from now on.
    /// @param version Number of times the name was set, from 1.
    event DirectorySet(bytes32 indexed name, address where, uint64 version);

    /// @notice Points a name to a contract.
    /// @param name ASCII name, right padded with zeros.
    /// @param where Contract that holds the subject from now on.
    function set(bytes32 name, address where) external;

    /// @notice The contract of a name.
    /// @param name ASCII name, right padded with zeros.
    /// @return where Contract that holds the subject.
    /// @return version Number of times the name was set, from 1.
    function get(bytes32 name) external view returns (address where, uint64 version);
}
