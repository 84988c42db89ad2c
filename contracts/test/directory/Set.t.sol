// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "../../src/interfaces/IDirectory.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract DirectorySetTest is LedgerTest {
    function test_points_a_name_to_a_contract_and_counts_versions() public {
        VM.expectEmit();
        emit IDirectory.DirectorySet("Accounts", address(accounts), 1);
        directory.set("Accounts", address(accounts));
        directory.set("Accounts", address(quota));

        (address where, uint64 version) = directory.get("Accounts");
        assertEq(where, address(quota));
        assertEq(version, 2);
    }

    function test_refuses_an_address_without_code() public {
        VM.expectRevert(
            abi.encodeWithSelector(IDirectory.DirectoryNotAContract.selector, bytes32("Accounts"), address(1234))
        );
        directory.set("Accounts", address(1234));
    }

    function test_refuses_a_name_that_was_never_set() public {
        VM.expectRevert(abi.encodeWithSelector(IDirectory.DirectoryNameUnknown.selector, bytes32("Nothing")));
        directory.get("Nothing");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        directory.set("Accounts", address(accounts));
    }
}
