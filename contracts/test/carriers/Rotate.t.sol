// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../../src/interfaces/ICarriers.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract CarriersRotateTest is ReadingTest {
    uint256 private constant NEW_KEY = 8;

    function setUp() public override {
        super.setUp();
        _register();
    }

    function _signRotation(uint256 key, uint256 newKey, uint64 fromSeq) private view returns (bytes memory) {
        bytes32 structHash = hasher.hashRotation(ID_HASH, 1, _publicKey(newKey), fromSeq);
        (bytes32 r, bytes32 s) = VM.signP256(key, sha256(abi.encodePacked(_digest(address(carriers), structHash))));
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        return abi.encodePacked(r, s);
    }

    function test_both_keys_hand_over() public {
        bytes memory newKey = _publicKey(NEW_KEY);
        bytes memory old = _signRotation(CARRIER_KEY, NEW_KEY, 10);
        bytes memory fresh = _signRotation(NEW_KEY, NEW_KEY, 10);
        VM.expectEmit();
        emit ICarriers.KeyRotated(ID_HASH, 1, 10, 1, newKey);
        carriers.rotate(ID_HASH, 1, newKey, 10, old, fresh);

        (, bytes memory before) = carriers.keyAt(ID_HASH, 9);
        (, bytes memory since) = carriers.keyAt(ID_HASH, 10);
        assertEq(before, _publicKey(CARRIER_KEY));
        assertEq(since, newKey);
    }

    function test_refuses_without_the_old_key() public {
        bytes memory newKey = _publicKey(NEW_KEY);
        bytes memory fresh = _signRotation(NEW_KEY, NEW_KEY, 10);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersRotationUnsigned.selector, ID_HASH, false));
        carriers.rotate(ID_HASH, 1, newKey, 10, fresh, fresh);
    }

    function test_refuses_without_the_new_key() public {
        bytes memory newKey = _publicKey(NEW_KEY);
        bytes memory old = _signRotation(CARRIER_KEY, NEW_KEY, 10);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersRotationUnsigned.selector, ID_HASH, true));
        carriers.rotate(ID_HASH, 1, newKey, 10, old, "");
    }

    function test_a_suspended_carrier_does_not_change_its_own_key() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Suspended, 7);
        bytes memory newKey = _publicKey(NEW_KEY);
        bytes memory old = _signRotation(CARRIER_KEY, NEW_KEY, 10);
        bytes memory fresh = _signRotation(NEW_KEY, NEW_KEY, 10);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICarriers.CarriersStatusRefused.selector,
                ID_HASH,
                ICarriers.CarrierStatus.Active,
                ICarriers.CarrierStatus.Suspended
            )
        );
        carriers.rotate(ID_HASH, 1, newKey, 10, old, fresh);

        carriers.rotateByAuthority(ID_HASH, 1, newKey, 10);
    }

    function test_refuses_a_new_suite_that_the_chain_cannot_check() public {
        bytes memory old = _signRotation(CARRIER_KEY, NEW_KEY, 10);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersRotationUnsigned.selector, ID_HASH, false));
        carriers.rotate(ID_HASH, 2, abi.encodePacked(keccak256("ed")), 10, old, "");
    }

    function test_refuses_an_old_suite_that_the_chain_cannot_check() public {
        carriers.rotateByAuthority(ID_HASH, 2, abi.encodePacked(keccak256("ed")), 5);
        bytes memory newKey = _publicKey(NEW_KEY);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersSuiteNotOnChain.selector, 2));
        carriers.rotate(ID_HASH, 1, newKey, 10, "", "");
    }
}
