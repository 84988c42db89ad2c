"""Strict reading of what peers send: plain CBOR of the shape that is expected."""

from typing import Any

import cbor2

from oracle.errors import InvalidProposalError

FLAT, NESTED = 1, 2
"""Levels of an array of plain items, and of an answer that holds one."""
INTEGER_LIMIT = 1 << 63
"""Integers of reports and requests fit the signed 64-bit ones of databases."""

SHOWN_CHARACTERS = 200
"""How much of a peer's own words goes into messages."""


def one_line(words: bytes | str) -> str:
    """Show a peer's words in one short line, whatever it sends.

    Args:
        words: Text, or bytes that should be UTF-8.

    Returns:
        At most 200 printable characters.
    """
    text = words if isinstance(words, str) else words.decode(errors="replace")
    shown = text[:SHOWN_CHARACTERS]
    return "".join(one if one.isprintable() else " " for one in shown)


def read_array(data: bytes, *kinds: type) -> list[Any]:
    """Read an array whose items have exactly these types.

    Args:
        data: CBOR bytes of a peer.
        kinds: Type of each item.

    Returns:
        The items.

    Raises:
        InvalidProposalError: Anything else.
    """
    items = _load(data, FLAT)
    if not isinstance(items, list) or len(items) != len(kinds):
        expected = f"an array of {len(kinds)} items"
        raise InvalidProposalError("shape", expected, type(items).__name__)
    for item, kind in zip(items, kinds, strict=True):
        if type(item) is not kind:
            raise InvalidProposalError("shape", kind.__name__, type(item).__name__)
        if type(item) is int and not -INTEGER_LIMIT <= item < INTEGER_LIMIT:
            raise InvalidProposalError("shape", "64-bit integers", "a larger one")
    return items


def read_strings(data: bytes) -> list[bytes]:
    """Read an array of byte strings.

    Args:
        data: CBOR bytes of a peer.

    Returns:
        The byte strings.

    Raises:
        InvalidProposalError: Anything else.
    """
    items = _load(data, FLAT)
    if not isinstance(items, list) or any(type(item) is not bytes for item in items):
        expected = "an array of byte strings"
        raise InvalidProposalError("shape", expected, type(items).__name__)
    return items


def read_answer(data: bytes) -> tuple[bytes, bytes, str]:
    """Read an answer to a request for a vote or a lock.

    Args:
        data: CBOR map of a peer with `vote`, `lock` or `refused`.

    Returns:
        Vote and lock, empty where there is none, and the reason of a refusal.

    Raises:
        InvalidProposalError: Anything else.
    """
    fields = _load(data, NESTED)
    if not isinstance(fields, dict):
        raise InvalidProposalError("shape", "a map", type(fields).__name__)
    vote, lock = fields.get("vote", b""), fields.get("lock", b"")
    refused = fields.get("refused", "")
    if (type(vote), type(lock), type(refused)) != (bytes, bytes, str):
        raise InvalidProposalError("shape", "vote, lock and reason", "other types")
    return vote, lock, refused


def read_disputed(data: bytes) -> list[bytes]:
    """Read the messages that a refusal brings as evidence.

    Args:
        data: CBOR map of a peer.

    Returns:
        Whole messages, none where there are none.

    Raises:
        InvalidProposalError: Anything else.
    """
    fields = _load(data, NESTED)
    disputed = fields.get("disputed", []) if isinstance(fields, dict) else None
    return read_strings(cbor2.dumps(disputed))


def _load(data: bytes, depth: int) -> Any:
    try:
        return cbor2.loads(
            data, max_depth=depth, allow_indefinite=False, strict_hashable_types=True
        )
    except Exception as exc:  # tag decoders raise whatever they meet
        reason = str(exc) or type(exc).__name__
        raise InvalidProposalError("shape", "CBOR", reason) from exc
