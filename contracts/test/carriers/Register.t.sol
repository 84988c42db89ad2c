// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../../src/interfaces/ICarriers.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract CarriersRegisterTest is ReadingTest {
    function _one(ICarriers.Registration memory registration)
        private
        pure
        returns (ICarriers.Registration[] memory registrations)
    {
        registrations = new ICarriers.Registration[](1);
        registrations[0] = registration;
    }

    function _expectRefusal(ICarriers.Registration memory registration, bytes memory reason) private {
        VM.expectRevert(reason);
        carriers.register(_one(registration));
    }

    function test_registers_an_active_carrier_without_cut_off() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        VM.expectEmit();
        emit ICarriers.CarrierRegistered(ID_HASH, alpha, IDENTIFIER, 1, r.publicKey, "[]");
        carriers.register(_one(r));

        (address owner, ICarriers.CarrierStatus status, uint64 cutoffSeq, bytes32 table, uint32 epochs) =
            carriers.carrier(ID_HASH);
        assertEq(owner, alpha);
        assertTrue(status == ICarriers.CarrierStatus.Active);
        assertEq(cutoffSeq, type(uint64).max);
        assertEq(table, keccak256("[]"));
        assertEq(epochs, 1);
        (uint8 suite, bytes memory key) = carriers.keyAt(ID_HASH, 0);
        assertEq(suite, 1);
        assertEq(key, r.publicKey);
    }

    function test_registers_an_ed25519_key() public {
        bytes memory key = abi.encodePacked(keccak256("ed"));
        carriers.register(_one(ICarriers.Registration(IDENTIFIER, alpha, 2, key, "[]")));

        (uint8 suite, bytes memory kept) = carriers.keyAt(ID_HASH, 77);
        assertEq(suite, 2);
        assertEq(kept, key);
    }

    function test_registers_thirty_two_carriers_below_the_gas_limit_of_a_call() public {
        ICarriers.Registration[] memory registrations = new ICarriers.Registration[](32);
        for (uint256 i = 0; i < 32; ++i) {
            registrations[i] = _registration(string.concat("88.100.1/", VM.toString(i)), i + 1);
            registrations[i].channelTable = new bytes(1024);
        }
        carriers.register(registrations);

        assertAtMost(VM.lastCallGas().gasTotalUsed, 8_000_000);
    }

    function test_refuses_no_carriers() public {
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersBatchInvalid.selector, 0, 32));
        carriers.register(new ICarriers.Registration[](0));
    }

    function test_refuses_more_carriers_than_the_bound() public {
        VM.expectRevert(abi.encodeWithSelector(ICarriers.CarriersBatchInvalid.selector, 33, 32));
        carriers.register(new ICarriers.Registration[](33));
    }

    function test_refuses_to_register_twice() public {
        _register();
        _expectRefusal(
            _registration(IDENTIFIER, 9),
            abi.encodeWithSelector(ICarriers.CarriersAlreadyRegistered.selector, ID_HASH)
        );
    }

    function test_refuses_an_unknown_owner() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        r.owner = _id("gamma");
        _expectRefusal(
            r, abi.encodeWithSelector(ICarriers.CarriersOwnerUnknown.selector, ID_HASH, _id("gamma"))
        );
    }

    function test_refuses_the_key_of_another_carrier() public {
        _register();
        bytes memory spki = abi.encodePacked(
            hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004", _publicKey(CARRIER_KEY)
        );
        _expectRefusal(
            _registration("88.100.1/other", CARRIER_KEY),
            abi.encodeWithSelector(ICarriers.CarriersKidTaken.selector, bytes8(sha256(spki)), ID_HASH)
        );
    }

    function test_refuses_an_unknown_suite() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        r.suite = 3;
        _expectRefusal(r, abi.encodeWithSelector(ICarriers.CarriersSuiteUnknown.selector, 3));
    }

    function test_refuses_a_p256_key_of_another_length() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        r.publicKey = new bytes(65);
        _expectRefusal(r, abi.encodeWithSelector(ICarriers.CarriersKeyInvalid.selector, 1, 65, 64));
    }

    function test_refuses_a_p256_key_off_the_curve() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        r.publicKey[63] ^= 0x01;
        _expectRefusal(r, abi.encodeWithSelector(ICarriers.CarriersKeyInvalid.selector, 1, 64, 64));
    }

    function test_refuses_an_ed25519_key_of_another_length() public {
        ICarriers.Registration memory r = _registration(IDENTIFIER, CARRIER_KEY);
        r.suite = 2;
        _expectRefusal(r, abi.encodeWithSelector(ICarriers.CarriersKeyInvalid.selector, 2, 64, 32));
    }

    function test_refuses_a_stranger() public {
        ICarriers.Registration[] memory registrations = _one(_registration(IDENTIFIER, CARRIER_KEY));
        _expectUnauthorized();
        carriers.register(registrations);
    }
}
