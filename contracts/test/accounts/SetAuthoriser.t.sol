// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsSetAuthoriserTest is LedgerTest {
    function test_lets_a_contract_ask_and_stops_it_again() public {
        VM.expectEmit();
        emit IAccounts.AuthoriserSet(address(this), true);
        accounts.setAuthoriser(address(this), true);
        assertTrue(accounts.isAuthoriser(address(this)));

        accounts.setAuthoriser(address(this), false);
        assertFalse(accounts.isAuthoriser(address(this)));
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        accounts.setAuthoriser(address(this), true);
    }
}
