// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaIssueTest is LedgerTest {
    function _instruction(string memory name, uint16 vintage, uint128 tonnes)
        private
        view
        returns (IQuota.IssueQuota memory i, Signatures memory s)
    {
        i = IQuota.IssueQuota(_id(name), vintage, tonnes, "document", _nonce(_id(name)), DEADLINE);
        s = _sign(name, address(quota), hasher.hash(i));
    }

    function test_issues_to_the_regulator() public {
        (IQuota.IssueQuota memory i, Signatures memory s) = _instruction("regulator", VINTAGE, 500);
        VM.expectEmit();
        emit IQuota.QuotaIssued(regulator, VINTAGE, 500, "document");
        quota.issue(i, s);

        assertEq(IERC1155(address(quota)).balanceOf(regulator, VINTAGE), 500);
        (uint256 issued, uint256 held, uint256 surrendered, uint256 cancelled) = quota.supplyOf(VINTAGE);
        assertEq(issued, 500);
        assertEq(held, 500);
        assertEq(surrendered + cancelled, 0);
    }

    function test_refuses_an_enterprise() public {
        (IQuota.IssueQuota memory i, Signatures memory s) = _instruction("alpha", VINTAGE, 500);
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Regulator
            )
        );
        quota.issue(i, s);
    }

    function test_refuses_vintages_outside_the_calendar() public {
        (IQuota.IssueQuota memory i, Signatures memory s) = _instruction("regulator", 1999, 500);
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaVintageInvalid.selector, 1999));
        quota.issue(i, s);
        (i, s) = _instruction("regulator", 2200, 500);
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaVintageInvalid.selector, 2200));
        quota.issue(i, s);
    }

    function test_refuses_nothing() public {
        (IQuota.IssueQuota memory i, Signatures memory s) = _instruction("regulator", VINTAGE, 0);
        VM.expectRevert(IQuota.QuotaAmountZero.selector);
        quota.issue(i, s);
    }

    function test_refuses_a_replay() public {
        (IQuota.IssueQuota memory i, Signatures memory s) = _instruction("regulator", VINTAGE, 500);
        quota.issue(i, s);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, regulator, 0, 1));
        quota.issue(i, s);
    }
}
