// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {AccountStatus, Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaAllocateTest is LedgerTest {
    function setUp() public override {
        super.setUp();
        _issue(VINTAGE, 500);
    }

    function _instruction(string memory name, address to, uint128 tonnes)
        private
        view
        returns (IQuota.AllocateQuota memory i, Signatures memory s)
    {
        i = IQuota.AllocateQuota(_id(name), to, VINTAGE, tonnes, "document", _nonce(_id(name)), DEADLINE);
        s = _sign(name, address(quota), hasher.hash(i));
    }

    function test_moves_quota_to_an_enterprise() public {
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("regulator", alpha, 200);
        VM.expectEmit();
        emit IQuota.QuotaAllocated(regulator, alpha, VINTAGE, 200, "document");
        quota.allocate(i, s);

        assertEq(IERC1155(address(quota)).balanceOf(alpha, VINTAGE), 200);
        assertEq(IERC1155(address(quota)).balanceOf(regulator, VINTAGE), 300);
    }

    function test_refuses_more_than_was_issued() public {
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("regulator", alpha, 501);
        VM.expectRevert(
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector, regulator, 500, 501, VINTAGE
            )
        );
        quota.allocate(i, s);
    }

    function test_refuses_a_receiver_that_is_no_enterprise() public {
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("regulator", bank, 1);
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaReceiverInvalid.selector, bank));
        quota.allocate(i, s);
    }

    function test_refuses_a_receiver_that_is_not_open() public {
        accounts.setStatus(alpha, AccountStatus.Closed, "reason");
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("regulator", alpha, 1);
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaReceiverInvalid.selector, alpha));
        quota.allocate(i, s);
    }

    function test_refuses_an_enterprise() public {
        _allocate(alpha, VINTAGE, 10);
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("alpha", beta, 1);
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Regulator
            )
        );
        quota.allocate(i, s);
    }

    function test_refuses_nothing() public {
        (IQuota.AllocateQuota memory i, Signatures memory s) = _instruction("regulator", alpha, 0);
        VM.expectRevert(IQuota.QuotaAmountZero.selector);
        quota.allocate(i, s);
    }
}
