// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {ICash} from "../../src/interfaces/ICash.sol";
import {AccountStatus, Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract CashCreditTest is LedgerTest {
    function _receipt(string memory name, address to, uint128 fen, bytes32 bankReference)
        private
        view
        returns (ICash.CreditReceipt memory i, Signatures memory s)
    {
        i = ICash.CreditReceipt(_id(name), to, fen, bankReference, _nonce(_id(name)), DEADLINE);
        s = _sign(name, address(cash), hasher.hash(i));
    }

    function _expectRefusal(string memory name, address to, uint128 fen, bytes memory reason) private {
        (ICash.CreditReceipt memory i, Signatures memory s) = _receipt(name, to, fen, "receipt");
        VM.expectRevert(reason);
        cash.credit(i, s);
    }

    function test_credits_against_the_bank_s_signatures() public {
        (ICash.CreditReceipt memory i, Signatures memory s) = _receipt("bank", alpha, 700, "receipt");
        VM.expectEmit();
        emit ICash.CashCredited(alpha, 700, "receipt");
        cash.credit(i, s);

        assertEq(cash.balanceOf(alpha), 700);
        (uint256 credited, uint256 paidOut, uint256 pending) = cash.totals();
        assertEq(credited, 700);
        assertEq(paidOut + pending, 0);
    }

    function test_refuses_a_reference_that_was_used() public {
        _credit(alpha, 700, "receipt");
        _expectRefusal(
            "bank", beta, 1, abi.encodeWithSelector(ICash.CashReferenceUsed.selector, bytes32("receipt"))
        );
    }

    function test_a_bank_cannot_use_up_the_receipts_of_another() public {
        _open("other bank", Kind.Bank);
        (ICash.CreditReceipt memory i, Signatures memory s) = _receipt("other bank", beta, 1, "receipt");
        cash.credit(i, s);
        _credit(alpha, 700, "receipt");

        assertEq(cash.balanceOf(alpha), 700);
    }

    function test_refuses_an_unknown_account() public {
        address gamma = _id("gamma");
        _expectRefusal("bank", gamma, 1, abi.encodeWithSelector(ICash.CashReceiverInvalid.selector, gamma));
    }

    function test_refuses_a_closed_account() public {
        accounts.setStatus(alpha, AccountStatus.Closed, "reason");
        _expectRefusal("bank", alpha, 1, abi.encodeWithSelector(ICash.CashReceiverInvalid.selector, alpha));
    }

    function test_refuses_nothing() public {
        _expectRefusal("bank", alpha, 0, abi.encodeWithSelector(ICash.CashAmountZero.selector));
    }

    function test_refuses_an_account_that_is_no_bank() public {
        _expectRefusal(
            "alpha",
            alpha,
            1,
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Bank)
        );
    }
}
