// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract LedgerRegisterBoundaryTest is LedgerTest {
    function test_registers_a_boundary_with_the_digest_of_its_content() public {
        VM.expectEmit();
        emit IEmissionLedger.BoundaryRegistered("b", beta, sha256("content"), "content");
        ledger.registerBoundary("b", beta, "content");

        (address account, bytes32 digest) = ledger.boundaryOf("b");
        assertEq(account, beta);
        assertEq(digest, sha256("content"));
    }

    function test_refuses_to_register_twice() public {
        VM.expectRevert(abi.encodeWithSelector(IEmissionLedger.LedgerBoundaryRegistered.selector, BOUNDARY));
        ledger.registerBoundary(BOUNDARY, beta, "content");
    }

    function test_refuses_an_unknown_account() public {
        VM.expectRevert(abi.encodeWithSelector(IEmissionLedger.LedgerAccountUnknown.selector, _id("gamma")));
        ledger.registerBoundary("b", _id("gamma"), "content");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        ledger.registerBoundary("b", beta, "content");
    }
}
