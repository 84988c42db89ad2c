// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../../src/interfaces/ICarriers.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract CarriersRotateByAuthorityTest is ReadingTest {
    function setUp() public override {
        super.setUp();
        _register();
    }

    function test_the_key_of_each_epoch_counts_in_it() public {
        for (uint256 i = 1; i <= 6; ++i) {
            carriers.rotateByAuthority(ID_HASH, 1, _publicKey(CARRIER_KEY + i), uint64(10 * i));
        }

        for (uint256 i = 0; i <= 6; ++i) {
            (, bytes memory first) = carriers.keyAt(ID_HASH, uint64(10 * i));
            (, bytes memory last) = carriers.keyAt(ID_HASH, uint64(10 * i + 9));
            assertEq(first, _publicKey(CARRIER_KEY + i));
            assertEq(last, _publicKey(CARRIER_KEY + i));
        }
    }

    function test_refuses_an_epoch_that_does_not_start_later() public {
        bytes memory key = _publicKey(8);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersEpochNotAfter.selector, ID_HASH, 0, 1));
        carriers.rotateByAuthority(ID_HASH, 1, key, 0);
    }

    function test_refuses_a_revoked_carrier() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Revoked, 3);
        bytes memory key = _publicKey(8);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICarriers.CarriersStatusRefused.selector,
                ID_HASH,
                ICarriers.CarrierStatus.Active,
                ICarriers.CarrierStatus.Revoked
            )
        );
        carriers.rotateByAuthority(ID_HASH, 1, key, 10);
    }

    function test_refuses_an_unknown_carrier() public {
        bytes memory key = _publicKey(8);
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersUnknown.selector, bytes32("other")));
        carriers.rotateByAuthority("other", 1, key, 10);
    }

    function test_refuses_a_stranger() public {
        bytes memory key = _publicKey(8);
        _expectUnauthorized();
        carriers.rotateByAuthority(ID_HASH, 1, key, 10);
    }
}
