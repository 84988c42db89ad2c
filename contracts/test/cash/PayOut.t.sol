// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {ICash} from "../../src/interfaces/ICash.sol";
import {Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract CashPayOutTest is LedgerTest {
    bytes32 private payout;

    function setUp() public override {
        super.setUp();
        _credit(alpha, 700, "receipt");
        ICash.PayoutRequest memory i = ICash.PayoutRequest(alpha, 300, "destination", 0, DEADLINE);
        payout = _digest(address(cash), hasher.hash(i));
        cash.requestPayout(i, _sign("alpha", address(cash), hasher.hash(i)));
    }

    function _receipt(string memory name, bytes32 id, bytes32 bankReference)
        private
        view
        returns (ICash.PayoutReceipt memory i, Signatures memory s)
    {
        i = ICash.PayoutReceipt(_id(name), id, bankReference, _nonce(_id(name)), DEADLINE);
        s = _sign(name, address(cash), hasher.hash(i));
    }

    function test_the_bank_ends_a_payout() public {
        (ICash.PayoutReceipt memory i, Signatures memory s) = _receipt("bank", payout, "transfer");
        VM.expectEmit();
        emit ICash.CashPaidOut(payout, alpha, 300, "transfer");
        cash.payOut(i, s);

        (uint256 credited, uint256 paidOut, uint256 pending) = cash.totals();
        assertEq(credited, 700);
        assertEq(paidOut, 300);
        assertEq(pending, 0);
    }

    function test_refuses_to_pay_out_twice() public {
        (ICash.PayoutReceipt memory i, Signatures memory s) = _receipt("bank", payout, "transfer");
        cash.payOut(i, s);
        (i, s) = _receipt("bank", payout, "transfer 2");
        VM.expectRevert(abi.encodeWithSelector(ICash.CashPayoutUnknown.selector, payout));
        cash.payOut(i, s);
    }

    function test_refuses_an_unknown_payout() public {
        (ICash.PayoutReceipt memory i, Signatures memory s) = _receipt("bank", "other", "transfer");
        VM.expectRevert(abi.encodeWithSelector(ICash.CashPayoutUnknown.selector, bytes32("other")));
        cash.payOut(i, s);
    }

    function test_refuses_a_reference_that_was_used() public {
        (ICash.PayoutReceipt memory i, Signatures memory s) = _receipt("bank", payout, "receipt");
        VM.expectRevert(abi.encodeWithSelector(ICash.CashReferenceUsed.selector, bytes32("receipt")));
        cash.payOut(i, s);
    }

    function test_refuses_an_account_that_is_no_bank() public {
        (ICash.PayoutReceipt memory i, Signatures memory s) = _receipt("alpha", payout, "transfer");
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Bank)
        );
        cash.payOut(i, s);
    }
}
