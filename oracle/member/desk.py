"""What the parts of a member share: its key, its ports, its rules of rounds."""

from collections.abc import Callable
from dataclasses import dataclass

from oracle.member.keys import MemberKey
from oracle.member.memory import Memory
from oracle.member.ports import Chain, Peers, Readings
from oracle.member.store import MemberStore


@dataclass(frozen=True, slots=True)
class RoundRules:
    """When batches are made."""

    window_s: float
    """Longest wait of a reading for the next round. [s]"""
    timeout_s: float
    """Length of a round before the next leader takes over. [s]"""
    heartbeat_s: int
    """Longest pause of the stream, in ledger time. [s]"""
    max_batch: int = 4096
    """Most readings of a batch."""
    ahead_s: int = 300
    """How far a reading's time may be ahead of the member's clock. [s]"""


@dataclass(frozen=True, slots=True)
class Desk:
    """The member's key, ports and rules."""

    key: MemberKey
    """Key that signs votes, reports and messages."""
    stream_id: bytes
    """Stream of the batches, 32 bytes."""
    chain: Chain
    """The ledger."""
    inbox: Readings
    """The member's readings."""
    store: MemberStore
    """What the member has voted, signed, adopted and computed."""
    memory: Memory
    """From which number on that is all it ever did."""
    peers: Peers
    """The other members."""
    clock: Callable[[], int]
    """Ledger time: wall time, or the sandbox's clock. [unix s]"""
    rules: RoundRules
    """When batches are made."""
