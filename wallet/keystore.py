"""Key files: one encrypted private key each, in the Web3 secret storage format v3.

Rules: scrypt with 2^18 rounds; files are made with mode 600 and refused when
others can read them, files of passwords as well; a key is written once and never
replaced; nothing here prints or logs a key or a password. It does not ask for
passwords.
"""

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from eth_utils.address import to_checksum_address

from contracts.typed_data import address_of
from wallet.errors import InvalidKeystoreError
from wallet.secret_storage import decrypt_secret, encrypt_secret

__all__ = [
    "SCRYPT_N",
    "StoredKey",
    "create_key",
    "list_keys",
    "open_key",
    "read_key",
    "read_password",
]

SCRYPT_N = 2**18
"""Cost of one guess at the password: about a second and 256 MB of work."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MIN_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What can be known of a key file without its password."""

    label: str
    """Name given by the owner; also the file's name."""
    address: str
    """Checksum address of the key."""
    path: Path
    """The file."""


def create_key(
    folder: Path, label: str, password: str, scrypt_n: int = SCRYPT_N
) -> StoredKey:
    """Make a new key and write it encrypted.

    Args:
        folder: Where key files live; made with mode 700 where absent.
        label: Name of the key.
        password: At least 8 characters.
        scrypt_n: scrypt cost, a power of two.

    Returns:
        The stored key.

    Raises:
        InvalidKeystoreError: If label or password is unfit, the label is taken or the
            file cannot be written.
    """
    _check_label(label)
    if len(password) < _MIN_PASSWORD:
        raise InvalidKeystoreError(
            f"The password has {len(password)} characters; choose one with at least "
            f"{_MIN_PASSWORD}."
        )
    key = PrivateKey()
    document = encrypt_secret(key.secret, password, scrypt_n)
    path = folder / f"{label}.json"
    _write_once(path, json.dumps(document, indent=1).encode())
    return StoredKey(label, document["address"], path)


def list_keys(folder: Path) -> list[StoredKey]:
    """Name every key file of a folder, by label; none where the folder is absent."""
    return [read_key(path) for path in sorted(folder.glob("*.json"))]


def read_key(path: Path) -> StoredKey:
    """Read label and address of a key file.

    Args:
        path: The key file.

    Returns:
        What it says without a password.

    Raises:
        InvalidKeystoreError: If the file is absent, exposed or no key file.
    """
    address = str(_document(path)["address"])
    return StoredKey(path.stem, to_checksum_address(address), path)


def open_key(path: Path, password: str) -> bytes:
    """Decrypt a key file.

    Args:
        path: The key file.
        password: The password it was made with.

    Returns:
        The private key, 32 bytes.

    Raises:
        InvalidKeystoreError: If the password is wrong or the file unusable.
    """
    document = _document(path)
    try:
        key = decrypt_secret(document, password)
    except ValueError as exc:
        raise InvalidKeystoreError(
            f"The password does not open key file {path.name}; try again, or restore "
            "the file from its backup if the password is certainly right."
        ) from exc
    stated = to_checksum_address(str(document["address"]))
    if address_of(PrivateKey(key).public_key) != stated:
        raise InvalidKeystoreError(
            f"Key file {path.name} names {stated} but holds another key; restore the "
            "file from its backup."
        )
    return key


def read_password(path: Path) -> str:
    """Read the password of a key file from a file of its own.

    Args:
        path: The file, mode 600, or a pipe.

    Returns:
        The password, without the end of its line.

    Raises:
        InvalidKeystoreError: If the file is exposed or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & _OTHERS:
            raise InvalidKeystoreError(
                f"Password file {path} can be read by others; run: chmod 600 {path}"
            )
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as exc:
        raise InvalidKeystoreError(
            f"Password file {path} cannot be read; check its path and rights."
        ) from exc


def _check_label(label: str) -> None:
    if not _LABEL.fullmatch(label):
        raise InvalidKeystoreError(
            f"Key label {label!r} is not usable; take 1 to 64 letters, digits, dots, "
            "hyphens or underscores."
        )


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_mode & _OTHERS:
            raise InvalidKeystoreError(
                f"Key file {path} can be read by others; run: chmod 600 {path}"
            )
        document = json.loads(path.read_bytes())
        to_checksum_address(str(document["address"]))
    except FileNotFoundError as exc:
        raise InvalidKeystoreError(
            f"There is no key file {path}; make one with: carbon-wallet key new LABEL"
        ) from exc
    except OSError as exc:
        raise InvalidKeystoreError(
            f"Key file {path} cannot be read ({exc.strerror}); check its path and "
            "rights."
        ) from exc
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise InvalidKeystoreError(
            f"File {path} is no key file (Web3 secret storage v3 with an address); "
            "restore it from its backup."
        ) from exc
    return dict(document)


def _write_once(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        if path.exists() and isinstance(exc, FileExistsError):
            raise InvalidKeystoreError(
                f"Key {path.stem} exists already; choose another label."
            ) from exc
        raise InvalidKeystoreError(
            f"Key file {path} cannot be written ({exc.strerror}); choose another "
            "folder with --keys, or free some space."
        ) from exc
