"""Events of the ledger's contracts as frozen dataclasses.

An event class bears its Solidity name; its fields carry their Solidity types and the
mark of those that travel as topics. Import them from ``contracts.events``.
"""

from dataclasses import dataclass
from typing import Annotated

from contracts.enumerations import AccountStatus, CarrierStatus, Kind, Opinion, Rights
from contracts.event import *  # noqa: F403  # every event is known here
from contracts.event import (
    Event,
    IndexedAddress,
    IndexedBytes4,
    IndexedBytes32,
    IndexedUint16,
    IndexedUint32,
    IndexedUint256,
)
from contracts.settlement_events import *  # noqa: F403  # every event is known here
from contracts.solidity import (
    Address,
    Bytes32,
    Uint8,
    Uint32,
    Uint64,
    Uint256,
)
from contracts.structs import BatchReport, CodeReport, Member, StatementReport
from contracts.typed_data import struct_hash

# --- directory, accounts, mandates, rulebook ----------------------------------------


@dataclass(frozen=True, slots=True)
class DirectorySet(Event):
    """A name points to a contract."""

    name: IndexedBytes32
    where: Address
    version: Uint64
    code_digest: Bytes32
    """keccak256 of its code."""


@dataclass(frozen=True, slots=True)
class AccountOpened(Event):
    """An organisation has an account."""

    account: IndexedAddress
    kind: Annotated[Kind, "uint8"]
    name: str


@dataclass(frozen=True, slots=True)
class AccountStatusSet(Event):
    """An account may do more or less."""

    account: IndexedAddress
    status: Annotated[AccountStatus, "uint8"]
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class RepresentativeSet(Event):
    """A representative got, changed or (rights 0) lost its rights."""

    account: IndexedAddress
    key: IndexedAddress
    rights: Annotated[Rights, "uint8"]


@dataclass(frozen=True, slots=True)
class AuthoriserSet(Event):
    """A contract may take instructions, or no longer."""

    where: IndexedAddress
    allowed: bool


@dataclass(frozen=True, slots=True)
class InstructionAuthorised(Event):
    """Two representatives of an account signed an instruction."""

    account: IndexedAddress
    nonce: Uint64
    digest: Bytes32
    initiator: Address
    approver: Address


@dataclass(frozen=True, slots=True)
class MandateExecuted(Event):
    """An institution called a governed function."""

    target: IndexedAddress
    selector: IndexedBytes4
    nonce: Uint64


@dataclass(frozen=True, slots=True)
class RuleSet(Event):
    """A rule has a new value from a date on."""

    name: IndexedBytes32
    from_: Uint64
    value: Annotated[int, "int256"]
    article: str
    article_digest: Bytes32


@dataclass(frozen=True, slots=True)
class WorkingDaysSet(Event):
    """The working days of a year are known."""

    year: IndexedUint16
    bitmap: Annotated[tuple[int, int], "uint256[2]"]


# --- carriers and readings ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CarrierRegistered(Event):
    """A carrier is enrolled with its first key."""

    id_hash: IndexedBytes32
    owner: IndexedAddress
    identifier: str
    suite: Uint8
    public_key: bytes
    channel_table: bytes


@dataclass(frozen=True, slots=True)
class KeyRotated(Event):
    """A carrier signs with another key from a sequence number on."""

    id_hash: IndexedBytes32
    epoch: Uint32
    from_seq: Uint64
    suite: Uint8
    public_key: bytes


@dataclass(frozen=True, slots=True)
class CarrierStatusSet(Event):
    """A carrier's readings count up to another sequence number."""

    id_hash: IndexedBytes32
    status: Annotated[CarrierStatus, "uint8"]
    cutoff_seq: Uint64


@dataclass(frozen=True, slots=True)
class BatchAnchored(Event):
    """A batch of readings is anchored."""

    report: BatchReport
    signers: Uint256

    @property
    def stream_id(self) -> bytes:
        """The stream, 32 bytes."""
        return self.report.stream_id

    @property
    def seq(self) -> int:
        """Number of the batch."""
        return self.report.seq

    @property
    def head(self) -> bytes:
        """The stream's head from now on: the report's struct hash, 32 bytes."""
        return struct_hash(self.report)


@dataclass(frozen=True, slots=True)
class ConfigurationSet(Event):
    """The oracle has other members."""

    version: IndexedUint32
    threshold: Uint8
    members: tuple[Member, ...]
    config_digest: Bytes32


@dataclass(frozen=True, slots=True)
class StreamOpened(Event):
    """A stream of batches begins."""

    stream_id: IndexedBytes32
    max_silence: Uint32
    """Longest pause between two batches. [s]"""


@dataclass(frozen=True, slots=True)
class MemberSuspended(Event):
    """A member signed two reports for one number."""

    version: IndexedUint32
    index: IndexedUint256
    key: Address
    first: Bytes32
    second: Bytes32


@dataclass(frozen=True, slots=True)
class InclusionForced(Event):
    """Somebody asked in the open for a reading that the members leave out."""

    stream_id: IndexedBytes32
    digest: IndexedBytes32
    due: Uint64
    """Time after which it is overdue. [unix s]"""
    message: bytes
    """The whole signed message."""


@dataclass(frozen=True, slots=True)
class InclusionSettled(Event):
    """A reading that was asked for is in a batch."""

    stream_id: IndexedBytes32
    digest: IndexedBytes32
    seq: Uint64


# --- statements and certificates ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoundaryRegistered(Event):
    """A boundary's content is pinned."""

    boundary: IndexedBytes32
    account: IndexedAddress
    digest: Bytes32
    content: bytes


@dataclass(frozen=True, slots=True)
class StatementRecorded(Event):
    """A quorum recomputed a statement."""

    statement: IndexedBytes32
    boundary: IndexedBytes32
    report: StatementReport
    signers: Uint256


@dataclass(frozen=True, slots=True)
class StatementSubmitted(Event):
    """An enterprise submitted a statement."""

    statement: IndexedBytes32
    account: IndexedAddress


@dataclass(frozen=True, slots=True)
class StatementVerified(Event):
    """An auditor gave its opinion on a statement."""

    statement: IndexedBytes32
    verifier: IndexedAddress
    opinion: Annotated[Opinion, "uint8"]
    findings_digest: Bytes32


@dataclass(frozen=True, slots=True)
class StatementConfirmed(Event):
    """The regulator confirmed a statement."""

    statement: IndexedBytes32
    regulator: IndexedAddress


@dataclass(frozen=True, slots=True)
class StatementSuperseded(Event):
    """A restatement took a statement's place."""

    statement: IndexedBytes32
    by: Bytes32


@dataclass(frozen=True, slots=True)
class ValueAddedDeclared(Event):
    """An enterprise declared its value added."""

    boundary: IndexedBytes32
    account: IndexedAddress
    period_start: Uint64
    period_end: Uint64
    value_added_fen: Uint256
    evidence_digest: Bytes32


@dataclass(frozen=True, slots=True)
class CodeIssued(Event):
    """A carbon-efficiency code was issued."""

    token_id: IndexedUint256
    statement: IndexedBytes32
    account: IndexedAddress
    report: CodeReport


@dataclass(frozen=True, slots=True)
class CodeRevoked(Event):
    """A carbon-efficiency code no longer holds."""

    token_id: IndexedUint256
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class CodesRetired(Event):
    """The certificates moved to another contract."""

    successor: IndexedAddress
    total: Uint64


@dataclass(frozen=True, slots=True)
class CodeAdopted(Event):
    """A certificate is held by a later contract, as it was in the earlier one."""

    token_id: IndexedUint256
    statement: IndexedBytes32
    account: IndexedAddress


@dataclass(frozen=True, slots=True)
class Locked(Event):
    """A code stays with its account (ERC-5192)."""

    token_id: Uint256
