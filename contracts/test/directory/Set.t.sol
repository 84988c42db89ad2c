// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDirectory} from "../../src/interfaces/IDirectory.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract DirectorySetTest is LedgerTest {
    function test_points_a_name_to_a_contract_and_counts_versions() public {
        VM.expectEmit();
        emit IDirectory.DirectorySet("Accounts", address(accounts), 1, address(accounts).codehash);
        directory.set("Accounts", address(accounts), address(accounts).codehash);
        directory.set("Accounts", address(quota), address(quota).codehash);

        (address where, uint64 version) = directory.get("Accounts");
        assertEq(where, address(quota));
        assertEq(version, 2);
    }

    function test_refuses_an_address_without_code() public {
        VM.expectRevert(
            abi.encodeWithSelector(IDirectory.DirectoryNotAContract.selector, bytes32("Accounts"), address(1234))
        );
        directory.set("Accounts", address(1234), bytes32(0));
    }

    function test_refuses_other_code_than_was_decided_on() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IDirectory.DirectoryCodeMismatch.selector,
                bytes32("Accounts"),
                address(quota).codehash,
                address(accounts).codehash
            )
        );
        directory.set("Accounts", address(accounts), address(quota).codehash);
    }

    function test_keeps_every_version() public {
        directory.set("Accounts", address(accounts), address(accounts).codehash);
        VM.roll(block.number + 7);
        directory.set("Accounts", address(quota), address(quota).codehash);

        IDirectory.Edition memory first = directory.edition("Accounts", 1);
        IDirectory.Edition memory second = directory.edition("Accounts", 2);
        assertEq(first.where, address(accounts));
        assertEq(first.codeDigest, address(accounts).codehash);
        assertEq(second.where, address(quota));
        assertEq(second.sinceBlock, first.sinceBlock + 7);
    }

    function test_refuses_a_version_that_is_none() public {
        directory.set("Accounts", address(accounts), address(accounts).codehash);
        _expectVersionUnknown(0);
        directory.edition("Accounts", 0);
        _expectVersionUnknown(2);
        directory.edition("Accounts", 2);
    }

    function _expectVersionUnknown(uint64 version) private {
        VM.expectRevert(
            abi.encodeWithSelector(IDirectory.DirectoryVersionUnknown.selector, bytes32("Accounts"), version, 1)
        );
    }

    function test_refuses_a_name_that_was_never_set() public {
        VM.expectRevert(abi.encodeWithSelector(IDirectory.DirectoryNameUnknown.selector, bytes32("Nothing")));
        directory.get("Nothing");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        directory.set("Accounts", address(accounts), address(accounts).codehash);
    }
}
