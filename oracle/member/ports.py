"""What a member needs of the world: chain, inbox and peers.

The concrete ones are chosen in `oracle.member.member`; tests bring simulators of the
same shape. Everything here is an interface or a plain value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.bindings.reading_anchor import SignedReport
from contracts.structs import Attestation, BatchReport, ReadingProof
from contracts.typed_data import CodeReport, StatementReport
from oracle.inbox.reader import StoredReading
from oracle.member.refs import ReadingRef
from oracle.reading.registry import CarrierRegistry


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block of the chain."""

    number: int
    """Height."""
    hash: bytes
    """32 bytes."""
    timestamp: int
    """Time of the block. [unix s]"""


@dataclass(frozen=True, slots=True)
class ChainNews:
    """What happened on the chain since the last look."""

    head: BlockRef
    """Latest block."""
    events: tuple[Any, ...]
    """Event dataclasses of `contracts.events` in chain order."""
    is_rewound: bool
    """True if the chain lost blocks that were seen: everything starts anew."""


class Chain(Protocol):
    """The ledger, as a member uses it."""

    @property
    def domain(self) -> bytes:
        """EIP-712 domain of `ReadingAnchor`. 32 bytes."""

    def report_digest(
        self, report: BatchReport | StatementReport | CodeReport
    ) -> bytes:
        """Give what members sign for a report: 32 bytes."""

    def follow(self) -> ChainNews:
        """Read the events since the last call; raises `UnavailableError`."""

    def block_hash(self, number: int) -> bytes | None:
        """Give the hash of a block (32 bytes), None if there is no such block."""

    def place_of(self, number: int, block_hash: bytes) -> int:
        """Place a report's reference block; a moved ledger's lies before block 0."""

    def submit(
        self, report: BatchReport | StatementReport | CodeReport, votes: Attestation
    ) -> None:
        """Carry an attested report to its contract and wait for its block."""

    def attestation(self, tx_hash: bytes) -> Attestation:
        """Read the attestation back from a transaction that carried a report."""

    def settle_inclusion(self, digest: bytes, proof: ReadingProof) -> None:
        """Show the contract the batch that carries a forced reading."""

    def prove_equivocation(
        self, place: int, first: SignedReport, second: SignedReport
    ) -> None:
        """Show the contract two reports that one member signed for one number."""


@dataclass(frozen=True, slots=True)
class NewReading:
    """A stored reading as it is passed on to peers."""

    row_id: int
    """Rises with every stored reading."""
    digest: bytes
    """32 bytes, keccak256 of the message."""
    raw: bytes
    """The whole message."""


class Readings(Protocol):
    """The member's durable inbox. Checks 1 to 5 passed for every stored reading."""

    def set_registry(self, registry: CarrierRegistry) -> None:
        """Verify what comes from now on under another registry."""

    def accept(
        self, messages: Sequence[bytes], registry: CarrierRegistry | None = None
    ) -> None:
        """Verify and commit messages of peers, as if a carrier had sent them.

        A registry is that of a batch's reference block; None takes the latest.
        """

    def await_commit(self, seen: int, timeout_s: float) -> int:
        """Wait until more was stored than at the last call; -1 returns at once."""

    def after(self, row_id: int, limit: int) -> list[NewReading]:
        """List stored readings behind a row, in the order of storing."""

    def pending(self, limit: int, until_ts: int) -> list[StoredReading]:
        """List unbatched readings up to a device time, in order of arrival.

        Those of quarantined carriers are held back.
        """

    def count_pending(self, limit: int, until_ts: int) -> int:
        """Count unbatched readings up to a limit, without reading them."""

    def bodies(self, refs: Sequence[ReadingRef]) -> dict[bytes, bytes]:
        """Find messages by name: digest (32 bytes) → message."""

    def disputed(self, refs: Sequence[ReadingRef]) -> list[bytes]:
        """Give both messages wherever a quarantined carrier signed two for a name."""

    def mark_batched(
        self, stream_id: bytes, batch_seq: int, refs: Sequence[ReadingRef]
    ) -> None:
        """Mark readings with their batch and place; repeating changes nothing.

        Of two messages of one name the batch's is the one that counts from then on.
        """

    def batched(
        self, identifiers: Sequence[str], first_ts: int, last_ts: int
    ) -> list[StoredReading]:
        """List batched readings of carriers with first_ts ≤ ts ≤ last_ts."""


class Peers(Protocol):
    """The other members."""

    def ask(self, address: str, kind: str, body: bytes) -> bytes:
        """Send one request; raises `UnavailableMemberError`."""

    def ask_all(self, kind: str, body: bytes) -> Iterator[tuple[str, bytes]]:
        """Send to all at once; yields address and answer of those who answer."""

    def tell_all(self, kind: str, body: bytes) -> None:
        """Send to all without waiting for answers."""
