// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {APPROVE, AccountStatus, INITIATE, Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AccountsAuthoriseTest is LedgerTest {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant DIGEST = keccak256("digest");

    function setUp() public override {
        super.setUp();
        accounts.setAuthoriser(address(this), true);
    }

    function _both() private pure returns (Signatures memory) {
        return _pair(_key("alpha", " initiator"), _key("alpha", " approver"), DIGEST);
    }

    function _authorise(Signatures memory s) private {
        accounts.authorise(alpha, Kind.Enterprise, 0, DEADLINE, DIGEST, s);
    }

    function test_uses_up_the_nonce_and_names_both_signers() public {
        VM.expectEmit();
        emit IAccounts.InstructionAuthorised(
            alpha, 0, DIGEST, VM.addr(_key("alpha", " initiator")), VM.addr(_key("alpha", " approver"))
        );
        _authorise(_both());

        assertEq(_nonce(alpha), 1);
    }

    function test_takes_any_kind_where_none_is_required() public {
        accounts.authorise(alpha, Kind.None, 0, DEADLINE, DIGEST, _both());

        assertEq(_nonce(alpha), 1);
    }

    function test_takes_the_last_second() public {
        accounts.authorise(alpha, Kind.None, 0, NOW, DIGEST, _both());

        assertEq(_nonce(alpha), 1);
    }

    function test_refuses_a_contract_that_is_no_authoriser() public {
        accounts.setAuthoriser(address(this), false);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNotAuthoriser.selector, address(this)));
        _authorise(_both());
    }

    function test_refuses_after_the_deadline() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsDeadlinePassed.selector, NOW - 1, NOW));
        accounts.authorise(alpha, Kind.None, 0, NOW - 1, DIGEST, _both());
    }

    function test_refuses_an_unknown_account() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsUnknown.selector, _id("gamma")));
        accounts.authorise(_id("gamma"), Kind.None, 0, DEADLINE, DIGEST, _both());
    }

    function test_refuses_another_kind() public {
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Bank)
        );
        accounts.authorise(alpha, Kind.Bank, 0, DEADLINE, DIGEST, _both());
    }

    function test_refuses_an_account_that_is_not_open() public {
        accounts.setStatus(alpha, AccountStatus.Frozen, "reason");
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsStatusMismatch.selector, alpha, AccountStatus.Frozen, AccountStatus.Open
            )
        );
        _authorise(_both());
    }

    function test_refuses_a_nonce_ahead() public {
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, alpha, 1, 0));
        accounts.authorise(alpha, Kind.None, 1, DEADLINE, DIGEST, _both());
    }

    function test_refuses_a_replay() public {
        _authorise(_both());
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, alpha, 0, 1));
        _authorise(_both());
    }

    function test_refuses_one_person_who_may_do_both() public {
        uint256 key = keyOf("both");
        accounts.setRepresentative(alpha, VM.addr(key), INITIATE | APPROVE);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsSignersEqual.selector, alpha, VM.addr(key)));
        _authorise(_pair(key, key, DIGEST));
    }

    function test_refuses_an_initiator_without_the_right() public {
        address approver = VM.addr(_key("alpha", " approver"));
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, alpha, approver, APPROVE, INITIATE)
        );
        _authorise(_pair(_key("alpha", " approver"), _key("alpha", " initiator"), DIGEST));
    }

    function test_refuses_an_approver_without_the_right() public {
        address second = addressOf("second");
        accounts.setRepresentative(alpha, second, INITIATE);
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, alpha, second, INITIATE, APPROVE)
        );
        _authorise(_pair(_key("alpha", " initiator"), keyOf("second"), DIGEST));
    }

    function test_refuses_representatives_of_another_account() public {
        address foreign = VM.addr(_key("beta", " initiator"));
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, alpha, foreign, 0, INITIATE)
        );
        _authorise(_pair(_key("beta", " initiator"), _key("beta", " approver"), DIGEST));
    }

    function test_refuses_a_signature_that_recovers_to_zero() public {
        Signatures memory s = _both();
        s.initiatorR = bytes32(0);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsSignatureInvalid.selector, alpha, INITIATE));
        _authorise(s);
    }

    function test_refuses_an_empty_approval() public {
        Signatures memory s = _both();
        (s.approverR, s.approverVs) = (bytes32(0), bytes32(0));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsSignatureInvalid.selector, alpha, APPROVE));
        _authorise(s);
    }

    /// @dev The first high s that still fits 255 bits; larger ones cannot be written in this form.
    function test_refuses_a_high_s() public {
        Signatures memory s = _both();
        s.approverVs = bytes32(ORDER / 2 + 1);
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsSignatureInvalid.selector, alpha, APPROVE));
        _authorise(s);
    }

    /// @dev Without two distinct representatives of the account nothing is authorised, whoever signs.
    function testFuzz_nobody_authorises_alone(uint256 first, uint256 second, bytes32 digest) public {
        (first, second) = (bound(first, 1, ORDER - 1), bound(second, 1, ORDER - 1));
        Signatures memory s = _pair(first, second, digest);
        VM.expectRevert();
        accounts.authorise(alpha, Kind.None, 0, DEADLINE, digest, s);

        s = _pair(_key("alpha", " initiator"), second, digest);
        VM.expectRevert();
        accounts.authorise(alpha, Kind.None, 0, DEADLINE, digest, s);

        s = _pair(first, _key("alpha", " approver"), digest);
        VM.expectRevert();
        accounts.authorise(alpha, Kind.None, 0, DEADLINE, digest, s);
    }

    /// @dev One changed bit of either signature, and it is no longer theirs.
    function testFuzz_refuses_a_flipped_bit(uint8 bit, bool isFirst) public {
        Signatures memory s = _both();
        bytes32 mask = bytes32(uint256(1) << bit);
        if (isFirst) s.initiatorR ^= mask;
        else s.approverVs ^= mask;
        VM.expectRevert();
        _authorise(s);
    }
}
