// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICash} from "../../src/interfaces/ICash.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract CashRequestPayoutTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _credit(alpha, 700, "receipt");
    }

    function _request(uint128 fen) private view returns (ICash.PayoutRequest memory i, Signatures memory s) {
        i = ICash.PayoutRequest(alpha, fen, "destination", _nonce(alpha), DEADLINE);
        s = _sign("alpha", address(cash), hasher.hash(i));
    }

    function test_takes_the_amount_out_of_the_balance() public {
        (ICash.PayoutRequest memory i, Signatures memory s) = _request(300);
        bytes32 payout = _digest(address(cash), hasher.hash(i));
        VM.expectEmit();
        emit ICash.PayoutRequested(payout, alpha, 300, "destination");
        cash.requestPayout(i, s);

        assertEq(cash.balanceOf(alpha), 400);
        (,, uint256 pending) = cash.totals();
        assertEq(pending, 300);
        (address account, uint128 fen) = cash.payoutOf(payout);
        assertEq(account, alpha);
        assertEq(fen, 300);
    }

    function test_refuses_more_than_the_balance() public {
        (ICash.PayoutRequest memory i, Signatures memory s) = _request(701);
        VM.expectRevert(abi.encodeWithSelector(ICash.CashInsufficient.selector, alpha, 700, 701));
        cash.requestPayout(i, s);
    }

    function test_refuses_nothing() public {
        (ICash.PayoutRequest memory i, Signatures memory s) = _request(0);
        VM.expectRevert(ICash.CashAmountZero.selector);
        cash.requestPayout(i, s);
    }
}
