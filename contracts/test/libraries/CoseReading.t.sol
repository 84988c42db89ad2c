// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CoseReading} from "../../src/libraries/CoseReading.sol";
import {Libraries} from "../Libraries.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract CoseReadingTest is ReadingTest {
    Libraries private libraries;

    function setUp() public override {
        super.setUp();
        libraries = new Libraries();
    }

    function _expectRefusal(bytes memory message, uint256 offset) private {
        VM.expectRevert(abi.encodeWithSelector(CoseReading.CoseMalformed.selector, offset));
        libraries.split(message, address(carriers), ID_HASH);
    }

    /// @dev A message around a payload that already has its CBOR head.
    function _wrap(bytes memory payload) private pure returns (bytes memory) {
        return abi.encodePacked(hex"8443a10126a0", payload, hex"5840", new bytes(64));
    }

    function test_reads_sequence_numbers_at_the_edges_of_their_widths() public view {
        _assertSeq(hex"00", 0);
        _assertSeq(hex"17", 23);
        _assertSeq(hex"1818", 24);
        _assertSeq(hex"18ff", 255);
        _assertSeq(hex"190100", 256);
        _assertSeq(hex"1a00010000", 65_536);
        _assertSeq(hex"1b0000000100000000", 1 << 32);
        _assertSeq(hex"1bffffffffffffffff", type(uint64).max);
    }

    function _assertSeq(bytes memory encoded, uint64 needed) private view {
        (, uint64 seq,,) = libraries.split(_wrap(_payload(encoded)), address(carriers), ID_HASH);
        assertEq(seq, needed);
    }

    function test_refuses_sequence_numbers_longer_than_they_need_be() public {
        _expectRefusal(_wrap(_payload(hex"1817")), 20);
        _expectRefusal(_wrap(_payload(hex"1900ff")), 20);
        _expectRefusal(_wrap(_payload(hex"1a0000ffff")), 20);
        _expectRefusal(_wrap(_payload(hex"1b00000000ffffffff")), 20);
    }

    function test_refuses_a_sequence_number_that_is_no_unsigned_integer() public {
        _expectRefusal(_wrap(_payload(hex"20")), 20);
        _expectRefusal(_wrap(_payload(hex"1c")), 20);
    }

    function test_refuses_another_protected_header() public {
        bytes memory message = _wrap(_payload(hex"05"));
        message[4] = 0x27;
        _expectRefusal(message, 0);
    }

    function test_refuses_an_unprotected_header() public {
        bytes memory message = _wrap(_payload(hex"05"));
        message[5] = 0xa1;
        _expectRefusal(message, 0);
    }

    function test_refuses_a_message_cut_short_anywhere() public {
        bytes memory whole = _wrap(_payload(hex"05"));
        for (uint256 length = 0; length < whole.length; ++length) {
            bytes memory part = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                part[i] = whole[i];
            }
            VM.expectRevert();
            libraries.split(part, address(carriers), ID_HASH);
        }
    }

    function test_refuses_trailing_bytes() public {
        bytes memory message = _wrap(_payload(hex"05"));
        _expectRefusal(abi.encodePacked(message, hex"00"), message.length - 66);
    }

    function test_refuses_a_payload_whose_length_is_longer_than_it_need_be() public {
        bytes memory content = new bytes(20);
        _expectRefusal(_wrap(abi.encodePacked(hex"5814", content)), 6);
        _expectRefusal(_wrap(abi.encodePacked(hex"590014", content)), 6);
    }

    function test_refuses_a_payload_that_is_no_byte_string() public {
        _expectRefusal(_wrap(abi.encodePacked(hex"74", new bytes(20))), 6);
        _expectRefusal(_wrap(abi.encodePacked(hex"5f", new bytes(20))), 6);
    }

    function test_refuses_a_payload_of_another_shape() public {
        _expectRefusal(_wrap(abi.encodePacked(hex"54a50149", new bytes(17))), 7);
        _expectRefusal(_wrap(abi.encodePacked(hex"54a40148", new bytes(17))), 7);
        _expectRefusal(_wrap(abi.encodePacked(hex"54a50148", new bytes(17))), 18);
    }

    function test_reads_a_payload_longer_than_255_bytes() public view {
        bytes memory content = abi.encodePacked(hex"a50148", bytes8("kid"), hex"02", hex"05", new bytes(287));
        (, uint64 seq,,) = libraries.split(
            _wrap(abi.encodePacked(hex"59012c", content)), address(carriers), ID_HASH
        );
        assertEq(seq, 5);
    }
}
