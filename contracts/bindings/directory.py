"""Directory: name → address, with every earlier one."""

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


@dataclass(frozen=True, slots=True)
class Edition:
    """One contract that holds or held a subject."""

    where: Address
    since_block: Uint64
    """Block in which the name was pointed to it."""
    code_digest: Bytes32
    """keccak256 of its code."""


SET = Function("set", Bytes32, Address, Bytes32)
GET = Function("get", Bytes32, returns=Entry)
EDITION = Function("edition", Bytes32, Uint64, returns=Edition)


class Directory(Contract):
    """The one place that says which contract holds which subject."""

    def set(self, name: bytes, where: str, code_digest: bytes) -> UnsignedCall:
        """Point a name to a contract; governed.

        Args:
            name: ASCII, 32 bytes, padded with zeros.
            where: The contract.
            code_digest: What its code must hash to, keccak256, 32 bytes.
        """
        return self._write(SET, name, where, code_digest)

    def get(self, name: bytes) -> Entry:
        """Look a name up.

        Args:
            name: ASCII, 32 bytes, padded with zeros.

        Raises:
            DirectoryNameUnknownError: The name was never set.
        """
        entry: Entry = self._read(GET, name)
        return entry

    def edition(self, name: bytes, version: int) -> Edition:
        """Look one version of a name up.

        Args:
            name: ASCII, 32 bytes, padded with zeros.
            version: From 1 to that of ``get``.

        Raises:
            DirectoryVersionUnknownError: The name has no such version.
        """
        edition: Edition = self._read(EDITION, name, version)
        return edition
