// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {Attestation, Kind} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract AnchorRequireQuorumTest is LedgerTest {
    bytes32 private constant STRUCT_HASH = keccak256("struct");

    function _require(Attestation memory attestation) private view {
        anchor.requireQuorum(_digest(address(anchor), STRUCT_HASH), attestation);
    }

    function _signed(uint256 signers) private view returns (Attestation memory) {
        return _attest(address(anchor), STRUCT_HASH, signers);
    }

    function _expectRefusal(Attestation memory attestation, bytes memory reason) private {
        bytes32 digest = _digest(address(anchor), STRUCT_HASH);
        VM.expectRevert(reason);
        anchor.requireQuorum(digest, attestation);
    }

    function test_takes_every_three_of_four_and_all_four() public view {
        _require(_signed(7));
        _require(_signed(11));
        _require(_signed(13));
        _require(_signed(14));
        _require(_signed(15));
    }

    function test_refuses_two_of_four() public {
        _expectRefusal(_signed(12), abi.encodeWithSelector(IReadingAnchor.AnchorQuorumMissing.selector, 2, 3));
    }

    function test_refuses_nobody() public {
        _expectRefusal(_signed(0), abi.encodeWithSelector(IReadingAnchor.AnchorQuorumMissing.selector, 0, 3));
    }

    function test_refuses_a_signer_who_is_no_member() public {
        Attestation memory attestation = _signed(13);
        attestation.signers |= 16;
        _expectRefusal(attestation, abi.encodeWithSelector(IReadingAnchor.AnchorSignerUnknown.selector, 29, 4));
    }

    function test_refuses_a_missing_signature() public {
        Attestation memory attestation = _signed(13);
        attestation.signers = 15;
        _expectRefusal(
            attestation,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorSignatureInvalid.selector,
                1,
                addressOf(memberNames[2]),
                addressOf(memberNames[1])
            )
        );
    }

    function test_refuses_signatures_cut_short() public {
        Attestation memory attestation = _signed(13);
        bytes memory whole = attestation.signatures;
        attestation.signatures = new bytes(191);
        for (uint256 i = 0; i < 191; ++i) {
            attestation.signatures[i] = whole[i];
        }
        _expectRefusal(
            attestation, abi.encodeWithSelector(IReadingAnchor.AnchorSignaturesLength.selector, 191, 192)
        );
    }

    function test_refuses_a_surplus_signature() public {
        Attestation memory attestation = _signed(15);
        attestation.signers = 7;
        _expectRefusal(
            attestation, abi.encodeWithSelector(IReadingAnchor.AnchorSignaturesLength.selector, 256, 192)
        );
    }

    function test_refuses_one_signature_for_two_members() public {
        Attestation memory attestation = _signed(1);
        bytes memory one = attestation.signatures;
        attestation = Attestation(13, abi.encodePacked(one, one, one));
        _expectRefusal(
            attestation,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorSignatureInvalid.selector,
                2,
                addressOf(memberNames[0]),
                addressOf(memberNames[2])
            )
        );
    }

    function test_refuses_signatures_that_recover_to_zero() public {
        Attestation memory attestation = Attestation(13, new bytes(192));
        _expectRefusal(
            attestation,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorSignatureInvalid.selector, 0, address(0), addressOf(memberNames[0])
            )
        );
    }

    function test_refuses_a_high_s() public {
        Attestation memory attestation = _signed(13);
        bytes32 highS = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1;
        for (uint256 i = 0; i < 32; ++i) {
            attestation.signatures[32 + i] = highS[i];
        }
        _expectRefusal(
            attestation,
            abi.encodeWithSelector(
                IReadingAnchor.AnchorSignatureInvalid.selector, 0, address(0), addressOf(memberNames[0])
            )
        );
    }

    function test_refuses_two_keys_of_one_organisation() public {
        IReadingAnchor.Member[] memory members = _members();
        members[2].organisation = members[0].organisation;
        anchor.configure(members, 3);
        _expectRefusal(_signed(13), abi.encodeWithSelector(IReadingAnchor.AnchorOrganisationTwice.selector, 2));
    }

    function test_refuses_signers_without_verifier_and_regulator() public {
        IReadingAnchor.Member[] memory members = _members();
        members[2].role = Kind.Bank;
        anchor.configure(members, 3);
        _require(_signed(13));
        _expectRefusal(_signed(7), abi.encodeWithSelector(IReadingAnchor.AnchorRoleMissing.selector));
    }

    /// @dev Any flipped bit of the signatures spoils the quorum.
    function testFuzz_refuses_a_flipped_bit(uint16 bit) public {
        Attestation memory attestation = _signed(13);
        uint256 position = bound(bit, 0, 192 * 8 - 1);
        attestation.signatures[position / 8] ^= bytes1(uint8(1 << (position % 8)));
        bytes32 digest = _digest(address(anchor), STRUCT_HASH);
        VM.expectRevert();
        anchor.requireQuorum(digest, attestation);
    }
}
