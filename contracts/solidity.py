"""Solidity's types on Python dataclasses: one declaration, all encodings.

A field's annotation carries its Solidity type; plain ``bytes``, ``str`` and ``bool``
mean themselves, a dataclass is a struct and ``tuple[X, ...]`` a dynamic array. The
Solidity name of a field is its Python name in camel case. EIP-712 hashing, call data,
results and events are all derived from these declarations.
"""

import dataclasses
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any

from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.registry import registry

from contracts.hashing import address_bytes, checksum_address

INDEXED = "indexed"
"""Mark of an event field that travels as a topic."""

Address = Annotated[str, "address"]
"""Account or contract, with the checksum of ERC-55."""
Bytes4 = Annotated[bytes, "bytes4"]
Bytes32 = Annotated[bytes, "bytes32"]
Uint8 = Annotated[int, "uint8"]
Uint16 = Annotated[int, "uint16"]
Uint32 = Annotated[int, "uint32"]
Uint48 = Annotated[int, "uint48"]
Uint64 = Annotated[int, "uint64"]
Uint128 = Annotated[int, "uint128"]
Uint256 = Annotated[int, "uint256"]
Int256 = Annotated[int, "int256"]

WORD_BYTES = 32
"""Length of an EVM word. [bytes]"""

_NOTHING = "()"
"""Type of no values, which eth_abi does not know."""

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a struct, an event or an error."""

    name: str
    """Python name, snake case."""
    hint: Any
    """The annotation."""

    @property
    def solidity_name(self) -> str:
        """Name in Solidity, camel case."""
        return camel_case(self.name)

    @property
    def type(self) -> str:
        """Canonical ABI type."""
        return abi_type(self.hint)

    @property
    def is_indexed(self) -> bool:
        """Whether an event carries the field as a topic."""
        return INDEXED in getattr(self.hint, "__metadata__", ())


def camel_case(name: str) -> str:
    """Turn ``snake_case`` into ``camelCase``.

    Args:
        name: Python name.

    Returns:
        Solidity name.
    """
    head, *tail = name.removesuffix("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@cache
def fields_of(declaration: Any) -> tuple[Field, ...]:
    """List the Solidity members of a dataclass, in order.

    Args:
        declaration: A dataclass whose fields carry Solidity types.

    Returns:
        One entry a member.
    """
    hints = typing.get_type_hints(declaration, include_extras=True)
    names = [f.name for f in dataclasses.fields(declaration)]
    return tuple(Field(name, hints[name]) for name in names)


@cache
def abi_type(hint: Any) -> str:
    """Give the canonical ABI type of an annotation.

    Args:
        hint: An alias of this module, a dataclass, ``tuple[X, ...]`` or a plain type.

    Returns:
        For instance ``uint64`` or ``(address,uint8)[]``.

    Raises:
        TypeError: The annotation has no Solidity type.
    """
    if hasattr(hint, "__metadata__"):
        return str(hint.__metadata__[0])
    if typing.get_origin(hint) is tuple:
        return abi_type(typing.get_args(hint)[0]) + "[]"
    if hasattr(hint, "ABI_TYPE"):
        return str(hint.ABI_TYPE)
    if dataclasses.is_dataclass(hint):
        members = fields_of(typing.cast("Any", hint))
        return "(" + ",".join(member.type for member in members) + ")"
    plain = {bytes: "bytes", str: "string", bool: "bool"}
    if hint not in plain:
        message = f"expected an annotation with a Solidity type, got {hint!r}"
        raise TypeError(message)
    return plain[hint]


@cache
def encoder(abi: str) -> Callable[[Any], bytes]:
    """Compile the encoder of an ABI type once.

    Args:
        abi: Canonical ABI type; a tuple for several values.

    Returns:
        Function from a value to its ``abi.encode``.
    """
    if abi == _NOTHING:
        return lambda _: b""
    return typing.cast("Callable[[Any], bytes]", registry.get_encoder(abi))


def decode_abi(abi: str, data: bytes) -> Any:
    """Decode ABI-encoded bytes.

    Args:
        abi: Canonical ABI type; a tuple for several values.
        data: The bytes.

    Returns:
        The value; addresses in lower case, see ``reader``.

    Raises:
        DecodingError: The bytes are no such value.
    """
    stream = ContextFramesBytesIO(data)  # type: ignore[no-untyped-call]  # eth_abi's
    return _decoder(abi)(stream)


@cache
def _decoder(abi: str) -> Callable[[Any], Any]:
    if abi == _NOTHING:
        return lambda _: ()
    return typing.cast("Callable[[Any], Any]", registry.get_decoder(abi))


def to_abi(value: Any) -> Any:
    """Turn dataclasses into the nested tuples the encoders take.

    Args:
        value: A value, a dataclass, or a sequence of them.

    Returns:
        Tuples, integers, bytes, text and booleans.
    """
    if hasattr(value, "to_abi"):
        return value.to_abi()
    if dataclasses.is_dataclass(value):
        members = dataclasses.fields(value)
        return tuple(to_abi(getattr(value, member.name)) for member in members)
    if isinstance(value, (list, tuple)):
        return tuple(to_abi(item) for item in value)
    return value


@cache
def reader(hint: Any) -> Reader | None:
    """Give the function that turns a decoded value into its Python form.

    Args:
        hint: The annotation of the field that takes the value.

    Returns:
        The function, or None where the decoded value is already right.
    """
    if hasattr(hint, "__metadata__"):
        return _scalar_reader(typing.get_args(hint)[0], abi_type(hint))
    if typing.get_origin(hint) is tuple:
        item = reader(typing.get_args(hint)[0])
        return tuple if item is None else lambda values: tuple(map(item, values))
    if dataclasses.is_dataclass(hint):
        return _struct_reader(typing.cast("Any", hint))
    return None


def _scalar_reader(python: type, abi: str) -> Reader | None:
    if abi == "address":
        return lambda text: checksum_address(address_bytes(text))
    if isinstance(python, type) and issubclass(python, IntEnum):
        return python
    return None


def _struct_reader(declaration: Any) -> Reader:
    readers = [reader(member.hint) for member in fields_of(declaration)]
    if not any(readers):
        return lambda values: declaration(*values)
    return lambda values: declaration(
        *(
            value if read is None else read(value)
            for read, value in zip(readers, values, strict=True)
        )
    )
