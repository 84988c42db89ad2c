"""What a look at the node finds. Plain values; rules, page and metrics read them.

Ages of streams and carriers are in ledger time, which a sandbox sets; all other times
are of this machine.
"""

from dataclasses import dataclass
from typing import Any

from node.engine.ports import EngineState

__all__ = [
    "CarrierFacts",
    "ChainFacts",
    "DiskFacts",
    "Facts",
    "ForcedFacts",
    "IndexFacts",
    "MemberFacts",
    "StreamFacts",
    "WorkFacts",
]


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """The chain and its engine."""

    state: EngineState
    message: str
    """The engine's sentence for the operator."""
    height: int | None
    """Newest block, None where the chain does not answer."""
    block_time: int | None
    """Its time. [unix s]"""
    pending: int | None
    """Transactions that wait for a block, None where the engine does not tell."""
    stalled_s: float
    """Since when it has not answered, or not mined what waits. [s]"""


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """The index of the chain."""

    is_running: bool
    """Whether the indexer follows the chain."""
    block: int | None
    """Block up to which the tables are complete."""
    lag_blocks: int | None
    """Blocks by which it is behind, None where that is not known."""
    behind_s: float
    """Since when it is further behind than allowed. [s]"""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """A stream of batches."""

    stream_id: bytes
    """32 bytes."""
    max_silence_s: int
    """Greatest time between two batches. [s]"""
    batches: int
    """Anchored batches."""
    readings: int
    """Anchored readings."""
    age_s: int
    """Since the last batch, or the opening, in ledger time. [s]"""


@dataclass(frozen=True, slots=True)
class ForcedFacts:
    """A reading that somebody asked for in the open and that no batch carries yet."""

    stream_id: bytes
    """32 bytes."""
    digest: bytes
    """32 bytes, keccak256 of the message."""
    overdue_s: int
    """Since when it is overdue, negative before, in ledger time. [s]"""


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """A member of the oracle, as it answers from here."""

    address: str
    """Address of its key."""
    url: str
    is_answering: bool
    silent_s: float
    """Since its last answer. [s]"""
    status: dict[str, Any]
    """What it told last."""


@dataclass(frozen=True, slots=True)
class CarrierFacts:
    """Carriers whose readings come to the inbox that the node reads."""

    active: int
    """Active carriers."""
    silent: tuple[tuple[str, int], ...]
    """Identifier, and how long nothing came, of those that are silent for too long;
    the longest first. [s]"""


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """Room of a folder."""

    folder: str
    free_bytes: int
    total_bytes: int
    free_inodes_percent: int


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """What waits in the node's database, and its size."""

    database_bytes: int
    instructions: dict[str, int]
    """Instructions of people by status."""
    notices: int
    """Notices of alarms that are not delivered."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the node."""

    at: int
    """Wall time. [unix s]"""
    chain: ChainFacts
    index: IndexFacts
    streams: tuple[StreamFacts, ...]
    forced: tuple[ForcedFacts, ...]
    members: tuple[MemberFacts, ...]
    carriers: CarrierFacts | None
    """None where the node reads no inbox."""
    disks: tuple[DiskFacts, ...]
    work: WorkFacts | None
    """None while the database cannot be read."""
    fault: str
    """Why the database cannot be read, empty while it can."""
