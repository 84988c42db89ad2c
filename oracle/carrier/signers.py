"""Key files of software carriers.

Rules kept: a private key lies on disk only encrypted (PKCS #8, scrypt or PBKDF2 as
the library chooses best), readable by its owner alone; the passphrase comes from a
file, never from an argument; nothing is overwritten; no key is shown or logged.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from oracle.errors import InvalidKeyError
from oracle.reading.suites import PrivateKey, SoftwareSigner, Suite

_MODE = 0o600
MIN_PASSPHRASE = 12
"""Shortest passphrase that is accepted. [bytes]"""


def create_key(path: Path, suite: Suite, passphrase: bytes) -> SoftwareSigner:
    """Make a key and write it encrypted.

    Args:
        path: File to write; must not exist.
        suite: ES256 or EdDSA.
        passphrase: At least `MIN_PASSPHRASE` bytes.

    Returns:
        Signer over the new key.

    Raises:
        InvalidKeyError: The file exists, the suite has no software key here, or the
            passphrase is too short.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        msg = (
            f"the passphrase is too short: expected at least {MIN_PASSPHRASE} bytes, "
            f"given {len(passphrase)}"
        )
        raise InvalidKeyError(msg)
    key = _generate(suite)
    data = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError as exc:
        msg = f"{path} exists: choose another file, a key is never overwritten"
        raise InvalidKeyError(msg) from exc
    except OSError as exc:
        raise InvalidKeyError(f"{path} cannot be written: {exc.strerror}") from exc
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return SoftwareSigner(key)


def load_key(path: Path, passphrase: bytes) -> SoftwareSigner:
    """Open a key file.

    Args:
        path: File of `create_key`.
        passphrase: Its passphrase.

    Returns:
        Signer over the key.

    Raises:
        InvalidKeyError: No such file, a wrong passphrase, an unencrypted file or a
            key of another kind.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as exc:
        raise InvalidKeyError(f"{path} cannot be read: {exc.strerror}") from exc
    except TypeError as exc:
        msg = f"{path} is not encrypted: expected a key file of `new-key`"
        raise InvalidKeyError(msg) from exc
    except ValueError as exc:
        msg = f"{path} does not open: check the passphrase file and the key file"
        raise InvalidKeyError(msg) from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        msg = f"{path} holds a key of another kind: expected P-256 or Ed25519"
        raise InvalidKeyError(msg)
    return SoftwareSigner(key)


def read_passphrase(path: Path) -> bytes:
    """Read a passphrase file: one line, its end does not count.

    Args:
        path: File with the passphrase.

    Returns:
        The passphrase.

    Raises:
        InvalidKeyError: No such file, or others may read it.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as exc:
        raise InvalidKeyError(f"{path} cannot be read: {exc.strerror}") from exc
    if mode & 0o077:
        msg = f"{path} is open to others: expected mode 600, given {mode & 0o777:o}"
        raise InvalidKeyError(msg)
    return data.rstrip(b"\r\n")


def _generate(suite: Suite) -> PrivateKey:
    if suite is Suite.ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if suite is Suite.EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    raise InvalidKeyError(f"no software key of suite {suite.name}: use ES256 or EDDSA")
