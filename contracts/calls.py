"""Call data of contract functions: encoded arguments out, decoded results in.

A function is declared by its Solidity name and the types of ``contracts.solidity``; no
artifact is read. A test holds every declaration against the compiled interfaces.
"""

from dataclasses import dataclass, is_dataclass
from typing import Any

from eth_abi.exceptions import DecodingError, EncodingError

from contracts.errors import ConflictError, InvalidInputError
from contracts.hashing import keccak256
from contracts.solidity import abi_type, decode_abi, encoder, fields_of, reader, to_abi

SELECTOR_BYTES = 4
"""Length of a function's or error's selector. [bytes]"""

GAS_LIMIT = 8_000_000
"""No call may need more, so that engines with a 10-million block accept it. [gas]"""


@dataclass(frozen=True, slots=True)
class UnsignedCall:
    """A transaction that anyone may carry: all authority is in its data."""

    to: str | None
    """The contract; None creates one."""
    data: bytes
    gas_limit: int | None = None
    """Gas to allow; None: estimated by who sends it. [gas]"""


def selector(signature: str) -> bytes:
    """Give the selector of a canonical signature.

    Args:
        signature: For instance ``halt(uint16,bool)``.

    Returns:
        4 bytes.
    """
    return keccak256(signature.encode("ascii"))[:SELECTOR_BYTES]


class Function:
    """One function of a contract.

    Args:
        name: Its Solidity name.
        params: Types of its arguments: aliases of ``contracts.solidity``, dataclasses.
        returns: Type of its result; a dataclass takes several results, field by field.
    """

    def __init__(self, name: str, *params: Any, returns: Any = None) -> None:
        types = "(" + ",".join(abi_type(param) for param in params) + ")"
        self.signature = name + types
        self.selector = selector(self.signature)
        self._encode = encoder(types)
        self._outputs = _outputs(returns)
        self._read = reader(returns)
        self._is_single = not is_dataclass(returns)

    @property
    def outputs(self) -> str:
        """Canonical types of the results, as a tuple."""
        return self._outputs

    def encode(self, *arguments: Any) -> bytes:
        """Write the call data.

        Args:
            arguments: One value a parameter, dataclasses for structs.

        Returns:
            Selector and encoded arguments.

        Raises:
            InvalidInputError: An argument does not fit its type.
        """
        try:
            return self.selector + self._encode(to_abi(arguments))
        except EncodingError as exc:
            message = f"{self.signature} got an argument that does not fit: {exc}"
            raise InvalidInputError(message, function=self.signature) from exc

    def decode(self, data: bytes) -> Any:
        """Read the result.

        Args:
            data: What the call returned.

        Returns:
            The value, or the dataclass of several values.

        Raises:
            ConflictError: The bytes are not a result of this function.
        """
        try:
            values = decode_abi(self._outputs, data)
        except DecodingError as exc:
            message = (
                f"expected a result of {self.signature}, got {len(data)} bytes that "
                "are none: is this the contract of this version?"
            )
            raise ConflictError(message, function=self.signature) from exc
        value = values[0] if self._is_single else values
        return value if self._read is None else self._read(value)


def _outputs(returns: Any) -> str:
    if returns is None:
        return "()"
    if is_dataclass(returns):
        declaration: Any = returns
        return "(" + ",".join(member.type for member in fields_of(declaration)) + ")"
    return f"({abi_type(returns)})"
