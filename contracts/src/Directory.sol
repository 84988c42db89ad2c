// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title Directory
contract Directory is IDirectory, AccessManaged {
    struct Entry {
        address where;
        uint64 version;
    }

    mapping(bytes32 name => Entry entry) private _entries;

    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IDirectory
    function set(bytes32 name, address where) external restricted {
        if (where.code.length == 0) revert DirectoryNotAContract(name, where);

        uint64 version = _entries[name].version + 1;
        _entries[name] = Entry(where, version);

        emit DirectorySet(name, where, version);
    }

    /// @inheritdoc IDirectory
    function get(bytes32 name) external view returns (address where, uint64 version) {
        Entry memory entry = _entries[name];
        if (entry.version == 0) revert DirectoryNameUnknown(name);

        return (entry.where, entry.version);
    }
}
