"""Signature suites of carriers and members: keys, key ids, verification.

Rules kept: the suite is pinned at registration and never negotiated; an ECDSA
signature is r ‖ s (64 bytes) with low s, so one message has one signature form; a
public key is parsed once and kept. Suites that this edition cannot verify (ES256K,
SM2) are known by name and refused by name. No input or output here.
"""

import hashlib
from enum import IntEnum
from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from oracle.errors import InvalidKeyError

SIGNATURE_BYTES = 64
KEY_ID_BYTES = 8
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order n of the P-256 group (FIPS 186-5, SP 800-186)."""
P256_HALF_ORDER = P256_ORDER // 2

_P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
_ECDSA = ec.ECDSA(hashes.SHA256())


class Suite(IntEnum):
    """Signature suites; the number is the one on chain."""

    ES256 = 1
    EDDSA = 2
    ES256K = 3
    SM2 = 4


SUPPORTED_SUITES = (Suite.ES256, Suite.EDDSA)
"""Suites that this edition verifies."""

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Signer(Protocol):
    """Holder of a private key: software key here, secure element elsewhere."""

    @property
    def suite(self) -> Suite:
        """Suite of the key."""

    @property
    def public_key(self) -> bytes:
        """Public key as it is registered: ES256 x ‖ y (64 bytes), EdDSA 32 bytes."""

    def sign(self, data: bytes) -> bytes:
        """Sign the data.

        Args:
            data: Bytes to sign, for COSE the Sig_structure.

        Returns:
            64 bytes: r ‖ s with low s (ES256), or R ‖ S (EdDSA).
        """


class SoftwareSigner:
    """Signer over a private key in memory."""

    def __init__(self, private_key: PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = raw_public_key(private_key.public_key())
        is_ec = isinstance(private_key, ec.EllipticCurvePrivateKey)
        self.suite = Suite.ES256 if is_ec else Suite.EDDSA

    def sign(self, data: bytes) -> bytes:
        """Sign the data; see `Signer.sign`."""
        if isinstance(self._private_key, ed25519.Ed25519PrivateKey):
            return self._private_key.sign(data)
        r, s = decode_dss_signature(self._private_key.sign(data, _ECDSA))
        s = min(s, P256_ORDER - s)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def key_id(spki_der: bytes) -> bytes:
    """Name a key by its SubjectPublicKeyInfo.

    Args:
        spki_der: DER encoding of the SubjectPublicKeyInfo.

    Returns:
        8 bytes, the first of its SHA-256.
    """
    return hashlib.sha256(spki_der).digest()[:KEY_ID_BYTES]


@lru_cache(maxsize=1 << 17)
def key_id_of(suite: Suite, public_key: bytes) -> bytes:
    """Name a registered key.

    Args:
        suite: Suite of the key.
        public_key: ES256 x ‖ y (64 bytes), EdDSA 32 bytes.

    Returns:
        8 bytes, as `key_id` of its SubjectPublicKeyInfo.

    Raises:
        InvalidKeyError: The suite is not supported or the length is wrong.
    """
    prefix, length = _spki_form(suite)
    if len(public_key) != length:
        msg = (
            f"a public key of suite {suite.name} has {length} bytes, "
            f"given {len(public_key)}"
        )
        raise InvalidKeyError(msg)
    return key_id(prefix + public_key)


@lru_cache(maxsize=1 << 17)
def parse_public_key(suite: Suite, public_key: bytes) -> PublicKey:
    """Parse a registered key, once for each key.

    Args:
        suite: Suite of the key.
        public_key: ES256 x ‖ y (64 bytes), EdDSA 32 bytes.

    Returns:
        The key, ready to verify.

    Raises:
        InvalidKeyError: Unsupported suite, wrong length or not a point of the curve.
    """
    key_id_of(suite, public_key)
    try:
        if suite is Suite.EDDSA:
            return ed25519.Ed25519PublicKey.from_public_bytes(public_key)
        return ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x04" + public_key
        )
    except (ValueError, UnsupportedAlgorithm) as exc:
        msg = f"the {suite.name} public key {public_key.hex()} is not a point: {exc}"
        raise InvalidKeyError(msg) from exc


def raw_public_key(public_key: PublicKey) -> bytes:
    """Give a public key the form in which it is registered.

    Args:
        public_key: A P-256 or Ed25519 public key.

    Returns:
        ES256 x ‖ y (64 bytes), EdDSA 32 bytes.

    Raises:
        InvalidKeyError: The key is on another curve.
    """
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return public_key.public_bytes_raw()
    numbers = public_key.public_numbers()
    if not isinstance(public_key.curve, ec.SECP256R1):
        msg = f"expected a P-256 or Ed25519 key, given curve {public_key.curve.name}"
        raise InvalidKeyError(msg)
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def verify(suite: Suite, public_key: bytes, data: bytes, signature: bytes) -> bool:
    """Verify a signature.

    Args:
        suite: Suite pinned for the key.
        public_key: ES256 x ‖ y (64 bytes), EdDSA 32 bytes.
        data: Signed bytes, for COSE the Sig_structure.
        signature: 64 bytes: r ‖ s with low s (ES256), or R ‖ S (EdDSA).

    Returns:
        True if it holds. High s, zero, DER and wrong lengths do not.

    Raises:
        InvalidKeyError: The suite is not supported or the key is unusable.
    """
    key = parse_public_key(suite, public_key)
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
            return True
        r = int.from_bytes(signature[:32], "big")
        s = int.from_bytes(signature[32:], "big")
        if not 0 < s <= P256_HALF_ORDER:
            return False
        key.verify(encode_dss_signature(r, s), data, _ECDSA)
    except InvalidSignature:
        return False
    return True


def _spki_form(suite: Suite) -> tuple[bytes, int]:
    """Return the DER prefix and the raw key length [bytes] of a suite."""
    if suite is Suite.ES256:
        return _P256_SPKI, 64
    if suite is Suite.EDDSA:
        return _ED25519_SPKI, 32
    names = " and ".join(known.name for known in SUPPORTED_SUITES)
    msg = f"suite {suite.name} is not supported: expected {names}"
    raise InvalidKeyError(msg)
