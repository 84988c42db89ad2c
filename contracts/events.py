"""Logs of the ledger's contracts become frozen dataclasses, fast.

Single words are cut from topics and data directly; events with texts, bytes or arrays
go through a decoder compiled once. Foreign logs give ``None``. No input or output.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, get_args

from eth_abi.exceptions import DecodingError

from contracts import event_types
from contracts.errors import ConflictError
from contracts.event_types import *  # noqa: F403  # every event is known here
from contracts.event_types import Event
from contracts.hashing import checksum_address, keccak256
from contracts.solidity import (
    WORD_BYTES,
    Field,
    Reader,
    abi_type,
    decode_abi,
    fields_of,
    reader,
)

_Words = Iterator[bytes]
_WordReader = Callable[[_Words], Any]


def event_fields(declared: type[Event]) -> tuple[Field, ...]:
    """List the Solidity arguments of an event.

    Args:
        declared: An event class.

    Returns:
        One entry an argument, in order.
    """
    declaration: Any = declared
    own = len(dataclasses.fields(Event))
    return fields_of(declaration)[own:]


def event_signature(declared: type[Event]) -> str:
    """Write an event's canonical signature.

    Args:
        declared: An event class.

    Returns:
        For instance ``CashMoved(address,address,uint128)``.
    """
    types = ",".join(member.type for member in event_fields(declared))
    return f"{declared.__name__}({types})"


# --- readers of single words --------------------------------------------------------


def _word_reader(hint: Any) -> _WordReader | None:
    """Give the reader of a value made of whole words, None for a dynamic value."""
    if dataclasses.is_dataclass(hint):
        declaration: Any = hint
        readers = [_word_reader(member.hint) for member in fields_of(declaration)]
        if not all(readers):
            return None
        return lambda words: declaration(*[read(words) for read in readers if read])
    if hint is bool:
        return lambda words: next(words)[-1] == 1
    if not hasattr(hint, "__metadata__"):
        return None
    return _scalar_reader(get_args(hint)[0], abi_type(hint))


def _scalar_reader(python: Any, abi: str) -> _WordReader | None:
    if isinstance(python, type) and issubclass(python, IntEnum):
        return lambda words: python(next(words)[-1])
    if abi == "address":
        return lambda words: checksum_address(next(words)[-20:])
    if abi == "bytes32":
        return next
    if abi.startswith("bytes"):
        size = int(abi.removeprefix("bytes"))
        return lambda words: next(words)[:size]
    if abi.endswith("]"):
        return None
    signed = abi.startswith("int")
    return lambda words: int.from_bytes(next(words), "big", signed=signed)


# --- decoders -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Decoder:
    """How the logs of one event are read."""

    declared: type[Event]
    topics: tuple[tuple[str, _WordReader], ...]
    words: tuple[tuple[str, _WordReader], ...] | None
    """Readers of the data, None where a value is dynamic."""
    data: tuple[tuple[str, Reader | None], ...]
    data_type: str
    data_bytes: int
    """Length of the data where every value is made of words. [bytes]"""

    def arguments(self, topics: list[bytes], data: bytes) -> dict[str, Any]:
        """Read an event's arguments."""
        words = iter(topics)
        found = {name: read(words) for name, read in self.topics}
        if self.words is None:
            values = decode_abi(self.data_type, data)
            for (name, convert), value in zip(self.data, values, strict=True):
                found[name] = value if convert is None else convert(value)
            return found
        if len(data) != self.data_bytes:
            message = f"expected {self.data_bytes} bytes, got {len(data)}"
            raise ValueError(message)
        words = (data[at : at + WORD_BYTES] for at in range(0, len(data), WORD_BYTES))
        found.update({name: read(words) for name, read in self.words})
        return found


def _decoder(declared: type[Event]) -> _Decoder:
    members = event_fields(declared)
    indexed = [member for member in members if member.is_indexed]
    rest = [member for member in members if not member.is_indexed]
    topics = tuple((m.name, read) for m in indexed if (read := _word_reader(m.hint)))
    words = tuple((m.name, read) for m in rest if (read := _word_reader(m.hint)))
    return _Decoder(
        declared,
        topics,
        words if len(words) == len(rest) else None,
        tuple((m.name, reader(m.hint)) for m in rest),
        "(" + ",".join(m.type for m in rest) + ")",
        WORD_BYTES * sum(_word_count(m.hint) for m in rest),
    )


def _word_count(hint: Any) -> int:
    return abi_type(hint).count(",") + 1


EVENTS: dict[bytes, type[Event]] = {
    keccak256(event_signature(declared).encode("ascii")): declared
    for declared in vars(event_types).values()
    if isinstance(declared, type) and issubclass(declared, Event)
    if declared is not Event
}
"""First topic of an event → its class."""

_DECODERS = {"0x" + topic.hex(): _decoder(event) for topic, event in EVENTS.items()}


def decode(log: Mapping[str, Any]) -> Event | None:
    """Read a log.

    Args:
        log: As ``eth_getLogs`` gives it.

    Returns:
        The event, or None where it is none of ours.

    Raises:
        ConflictError: The log bears the name of our event, but not its shape.
    """
    topics = log["topics"]
    decoder = _DECODERS.get(topics[0]) if topics else None
    if decoder is None or len(topics) != len(decoder.topics) + 1:
        return None
    try:
        arguments = decoder.arguments(
            [bytes.fromhex(topic[2:]) for topic in topics[1:]],
            bytes.fromhex(log["data"][2:]),
        )
    except (DecodingError, ValueError) as exc:
        name, number = decoder.declared.__name__, int(log["blockNumber"], 16)
        message = (
            f"a log of {name} in block {number} has not the shape of that event "
            f"({exc}): expected the contract of this version"
        )
        raise ConflictError(message, event=name, block_number=number) from exc
    return decoder.declared(
        **arguments,
        address=checksum_address(bytes.fromhex(log["address"][2:])),
        block_number=int(log["blockNumber"], 16),
        tx_hash=bytes.fromhex(log["transactionHash"][2:]),
        log_index=int(log["logIndex"], 16),
    )
