// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Addresses of the ledger's contracts by name
/// @notice The one place where a client learns which contract holds which subject, and which held it before.
interface IDirectory {
    /// @notice Thrown when a name without an entry is asked for.
    /// @param name ASCII name, right padded with zeros.
    error DirectoryNameUnknown(bytes32 name);

    /// @notice Thrown when a name is to point to an address without code.
    /// @param name ASCII name, right padded with zeros.
    /// @param given Address without code.
    error DirectoryNotAContract(bytes32 name, address given);

    /// @notice Thrown when a contract's code is not the one that was decided on.
    /// @param name ASCII name, right padded with zeros.
    /// @param given Digest of the code that was decided on.
    /// @param needed Digest of the code at the address.
    error DirectoryCodeMismatch(bytes32 name, bytes32 given, bytes32 needed);

    /// @notice Thrown when a version is asked for that a name does not have.
    /// @param name ASCII name, right padded with zeros.
    /// @param given Version asked for.
    /// @param needed Greatest version of the name.
    error DirectoryVersionUnknown(bytes32 name, uint64 given, uint64 needed);

    /// @notice Emitted when a name points to a new address.
    /// @param name ASCII name, right padded with zeros.
    /// @param where Contract of that name from now on.
    /// @param version Number of times the name was set, from 1.
    /// @param codeDigest Digest of its code.
    event DirectorySet(bytes32 indexed name, address where, uint64 version, bytes32 codeDigest);

    /// @notice One contract that holds or held a subject.
    /// @param where The contract.
    /// @param sinceBlock Block in which the name was pointed to it.
    /// @param codeDigest Digest of its code, as EXTCODEHASH gives it.
    struct Edition {
        address where;
        uint64 sinceBlock;
        bytes32 codeDigest;
    }

    /// @notice Points a name to a contract whose code was decided on.
    /// @param name ASCII name, right padded with zeros.
    /// @param where Contract that holds the subject from now on.
    /// @param codeDigest Digest that its code must have.
    function set(bytes32 name, address where, bytes32 codeDigest) external;

    /// @notice The contract of a name.
    /// @param name ASCII name, right padded with zeros.
    /// @return where Contract that holds the subject.
    /// @return version Number of times the name was set, from 1.
    function get(bytes32 name) external view returns (address where, uint64 version);

    /// @notice One version of a name; earlier ones stay readable.
    /// @param name ASCII name, right padded with zeros.
    /// @param version Number of times the name had been set, from 1.
    function edition(bytes32 name, uint64 version) external view returns (Edition memory);
}
