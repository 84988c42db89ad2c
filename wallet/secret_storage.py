"""Encrypt and decrypt one private key: Web3 Secret Storage, version 3, scrypt.

The one place where the library that knows the format is imported. Its BLS part raises
the interpreter's recursion limit to 100,000, and with that limit a deeply nested JSON
document from outside would overflow the machine's stack; so the limit is put back.
"""

import sys
from collections.abc import Mapping
from typing import Any

_RECURSION_LIMIT = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402  between two looks at the limit

sys.setrecursionlimit(_RECURSION_LIMIT)

__all__ = ["decrypt_secret", "encrypt_secret"]


def encrypt_secret(secret: bytes, passphrase: str, scrypt_n: int) -> dict[str, Any]:
    """Encrypt a private key.

    Args:
        secret: 32 bytes.
        passphrase: What opens it again.
        scrypt_n: Cost of one guess, a power of two.

    Returns:
        The document, ready for JSON, with the key's address.
    """
    document = Account.encrypt(secret, passphrase, "scrypt", scrypt_n)
    return {**document, "address": Account.from_key(secret).address}


def decrypt_secret(document: Mapping[str, Any], passphrase: str) -> bytes:
    """Decrypt a private key.

    Args:
        document: What `encrypt_secret` made.
        passphrase: What it was encrypted with.

    Returns:
        32 bytes.

    Raises:
        ValueError: The passphrase is wrong, or the document is none of this format.
    """
    try:
        return bytes(Account.decrypt(dict(document), passphrase))
    except (KeyError, TypeError, NotImplementedError) as exc:
        raise ValueError(f"no secret storage document: {exc}") from exc
