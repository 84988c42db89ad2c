// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Kind} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorConfigureTest is LedgerTest {
    function test_numbers_configurations_and_digests_them() public {
        IReadingAnchor.Member[] memory members = _members();
        bytes32 digest = keccak256(abi.encode(block.chainid, address(anchor), uint32(2), uint8(4), members));
        VM.expectEmit();
        emit IReadingAnchor.ConfigurationSet(2, 4, members, digest);
        anchor.configure(members, 4);

        (uint32 version, uint8 threshold, IReadingAnchor.Member[] memory kept) = anchor.configuration();
        assertEq(version, 2);
        assertEq(threshold, 4);
        assertEq(keccak256(abi.encode(kept)), keccak256(abi.encode(members)));
        assertEq(anchor.configDigest(), digest);
    }

    function test_refuses_reports_of_the_old_configuration() public {
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        anchor.configure(_members(), 3);
        bytes32 structHash = hasher.hash(report);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorConfigurationMismatch.selector, 1, 2));
        anchor.submit(report, _attest(address(anchor), structHash, 13));
    }

    function test_takes_reports_of_the_new_configuration() public {
        anchor.configure(_members(), 4);
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        report.rulesVersion = 2;
        anchor.submit(report, _attest(address(anchor), hasher.hash(report), 15));

        (, uint64 seq,,) = anchor.head(STREAM);
        assertEq(seq, 1);
    }

    function test_refuses_no_members() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMembersInvalid.selector, 0, 32));
        anchor.configure(new IReadingAnchor.Member[](0), 1);
    }

    function test_refuses_more_members_than_the_bound() public {
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMembersInvalid.selector, 33, 32));
        anchor.configure(new IReadingAnchor.Member[](33), 23);
    }

    function test_refuses_a_threshold_below_two_thirds() public {
        IReadingAnchor.Member[] memory members = _members();
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorThresholdInvalid.selector, 2, 3, 4));
        anchor.configure(members, 2);
    }

    function test_refuses_a_threshold_above_the_members() public {
        IReadingAnchor.Member[] memory members = _members();
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorThresholdInvalid.selector, 5, 3, 4));
        anchor.configure(members, 5);
    }

    function test_refuses_a_key_of_another_member() public {
        IReadingAnchor.Member[] memory members = _members();
        members[2].key = members[0].key;
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMemberInvalid.selector, 2));
        anchor.configure(members, 3);
    }

    function test_refuses_a_member_without_key() public {
        IReadingAnchor.Member[] memory members = _members();
        members[1].key = address(0);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMemberInvalid.selector, 1));
        anchor.configure(members, 3);
    }

    function test_refuses_a_member_without_organisation() public {
        IReadingAnchor.Member[] memory members = _members();
        members[1].organisation = address(0);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMemberInvalid.selector, 1));
        anchor.configure(members, 3);
    }

    function test_refuses_a_member_without_kind() public {
        IReadingAnchor.Member[] memory members = _members();
        members[3].role = Kind.None;
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMemberInvalid.selector, 3));
        anchor.configure(members, 3);
    }

    function test_refuses_members_without_verifier_and_regulator() public {
        IReadingAnchor.Member[] memory members = _members();
        members[2].role = Kind.ParkOperator;
        members[3].role = Kind.Bank;
        VM.expectRevert(IReadingAnchor.AnchorRoleMissing.selector);
        anchor.configure(members, 3);
    }

    function test_refuses_a_quorum_before_the_first_configuration() public {
        IReadingAnchor fresh = IReadingAnchor(_create("ReadingAnchor", abi.encode(manager, carriers)));
        fresh.openStream(STREAM, 1);
        VM.expectRevert(IReadingAnchor.AnchorNotConfigured.selector);
        fresh.requireQuorum(0, _attest(address(fresh), 0, 13));
    }

    function test_refuses_a_stranger() public {
        IReadingAnchor.Member[] memory members = _members();
        _expectUnauthorized();
        anchor.configure(members, 3);
    }
}
