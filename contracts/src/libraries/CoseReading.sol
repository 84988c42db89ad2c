// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Just enough COSE to check a signed reading
/// @notice Slices the one shape that a reading has (RFC 9052, untagged, deterministic):
/// `[h'a10126', {}, payload, signature of 64 bytes]` with a payload that begins `{1: kid, 2: seq, …`.
/// Anything else is refused; what follows seq in the payload is left to the members that attested the reading.
library CoseReading {
    /// @notice Thrown when a message is not of the one accepted shape.
    /// @param offset Position of the byte at which it departs from it.
    error CoseMalformed(uint256 offset);

    /// @dev 14 bytes of context, 32 of chain id, 20 of address, 32 of identifier hash.
    bytes private constant AAD_CONTEXT = "ccl/reading/v1";

    /// @notice Takes a message apart.
    /// @param message The whole COSE_Sign1 message.
    /// @return payload Its payload with the CBOR head, as the signature covers it.
    /// @return seq Sequence number inside the payload.
    /// @return r r of the signature.
    /// @return s s of the signature.
    function split(bytes calldata message)
        internal
        pure
        returns (bytes calldata payload, uint64 seq, bytes32 r, bytes32 s)
    {
        // 84: array of 4; 43 a10126: protected {1: -7}; a0: unprotected {}
        if (message.length < 8 || bytes6(message) != 0x8443a10126a0) revert CoseMalformed(0);

        (uint256 start, uint256 end) = _byteString(message, 6);
        if (message.length != end + 66 || bytes2(message[end:end + 2]) != 0x5840) revert CoseMalformed(end);

        payload = message[6:end];
        seq = _seq(message[start:end], start);
        r = bytes32(message[end + 2:end + 34]);
        s = bytes32(message[end + 34:]);
    }

    /// @notice SHA-256 of the Sig_structure, which is what ES256 signs.
    /// @param payload Payload with its CBOR head.
    /// @param carriers Address of the carriers' contract.
    /// @param idHash keccak256 of the carrier's identifier.
    function signedHash(bytes calldata payload, address carriers, bytes32 idHash) internal view returns (bytes32) {
        // 84: array of 4; 6a: text of 10; 43 a10126: protected; 58 62: external_aad of 98 bytes
        return sha256(
            abi.encodePacked(
                hex"846a", "Signature1", hex"43a101265862", AAD_CONTEXT, block.chainid, carriers, idHash, payload
            )
        );
    }

    /// @dev Bounds of the content of a byte string whose head, of the shortest form, is at `offset`.
    function _byteString(bytes calldata data, uint256 offset) private pure returns (uint256 start, uint256 end) {
        uint8 head = uint8(data[offset]);
        uint256 length = 0;
        if (head >= 0x40 && head < 0x58) {
            (start, length) = (offset + 1, head - 0x40);
        } else if (head == 0x58) {
            (start, length) = (offset + 2, uint8(data[offset + 1]));
            if (length < 24) revert CoseMalformed(offset);
        } else if (head == 0x59 && data.length >= offset + 3) {
            (start, length) = (offset + 3, uint16(bytes2(data[offset + 1:offset + 3])));
            if (length < 256) revert CoseMalformed(offset);
        } else {
            revert CoseMalformed(offset);
        }
        end = start + length;
        if (end > data.length) revert CoseMalformed(offset);
    }

    /// @dev Value of key 2 of a payload `{1: h'8 bytes', 2: seq, …`; `offset` is its offset in the message.
    function _seq(bytes calldata payload, uint256 offset) private pure returns (uint64) {
        if (payload.length < 13) revert CoseMalformed(offset);
        uint8 map = uint8(payload[0]);
        if (map < 0xa5 || map > 0xa8 || bytes2(payload[1:3]) != 0x0148) revert CoseMalformed(offset);
        if (payload[11] != 0x02) revert CoseMalformed(offset + 11);

        uint8 head = uint8(payload[12]);
        if (head < 24) return head;
        if (head > 27) revert CoseMalformed(offset + 12);
        uint256 width = 1 << (head - 24);
        if (payload.length < 13 + width) revert CoseMalformed(offset + 12);
        uint64 seq = uint64(bytes8(payload[13:13 + width])) >> uint64(64 - 8 * width);
        if (seq < (head == 24 ? 24 : 1 << (4 * width))) revert CoseMalformed(offset + 12);
        return seq;
    }
}
