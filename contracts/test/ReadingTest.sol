// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarriers} from "../src/interfaces/ICarriers.sol";
import {IReadingAnchor} from "../src/interfaces/IReadingAnchor.sol";
import {LedgerTest} from "./LedgerTest.sol";
import {VM} from "./Vm.sol";

/// @dev A carrier of alpha and its signed readings.
abstract contract ReadingTest is LedgerTest {
    uint256 internal constant P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
    bytes32 internal constant ID_HASH = keccak256(bytes(IDENTIFIER));

    function _publicKey(uint256 key) internal pure returns (bytes memory) {
        (uint256 x, uint256 y) = VM.publicKeyP256(key);
        return abi.encodePacked(x, y);
    }

    function _registration(string memory identifier, uint256 key)
        internal
        view
        returns (ICarriers.Registration memory)
    {
        return ICarriers.Registration(identifier, alpha, 1, _publicKey(key), "[]");
    }

    function _register() internal {
        ICarriers.Registration[] memory registrations = new ICarriers.Registration[](1);
        registrations[0] = _registration(IDENTIFIER, CARRIER_KEY);
        carriers.register(registrations);
    }

    /// @dev {1: kid, 2: seq, 3: ts, 4: [[1, 5]], 5: prev} with its head.
    function _payload(bytes memory seq) internal pure returns (bytes memory) {
        bytes memory content = abi.encodePacked(
            hex"a50148", bytes8("kid"), hex"02", seq, hex"031a65e6b4e0", hex"0481820105", hex"0550", bytes16("prev")
        );
        return abi.encodePacked(hex"58", uint8(content.length), content);
    }

    function _message(uint256 key, bytes memory seq) internal view returns (bytes memory) {
        bytes memory payload = _payload(seq);
        bytes memory structure = abi.encodePacked(
            hex"846a",
            "Signature1",
            hex"43a101265862",
            "ccl/reading/v1",
            block.chainid,
            carriers,
            ID_HASH,
            payload
        );
        (bytes32 r, bytes32 s) = VM.signP256(key, sha256(structure));
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
        return abi.encodePacked(hex"8443a10126a0", payload, hex"5840", r, s);
    }

    function _leaf(uint64 batchSeq, uint64 index, uint64 readingSeq, bytes memory message)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(
                keccak256(abi.encode(STREAM, batchSeq, index, ID_HASH, readingSeq, keccak256(message)))
            )
        );
    }

    function _node(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    /// @dev Anchors a batch of two leaves, the message and another; returns the proof of the message.
    function _anchorReading(uint64 seq, bytes32 prevHead, uint64 readingSeq, bytes memory message)
        internal
        returns (IReadingAnchor.ReadingProof memory proof)
    {
        bytes32 other = keccak256("other leaf");
        proof.batch = _batch(seq, prevHead);
        proof.batch.leafCount = 2;
        proof.batch.batchRoot = _node(_leaf(seq, 0, readingSeq, message), other);
        anchor.submit(proof.batch, _attest(address(anchor), hasher.hash(proof.batch), 13));

        proof.latest = proof.batch;
        proof.readingSeq = readingSeq;
        proof.idHash = ID_HASH;
        proof.path = new bytes32[](1);
        proof.path[0] = other;
    }
}
