"""A validator's own keys: who it is to its peers, and how it votes.

Three files in a folder that its organisation alone may read: the TLS key and
certificate, which give the node id, and the BLS key, whose public half and proof of
possession stand in the genesis. What leaves the folder is a ``ValidatorIdentity``.

References:
    avalanchego 1.13.5, ``staking/tls.go`` (form of key and certificate) and
    ``utils/crypto/bls`` (the proof signs the public key under the ciphersuite
    ``BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_``, as the IETF's draft has it).
"""

import datetime as dt
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from eth_typing import BLSPubkey, BLSSignature
from py_ecc.bls.ciphersuites import G2ProofOfPossession

from node.errors import InvalidConfigError
from node.network.formats import node_id

__all__ = [
    "BLS_KEY",
    "TLS_CERTIFICATE",
    "TLS_KEY",
    "ValidatorIdentity",
    "certificate_node_id",
    "is_proven",
    "make_validator_keys",
    "read_identity",
    "write_secret",
]

TLS_KEY = "staker.key"
"""Private key of the connections between validators."""
TLS_CERTIFICATE = "staker.crt"
"""Its self-signed certificate; the node id is its short hash."""
BLS_KEY = "signer.key"
"""Private key of the votes, 32 bytes."""

_SECRET_MODE = 0o600
_FOLDER_MODE = 0o700
_EXPOSED = 0o077
_VALID_YEARS = 100
_SEED_BYTES = 48


@dataclass(frozen=True, slots=True)
class ValidatorIdentity:
    """The public part of a validator's keys."""

    node_id: str
    """``NodeID-…``."""
    bls_public_key: str
    """48 bytes, 0x hex."""
    proof_of_possession: str
    """96 bytes, 0x hex: the public key signed by its own key."""


def make_validator_keys(folder: Path) -> ValidatorIdentity:
    """Make the keys that are not there yet.

    Args:
        folder: Where they are or shall be; mode 700.

    Returns:
        Their public part.

    Raises:
        InvalidConfigError: If present files cannot be used.
    """
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    if not (folder / TLS_CERTIFICATE).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_secret(folder / TLS_KEY, _private_pem(key))
        write_secret(folder / TLS_CERTIFICATE, _certificate_pem(key))
    if not (folder / BLS_KEY).exists():
        secret = G2ProofOfPossession.KeyGen(secrets.token_bytes(_SEED_BYTES))
        write_secret(folder / BLS_KEY, secret.to_bytes(32))
    return read_identity(folder)


def read_identity(folder: Path) -> ValidatorIdentity:
    """Read the public part of a validator's keys.

    Args:
        folder: Where they are.

    Returns:
        Node id, BLS public key and its proof.

    Raises:
        InvalidConfigError: If a file is absent, exposed or of another form.
    """
    for name in (TLS_KEY, BLS_KEY):
        _require_private(folder / name)
    identity = certificate_node_id(folder)
    try:
        secret = int.from_bytes((folder / BLS_KEY).read_bytes())
        public, proof = (
            G2ProofOfPossession.SkToPk(secret),
            G2ProofOfPossession.PopProve(secret),
        )
    except (OSError, ValueError, AssertionError) as exc:
        raise _unusable(folder, exc) from exc
    return ValidatorIdentity(identity, f"0x{public.hex()}", f"0x{proof.hex()}")


def certificate_node_id(folder: Path) -> str:
    """Read the node id alone, which asks for no secret.

    Args:
        folder: Where the validator's keys are.

    Returns:
        ``NodeID-…``.

    Raises:
        InvalidConfigError: If there is no certificate.
    """
    try:
        pem = (folder / TLS_CERTIFICATE).read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError) as exc:
        raise _unusable(folder, exc) from exc
    return node_id(certificate.public_bytes(serialization.Encoding.DER))


def is_proven(identity: ValidatorIdentity) -> bool:
    """Tell whether a public key is one that somebody can sign with.

    Args:
        identity: What an organisation handed over.

    Returns:
        True if the proof was made by the key's owner.
    """
    try:
        public = BLSPubkey(bytes.fromhex(identity.bls_public_key.removeprefix("0x")))
        proof = bytes.fromhex(identity.proof_of_possession.removeprefix("0x"))
        return G2ProofOfPossession.PopVerify(public, BLSSignature(proof))
    except ValueError:
        return False


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read; never over another."""
    path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, _SECRET_MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _unusable(folder: Path, exc: Exception) -> InvalidConfigError:
    return InvalidConfigError(
        f"The validator's keys in {folder} cannot be used ({exc!r}); expected "
        f"{TLS_KEY}, {TLS_CERTIFICATE} and {BLS_KEY}: give the right folder, or make "
        "new keys with carbon-node network join."
    )


def _require_private(path: Path) -> None:
    if path.exists() and path.stat().st_mode & _EXPOSED:
        raise InvalidConfigError(
            f"Key {path} can be read by others; run: chmod 600 {path}"
        )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Certify a key by itself; peers look at nothing but the key and the bytes."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "validator")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - dt.timedelta(days=1),
        not_valid_after=now + dt.timedelta(days=365 * _VALID_YEARS),
    )
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM)
