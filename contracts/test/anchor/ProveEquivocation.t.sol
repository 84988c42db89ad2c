// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Attestation} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorProveEquivocationTest is LedgerTest {
    IReadingAnchor.BatchReport private first;
    IReadingAnchor.BatchReport private second;

    function setUp() public override {
        super.setUp();
        first = _batch(5, "head");
        second = _batch(5, "head");
        second.batchRoot = "other";
    }

    function _signature(IReadingAnchor.BatchReport memory report, uint256 member) private view returns (bytes memory) {
        return _attest(address(anchor), hasher.hash(report), 1 << member).signatures;
    }

    function _prove(uint256 index, uint256 signer) private {
        bytes memory a = _signature(first, signer);
        bytes memory b = _signature(second, signer);
        anchor.proveEquivocation(index, first, a, second, b);
    }

    function _expectRefusal(uint256 index, uint256 signer, bytes memory reason) private {
        bytes memory a = _signature(first, signer);
        bytes memory b = _signature(second, signer);
        VM.expectRevert(reason);
        anchor.proveEquivocation(index, first, a, second, b);
    }

    function test_suspends_the_member_at_once() public {
        VM.expectEmit();
        emit IReadingAnchor.MemberSuspended(
            1, 2, addressOf(memberNames[2]), hasher.hash(first), hasher.hash(second)
        );
        _prove(2, 2);

        assertEq(anchor.suspendedMembers(), 4);
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        Attestation memory attestation = _attest(address(anchor), hasher.hash(report), 13);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorMemberSuspended.selector, 13, 4));
        anchor.submit(report, attestation);
    }

    function test_the_others_go_on() public {
        _prove(2, 2);
        IReadingAnchor.BatchReport memory report = _batch(0, 0);
        anchor.submit(report, _attest(address(anchor), hasher.hash(report), 11));

        (, uint64 seq,,) = anchor.head(STREAM);
        assertEq(seq, 1);
    }

    function test_a_new_configuration_ends_the_suspension() public {
        _prove(2, 2);
        anchor.configure(_members(), 3);

        assertEq(anchor.suspendedMembers(), 0);
    }

    function test_refuses_one_report_twice() public {
        second = first;
        bytes32 one = hasher.hash(first);
        _expectRefusal(2, 2, abi.encodeWithSelector(IReadingAnchor.AnchorNoEquivocation.selector, one, one));
    }

    function test_refuses_reports_for_two_numbers() public {
        second.seq = 6;
        _expectRefusal(
            2,
            2,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorNoEquivocation.selector, hasher.hash(first), hasher.hash(second)
            )
        );
    }

    function test_refuses_reports_for_two_streams() public {
        second.streamId = "other";
        _expectRefusal(
            2,
            2,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorNoEquivocation.selector, hasher.hash(first), hasher.hash(second)
            )
        );
    }

    function test_refuses_reports_of_an_old_configuration() public {
        anchor.configure(_members(), 3);
        _expectRefusal(
            2,
            2,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorNoEquivocation.selector, hasher.hash(first), hasher.hash(second)
            )
        );
    }

    function test_refuses_the_signatures_of_another() public {
        _expectRefusal(
            2,
            1,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorSignatureInvalid.selector,
                2,
                addressOf(memberNames[1]),
                addressOf(memberNames[2])
            )
        );
    }

    function test_refuses_an_index_that_names_no_member() public {
        _expectRefusal(4, 2, abi.encodeWithSelector(IReadingAnchor.AnchorSignerUnknown.selector, 4, 4));
    }

    function test_refuses_a_member_that_is_suspended() public {
        _prove(2, 2);
        _expectRefusal(2, 2, abi.encodeWithSelector(IReadingAnchor.AnchorMemberSuspended.selector, 4, 4));
    }

    function test_refuses_a_signature_of_another_length() public {
        bytes memory a = _signature(first, 2);
        VM.expectRevert(abi.encodeWithSelector(IReadingAnchor.AnchorSignaturesLength.selector, 0, 64));
        anchor.proveEquivocation(2, first, a, second, "");
    }
}
