// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title Directory
contract Directory is IDirectory, AccessManaged {
    mapping(bytes32 name => Edition[] editions) private _editions;

    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IDirectory
    function set(bytes32 name, address where, bytes32 codeDigest) external restricted {
        if (where.code.length == 0) revert DirectoryNotAContract(name, where);
        if (where.codehash != codeDigest) revert DirectoryCodeMismatch(name, codeDigest, where.codehash);

        _editions[name].push(Edition(where, uint64(block.number), codeDigest));

        emit DirectorySet(name, where, uint64(_editions[name].length), codeDigest);
    }

    /// @inheritdoc IDirectory
    function get(bytes32 name) external view returns (address where, uint64 version) {
        Edition[] storage editions = _editions[name];
        version = uint64(editions.length);
        if (version == 0) revert DirectoryNameUnknown(name);

        where = editions[version - 1].where;
    }

    /// @inheritdoc IDirectory
    function edition(bytes32 name, uint64 version) external view returns (Edition memory) {
        Edition[] storage editions = _editions[name];
        if (version == 0 || version > editions.length) {
            revert DirectoryVersionUnknown(name, version, uint64(editions.length));
        }

        return editions[version - 1];
    }
}
