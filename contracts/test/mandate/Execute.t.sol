// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IDirectory} from "../../src/interfaces/IDirectory.sol";
import {IMandate} from "../../src/interfaces/IMandate.sol";
import {IMarket} from "../../src/interfaces/IMarket.sol";
import {INITIATE, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract MandateExecuteTest is LedgerTest {
    IMandate private mandate;

    function setUp() public override {
        super.setUp();
        mandate = IMandate(_create("Mandate", abi.encode(accounts, regulator)));
        accounts.setAuthoriser(address(mandate), true);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IMarket.halt.selector;
        manager.setTargetFunctionRole(address(market), selectors, REGULATOR_ROLE);
        manager.grantRole(REGULATOR_ROLE, address(mandate), 0);
    }

    function _call(address target, bytes memory data)
        private
        view
        returns (IMandate.Call memory c, Signatures memory s)
    {
        c = IMandate.Call(target, data, _nonce(regulator), DEADLINE);
        s = _sign("regulator", address(mandate), hasher.hash(c));
    }

    function test_does_what_two_representatives_signed() public {
        (IMandate.Call memory c, Signatures memory s) = _call(address(market), abi.encodeCall(IMarket.halt, (0, true)));
        VM.expectEmit();
        emit IMandate.MandateExecuted(address(market), IMarket.halt.selector, 0);
        mandate.execute(c, s);

        assertTrue(market.isHalted(0));
        assertEq(mandate.account(), regulator);
    }

    function test_refuses_representatives_of_another_institution() public {
        (IMandate.Call memory c,) = _call(address(market), abi.encodeCall(IMarket.halt, (0, true)));
        Signatures memory s = _sign("bank", address(mandate), hasher.hash(c));
        address key = VM.addr(_key("bank", " initiator"));
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, regulator, key, 0, INITIATE)
        );
        mandate.execute(c, s);
    }

    function test_an_administrator_with_a_delay_announces_and_waits() public {
        manager.grantRole(0, address(mandate), 1 hours);
        bytes memory data = abi.encodeCall(IDirectory.set, ("Spare", address(cash), address(cash).codehash));
        (IMandate.Call memory c, Signatures memory s) = _call(address(directory), data);
        bytes32 operation = manager.hashOperation(address(mandate), address(directory), data);
        VM.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation));
        mandate.execute(c, s);

        (c, s) = _call(address(manager), abi.encodeCall(IAccessManager.schedule, (address(directory), data, 0)));
        mandate.execute(c, s);
        (c, s) = _call(address(directory), data);
        VM.warp(NOW + 1 hours - 1);
        VM.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, operation));
        mandate.execute(c, s);

        VM.warp(NOW + 1 hours);
        mandate.execute(c, s);
        (address where,) = directory.get("Spare");
        assertEq(where, address(cash));
    }

    function test_refuses_a_changed_call() public {
        (IMandate.Call memory c, Signatures memory s) = _call(address(market), abi.encodeCall(IMarket.halt, (0, true)));
        c.data = abi.encodeCall(IMarket.halt, (0, false));
        VM.expectRevert();
        mandate.execute(c, s);
    }

    function test_passes_on_the_refusal_of_its_target() public {
        bytes memory data = abi.encodeCall(IMarket.setReferencePrice, (VINTAGE, 1));
        (IMandate.Call memory c, Signatures memory s) = _call(address(market), data);
        VM.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(mandate))
        );
        mandate.execute(c, s);
    }

    function test_refuses_a_call_without_a_selector() public {
        (IMandate.Call memory c, Signatures memory s) = _call(address(market), hex"000000");
        VM.expectRevert(abi.encodeWithSelector(IMandate.MandateSelectorMissing.selector, 3, 4));
        mandate.execute(c, s);
    }

    function test_refuses_to_use_up_nonces_of_others() public {
        bytes memory data = abi.encodePacked(IAccounts.authorise.selector);
        (IMandate.Call memory c, Signatures memory s) = _call(address(accounts), data);
        VM.expectRevert(
            abi.encodeWithSelector(
                IMandate.MandateCallRefused.selector, address(accounts), IAccounts.authorise.selector
            )
        );
        mandate.execute(c, s);
    }

    function test_refuses_a_replay() public {
        (IMandate.Call memory c, Signatures memory s) = _call(address(market), abi.encodeCall(IMarket.halt, (0, true)));
        mandate.execute(c, s);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, regulator, 0, 1));
        mandate.execute(c, s);
    }
}
