"""The feed: every event as one row with its fields as JSON.

Bytes are hexadecimal, addresses checksummed, whole numbers decimal text, as they may
exceed what a JSON reader holds.
"""

import json
from functools import cache
from typing import Any

from contracts.event_types import Event
from contracts.events import event_fields
from contracts.solidity import fields_of

__all__ = ["feed_row"]

_write = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def feed_row(event: Event) -> dict[str, Any]:
    """Write an event as a row of the feed.

    Args:
        event: A decoded event.

    Returns:
        Column name to value.
    """
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        "tx_hash": event.tx_hash,
        "contract": event.address,
        "name": type(event).__name__,
        "arguments": _write(_plain(event)),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    declaration: Any = type(value)
    return {name: _plain(getattr(value, name)) for name in _names(declaration)}


@cache
def _names(declaration: Any) -> tuple[str, ...]:
    is_event = issubclass(declaration, Event)
    members = event_fields(declaration) if is_event else fields_of(declaration)
    return tuple(member.name for member in members)
