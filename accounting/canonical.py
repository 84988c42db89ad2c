"""Canonical JSON: one content, one byte string, one digest.

Rules kept: UTF-8, keys sorted by code point, no white space, no floats, no
duplicate keys. Quantities travel as decimal strings, so that no reader can round
them. Signing and hashing for the chain (keccak256) are not done here.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from accounting.errors import InvalidDocumentError

MAX_DEPTH: Final = 64
"""Most levels of a document."""

_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKETS: Final = re.compile(rb"[\[\]{}]")


def canonical_json(value: object) -> bytes:
    """Encode a value in the one canonical form.

    Args:
        value: Mappings with text keys, lists, tuples, text, integers, booleans, None.

    Returns:
        UTF-8 bytes with sorted keys and no white space.

    Raises:
        TypeError: The value holds a float or another type without a canonical form.
    """
    _refuse_inexact(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def parse_canonical_json(data: bytes, where: str) -> Any:
    """Decode canonical JSON and refuse every other spelling of the same content.

    Args:
        data: UTF-8 bytes.
        where: What the bytes are, for the message.

    Returns:
        The decoded value.

    Raises:
        InvalidDocumentError: The bytes are no JSON or not in canonical form.
    """
    try:
        _check_depth(data)
        value = json.loads(data)
        is_canonical = canonical_json(value) == data
    except (ValueError, TypeError, RecursionError) as exc:
        raise InvalidDocumentError(f"no canonical JSON: {exc}", where=where) from exc
    if not is_canonical:
        raise InvalidDocumentError(
            "no canonical JSON",
            where=where,
            expected="sorted keys, each once, no white space",
            given=f"{len(data)} bytes in another form",
        )
    return value


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting before the parser recurses on the machine's stack."""
    depth = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels")


def digest(value: object) -> bytes:
    """Hash the canonical form of a value.

    Args:
        value: Anything `canonical_json` accepts.

    Returns:
        32 bytes, SHA-256.
    """
    return hashlib.sha256(canonical_json(value)).digest()


def merkle_root(leaves: list[bytes]) -> bytes:
    """Fold leaves to one root, as RFC 9162, section 2.1.1 does.

    Args:
        leaves: Leaf contents in their order, any length each.

    Returns:
        32 bytes, SHA-256; the hash of nothing for no leaves.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = merkle_root(leaves[:split]), merkle_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def _refuse_inexact(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"floats have no canonical form; write {value!r} as text")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are text, got {key!r}")
            _refuse_inexact(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_inexact(item)
