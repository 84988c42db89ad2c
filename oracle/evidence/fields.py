"""Typed fields of decoded CBOR: take a value as what it must be, or name it.

Each function returns its first argument when it has the wanted type and shape and
raises `InvalidPackageError` with the field's name otherwise. A boolean is no number.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, TypeVar

from oracle.errors import InvalidPackageError

HASH_BYTES = 32

Enumeration = TypeVar("Enumeration", bound=IntEnum)


def row(value: Any, length: int | None, where: str) -> list[Any]:
    """Take an array.

    Args:
        value: Decoded value.
        length: Number of its items; None for any.
        where: Name of the field.

    Returns:
        The array.

    Raises:
        InvalidPackageError: It is none, or has another length.
    """
    if type(value) is not list or (length is not None and len(value) != length):
        expected = f"an array of {'any' if length is None else length} items"
        given = f"{len(value)}" if type(value) is list else type(value).__name__
        raise InvalidPackageError(where, expected, given)
    return value


def rows(value: Any, length: int, where: str) -> Iterator[list[Any]]:
    """Take an array of arrays of one length; see `row`."""
    return (row(one, length, where) for one in row(value, None, f"every {where}"))


def hashes(value: Any, where: str) -> tuple[bytes, ...]:
    """Take an array of 32-byte hashes; see `row`."""
    return tuple(exact_bytes(one, HASH_BYTES, where) for one in row(value, None, where))


def exact_bytes(value: Any, length: int | None, where: str) -> bytes:
    """Take a byte string.

    Args:
        value: Decoded value.
        length: Its length [bytes]; None for any.
        where: Name of the field.

    Returns:
        The bytes.

    Raises:
        InvalidPackageError: It is none, or has another length.
    """
    if type(value) is not bytes or (length is not None and len(value) != length):
        expected = f"{'some' if length is None else length} bytes"
        given = f"{len(value)}" if type(value) is bytes else type(value).__name__
        raise InvalidPackageError(where, expected, given)
    return value


def text(value: Any, where: str) -> str:
    """Take a text; see `exact_bytes`."""
    if type(value) is not str:
        raise InvalidPackageError(where, "text", type(value).__name__)
    return value


def unsigned(value: Any, bits: int, where: str) -> int:
    """Take an unsigned integer.

    Args:
        value: Decoded value.
        bits: Its width.
        where: Name of the field.

    Returns:
        The integer.

    Raises:
        InvalidPackageError: It is none, negative or too wide.
    """
    if type(value) is not int or not 0 <= value < 1 << bits:
        expected = f"an unsigned integer of {bits} bits"
        raise InvalidPackageError(where, expected, repr(value)[:40])
    return value


def enum_of(kind: type[Enumeration], value: Any, where: str) -> Enumeration:
    """Take a member of an enumeration by its number; see `unsigned`."""
    try:
        return kind(unsigned(value, 8, where))
    except ValueError as exc:
        names = ", ".join(f"{one.value} {one.name}" for one in kind)
        raise InvalidPackageError(where, names, repr(value)) from exc


def check_equal(subject: str, expected: object, given: object) -> None:
    """Refuse a value that differs from the one it must be.

    Args:
        subject: Name of the field.
        expected: What it must be.
        given: What it is.

    Raises:
        InvalidPackageError: They differ.
    """
    if expected != given:
        raise InvalidPackageError(subject, _shown(expected), _shown(given))


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
