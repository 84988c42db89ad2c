"""How each field of an instruction is written by people and read back.

One entry a field name: the same name means the same thing in every instruction.
Pure: text in, value out, and back. Names of accounts become ids by hashing, so no
node is asked.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum

from eth_utils.address import is_hex_address, to_checksum_address

from contracts.enumerations import Opinion, Rights
from contracts.hashing import keccak256
from contracts.typed_data import account_id, boundary_id
from wallet.amounts import (
    format_fen,
    format_tonnes,
    parse_count,
    parse_fen,
    parse_tonnes,
)
from wallet.errors import InvalidInstructionError

__all__ = [
    "DATA_LIST",
    "FIELDS",
    "Field",
    "Value",
    "parse_account",
    "parse_address",
    "parse_bytes",
]

Value = str | int | bytes | tuple[str, ...] | tuple[bytes, ...]
"""A field's value: address, number, bytes, or a list of these."""

_LOCAL = timezone(timedelta(hours=8))
_MAX_UINT64 = 2**64 - 1
_MIN_YEAR, _MAX_YEAR = 2013, 2100
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how it is read, kept in a file and shown."""

    parse: Callable[[str, str], Value]
    """Text and field name to value; refuses with both."""
    write: Callable[[Value], str]
    """Value to the text that ``parse`` reads back to the same value."""
    show: Callable[[Value], str]
    """Value to what a person reads before signing."""


def parse_account(text: str, where: str = "account") -> str:
    """Read an account: its id, or its registered name.

    Args:
        text: 20-byte hexadecimal id, or the name the account was opened with.
        where: Name of the field, for the error.

    Returns:
        Checksum id of the account.

    Raises:
        InvalidInstructionError: If the text is empty or a malformed id.
    """
    words = _words(text, where)
    if is_hex_address(words) and words.startswith("0x"):
        return to_checksum_address(words)
    if not words or words.startswith("0x"):
        expected = "an account's name, or its id of 20 bytes in hexadecimal"
        raise InvalidInstructionError(where, expected, repr(text))
    return account_id(words)


def parse_address(text: str, where: str) -> str:
    """Read the address of a key or contract; refuses anything else."""
    if not (text.startswith("0x") and is_hex_address(text)):
        expected = "an address of 20 bytes in hexadecimal"
        raise InvalidInstructionError(where, expected, repr(text))
    return to_checksum_address(text)


def _words(text: str, where: str) -> str:
    """Strip a text, and refuse what is none: JSON can carry halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInstructionError(where, "a text", ascii(text)) from exc
    return text.strip()


def _parse_hash(text: str, where: str) -> bytes:
    if not _HASH.fullmatch(text.strip()):
        expected = "32 bytes in hexadecimal, 0x and 64 digits"
        raise InvalidInstructionError(where, expected, repr(text))
    return bytes.fromhex(text.strip()[2:])


def _parse_digest(text: str, where: str) -> bytes:
    words = _words(text, where)
    if not words:
        expected = "a digest in hexadecimal, or the text to take the digest of"
        raise InvalidInstructionError(where, expected, repr(text))
    if words.startswith("0x"):
        return _parse_hash(words, where)
    return keccak256(words.encode())


def _parse_boundary(text: str, where: str) -> bytes:
    words = _words(text, where)
    if words.startswith("0x") or not words:
        return _parse_hash(words, where)
    return boundary_id(words)


def parse_bytes(text: str, where: str) -> bytes:
    """Read bytes in hexadecimal; refuses anything else."""
    if not _HEX.fullmatch(text.strip()):
        raise InvalidInstructionError(where, "bytes in hexadecimal", repr(text))
    return bytes.fromhex(text.strip()[2:])


def _parse_vintage(text: str, where: str) -> int:
    year = parse_count(text, where, _MAX_YEAR)
    if year < _MIN_YEAR:
        expected = f"an allocation year from {_MIN_YEAR} to {_MAX_YEAR}"
        raise InvalidInstructionError(where, expected, repr(text))
    return year


def _parse_number(text: str, where: str) -> int:
    return parse_count(text, where, _MAX_UINT64)


def _parse_time(text: str, where: str) -> int:
    words = text.strip()
    if words.isascii() and words.isdigit():
        return _parse_number(words, where)
    try:
        moment = datetime.fromisoformat(words)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=_LOCAL)
        return int(zoned.timestamp())
    except (ValueError, OverflowError) as exc:
        expected = "a time such as 2024-01-31T12:00+08:00, or unix seconds"
        raise InvalidInstructionError(where, expected, repr(text)) from exc


def _choice(choices: type[IntEnum]) -> Field:
    words = {choice.name.lower(): choice for choice in choices}

    def parse(text: str, where: str) -> int:
        if text.strip() not in words:
            raise InvalidInstructionError(where, " or ".join(words), repr(text))
        return words[text.strip()]

    def write(value: Value) -> str:
        return choices(_number(value)).name.lower()

    return Field(parse, write, write)


def _list_of(parse_one: Callable[[str, str], Value]) -> Callable[[str, str], Value]:
    def parse(text: str, where: str) -> Value:
        return tuple(parse_one(part, where) for part in text.split(","))  # type: ignore[return-value]  # one kind a list

    return parse


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected an int, got {type(value).__name__}")
    return value


def _hex(value: Value) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _hex_list(value: Value) -> str:
    return ",".join(_hex(part) for part in value) if isinstance(value, tuple) else ""


def _show_time(value: Value) -> str:
    seconds = _number(value)
    try:
        local = datetime.fromtimestamp(seconds, UTC).astimezone(_LOCAL)
    except (ValueError, OverflowError, OSError):
        return str(seconds)
    return f"{local:%Y-%m-%d %H:%M:%S} UTC+8"


def _show_fen(value: Value) -> str:
    return format_fen(_number(value))


def _show_tonnes(value: Value) -> str:
    return format_tonnes(_number(value))


def _write_fen(value: Value) -> str:
    return format_fen(_number(value)).replace(",", "").removesuffix(" CNY")


_ACCOUNT = Field(parse_account, str, str)
_ADDRESS = Field(parse_address, str, str)
_HASH_FIELD = Field(_parse_hash, _hex, _hex)
_DIGEST = Field(_parse_digest, _hex, _hex)
_MONEY = Field(parse_fen, _write_fen, _show_fen)
_TIME = Field(_parse_time, str, _show_time)
_NUMBER = Field(_parse_number, str, str)

FIELDS: Mapping[str, Field] = {
    "account": _ACCOUNT,
    "to": _ACCOUNT,
    "seller": _ACCOUNT,
    "buyer": _ACCOUNT,
    "key": _ADDRESS,
    "target": _ADDRESS,
    "targets": Field(_list_of(parse_address), _hex_list, _hex_list),
    "data": Field(parse_bytes, _hex, _hex),
    "statement": _HASH_FIELD,
    "payout": _HASH_FIELD,
    "boundary": Field(_parse_boundary, _hex, _hex),
    "document": _DIGEST,
    "reason": _DIGEST,
    "findings_digest": _DIGEST,
    "evidence_digest": _DIGEST,
    "destination": _DIGEST,
    "bank_reference": _DIGEST,
    "vintage": Field(_parse_vintage, str, str),
    "tonnes": Field(parse_tonnes, str, _show_tonnes),
    "fen": _MONEY,
    "price_fen": _MONEY,
    "value_added_fen": _MONEY,
    "opinion": _choice(Opinion),
    "rights": _choice(Rights),
    "period_start": _TIME,
    "period_end": _TIME,
    "deadline": _TIME,
    "nonce": _NUMBER,
    "seller_nonce": _NUMBER,
    "buyer_nonce": _NUMBER,
}
"""Every field of every instruction, by its name in ``contracts.structs``."""

DATA_LIST = Field(_list_of(parse_bytes), _hex_list, _hex_list)
"""``data`` of a ``CallBatch``, one entry a call."""
