"""The tree of errors, and how a revert becomes one of its leaves.

A leaf is bound to its custom error by ``revert``: signature and message stand side by
side, and the facts of the message are the error's arguments.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Any, ClassVar, TypeVar

from eth_abi.exceptions import DecodingError

from contracts.enumerations import AccountStatus, CarrierStatus, Kind, StatementStatus
from contracts.hashing import address_bytes, checksum_address, keccak256
from contracts.solidity import decode_abi

_SELECTOR_BYTES = 4
_ENUMS: dict[str, type[IntEnum]] = {
    "AccountStatus": AccountStatus,
    "ICarriers.CarrierStatus": CarrierStatus,
    "CarrierStatus": CarrierStatus,
    "Kind": Kind,
    "StatementStatus": StatementStatus,
}


class ContractsError(Exception):
    """Base of the package.

    Args:
        message: One sentence: what, where, expected, given, what to do.
        facts: The sentence's facts; each is also an attribute.
    """

    SIGNATURE: ClassVar[str] = ""
    """Canonical signature of the custom error, empty where there is none."""
    MESSAGE: ClassVar[str] = ""
    """The revert's sentence with the names of its facts in braces."""
    ARGUMENTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Solidity type and Python name of each argument."""

    def __init__(self, message: str, /, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        """Give a fact as an attribute."""
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)


class InvalidInputError(ContractsError):
    """What was given can never be accepted as it is."""


class InvalidSignatureError(InvalidInputError):
    """A signature is malformed or belongs to nobody."""


class StaleError(ContractsError):
    """What was given was overtaken; read the state and build it anew."""


class UnavailableError(ContractsError):
    """The chain does not answer; the same request may succeed later."""


class ConflictError(ContractsError):
    """Two truths exclude each other; a person has to look."""


class RefusedRequestError(InvalidInputError):
    """The chain's engine refused a request."""


class RevertedError(InvalidInputError):
    """A contract refused without one of our errors."""


class StaleNonceError(StaleError):
    """The chain has already used this transaction nonce."""


# --- reverts: machinery -------------------------------------------------------------

_Revert = TypeVar("_Revert", bound=ContractsError)

REVERTS: dict[bytes, type[ContractsError]] = {}
"""Selector of a custom error → its class."""


def revert(signature: str, message: str) -> Callable[[type[_Revert]], type[_Revert]]:
    """Bind a class to a custom error.

    Args:
        signature: As in Solidity, with the names of its arguments.
        message: A sentence with the arguments' Python names in braces.

    Returns:
        The class decorator.
    """
    name, arguments = signature.removesuffix(")").split("(")
    pairs = [argument.split() for argument in arguments.split(",") if argument]
    types = ",".join("uint8" if pair[0] in _ENUMS else pair[0] for pair in pairs)

    def bind(declared: type[_Revert]) -> type[_Revert]:
        declared.SIGNATURE = f"{name}({types})"
        declared.MESSAGE = message
        declared.ARGUMENTS = tuple((pair[0], _snake_case(pair[1])) for pair in pairs)
        digest = keccak256(declared.SIGNATURE.encode("ascii"))
        REVERTS[digest[:_SELECTOR_BYTES]] = declared
        return declared

    return bind


def decode_revert(data: bytes) -> ContractsError:
    """Turn what a contract reverted with into its exception.

    Args:
        data: Revert data: selector and arguments.

    Returns:
        The exception, to be raised by the caller.
    """
    declared = REVERTS.get(data[:_SELECTOR_BYTES])
    if declared is None:
        given = f"the unknown error 0x{data.hex()}" if data else "no reason"
        return RevertedError(f"the contract refused with {given}", data=data)
    try:
        return _build(declared, data[_SELECTOR_BYTES:])
    except (DecodingError, ValueError):  # also no text, no member of an enumeration
        name = declared.SIGNATURE
        message = f"the contract refused with {name}, whose arguments are malformed"
        return RevertedError(message, data=data)


def _build(declared: type[ContractsError], data: bytes) -> ContractsError:
    _, types = declared.SIGNATURE.split("(")
    values = decode_abi("(" + types, data)
    facts = {
        name: _fact(solidity, value)
        for (solidity, name), value in zip(declared.ARGUMENTS, values, strict=True)
    }
    shown = {name: _shown(value) for name, value in facts.items()}
    return declared(declared.MESSAGE.format(**shown), **facts)


def _fact(solidity: str, value: Any) -> Any:
    if solidity == "address":
        return checksum_address(address_bytes(value))
    if solidity in _ENUMS:
        return _ENUMS[solidity](value)
    return value


def _shown(value: Any) -> Any:
    """Write a fact for people: names as text, enumerations by name."""
    if isinstance(value, IntEnum):
        return value.name.lower().replace("_", " ")
    if not isinstance(value, bytes):
        return value
    text = value.rstrip(b"\x00")
    is_name = 0 < len(text) < len(value) and re.fullmatch(rb"[ -~]+", text)
    return text.decode("ascii") if is_name else "0x" + value.hex()


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
