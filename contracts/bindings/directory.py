"""Directory: name → address."""

from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Address, Bytes32, Uint64


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a name points."""

    where: Address
    version: Uint64
    """Number of times the name was set, from 1."""


SET = Function("set", Bytes32, Address)
GET = Function("get", Bytes32, returns=Entry)


class Directory(Contract):
    """The one place that says which contract holds which subject."""

    def set(self, name: bytes, where: str) -> UnsignedCall:
        """Point a name to a contract; governed.

        Args:
            name: ASCII, 32 bytes, padded with zeros.
            where: The contract.
        """
        return self._write(SET, name, where)

    def get(self, name: bytes) -> Entry:
        """Look a name up.

        Args:
            name: ASCII, 32 bytes, padded with zeros.

        Raises:
            DirectoryNameUnknownError: The name was never set.
        """
        entry: Entry = self._read(GET, name)
        return entry
