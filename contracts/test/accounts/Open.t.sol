// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {APPROVE, AccountStatus, INITIATE, Kind} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsOpenTest is LedgerTest {
    function test_opens_an_account_under_its_derived_id() public {
        address gamma = _id("gamma");
        VM.expectEmit();
        emit IAccounts.AccountOpened(gamma, Kind.Bank, "gamma");
        _open("gamma", Kind.Bank);

        (Kind kind, AccountStatus status, uint64 nonce) = accounts.accountOf(gamma);
        assertTrue(kind == Kind.Bank && status == AccountStatus.Open);
        assertEq(nonce, 0);
        assertEq(accounts.rightsOf(gamma, VM.addr(_key("gamma", " initiator"))), INITIATE);
        assertEq(accounts.rightsOf(gamma, VM.addr(_key("gamma", " approver"))), APPROVE);
    }

    function test_refuses_an_id_of_another_name() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsNameMismatch.selector, _id("delta"), _id("gamma"))
        );
        accounts.open(_id("delta"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_the_kind_none() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, _id("gamma"), Kind.None, Kind.None)
        );
        accounts.open(_id("gamma"), "gamma", Kind.None, representatives);
    }

    function test_refuses_to_open_twice() public {
        IAccounts.Representative[] memory representatives = _representatives("alpha");
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsAlreadyOpened.selector, alpha));
        accounts.open(alpha, "alpha", Kind.Enterprise, representatives);
    }

    function test_refuses_a_single_representative() public {
        IAccounts.Representative[] memory representatives = new IAccounts.Representative[](1);
        representatives[0] = IAccounts.Representative(address(11), INITIATE | APPROVE);
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsTooFewRepresentatives.selector, _id("gamma"), 1, 1, 1)
        );
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_representatives_of_whom_none_approves() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        representatives[1].rights = INITIATE;
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsTooFewRepresentatives.selector, _id("gamma"), 2, 2, 0)
        );
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_more_representatives_than_the_bound() public {
        IAccounts.Representative[] memory representatives = new IAccounts.Representative[](17);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsTooManyRepresentatives.selector, 17, 16));
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_a_representative_without_rights() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        representatives[1].rights = 0;
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsRightsInvalid.selector, 0));
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_rights_beyond_both() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        representatives[1].rights = 4;
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsRightsInvalid.selector, 4));
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_a_key_that_is_listed_twice() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        representatives[1].key = representatives[0].key;
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKeyInvalid.selector, _id("gamma"), representatives[0].key)
        );
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_the_zero_key() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        representatives[0].key = address(0);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsKeyInvalid.selector, _id("gamma"), address(0)));
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_refuses_a_verifier_represented_by_an_enterprise() public {
        IAccounts.Representative[] memory representatives = _representatives("alpha");
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsRepresentsAnother.selector, representatives[0].key, _id("second verifier")
            )
        );
        accounts.open(_id("second verifier"), "second verifier", Kind.Verifier, representatives);
    }

    function test_refuses_an_enterprise_represented_by_a_verifier() public {
        IAccounts.Representative[] memory representatives = _representatives("verifier");
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsRepresentsAnother.selector, representatives[0].key, _id("gamma")
            )
        );
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }

    function test_lets_one_person_represent_two_enterprises() public {
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, _representatives("alpha"));

        assertEq(accounts.rightsOf(_id("gamma"), VM.addr(_key("alpha", " initiator"))), INITIATE);
    }

    function test_refuses_a_stranger() public {
        IAccounts.Representative[] memory representatives = _representatives("gamma");
        _expectUnauthorized();
        accounts.open(_id("gamma"), "gamma", Kind.Enterprise, representatives);
    }
}
