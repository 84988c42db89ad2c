// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {INITIATE, Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsAuthorisePairTest is LedgerTest {
    bytes32 private constant DIGEST = keccak256("digest");

    function setUp() public override {
        super.setUp();
        accounts.setAuthoriser(address(this), true);
    }

    function _both(string memory name) private pure returns (Signatures memory) {
        return _pair(_key(name, " initiator"), _key(name, " approver"), DIGEST);
    }

    function test_uses_up_both_nonces() public {
        accounts.authorisePair(alpha, 0, beta, 0, DEADLINE, DIGEST, _both("alpha"), _both("beta"));

        assertEq(_nonce(alpha), 1);
        assertEq(_nonce(beta), 1);
    }

    function test_refuses_an_account_that_is_no_enterprise() public {
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, bank, Kind.Bank, Kind.Enterprise)
        );
        accounts.authorisePair(alpha, 0, bank, 0, DEADLINE, DIGEST, _both("alpha"), _both("bank"));
    }

    function test_refuses_the_signatures_of_one_side_for_both() public {
        address key = VM.addr(_key("alpha", " initiator"));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, beta, key, 0, INITIATE));
        accounts.authorisePair(alpha, 0, beta, 0, DEADLINE, DIGEST, _both("alpha"), _both("alpha"));
    }

    function test_refuses_an_account_with_itself() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, alpha, 0, 1));
        accounts.authorisePair(alpha, 0, alpha, 0, DEADLINE, DIGEST, _both("alpha"), _both("alpha"));
    }

    function test_refuses_after_the_deadline() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsDeadlinePassed.selector, NOW - 1, NOW));
        accounts.authorisePair(alpha, 0, beta, 0, NOW - 1, DIGEST, _both("alpha"), _both("beta"));
    }

    function test_refuses_a_contract_that_is_no_authoriser() public {
        accounts.setAuthoriser(address(this), false);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNotAuthoriser.selector, address(this)));
        accounts.authorisePair(alpha, 0, beta, 0, DEADLINE, DIGEST, _both("alpha"), _both("beta"));
    }
}
