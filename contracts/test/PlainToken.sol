// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// @title What a trade is measured against: an ERC-1155 token with nothing added
/// @dev Used by tests and by the bench only, never deployed with the ledger.
contract PlainToken is ERC1155 {
    constructor() ERC1155("") {}

    /// @notice Mints to anyone.
    function mint(address to, uint256 id, uint256 value) external {
        _mint(to, id, value, "");
    }
}
