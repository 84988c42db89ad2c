"""A member's key: an encrypted file and a passphrase that lies in another file.

The file is a Web3 Secret Storage document, version 3, with scrypt. Key and passphrase
never appear in a message, a log line or a representation.
"""

import json
import os
from pathlib import Path

from coincurve import PrivateKey

from contracts.typed_data import address_of
from oracle.errors import InvalidKeyError
from wallet.secret_storage import decrypt_secret, encrypt_secret

_SCRYPT_ROUNDS = 1 << 14
"""Cost of a guess at the passphrase; such files keep machine-made passphrases."""


class MemberKey:
    """A secp256k1 key that signs reports, votes and envelopes.

    Args:
        secret: 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self.private = PrivateKey(secret)
        self.address = address_of(self.private.public_key)

    def __repr__(self) -> str:
        """Show the address, never the secret."""
        return f"MemberKey({self.address})"


def create_key(path: Path, passphrase_path: Path) -> MemberKey:
    """Make a new key and write it encrypted.

    Args:
        path: New file for the key.
        passphrase_path: File with the passphrase.

    Returns:
        The key.

    Raises:
        InvalidKeyError: The file exists already, or there is no passphrase.
    """
    key = MemberKey(PrivateKey().secret)
    write_key(key, path, passphrase_path)
    return key


def write_key(key: MemberKey, path: Path, passphrase_path: Path) -> None:
    """Write a key encrypted, readable by its owner only.

    Args:
        key: Key to write.
        path: New file for the key.
        passphrase_path: File with the passphrase.

    Raises:
        InvalidKeyError: The file exists already, or there is no passphrase.
    """
    passphrase = _read_passphrase(passphrase_path)
    document = encrypt_secret(key.private.secret, passphrase, _SCRYPT_ROUNDS)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as exc:
        message = f"key file {path} exists already: choose another name or move it away"
        raise InvalidKeyError(message) from exc
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())


def load_key(path: Path, passphrase_path: Path) -> MemberKey:
    """Open a key file.

    Args:
        path: File with the encrypted key.
        passphrase_path: File with the passphrase.

    Returns:
        The key.

    Raises:
        InvalidKeyError: A file is missing or unreadable, others may read the
            passphrase, or it is wrong.
    """
    passphrase = _read_passphrase(passphrase_path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return MemberKey(decrypt_secret(document, passphrase))
    except OSError as exc:
        message = f"key file {path} cannot be read ({exc.strerror}): create it first"
        raise InvalidKeyError(message) from exc
    except (ValueError, TypeError, KeyError) as exc:
        message = (
            f"key file {path} does not open with the passphrase in {passphrase_path}: "
            "check that both belong together"
        )
        raise InvalidKeyError(message) from exc


def _read_passphrase(path: Path) -> str:
    try:
        mode = path.stat().st_mode & 0o777
        passphrase = path.read_text(encoding="utf-8").strip()
    except OSError as exc:
        message = f"passphrase file {path} cannot be read ({exc.strerror}): write one"
        raise InvalidKeyError(message) from exc
    if mode & 0o077:
        message = f"passphrase file {path} is open to others (mode {mode:o}): chmod 600"
        raise InvalidKeyError(message)
    if not passphrase:
        message = f"passphrase file {path} is empty: write a passphrase into it"
        raise InvalidKeyError(message)
    return passphrase
