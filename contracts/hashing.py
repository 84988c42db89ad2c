"""Keccak-256 and the addresses made from it.

One fast keccak for everything that must agree with the EVM. SHA-256, which the log
and the accounting use, stays with ``hashlib``.
"""

from functools import lru_cache

import sha3

ADDRESS_BYTES = 20
"""Length of an address. [bytes]"""


def keccak256(data: bytes) -> bytes:
    """Hash data as the EVM's ``keccak256`` does.

    Args:
        data: Any bytes.

    Returns:
        32 bytes.
    """
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


@lru_cache(maxsize=65_536)
def checksum_address(address: bytes) -> str:
    """Write an address with the mixed-case checksum of ERC-55.

    Args:
        address: 20 bytes.

    Returns:
        ``0x`` and 40 hexadecimal digits.

    Raises:
        ValueError: The address is not 20 bytes long.
    """
    if len(address) != ADDRESS_BYTES:
        message = f"an address has {ADDRESS_BYTES} bytes, got {len(address)}"
        raise ValueError(message)
    digits = address.hex()
    shades = keccak256(digits.encode("ascii")).hex()
    pairs = zip(digits, shades, strict=False)
    return "0x" + "".join(d.upper() if shade >= "8" else d for d, shade in pairs)


def address_bytes(address: str) -> bytes:
    """Read an address text of any case.

    Args:
        address: ``0x`` and 40 hexadecimal digits.

    Returns:
        20 bytes.

    Raises:
        ValueError: The text is not an address.
    """
    data = bytes.fromhex(address.removeprefix("0x"))
    if len(data) != ADDRESS_BYTES:
        message = f"expected an address of {ADDRESS_BYTES} bytes, got {address!r}"
        raise ValueError(message)
    return data
