"""Texts of Avalanche: CB58 for ids, Bech32 for addresses of the P-Chain.

Pure. Both carry a checksum, so a mistyped character is noticed.

References:
    BIP 173, "Base32 address format"; Avalanche documentation, "Cryptographic
    primitives": CB58 is base 58 over the data and the last four bytes of its SHA-256.
"""

import hashlib
from collections.abc import Iterator

from Crypto.Hash import RIPEMD160

__all__ = [
    "bech32_address",
    "bech32_short_id",
    "cb58_decode",
    "cb58_encode",
    "checksum",
    "node_id",
    "short_hash",
]

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_BYTES = 4
_CHECKSUM_DIGITS = 6


def cb58_encode(data: bytes) -> str:
    """Write bytes as CB58.

    Args:
        data: Any bytes.

    Returns:
        Base 58 of the bytes and their checksum.
    """
    checked = data + checksum(data)
    number, digits = int.from_bytes(checked), ""
    while number:
        number, digit = divmod(number, len(_BASE58))
        digits = _BASE58[digit] + digits
    zeros = len(checked) - len(checked.lstrip(b"\0"))
    return _BASE58[0] * zeros + digits


def cb58_decode(text: str) -> bytes:
    """Read CB58.

    Args:
        text: What ``cb58_encode`` wrote.

    Returns:
        The bytes.

    Raises:
        ValueError: If a character or the checksum is wrong.
    """
    number = 0
    for character in text:
        digit = _BASE58.find(character)
        if digit < 0:
            raise ValueError(f"{character!r} is no digit of base 58")
        number = number * len(_BASE58) + digit
    zeros = len(text) - len(text.lstrip(_BASE58[0]))
    checked = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
    data = checked[:-_CHECKSUM_BYTES]
    if checksum(data) != checked[-_CHECKSUM_BYTES:]:
        raise ValueError(f"the checksum of {text} is wrong")
    return data


def checksum(data: bytes) -> bytes:
    """Give the last four bytes of the SHA-256, which end CB58 and Avalanche's hex."""
    return hashlib.sha256(data).digest()[-_CHECKSUM_BYTES:]


def short_hash(data: bytes) -> bytes:
    """Give the short hash of Avalanche: RIPEMD-160 of SHA-256. 20 bytes."""
    return RIPEMD160.new(hashlib.sha256(data).digest()).digest()


def node_id(certificate: bytes) -> str:
    """Give a validator's id.

    Args:
        certificate: Its staking certificate, DER.

    Returns:
        ``NodeID-…``.
    """
    return f"NodeID-{cb58_encode(short_hash(certificate))}"


def bech32_address(prefix: str, short_id: bytes) -> str:
    """Write an address without its chain's letter.

    Args:
        prefix: Human-readable part, ``custom`` on a network of one's own.
        short_id: 20 bytes, ``short_hash`` of the compressed public key.

    Returns:
        For example ``custom1…``.
    """
    digits = list(_five_bits(short_id))
    head = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    rest = _polymod([*head, *digits, *([0] * _CHECKSUM_DIGITS)]) ^ 1
    check = [rest >> 5 * (_CHECKSUM_DIGITS - 1 - at) & 31 for at in range(6)]
    return f"{prefix}1" + "".join(_BASE32[digit] for digit in digits + check)


def bech32_short_id(address: str) -> bytes:
    """Read the 20 bytes of an address that ``bech32_address`` wrote.

    Args:
        address: For example ``custom1…``.

    Returns:
        20 bytes.

    Raises:
        ValueError: If a character or the checksum is wrong.
    """
    prefix, _, text = address.rpartition("1")
    number = 0
    for character in text[:-_CHECKSUM_DIGITS]:
        number = number << 5 | _BASE32.index(character)
    bits = 5 * (len(text) - _CHECKSUM_DIGITS)
    short_id = (number >> bits % 8).to_bytes(bits // 8)
    if bech32_address(prefix, short_id) != address:
        raise ValueError(f"the checksum of {address} is wrong")
    return short_id


def _five_bits(data: bytes) -> Iterator[int]:
    number, count = int.from_bytes(data), len(data) * 8
    padding = -count % 5
    for shift in range(count + padding - 5, -1, -5):
        yield number << padding >> shift & 31


def _polymod(values: list[int]) -> int:
    rest = 1
    for value in values:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            rest ^= generator if top >> bit & 1 else 0
    return rest
