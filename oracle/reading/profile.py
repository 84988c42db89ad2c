"""The signed reading: COSE_Sign1 (RFC 9052, 2022), untagged, deterministic CBOR.

    message     [protected, {}, payload, signature]
    protected   {1: alg}
    payload     {1: kid, 2: seq, 3: ts, 4: [[register, value], …], 5: prev,
                 6?: step_s, 7?: flags, 8?: boot}
    aad         "ccl/reading/v1" ‖ chainId (32) ‖ Carriers (20) ‖ identifier hash (32)

Rules kept: integers only; one form for one content, so whatever decodes is encoded
again and must give the same bytes (RFC 8949 §4.2: shortest heads, sorted keys, no
indefinite lengths, no tags, no trailing bytes); unknown keys, duplicate keys, more
than 4 levels and more than 4 KiB are refused. Units and scales are not here: they
come from the channel table pinned on chain. Nothing is verified here.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cbor2

from contracts.hashing import address_bytes, keccak256
from oracle.errors import InvalidMessageError
from oracle.reading.suites import KEY_ID_BYTES, SIGNATURE_BYTES, Signer, Suite

MAX_MESSAGE_BYTES = 4096
MAX_DEPTH = 4
MAX_VALUES = 64
PREV_BYTES = 16
HASH_BYTES = 32
NO_PREV = bytes(PREV_BYTES)
"""Link of the first reading, seq 0."""

COSE_ALGORITHMS = {
    Suite.ES256: -7,
    Suite.EDDSA: -8,
    Suite.ES256K: -47,
    Suite.SM2: -65600,  # private use: IANA leaves what is below -65536
}
"""Algorithm numbers of the protected header (IANA COSE algorithms)."""

_PROTECTED = {suite: cbor2.dumps({1: alg}) for suite, alg in COSE_ALGORITHMS.items()}
_SUITES = {protected: suite for suite, protected in _PROTECTED.items()}
_AAD_TAG = b"ccl/reading/v1"
_CANONICAL = "the deterministic form: shortest heads, sorted keys, no tags, no rest"


@dataclass(frozen=True, slots=True)
class Reading:
    """Content of one signed message: cumulative registers of one carrier."""

    kid: bytes
    """Key id, 8 bytes."""
    seq: int
    """Sequence number, rising by one from 0 over the whole life of the carrier."""
    ts: int
    """Time of the reading at the device. [unix s]"""
    values: tuple[tuple[int, int], ...]
    """Pairs of register number and cumulative count, registers ascending."""
    prev: bytes
    """Link to the message before, 16 bytes; zeros at seq 0."""
    step_s: int | None = None
    """Nominal distance between readings. [s]"""
    flags: int | None = None
    """Bit set of what the device declares; see `accounting.channels`."""
    boot: int | None = None
    """Number of starts of the device."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message of the profile, decoded; its signature is not verified yet."""

    raw: bytes
    """The whole message as it came."""
    protected: bytes
    """Protected header, CBOR."""
    payload: bytes
    """Payload, CBOR."""
    signature: bytes
    """64 bytes."""
    suite: Suite
    """Suite that the protected header names."""
    reading: Reading
    """Decoded payload."""


def encode_payload(reading: Reading) -> bytes:
    """Encode a reading in its only form.

    Args:
        reading: Reading to encode.

    Returns:
        Deterministic CBOR map with integer keys.
    """
    fields: dict[int, Any] = {
        1: reading.kid,
        2: reading.seq,
        3: reading.ts,
        4: reading.values,
        5: reading.prev,
    }
    if reading.step_s is not None:
        fields[6] = reading.step_s
    if reading.flags is not None:
        fields[7] = reading.flags
    if reading.boot is not None:
        fields[8] = reading.boot
    return cbor2.dumps(fields)


def sign_message(reading: Reading, signer: Signer, aad: bytes) -> bytes:
    """Sign a reading.

    Args:
        reading: Reading to sign; must be valid under the profile.
        signer: Key of the carrier.
        aad: External additional data of `external_aad`.

    Returns:
        The whole COSE_Sign1 message, untagged.

    Raises:
        InvalidMessageError: The reading itself breaks the profile.
    """
    protected, payload = _PROTECTED[signer.suite], encode_payload(reading)
    if _decode_payload(payload) != reading:
        raise InvalidMessageError("a reading of the profile", f"given {reading}")
    signature = signer.sign(signed_bytes(protected, payload, aad))
    return _encode_message(protected, payload, signature)


def decode_message(raw: bytes) -> SignedMessage:
    """Decode a message strictly.

    Args:
        raw: Bytes as they came from the device.

    Returns:
        The decoded message; encoding it again gives exactly `raw`.

    Raises:
        InvalidMessageError: Anything but the one allowed form.
    """
    if len(raw) > MAX_MESSAGE_BYTES:
        expected = f"at most {MAX_MESSAGE_BYTES} bytes"
        raise InvalidMessageError(expected, f"given {len(raw)}")
    outer = _load(raw)
    if type(outer) is not list or [type(part) for part in outer] != _OUTER_TYPES:
        raise InvalidMessageError("[bytes, map, bytes, bytes]", _shown(outer))
    protected, unprotected, payload, signature = outer
    suite = _SUITES.get(protected)
    if suite is None:
        expected = "a protected header with one known algorithm"
        raise InvalidMessageError(expected, _shown(protected))
    if unprotected:
        raise InvalidMessageError("an empty unprotected header", _shown(unprotected))
    if len(signature) != SIGNATURE_BYTES:
        expected = f"a signature of {SIGNATURE_BYTES} bytes"
        raise InvalidMessageError(expected, f"given {len(signature)}")
    reading = _decode_payload(payload)
    if _encode_message(protected, payload, signature) != raw:
        raise InvalidMessageError(_CANONICAL, "the message differs from it")
    return SignedMessage(raw, protected, payload, signature, suite, reading)


@lru_cache(maxsize=1 << 17)
def external_aad(chain_id: int, carriers_address: str, identifier_hash: bytes) -> bytes:
    """Bind a signature to chain, contract and carrier.

    Args:
        chain_id: Chain id of the ledger.
        carriers_address: Address of `Carriers`, 0x and 40 hex digits.
        identifier_hash: 32 bytes, keccak256 of the identifier.

    Returns:
        98 bytes of external additional data.

    Raises:
        ValueError: The address or the hash has a wrong length.
    """
    if len(identifier_hash) != HASH_BYTES:
        msg = f"an identifier hash has {HASH_BYTES} bytes, got {len(identifier_hash)}"
        raise ValueError(msg)
    address = address_bytes(carriers_address)
    return _AAD_TAG + chain_id.to_bytes(32, "big") + address + identifier_hash


def sig_structure(message: SignedMessage, aad: bytes) -> bytes:
    """Build the bytes that the signature covers (RFC 9052 §4.4).

    Args:
        message: Decoded message.
        aad: External additional data of `external_aad`.

    Returns:
        CBOR array ["Signature1", protected, aad, payload].
    """
    return signed_bytes(message.protected, message.payload, aad)


def signed_bytes(protected: bytes, payload: bytes, aad: bytes) -> bytes:
    """Build a COSE_Sign1 Sig_structure (RFC 9052 §4.4) from its parts.

    Args:
        protected: Protected header, CBOR.
        payload: Payload, CBOR.
        aad: External additional data.

    Returns:
        CBOR array ["Signature1", protected, aad, payload].
    """
    return cbor2.dumps(["Signature1", protected, aad, payload])


def message_digest(raw: bytes) -> bytes:
    """Digest a whole message for batches: 32 bytes, keccak256."""
    return keccak256(raw)


def prev_link(raw: bytes) -> bytes:
    """Link to a message from the next one: 16 bytes, the first of its SHA-256."""
    return hashlib.sha256(raw).digest()[:PREV_BYTES]


_OUTER_TYPES = [bytes, dict, bytes, bytes]
_REQUIRED_KEYS = frozenset({1, 2, 3, 4, 5})
_ALLOWED_KEYS = frozenset(range(1, 9))
_UNSIGNED_KEYS = frozenset({2, 3, 6, 7, 8})
_UINT_LIMIT = 1 << 63  # fits the signed 64-bit integers of databases


def _decode_payload(payload: bytes) -> Reading:
    """Decode a payload and demand its only form."""
    fields = _load(payload)
    if type(fields) is not dict:
        raise InvalidMessageError("a payload map", _shown(fields))
    keys = fields.keys()
    if not _REQUIRED_KEYS <= keys <= _ALLOWED_KEYS:
        expected = "payload keys 1 to 5 and at most 6 to 8"
        raise InvalidMessageError(expected, f"given keys {_shown(list(keys))}")
    kid = _byte_string(fields, 1, KEY_ID_BYTES)
    prev = _byte_string(fields, 5, PREV_BYTES)
    for key in keys & _UNSIGNED_KEYS:
        number = fields[key]
        if type(number) is not int or not 0 <= number < _UINT_LIMIT:
            expected = f"an unsigned 63-bit integer under payload key {key}"
            raise InvalidMessageError(expected, _shown(number))
    optional = (fields.get(6), fields.get(7), fields.get(8))
    reading = Reading(kid, fields[2], fields[3], _values(fields[4]), prev, *optional)
    if encode_payload(reading) != payload:
        raise InvalidMessageError(_CANONICAL, "the payload differs from it")
    return reading


def _values(pairs: Any) -> tuple[tuple[int, int], ...]:
    """Check register and value pairs: 1 to 64, registers ascending."""
    if type(pairs) is not list or not 0 < len(pairs) <= MAX_VALUES:
        raise InvalidMessageError(f"1 to {MAX_VALUES} values", _shown(pairs))
    last, values = -1, []
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2:  # noqa: PLR2004  a pair
            raise InvalidMessageError("pairs of register and value", _shown(pair))
        register, value = pair
        are_integers = type(register) is int and type(value) is int
        if not are_integers or min(pair) < 0 or max(pair) >= _UINT_LIMIT:
            raise InvalidMessageError("unsigned 63-bit integers", _shown(pair))
        if register <= last:
            raise InvalidMessageError("registers that ascend", _shown(register))
        last = register
        values.append((register, value))
    return tuple(values)


def _byte_string(fields: dict[Any, Any], key: int, length: int) -> bytes:
    """Take a byte string of exact length from the payload."""
    value = fields[key]
    if type(value) is not bytes or len(value) != length:
        expected = f"{length} bytes under payload key {key}"
        raise InvalidMessageError(expected, _shown(value))
    return value


def _load(data: bytes) -> Any:
    """Decode one CBOR item, refusing what the profile never allows."""
    try:
        return cbor2.loads(
            data,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except Exception as exc:
        reason = str(exc) or type(exc).__name__
        raise InvalidMessageError("strict CBOR", f"decoding says: {reason}") from exc


def _encode_message(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return cbor2.dumps([protected, {}, payload, signature])


def _shown(value: Any) -> str:
    """Show foreign input, shortened so that a message stays one line."""
    text = value.hex() if isinstance(value, bytes) else repr(value)
    limit = 60
    return f"given {text[:limit]}{'…' if len(text) > limit else ''}"
