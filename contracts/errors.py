"""Errors of the contracts package; what the chain refuses comes out as one of these.

    ContractsError                      everything below; facts are attributes
    ├── InvalidInputError               refuse: it can never be accepted as it is
    │   ├── InvalidSignatureError, RefusedRequestError, RevertedError
    │   └── reverts: wrong kind, wrong state, outside a limit
    ├── StaleError                      ignore or rebuild: it was overtaken
    │   ├── StaleNonceError
    │   └── reverts: used nonce, passed deadline, old head
    ├── UnavailableError                retry: the chain does not answer
    │   └── reverts: outside the session, halted
    └── ConflictError                   stop: a person has to look
        └── reverts: two truths, missing authority

Every custom error of the contracts has one class here: its Solidity name and ``Error``.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from eth_abi.exceptions import DecodingError

from contracts.hashing import address_bytes, checksum_address, keccak256
from contracts.solidity import decode_abi

_SELECTOR_BYTES = 4


class ContractsError(Exception):
    """Base of the package.

    Args:
        message: One sentence: what, where, expected, given, what to do.
        facts: The sentence's facts; each is also an attribute.
    """

    SELECTOR: ClassVar[bytes] = b""
    TYPES: ClassVar[tuple[str, ...]] = ()
    ARGUMENTS: ClassVar[tuple[str, ...]] = ()

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


def revert(signature: str) -> Callable[[type[_Revert]], type[_Revert]]:
    """Bind a class to a custom error; the class's docstring is its message.

    Args:
        signature: As in Solidity, with the names of the arguments.

    Returns:
        The class decorator.
    """
    name, arguments = signature.removesuffix(")").split("(")
    pairs = [argument.split() for argument in arguments.split(",") if argument]
    types = [pair[0] for pair in pairs]
    canonical = f"{name}({','.join(types)})"

    def bind(declared: type[_Revert]) -> type[_Revert]:
        declared.SELECTOR = keccak256(canonical.encode("ascii"))[:_SELECTOR_BYTES]
        declared.TYPES = tuple(types)
        declared.ARGUMENTS = tuple(pair[1] for pair in pairs)
        REVERTS[declared.SELECTOR] = declared
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
    except DecodingError:
        message = f"the contract refused with a malformed {declared.__name__}"
        return RevertedError(message, data=data)


def _build(declared: type[ContractsError], data: bytes) -> ContractsError:
    raw = decode_abi("(" + ",".join(declared.TYPES) + ")", data)
    values = [
        checksum_address(address_bytes(value)) if abi == "address" else value
        for abi, value in zip(declared.TYPES, raw, strict=True)
    ]
    facts = dict(zip(declared.ARGUMENTS, values, strict=True))
    shown = {name: _shown(value) for name, value in facts.items()}
    return declared(str(declared.__doc__).format(**shown), **facts)


def _shown(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value
