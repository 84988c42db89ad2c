"""The profile: one form for one content, everything else refused by name."""

import struct

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.errors import InvalidMessageError
from oracle.reading.profile import (
    Reading,
    decode_message,
    encode_payload,
    external_aad,
    message_digest,
    prev_link,
    sig_structure,
    sign_message,
)
from oracle.reading.suites import key_id
from tests.simulators.device import DOMAIN, DeviceSimulator

SIGNATURE = bytes(range(64))
PROTECTED = b"\xa1\x01\x26"


def string(data: bytes) -> bytes:
    return cbor2.dumps(data)


def message(payload: bytes, *, protected: bytes = PROTECTED) -> bytes:
    """A message in its only form around any payload bytes."""
    parts = (string(protected), b"\xa0", string(payload), string(SIGNATURE))
    return b"\x84" + b"".join(parts)


FIELDS = {
    1: b"\x01" + string(bytes(8)),
    2: b"\x02\x05",
    3: b"\x03\x1a" + struct.pack(">I", 1_704_038_400),
    4: b"\x04\x81\x82\x01\x19\x03\xe8",
    5: b"\x05" + string(bytes(16)),
}


def payload(**changes: bytes) -> bytes:
    """The map with keys 1 to 5; `f2=...` replaces field 2, `f9=...` adds one."""
    fields = FIELDS | {int(key[1:]): value for key, value in changes.items()}
    return bytes([0xA0 | len(fields)]) + b"".join(fields[key] for key in sorted(fields))


PAYLOAD = payload()
PLAIN = message(PAYLOAD)

MALFORMED = {
    "nothing": b"",
    "no CBOR": b"\xff\xff",
    "cut short": PLAIN[:-1],
    "trailing byte": PLAIN + b"\x00",
    "second message behind": PLAIN + PLAIN,
    "COSE_Sign1 tag": b"\xd2" + PLAIN,
    "a map outside": b"\xa1\x01" + PLAIN,
    "five parts": b"\x85" + PLAIN[1:] + b"\xf6",
    "three parts": b"\x83" + PLAIN[1:-66],
    "indefinite array outside": b"\x9f" + PLAIN[1:] + b"\xff",
    "long head outside": b"\x98\x04" + PLAIN[1:],
    "text instead of signature": PLAIN[:-66] + b"\x78\x40" + b"a" * 64,
    "detached payload": b"\x84\x43" + PROTECTED + b"\xa0\xf6" + string(SIGNATURE),
    "unprotected header": PLAIN.replace(b"\xa0", b"\xa1\x04\x41\x01", 1),
    "empty protected": message(PAYLOAD, protected=b""),
    "protected empty map": message(PAYLOAD, protected=b"\xa0"),
    "unknown algorithm": message(PAYLOAD, protected=b"\xa1\x01\x38\x22"),
    "protected with two keys": message(PAYLOAD, protected=b"\xa2\x01\x26\x03\x00"),
    "protected long integer": message(PAYLOAD, protected=b"\xa1\x01\x38\x06"),
    "DER signature": PLAIN[:-66] + string(b"\x30\x44\x02\x20" + bytes(66)),
    "short signature": PLAIN[:-66] + string(bytes(63)),
    "payload is an array": message(b"\x81\x01"),
    "payload trailing": message(PAYLOAD + b"\x00"),
    "payload nothing": message(b""),
    "duplicate key": message(b"\xa6" + PAYLOAD[1:] + FIELDS[5]),
    "unknown key 9": message(payload(f9=b"\x09\x01")),
    "unknown key 0": message(payload(f0=b"\x00\x01")),
    "text key": message(b"\xa6" + PAYLOAD[1:] + b"\x61a\x01"),
    "key 5 missing": message(b"\xa4" + b"".join(FIELDS[k] for k in (1, 2, 3, 4))),
    "keys out of order": message(
        b"\xa5" + b"".join(FIELDS[k] for k in (2, 1, 3, 4, 5))
    ),
    "indefinite map": message(b"\xbf" + PAYLOAD[1:] + b"\xff"),
    "indefinite bytes": message(
        payload(f1=b"\x01\x5f\x44" + bytes(4) + b"\x44" + bytes(4) + b"\xff")
    ),
    "indefinite values": message(payload(f4=b"\x04\x9f\x82\x01\x01\xff")),
    "non-shortest seq": message(payload(f2=b"\x02\x18\x05")),
    "non-shortest value": message(payload(f4=b"\x04\x81\x82\x01\x1a\x00\x00\x03\xe8")),
    "non-shortest length": message(payload(f1=b"\x01\x58\x08" + bytes(8))),
    "float seq": message(payload(f2=b"\x02\xf9\x45\x00")),
    "double value": message(
        payload(f4=b"\x04\x81\x82\x01\xfb" + struct.pack(">d", 1000.0))
    ),
    "NaN": message(payload(f4=b"\x04\x81\x82\x01\xf9\x7e\x00")),
    "negative seq": message(payload(f2=b"\x02\x20")),
    "negative value": message(payload(f4=b"\x04\x81\x82\x01\x20")),
    "true as seq": message(payload(f2=b"\x02\xf5")),
    "null seq": message(payload(f2=b"\x02\xf6")),
    "undefined seq": message(payload(f2=b"\x02\xf7")),
    "simple value": message(payload(f2=b"\x02\xf8\x20")),
    "tagged time": message(payload(f3=b"\x03\xc1\x1a\x65\x91\x8e\x40")),
    "bignum": message(payload(f2=b"\x02\xc2\x41\x05")),
    "bignum above 64 bits": message(payload(f2=b"\x02\xc2\x49\x01" + bytes(8))),
    "seq of 2^63": message(payload(f2=b"\x02\x1b\x80" + bytes(7))),
    "unknown tag": message(payload(f2=b"\x02\xd9\xff\xfe\x05")),
    "shared reference": message(payload(f2=b"\x02\xd8\x1c\x05")),
    "key id of 7 bytes": message(payload(f1=b"\x01" + string(bytes(7)))),
    "prev of 32 bytes": message(payload(f5=b"\x05" + string(bytes(32)))),
    "text key id": message(payload(f1=b"\x01\x68" + b"abcdefgh")),
    "register of 2^63": message(
        payload(f4=b"\x04\x81\x82\x1b\x80" + bytes(7) + b"\x01")
    ),
    "value of 2^63": message(payload(f4=b"\x04\x81\x82\x01\x1b\x80" + bytes(7))),
    "negative register": message(payload(f4=b"\x04\x81\x82\x20\x01")),
    "true as value": message(payload(f4=b"\x04\x81\x82\x01\xf5")),
    "null as flags": message(payload(f7=b"\x07\xf6")),
    "float as boot": message(payload(f8=b"\x08\xf9\x3c\x00")),
    "no values": message(payload(f4=b"\x04\x80")),
    "values as a map": message(payload(f4=b"\x04\xa1\x01\x02")),
    "a triple": message(payload(f4=b"\x04\x81\x83\x01\x02\x03")),
    "register twice": message(payload(f4=b"\x04\x82\x82\x01\x02\x82\x01\x03")),
    "registers descend": message(payload(f4=b"\x04\x82\x82\x02\x02\x82\x01\x03")),
    "65 values": message(
        payload(
            f4=b"\x04\x98\x41"
            + b"".join(b"\x82" + cbor2.dumps(i) + b"\x00" for i in range(65))
        )
    ),
    "too deep": message(payload(f4=b"\x04\x81\x81\x81\x81\x01")),
    "deep outside": b"\x81" * 100 + b"\x01",
    "longer than 4 KiB": message(payload(f5=b"\x05" + string(bytes(5000)))),
    "a length beyond the end": b"\x84\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
}


class TestDecodeMessage:
    def test_accepts_the_plain_form(self):
        decoded = decode_message(PLAIN)

        assert decoded.reading == Reading(
            bytes(8), 5, 1_704_038_400, ((1, 1000),), bytes(16)
        )

    def test_accepts_all_optional_fields(self):
        more = payload(f6=b"\x06\x19\x03\x84", f7=b"\x07\x01", f8=b"\x08\x02")

        decoded = decode_message(message(more)).reading

        assert (decoded.step_s, decoded.flags, decoded.boot) == (900, 1, 2)

    def test_accepts_the_largest_message_of_64_values(self):
        device = DeviceSimulator()
        values = tuple((register, 2**63 - 1) for register in range(64))

        raw = device.sign(device.reading(values=values))

        assert decode_message(raw).reading.values == values

    @pytest.mark.parametrize("name", MALFORMED)
    def test_refuses(self, name):
        with pytest.raises(InvalidMessageError, match="expected"):
            decode_message(MALFORMED[name])

    @given(data=st.binary(max_size=300))
    @settings(max_examples=100, deadline=None)
    def test_refuses_noise_with_its_own_error_only(self, data):
        with pytest.raises(InvalidMessageError):
            decode_message(data)

    @given(position=st.integers(0, len(PLAIN) - 1), bit=st.integers(0, 7))
    @settings(max_examples=100, deadline=None)
    def test_a_flipped_bit_is_refused_or_changes_the_content(self, position, bit):
        flipped = bytearray(PLAIN)
        flipped[position] ^= 1 << bit
        try:
            decoded = decode_message(bytes(flipped))
        except InvalidMessageError:
            return
        before = decode_message(PLAIN)
        assert (decoded.payload, decoded.protected, decoded.signature) != (
            before.payload,
            before.protected,
            before.signature,
        )


READINGS = st.builds(
    Reading,
    kid=st.binary(min_size=8, max_size=8),
    seq=st.integers(0, 2**63 - 1),
    ts=st.integers(0, 2**40),
    values=st.dictionaries(
        st.integers(0, 2**32), st.integers(0, 2**63 - 1), min_size=1, max_size=5
    ).map(lambda values: tuple(sorted(values.items()))),
    prev=st.binary(min_size=16, max_size=16),
    step_s=st.none() | st.integers(0, 86_400),
    flags=st.none() | st.integers(0, 7),
    boot=st.none() | st.integers(0, 2**32),
)


class TestEncoding:
    @given(reading=READINGS)
    @settings(max_examples=100, deadline=None)
    def test_a_signed_reading_decodes_to_itself(self, reading):
        device = DeviceSimulator()

        raw = sign_message(reading, device.signer, device.aad)

        assert decode_message(raw).reading == reading

    def test_the_payload_is_deterministic_cbor(self):
        reading = DeviceSimulator().reading(step_s=900, boot=3)

        encoded = encode_payload(reading)

        assert cbor2.dumps(cbor2.loads(encoded), canonical=True) == encoded

    def test_a_plain_reading_takes_about_124_bytes(self):
        assert 110 <= len(DeviceSimulator().next()) <= 130

    def test_a_reading_that_breaks_the_profile_is_not_signed(self):
        device = DeviceSimulator()

        with pytest.raises(InvalidMessageError, match="ascend"):
            device.sign(device.reading(values=((2, 1), (1, 1))))


class TestBinding:
    def test_the_aad_binds_chain_contract_and_identifier(self):
        aad = external_aad(20260, DOMAIN.carriers_address, b"\x11" * 32)

        expected = b"ccl/reading/v1" + (20260).to_bytes(32, "big")
        assert aad == expected + bytes(19) + b"\xc4" + b"\x11" * 32

    def test_an_identifier_hash_of_another_length_is_a_programming_error(self):
        with pytest.raises(ValueError, match="32 bytes"):
            external_aad(1, DOMAIN.carriers_address, bytes(31))

    def test_the_sig_structure_is_that_of_rfc_9052(self):
        decoded = decode_message(PLAIN)

        built = cbor2.loads(sig_structure(decoded, b"aad"))

        assert built == ["Signature1", PROTECTED, b"aad", PAYLOAD]

    def test_links_and_digests_are_pinned(self):
        assert prev_link(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223"
        assert key_id(b"abc").hex() == "ba7816bf8f01cfea"
        assert message_digest(b"abc").hex().startswith("4e03657aea45a94fc7d47ba826c8d6")
