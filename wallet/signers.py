"""Who signs: one interface, whatever holds the key.

The keystore signer keeps a decrypted key in memory for the life of the command. Other
signers (hardware, remote) only need the two methods of ``Signer``. No signer shows,
logs or returns its key.
"""

from pathlib import Path
from typing import Protocol

from coincurve import PrivateKey

from contracts.hashing import keccak256
from contracts.typed_data import address_of, compact_signature
from wallet.instructions import Instruction, Role, Signature, add_signature
from wallet.keystore import open_key

__all__ = ["KeySigner", "Signer", "sign_instruction", "text_digest"]


class Signer(Protocol):
    """Something that signs with one representative's key."""

    @property
    def address(self) -> str:
        """Checksum address of the key."""

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign an EIP-712 digest, 32 bytes; return 64 bytes of EIP-2098."""

    def sign_text(self, text: str) -> bytes:
        """Sign a text as EIP-191 version 0x45; return 64 bytes of EIP-2098."""


class KeySigner:
    """A signer over a private key in memory.

    Args:
        key: The private key, 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = PrivateKey(key)
        self._address = address_of(self._key.public_key)

    @classmethod
    def unlock(cls, path: Path, password: str) -> "KeySigner":
        """Open a key file.

        Args:
            path: The key file.
            password: Its password.

        Returns:
            The signer.

        Raises:
            InvalidKeystoreError: If the password is wrong or the file unusable.
        """
        return cls(open_key(path, password))

    @property
    def address(self) -> str:
        """Checksum address of the key."""
        return self._address

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign an EIP-712 digest, 32 bytes; return 64 bytes of EIP-2098."""
        return compact_signature(self._key, digest)

    def sign_text(self, text: str) -> bytes:
        """Sign a text as EIP-191 version 0x45; return 64 bytes of EIP-2098."""
        return self.sign_digest(text_digest(text))

    def __repr__(self) -> str:
        """Name the address, never the key."""
        return f"KeySigner({self._address})"


def text_digest(text: str) -> bytes:
    """Hash a text as wallets sign it (EIP-191 version 0x45), 32 bytes."""
    raw = text.encode()
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(raw)).encode() + raw)


def sign_instruction(
    instruction: Instruction, account: str, role: Role, signer: Signer
) -> Instruction:
    """Sign an instruction for an account.

    Args:
        instruction: The instruction, shown to the person before.
        account: The party the person represents.
        role: Whether the person initiates or approves.
        signer: The person's key.

    Returns:
        The instruction with the signature.

    Raises:
        ConflictSignatureError: If the account is no party, the part is taken, or the
            same person signs twice.
    """
    signature = signer.sign_digest(instruction.digest)
    made = Signature(account, role, signer.address, signature)
    return add_signature(instruction, made)
