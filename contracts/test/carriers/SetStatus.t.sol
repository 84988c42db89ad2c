// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../../src/interfaces/ICarriers.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract CarriersSetStatusTest is ReadingTest {
    function setUp() public override {
        super.setUp();
        _register();
    }

    function test_suspends_and_lets_run_again() public {
        VM.expectEmit();
        emit ICarriers.CarrierStatusSet(ID_HASH, ICarriers.CarrierStatus.Suspended, 7);
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Suspended, 7);
        (, ICarriers.CarrierStatus status, uint64 cutoffSeq,,) = carriers.carrier(ID_HASH);
        assertTrue(status == ICarriers.CarrierStatus.Suspended);
        assertEq(cutoffSeq, 7);

        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Active, type(uint64).max);
        (, status,,,) = carriers.carrier(ID_HASH);
        assertTrue(status == ICarriers.CarrierStatus.Active);
    }

    function test_refuses_a_cut_off_for_an_active_carrier() public {
        VM.expectRevert(
            abi.encodeWithSelector(ICarriers.CarriersCutoffInvalid.selector, ID_HASH, 7, type(uint64).max)
        );
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Active, 7);
    }

    function test_refuses_to_bring_a_retired_carrier_back() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Retired, 7);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICarriers.CarriersStatusRefused.selector,
                ID_HASH,
                ICarriers.CarrierStatus.Active,
                ICarriers.CarrierStatus.Retired
            )
        );
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Active, type(uint64).max);
    }

    function test_refuses_the_status_none() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                ICarriers.CarriersStatusRefused.selector,
                ID_HASH,
                ICarriers.CarrierStatus.None,
                ICarriers.CarrierStatus.Active
            )
        );
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.None, 7);
    }

    function test_refuses_an_unknown_carrier() public {
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersUnknown.selector, bytes32("other")));
        carriers.setStatus("other", ICarriers.CarrierStatus.Revoked, 7);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Revoked, 7);
    }
}
