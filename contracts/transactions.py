"""Signed transactions and the addresses they create: RLP and EIP-155, nothing more.

Gas is free on the chain, or next to it (``gas``), so the oldest form of transaction is
enough, and every engine takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coincurve import PrivateKey

from contracts.hashing import address_bytes, checksum_address, keccak256

_SHORT = 55
"""Longest content whose length stands in its prefix. [bytes]"""
_STRING, _LIST = 0x80, 0xC0
"""Prefixes of a byte string and of a list."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction before it is signed; it moves no money."""

    chain_id: int
    nonce: int
    gas_price_wei: int
    gas_limit: int
    """Gas to allow. [gas]"""
    to: str | None
    """The contract; None creates one."""
    data: bytes


def sign_transaction(transaction: Transaction, key: PrivateKey) -> bytes:
    """Sign a transaction as EIP-155.

    Args:
        transaction: What to sign.
        key: The sender's secp256k1 key.

    Returns:
        The bytes to hand over; their keccak256 is the transaction's hash.
    """
    fields = (
        transaction.nonce,
        transaction.gas_price_wei,
        transaction.gas_limit,
        b"" if transaction.to is None else address_bytes(transaction.to),
        0,
        transaction.data,
    )
    digest = keccak256(encode_list((*fields, transaction.chain_id, 0, 0)))
    signature = key.sign_recoverable(digest, hasher=None)
    v = signature[64] + 35 + 2 * transaction.chain_id
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    return encode_list((*fields, v, r, s))


def contract_address(creator: str, nonce: int) -> str:
    """Give the address of a contract that is to be created.

    Args:
        creator: Who creates it.
        nonce: The creator's transaction nonce.

    Returns:
        ``keccak256(rlp([creator, nonce]))``, the last 20 bytes, with checksum.
    """
    encoded = encode_list((address_bytes(creator), nonce))
    return checksum_address(keccak256(encoded)[12:])


def encode_list(items: Sequence[bytes | int]) -> bytes:
    """Encode a flat list as RLP.

    Args:
        items: Byte strings, and numbers in their shortest form.

    Returns:
        The encoded list.
    """
    content = b"".join(_encode_item(item) for item in items)
    return _prefix(_LIST, len(content)) + content


def _encode_item(item: bytes | int) -> bytes:
    data = _shortest(item) if isinstance(item, int) else item
    if len(data) == 1 and data[0] < _STRING:
        return data
    return _prefix(_STRING, len(data)) + data


def _prefix(kind: int, length: int) -> bytes:
    if length <= _SHORT:
        return bytes([kind + length])
    size = _shortest(length)
    return bytes([kind + _SHORT + len(size)]) + size


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
