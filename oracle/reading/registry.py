"""The carriers as the chain has them, folded from its events. Pure.

Rules kept: the state is a pure function of the events in chain order; a registry is
never changed, an event gives a new one; the status that counts for a reading is the
status at its seq, so history stays verifiable; what the chain accepted is never
refused here (an unreadable channel table leaves a carrier without channels, whose
registers are then unknown). The root over all records is what a batch report binds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from accounting.channels import ChannelTable
from accounting.errors import AccountingError
from contracts.enumerations import CarrierStatus
from contracts.events import CarrierRegistered, CarrierStatusSet, KeyRotated
from contracts.hashing import keccak256
from contracts.merkle import BatchTree, standard_leaf
from oracle.errors import InvalidKeyError
from oracle.reading.suites import Suite, key_id_of

__all__ = ["CarrierRecord", "CarrierRegistry", "CarrierStatus", "Epoch"]

NO_CUTOFF = (1 << 64) - 1
"""Cut-off on chain of a carrier that has none."""
EMPTY_ROOT = bytes(32)
"""Root of a registry without carriers."""
UNKNOWN_KEY_ID = bytes(8)
"""Key id of an epoch whose key this edition cannot use."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One key of a carrier, from a sequence number on."""

    from_seq: int
    """First seq that this key signs."""
    suite: Suite
    """Suite pinned for the key."""
    public_key: bytes
    """ES256 x ‖ y (64 bytes), EdDSA 32 bytes."""
    kid: bytes
    """Key id, 8 bytes."""


@dataclass(frozen=True, slots=True)
class CarrierRecord:
    """One registered carrier."""

    identifier: str
    """`<prefix>/<suffix>`."""
    identifier_hash: bytes
    """32 bytes, keccak256 of the identifier."""
    owner_account: str
    """Account of the enterprise that owns it."""
    status: CarrierStatus
    """Status now."""
    cutoff_seq: int | None
    """Last good seq of a carrier that is not active; None without one."""
    epochs: tuple[Epoch, ...]
    """Keys, ascending by `from_seq`."""
    channel_table: ChannelTable | None
    """Registers with unit, scale and limits; None if what is on chain is unreadable."""
    channel_table_hash: bytes
    """32 bytes, keccak256 of the channel table as registered."""

    def epoch_at(self, seq: int) -> Epoch | None:
        """Find the key that covers a seq."""
        for epoch in reversed(self.epochs):
            if epoch.from_seq <= seq:
                return epoch
        return None

    def admits(self, seq: int) -> bool:
        """Tell whether the status at a seq lets the reading count."""
        if self.status is CarrierStatus.ACTIVE:
            return True
        return self.cutoff_seq is not None and seq <= self.cutoff_seq

    def leaf(self) -> bytes:
        """Return the record's leaf: 32 bytes, OpenZeppelin standard-v1.

        Double keccak256 of the ABI encoding of ("bytes32 idHash","uint8 status",
        "uint64 cutoffSeq","bytes32 epochsHash","bytes32 channelTableHash").
        """
        cutoff = NO_CUTOFF if self.cutoff_seq is None else self.cutoff_seq
        words = (
            self.identifier_hash,
            self.status.to_bytes(32, "big"),
            cutoff.to_bytes(32, "big"),
            self._epochs_hash(),
            self.channel_table_hash,
        )
        return standard_leaf(b"".join(words))

    def _epochs_hash(self) -> bytes:
        """Hash fromSeq (8 bytes) ‖ suite (1) ‖ keccak256(key) of every epoch."""
        parts = (
            epoch.from_seq.to_bytes(8, "big")
            + epoch.suite.to_bytes(1, "big")
            + keccak256(epoch.public_key)
            for epoch in self.epochs
        )
        return keccak256(b"".join(parts))


class CarrierRegistry:
    """All carriers at one block; unchangeable.

    Args:
        carriers: Identifier hash (32 bytes) → record.
    """

    def __init__(self, carriers: Mapping[bytes, CarrierRecord] | None = None) -> None:
        self._carriers = dict(carriers or {})

    @property
    def carriers(self) -> Mapping[bytes, CarrierRecord]:
        """Identifier hash (32 bytes) → record, in the order of registration."""
        return MappingProxyType(self._carriers)

    def by_kid(self, kid: bytes) -> CarrierRecord | None:
        """Find the carrier of a key id (8 bytes); the first registered one counts."""
        return self._by_kid.get(kid)

    def by_identifier(self, identifier: str) -> CarrierRecord | None:
        """Find a carrier by its identifier."""
        return self._carriers.get(keccak256(identifier.encode()))

    def admits(self, identifier: str, seq: int) -> bool:
        """Tell whether a reading counts: its carrier is here and admits its seq."""
        record = self.by_identifier(identifier)
        return record is not None and record.admits(seq)

    def apply(self, event: object) -> "CarrierRegistry":
        """Take in one event of `contracts.events`; see `apply_all`."""
        return self.apply_all((event,))

    def apply_all(self, events: Iterable[object]) -> "CarrierRegistry":
        """Take in events in chain order.

        Args:
            events: Event dataclasses; those that do not concern carriers are skipped.

        Returns:
            The registry after them; this one stays as it is.
        """
        carriers = dict(self._carriers)
        for event in events:
            if isinstance(event, CarrierRegistered):
                carriers[event.id_hash] = _registered(event)
            elif isinstance(event, KeyRotated):
                carriers[event.id_hash] = _rotated(carriers[event.id_hash], event)
            elif isinstance(event, CarrierStatusSet):
                before = carriers[event.id_hash]
                carriers[event.id_hash] = _with_status(before, event)
        return CarrierRegistry(carriers)

    def root(self) -> bytes:
        """Return the root over all records, ascending by identifier hash: 32 bytes."""
        return self._tree.root if self._carriers else EMPTY_ROOT

    def prove(self, identifier: str) -> list[bytes]:
        """Prove a record under `root`.

        Args:
            identifier: Identifier of a registered carrier.

        Returns:
            Path of 32-byte hashes from the record's leaf to the root.

        Raises:
            KeyError: No such carrier.
        """
        record = self.by_identifier(identifier)
        if record is None:
            raise KeyError(identifier)
        index = sorted(self._carriers).index(record.identifier_hash)
        return list(self._tree.proof(index))

    @cached_property
    def _by_kid(self) -> dict[bytes, CarrierRecord]:
        found: dict[bytes, CarrierRecord] = {}
        for record in self._carriers.values():
            for epoch in record.epochs:
                if epoch.kid != UNKNOWN_KEY_ID:
                    found.setdefault(epoch.kid, record)
        return found

    @cached_property
    def _tree(self) -> BatchTree:
        return BatchTree(
            [self._carriers[name].leaf() for name in sorted(self._carriers)]
        )


def _registered(event: CarrierRegistered) -> CarrierRecord:
    return CarrierRecord(
        identifier=event.identifier,
        identifier_hash=event.id_hash,
        owner_account=event.owner,
        status=CarrierStatus.ACTIVE,
        cutoff_seq=None,
        epochs=(_epoch(0, event.suite, event.public_key),),
        channel_table=_channel_table(event.channel_table),
        channel_table_hash=keccak256(event.channel_table),
    )


def _epoch(from_seq: int, suite_number: int, public_key: bytes) -> Epoch:
    suite = Suite(suite_number)
    try:
        kid = key_id_of(suite, public_key)
    except InvalidKeyError:
        kid = UNKNOWN_KEY_ID
    return Epoch(from_seq, suite, public_key, kid)


def _rotated(record: CarrierRecord, event: KeyRotated) -> CarrierRecord:
    epoch = _epoch(event.from_seq, event.suite, event.public_key)
    return replace(record, epochs=(*record.epochs, epoch))


def _with_status(record: CarrierRecord, event: CarrierStatusSet) -> CarrierRecord:
    cutoff = None if event.cutoff_seq == NO_CUTOFF else event.cutoff_seq
    status = CarrierStatus(event.status)
    if status is CarrierStatus.ACTIVE:
        cutoff = None
    return replace(record, status=status, cutoff_seq=cutoff)


def _channel_table(data: bytes) -> ChannelTable | None:
    try:
        return ChannelTable.from_bytes(data)
    except AccountingError:
        return None
