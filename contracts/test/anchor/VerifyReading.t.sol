// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../../src/interfaces/ICarriers.sol";
import {IReadingAnchor} from "../../src/interfaces/IReadingAnchor.sol";
import {CoseReading} from "../../src/libraries/CoseReading.sol";
import {ReadingTest} from "../ReadingTest.sol";
import {VM} from "../Vm.sol";

contract AnchorVerifyReadingTest is ReadingTest {
    bytes private message;
    IReadingAnchor.ReadingProof private proof;

    function setUp() public override {
        super.setUp();
        _register();
        message = _message(CARRIER_KEY, hex"05");
        proof = _anchorReading(0, 0, 5, message);
    }

    function _expectRefusal(bytes memory reason) private {
        VM.expectRevert(reason);
        anchor.verifyReading(message, proof);
    }

    function test_verifies_a_reading_of_the_latest_batch() public view {
        assertTrue(anchor.verifyReading(message, proof));
    }

    function test_verifies_a_reading_of_an_earlier_batch_through_the_log() public {
        bytes32 first = hasher.hash(proof.batch);
        bytes32 second = _anchor(1, first);
        bytes32 firstLeaf = sha256(abi.encodePacked(hex"00", first));
        bytes32 secondLeaf = sha256(abi.encodePacked(hex"00", second));
        IReadingAnchor.BatchReport memory report = _batch(2, second);
        report.logRoot = sha256(abi.encodePacked(hex"01", firstLeaf, secondLeaf));
        anchor.submit(report, _attest(address(anchor), hasher.hash(report), 13));

        proof.latest = report;
        proof.logPath.push(secondLeaf);
        assertTrue(anchor.verifyReading(message, proof));
    }

    function test_tells_a_signature_by_another_key() public {
        message = _message(CARRIER_KEY + 1, hex"05");
        proof = _anchorReading(1, hasher.hash(proof.batch), 5, message);

        assertFalse(anchor.verifyReading(message, proof));
    }

    function test_tells_a_signature_of_high_s() public {
        uint256 end = message.length;
        bytes32 s;
        for (uint256 i = 0; i < 32; ++i) {
            s |= bytes32(message[end - 32 + i]) >> (8 * i);
        }
        s = bytes32(P256_ORDER - uint256(s));
        for (uint256 i = 0; i < 32; ++i) {
            message[end - 32 + i] = s[i];
        }
        proof = _anchorReading(1, hasher.hash(proof.batch), 5, message);

        assertFalse(anchor.verifyReading(message, proof));
    }

    function test_uses_the_key_of_the_epoch() public {
        carriers.rotateByAuthority(ID_HASH, 1, _publicKey(CARRIER_KEY + 1), 6);
        assertTrue(anchor.verifyReading(message, proof));

        message = _message(CARRIER_KEY + 1, hex"06");
        proof = _anchorReading(1, hasher.hash(proof.batch), 6, message);
        assertTrue(anchor.verifyReading(message, proof));
    }

    function test_refuses_a_head_that_is_not_the_latest() public {
        bytes32 old = hasher.hash(proof.batch);
        bytes32 latest = _anchor(1, old);
        _expectRefusal(abi.encodeWithSelector(IReadingAnchor.AnchorProofNotLatest.selector, old, latest));
    }

    function test_refuses_a_batch_outside_the_log() public {
        bytes32 first = hasher.hash(proof.batch);
        IReadingAnchor.BatchReport memory report = _batch(1, first);
        anchor.submit(report, _attest(address(anchor), hasher.hash(report), 13));
        proof.latest = report;
        _expectRefusal(abi.encodeWithSelector(IReadingAnchor.AnchorProofNotInLog.selector, 0));
    }

    function test_refuses_another_message() public {
        message = _message(CARRIER_KEY + 1, hex"05");
        bytes32 leaf = _leaf(0, 0, 5, message);
        _expectRefusal(
            abi.encodeWithSelector(IReadingAnchor.AnchorProofNotInBatch.selector, leaf, proof.batch.batchRoot)
        );
    }

    function test_refuses_an_index_beyond_the_batch() public {
        proof.index = 2;
        bytes32 leaf = _leaf(0, 2, 5, message);
        _expectRefusal(
            abi.encodeWithSelector(IReadingAnchor.AnchorProofNotInBatch.selector, leaf, proof.batch.batchRoot)
        );
    }

    function test_refuses_another_sequence_number_than_the_message_holds() public {
        proof = _anchorReading(1, hasher.hash(proof.batch), 4, message);
        _expectRefusal(abi.encodeWithSelector(IReadingAnchor.AnchorReadingSeqMismatch.selector, 5, 4));
    }

    function test_refuses_a_reading_after_the_cut_off() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Revoked, 4);
        _expectRefusal(abi.encodeWithSelector(IReadingAnchor.AnchorReadingCutOff.selector, 5, 4));
    }

    function test_verifies_an_earlier_reading_of_a_revoked_carrier() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Revoked, 5);

        assertTrue(anchor.verifyReading(message, proof));
    }

    function test_refuses_every_reading_of_a_revoked_carrier_without_cut_off() public {
        carriers.setStatus(ID_HASH, ICarriers.CarrierStatus.Revoked, type(uint64).max);
        _expectRefusal(
            abi.encodeWithSelector(IReadingAnchor.AnchorReadingCutOff.selector, 5, type(uint64).max)
        );
    }

    function test_refuses_a_carrier_whose_suite_the_chain_cannot_check() public {
        carriers.rotateByAuthority(ID_HASH, 2, abi.encodePacked(keccak256("ed")), 5);
        _expectRefusal(abi.encodeWithSelector(IReadingAnchor.AnchorSuiteNotOnChain.selector, 2));
    }

    function test_refuses_a_message_of_another_shape() public {
        message = abi.encodePacked(message, hex"00");
        proof = _anchorReading(1, hasher.hash(proof.batch), 5, message);
        _expectRefusal(abi.encodeWithSelector(CoseReading.CoseMalformed.selector, message.length - 67));
    }

    function test_refuses_an_unknown_carrier() public {
        proof.idHash = "other";
        proof.batch = _batch(1, hasher.hash(proof.batch));
        bytes32 inner = keccak256(abi.encode(STREAM, 1, 0, bytes32("other"), 5, keccak256(message)));
        proof.batch.leafCount = 1;
        proof.batch.batchRoot = keccak256(abi.encodePacked(inner));
        anchor.submit(proof.batch, _attest(address(anchor), hasher.hash(proof.batch), 13));
        proof.latest = proof.batch;
        proof.path.pop();
        _expectRefusal(abi.encodeWithSelector(ICarriers.CarriersUnknown.selector, bytes32("other")));
    }

    /// @dev Sequence numbers of every width come back out of the message.
    function testFuzz_reads_sequence_numbers_of_every_width(uint64 seq, uint8 shift) public {
        seq >>= shift % 64;
        message = _message(CARRIER_KEY, _cborUint(seq));
        proof = _anchorReading(1, hasher.hash(proof.batch), seq, message);

        assertTrue(anchor.verifyReading(message, proof));
    }

    function _cborUint(uint64 x) private pure returns (bytes memory) {
        if (x < 24) return abi.encodePacked(uint8(x));
        if (x < 1 << 8) return abi.encodePacked(hex"18", uint8(x));
        if (x < 1 << 16) return abi.encodePacked(hex"19", uint16(x));
        if (x < 1 << 32) return abi.encodePacked(hex"1a", uint32(x));
        return abi.encodePacked(hex"1b", x);
    }
}
