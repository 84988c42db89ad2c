"""What all events share: their place on the chain, and types that travel as topics."""

from dataclasses import dataclass
from typing import Annotated

from contracts.solidity import INDEXED

IndexedAddress = Annotated[str, "address", INDEXED]
IndexedBytes4 = Annotated[bytes, "bytes4", INDEXED]
IndexedBytes32 = Annotated[bytes, "bytes32", INDEXED]
IndexedUint16 = Annotated[int, "uint16", INDEXED]
IndexedUint32 = Annotated[int, "uint32", INDEXED]
IndexedUint256 = Annotated[int, "uint256", INDEXED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Where on the chain an event stands."""

    address: str
    """The contract, with its checksum."""
    block_number: int
    tx_hash: bytes
    """32 bytes."""
    log_index: int
    """Place in the block."""
