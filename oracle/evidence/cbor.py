"""Deterministic CBOR (RFC 8949 section 4.2) of the few types that a package needs.

One content has one encoding, so whatever decodes is the only file with that content.
Allowed are integers of 64 bits, byte strings, text, arrays, maps and null; refused by
the offset of the byte are tags, floats, indefinite lengths, heads that are not the
shortest, map keys out of order or twice, a missing and a trailing byte. Foreign bytes
reach no other decoder, and no length is believed before the bytes are there.
"""

from typing import Any

import cbor2

from oracle.errors import InvalidPackageError

MAX_DEPTH = 8
"""Deepest nesting of arrays and maps."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_INLINE = 24
_SHORTEST = (24, 1 << 8, 1 << 16, 1 << 32)


def encode(value: Any) -> bytes:
    """Encode a value in its only form.

    Args:
        value: Integers of 64 bits, bytes, text, lists, tuples, maps and None.

    Returns:
        Deterministic CBOR.
    """
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """Decode the only form of a value.

    Args:
        data: The whole encoding.

    Returns:
        Integers, bytes, text, lists, maps and None.

    Raises:
        InvalidPackageError: Anything but the one allowed form, with its offset.
    """
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise _refusal(end, "the end of the file", f"{len(data) - end} more bytes")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Decode the item at an offset; return it and the offset behind it."""
    if data[at : at + 1] == b"\xf6":
        return None, at + 1
    major, argument, body = _head(data, at)
    if major == _UNSIGNED:
        return argument, body
    if major == _NEGATIVE:
        return -1 - argument, body
    if major in (_BYTES, _TEXT):
        return _string(data, body, argument, is_text=major == _TEXT)
    if depth == MAX_DEPTH:
        raise _refusal(at, f"at most {MAX_DEPTH} levels", "one more")
    if major == _ARRAY:
        return _array(data, body, argument, depth)
    if major == _MAP:
        return _map(data, body, argument, depth)
    raise _refusal(at, "an integer, string, array, map or null", f"{data[at]:#04x}")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Decode major type and argument; the offset behind them comes third."""
    if at >= len(data):
        raise _refusal(at, "another byte", "the end of the file")
    initial = data[at]
    major, info = initial >> 5, initial & 31
    if info < _INLINE:
        return major, info, at + 1
    length = 1 << (info - _INLINE)
    if length > 8:  # noqa: PLR2004  64 bits; higher values are indefinite or reserved
        raise _refusal(at, "a definite length of at most 64 bits", f"{initial:#04x}")
    end = at + 1 + length
    argument = int.from_bytes(data[at + 1 : end], "big")
    if end > len(data):
        raise _refusal(len(data), "another byte", "the end of the file")
    if argument < _SHORTEST[info - _INLINE]:
        raise _refusal(at, "the shortest head", f"{length} bytes for {argument}")
    return major, argument, end


def _string(data: bytes, at: int, length: int, *, is_text: bool) -> tuple[Any, int]:
    end = at + length
    if end > len(data):
        raise _refusal(at, f"{length} more bytes", f"{len(data) - at}")
    if not is_text:
        return data[at:end], end
    try:
        return data[at:end].decode("utf-8"), end
    except UnicodeDecodeError as exc:
        raise _refusal(at + exc.start, "UTF-8", exc.reason) from exc


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(length):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[Any, Any], int]:
    pairs: dict[Any, Any] = {}
    last = b""
    for _ in range(length):
        start = at
        major, _, _ = _head(data, start)
        if major not in (_UNSIGNED, _TEXT):
            raise _refusal(start, "a number or text as key", f"{data[start]:#04x}")
        key, at = _item(data, start, depth + 1)
        encoded = data[start:at]
        if encoded <= last:
            raise _refusal(start, "keys ascending, each once", f"key {key!r}")
        last = encoded
        pairs[key], at = _item(data, at, depth + 1)
    return pairs, at


def _refusal(at: int, expected: str, given: str) -> InvalidPackageError:
    return InvalidPackageError(f"byte {at} of the package", expected, given)
