"""Many messages in one body: a CBOR sequence (RFC 8742, 2020).

The body is only cut into items here; whether an item is a message of the profile is
check 1. What cannot be cut (a broken or indefinite length) is handed back as rest,
because behind it no item boundary is certain. Pure.
"""

from collections.abc import Iterable

_SHORT = 24  # additional information below this is the number itself
_RESERVED = 28  # from here on: reserved values and indefinite lengths


def join_sequence(messages: Iterable[bytes]) -> bytes:
    """Put messages behind each other."""
    return b"".join(messages)


def split_sequence(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut a CBOR sequence into its items.

    Args:
        data: Whole body.

    Returns:
        The items in order, and the rest that is not well-formed (empty if all is).
    """
    items: list[bytes] = []
    start, size = 0, len(data)
    while start < size:
        try:
            end = _end_of_message(data, start) or _end_of_item(data, start)
        except (ValueError, IndexError):
            return items, data[start:]
        items.append(data[start:end])
        start = end
    return items, b""


def _end_of_message(data: bytes, start: int) -> int:
    """Find the end of a message of the usual form at a glance; 0 if it is none.

    84, 43 … …, a0, 58 LL payload, 58 40 signature: all heads are looked at.
    """
    if data[start : start + 2] != b"\x84\x43":
        return 0
    if data[start + 5 : start + 7] != b"\xa0\x58":
        return 0
    signature = start + 8 + data[start + 7]
    end = signature + 66
    if data[signature : signature + 2] != b"\x58\x40" or end > len(data):
        return 0
    return end


def _end_of_item(data: bytes, position: int) -> int:
    """Find the end of any definite CBOR item without building it."""
    open_items = 1
    while open_items:
        major, low = data[position] >> 5, data[position] & 31
        position += 1
        number = low
        if low >= _SHORT:
            if low >= _RESERVED:
                raise ValueError("indefinite or reserved length")
            width = 1 << (low - _SHORT)
            number = int.from_bytes(data[position : position + width], "big")
            position += width
        open_items -= 1
        if major in (2, 3):
            position += number
        elif major in (4, 5):
            open_items += number * (major - 3)
        elif major == 6:  # noqa: PLR2004  a tag has one item
            open_items += 1
        if position > len(data):
            raise ValueError("an item ends behind the data")
    return position
