// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {APPROVE, INITIATE, Kind} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsSetRepresentativeTest is LedgerTest {
    function test_appoints_a_representative() public {
        VM.expectEmit();
        emit IAccounts.RepresentativeSet(alpha, address(11), INITIATE | APPROVE);
        accounts.setRepresentative(alpha, address(11), INITIATE | APPROVE);

        assertEq(accounts.rightsOf(alpha, address(11)), INITIATE | APPROVE);
    }

    function test_recovers_a_lost_key_by_appointing_before_removing() public {
        address lost = VM.addr(_key("alpha", " approver"));
        accounts.setRepresentative(alpha, address(11), APPROVE);
        accounts.setRepresentative(alpha, lost, 0);

        assertEq(accounts.rightsOf(alpha, lost), 0);
    }

    function test_frees_the_key_of_a_removed_representative_for_a_verifier() public {
        accounts.setRepresentative(alpha, address(11), APPROVE);
        accounts.setRepresentative(alpha, address(11), 0);
        accounts.setRepresentative(verifier, address(11), APPROVE);

        assertEq(accounts.rightsOf(verifier, address(11)), APPROVE);
    }

    function test_frees_the_key_of_a_removed_verifier_for_an_enterprise() public {
        accounts.setRepresentative(verifier, address(11), APPROVE);
        accounts.setRepresentative(verifier, address(11), 0);
        accounts.setRepresentative(alpha, address(11), APPROVE);

        assertEq(accounts.rightsOf(alpha, address(11)), APPROVE);
    }

    function test_refuses_a_second_verifier_with_the_same_person() public {
        _open("second verifier", Kind.Verifier);
        address key = VM.addr(_key("verifier", " approver"));
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsRepresentsAnother.selector, key, _id("second verifier"))
        );
        accounts.setRepresentative(_id("second verifier"), key, APPROVE);
    }

    function test_refuses_to_leave_no_pair() public {
        address key = VM.addr(_key("alpha", " approver"));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsTooFewRepresentatives.selector, alpha, 1, 1, 0));
        accounts.setRepresentative(alpha, key, 0);
    }

    function test_refuses_to_leave_two_who_only_initiate() public {
        address key = VM.addr(_key("alpha", " approver"));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsTooFewRepresentatives.selector, alpha, 2, 2, 0));
        accounts.setRepresentative(alpha, key, INITIATE);
    }

    function test_refuses_to_remove_somebody_who_is_none() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsKeyInvalid.selector, alpha, address(11)));
        accounts.setRepresentative(alpha, address(11), 0);
    }

    function test_refuses_an_unknown_account() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsUnknown.selector, _id("gamma")));
        accounts.setRepresentative(_id("gamma"), address(11), APPROVE);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        accounts.setRepresentative(alpha, address(11), APPROVE);
    }

    /// @dev Whatever is tried, an able pair is left.
    function testFuzz_leaves_an_able_pair(uint8[12] calldata keys, uint8[12] calldata rights) public {
        for (uint256 i = 0; i < keys.length; ++i) {
            address key = address(uint160(bound(keys[i], 11, 14)));
            try accounts.setRepresentative(alpha, key, uint8(rights[i] % 5)) {} catch {}
        }
        try accounts.setRepresentative(alpha, VM.addr(_key("alpha", " initiator")), 0) {} catch {}
        try accounts.setRepresentative(alpha, VM.addr(_key("alpha", " approver")), 0) {} catch {}

        assertTrue(_hasPair());
    }

    function _hasPair() private view returns (bool) {
        address[6] memory keys = [
            address(11),
            address(12),
            address(13),
            address(14),
            VM.addr(_key("alpha", " initiator")),
            VM.addr(_key("alpha", " approver"))
        ];
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 j = 0; j < 6; ++j) {
                bool able = accounts.rightsOf(alpha, keys[i]) & INITIATE != 0
                    && accounts.rightsOf(alpha, keys[j]) & APPROVE != 0;
                if (i != j && able) return true;
            }
        }
        return false;
    }
}
