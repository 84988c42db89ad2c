// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {INITIATE, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaCancelTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _issue(VINTAGE, 500);
        _allocate(alpha, VINTAGE, 100);
    }

    function _instruction(uint128 tonnes) private view returns (IQuota.CancelQuota memory) {
        return IQuota.CancelQuota(alpha, VINTAGE, tonnes, "reason", _nonce(alpha), DEADLINE);
    }

    function test_cancels_and_never_counts_as_surrender() public {
        IQuota.CancelQuota memory i = _instruction(60);
        Signatures memory s = _sign("alpha", address(quota), hasher.hashCancel(i));
        VM.expectEmit();
        emit IQuota.QuotaCancelled(alpha, VINTAGE, 60, "reason");
        quota.cancel(i, s);

        (uint256 issued, uint256 held, uint256 surrendered, uint256 cancelled) = quota.supplyOf(VINTAGE);
        assertEq(issued, 500);
        assertEq(held, 440);
        assertEq(surrendered, 0);
        assertEq(cancelled, 60);
    }

    function test_refuses_more_than_is_held() public {
        IQuota.CancelQuota memory i = _instruction(101);
        Signatures memory s = _sign("alpha", address(quota), hasher.hashCancel(i));
        VM.expectRevert(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, alpha, 100, 101, VINTAGE)
        );
        quota.cancel(i, s);
    }

    function test_refuses_nothing() public {
        IQuota.CancelQuota memory i = _instruction(0);
        Signatures memory s = _sign("alpha", address(quota), hasher.hashCancel(i));
        VM.expectRevert(IQuota.QuotaAmountZero.selector);
        quota.cancel(i, s);
    }

    function test_refuses_the_signatures_of_another_account() public {
        IQuota.CancelQuota memory i = _instruction(1);
        Signatures memory s = _sign("beta", address(quota), hasher.hashCancel(i));
        address key = VM.addr(_key("beta", " initiator"));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, alpha, key, 0, INITIATE));
        quota.cancel(i, s);
    }
}
