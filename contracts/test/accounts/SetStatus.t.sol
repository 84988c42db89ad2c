// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {AccountStatus} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsSetStatusTest is LedgerTest {
    function test_sets_the_status() public {
        VM.expectEmit();
        emit IAccounts.AccountStatusSet(alpha, AccountStatus.Suspended, "reason");
        accounts.setStatus(alpha, AccountStatus.Suspended, "reason");

        (, AccountStatus status,) = accounts.accountOf(alpha);
        assertTrue(status == AccountStatus.Suspended);
    }

    function test_opens_a_suspended_account_again() public {
        accounts.setStatus(alpha, AccountStatus.Suspended, "reason");
        accounts.setStatus(alpha, AccountStatus.Open, "reason");

        (, AccountStatus status,) = accounts.accountOf(alpha);
        assertTrue(status == AccountStatus.Open);
    }

    function test_refuses_the_status_none() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsStatusRefused.selector, alpha, AccountStatus.None, AccountStatus.Open
            )
        );
        accounts.setStatus(alpha, AccountStatus.None, "reason");
    }

    function test_refuses_to_open_a_closed_account() public {
        accounts.setStatus(alpha, AccountStatus.Closed, "reason");
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsStatusRefused.selector, alpha, AccountStatus.Open, AccountStatus.Closed
            )
        );
        accounts.setStatus(alpha, AccountStatus.Open, "reason");
    }

    function test_refuses_an_unknown_account() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsUnknown.selector, _id("gamma")));
        accounts.setStatus(_id("gamma"), AccountStatus.Frozen, "reason");
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        accounts.setStatus(alpha, AccountStatus.Frozen, "reason");
    }
}
