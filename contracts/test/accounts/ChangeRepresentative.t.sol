// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {APPROVE, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsChangeRepresentativeTest is LedgerTest {
    function _change(address key, uint8 rights, uint64 deadline)
        private
        view
        returns (IAccounts.ChangeRepresentative memory i, Signatures memory s)
    {
        i = IAccounts.ChangeRepresentative(alpha, key, rights, _nonce(alpha), deadline);
        s = _sign("alpha", address(accounts), hasher.hash(i));
    }

    function test_an_account_appoints_its_own_representative() public {
        (IAccounts.ChangeRepresentative memory i, Signatures memory s) = _change(address(11), APPROVE, DEADLINE);
        VM.expectEmit();
        emit IAccounts.RepresentativeSet(alpha, address(11), APPROVE);
        accounts.changeRepresentative(i, s);

        assertEq(accounts.rightsOf(alpha, address(11)), APPROVE);
        assertEq(_nonce(alpha), 1);
    }

    function test_refuses_to_leave_no_pair() public {
        address key = VM.addr(_key("alpha", " approver"));
        (IAccounts.ChangeRepresentative memory i, Signatures memory s) = _change(key, 0, DEADLINE);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsTooFewRepresentatives.selector, alpha, 1, 1, 0));
        accounts.changeRepresentative(i, s);
    }

    function test_refuses_after_the_deadline() public {
        (IAccounts.ChangeRepresentative memory i, Signatures memory s) = _change(address(11), APPROVE, NOW - 1);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsDeadlinePassed.selector, NOW - 1, NOW));
        accounts.changeRepresentative(i, s);
    }

    function test_refuses_a_replay() public {
        (IAccounts.ChangeRepresentative memory i, Signatures memory s) = _change(address(11), APPROVE, DEADLINE);
        accounts.changeRepresentative(i, s);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, alpha, 0, 1));
        accounts.changeRepresentative(i, s);
    }
}
