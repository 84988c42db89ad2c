"""Structs of the contracts, with their names and order.

Instructions and reports are hashed and signed by ``typed_data``; the others travel as
arguments and results. Times are unix seconds, money is fen, quota whole tonnes,
emissions grams of CO2 equivalent; digests and ids are 32 bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from contracts.enumerations import Kind, Opinion, Purpose, Rights
from contracts.solidity import (
    Address,
    Bytes32,
    Int256,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Uint128,
    Uint256,
)

SIGNATURE_BYTES = 64
"""Length of a compact signature of EIP-2098. [bytes]"""


# --- signatures ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signatures:
    """Two representatives' signatures under one instruction.

    Raises:
        ValueError: A signature is not 64 bytes long.
    """

    ABI_TYPE: ClassVar[str] = "(bytes32,bytes32,bytes32,bytes32)"
    initiator: bytes
    """Who asks. 64 bytes, EIP-2098."""
    approver: bytes
    """Who approves, another person. 64 bytes, EIP-2098."""

    def __post_init__(self) -> None:
        """Check the lengths."""
        for signature in (self.initiator, self.approver):
            if len(signature) != SIGNATURE_BYTES:
                message = (
                    f"a compact signature has {SIGNATURE_BYTES} bytes, "
                    f"got {len(signature)}"
                )
                raise ValueError(message)

    def to_abi(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Split into the four words of the Solidity struct."""
        first, second = self.initiator, self.approver
        return first[:32], first[32:], second[:32], second[32:]


@dataclass(frozen=True, slots=True)
class Attestation:
    """Members' signatures under one report."""

    signers: Uint256
    """Bit i is set where member i of the current configuration signed."""
    signatures: bytes
    """64 bytes a signer (EIP-2098), ascending by member."""

    @classmethod
    def collect(cls, signatures: Mapping[int, bytes]) -> "Attestation":
        """Order members' signatures as the contract expects them.

        Args:
            signatures: Member index → compact signature. [64 bytes]

        Returns:
            The attestation.
        """
        members = sorted(signatures)
        mask = sum(1 << member for member in members)
        return cls(mask, b"".join(signatures[member] for member in members))


# --- accounts and governed functions ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Representative:
    """A person's key and its rights at an account."""

    key: Address
    rights: Annotated[Rights, "uint8"]


@dataclass(frozen=True, slots=True)
class ChangeRepresentative:
    """An account appoints, changes or (rights 0) removes a representative."""

    account: Address
    key: Address
    rights: Annotated[Rights, "uint8"]
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Call:
    """An institution calls one governed function through its mandate."""

    target: Address
    data: bytes
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CallBatch:
    """An institution calls several governed functions, all or none."""

    targets: tuple[Address, ...]
    data: tuple[bytes, ...]
    nonce: Uint64
    deadline: Uint64


# --- carriers and readings ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Registration:
    """A carrier to be enrolled."""

    identifier: str
    owner: Address
    suite: Uint8
    public_key: bytes
    """ES256: x || y, 64 bytes; EdDSA: 32 bytes."""
    channel_table: bytes
    """Canonical JSON."""


@dataclass(frozen=True, slots=True)
class RotateKey:
    """A carrier changes its key; signed by the old and the new one, not by accounts."""

    id_hash: Bytes32
    suite: Uint8
    public_key: bytes
    from_seq: Uint64


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the oracle."""

    key: Address
    organisation: Address
    """The organisation's account."""
    role: Annotated[Kind, "uint8"]


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What the members say about one batch of readings."""

    stream_id: Bytes32
    seq: Uint64
    prev_head: Bytes32
    batch_root: Bytes32
    leaf_count: Uint32
    log_size: Uint64
    log_root: Bytes32
    ref_block_number: Uint64
    ref_block_hash: Bytes32
    first_ts: Uint64
    last_ts: Uint64
    gaps_digest: Bytes32
    data_digest: Bytes32
    rules_version: Uint32


@dataclass(frozen=True, slots=True)
class ReadingProof:
    """Where a reading stands: in its batch, and its batch in the log."""

    batch: BatchReport
    latest: BatchReport
    log_path: tuple[Bytes32, ...]
    index: Uint64
    reading_seq: Uint64
    id_hash: Bytes32
    path: tuple[Bytes32, ...]


# --- statements and certificates ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class StatementReport:
    """What the members recomputed for one boundary, period and purpose."""

    boundary: Bytes32
    period_start: Uint64
    period_end: Uint64
    purpose: Annotated[Purpose, "uint8"]
    stream_id: Bytes32
    first_batch: Uint64
    last_batch: Uint64
    input_root: Bytes32
    rule_set_digest: Bytes32
    factor_set_digest: Bytes32
    boundary_digest: Bytes32
    grams: Int256
    """CO2 equivalent, negative where sold energy outweighs. [g]"""
    result_digest: Bytes32
    supersedes: Bytes32


@dataclass(frozen=True, slots=True)
class SubmitStatement:
    """An enterprise submits a recorded statement as its own."""

    account: Address
    statement: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class VerifyStatement:
    """An auditor gives its opinion on a submitted statement."""

    account: Address
    statement: Bytes32
    opinion: Annotated[Opinion, "uint8"]
    findings_digest: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class ConfirmStatement:
    """The regulator confirms a verified statement."""

    account: Address
    statement: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class DeclareValueAdded:
    """An enterprise declares the value added of a boundary and period."""

    account: Address
    boundary: Bytes32
    period_start: Uint64
    period_end: Uint64
    value_added_fen: Uint256
    evidence_digest: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CodeReport:
    """The members' grade for a confirmed statement."""

    statement: Bytes32
    grade: Uint8
    level_micro: Uint64
    """Carbon-efficiency level L. [1e-6 t per 10,000 CNY]"""
    ratio_micro: Uint64
    """L over the benchmark. [1e-6]"""
    benchmark_digest: Bytes32
    coverage_bps: Uint16
    attested_bps: Uint16
    expires: Uint64


# --- quota, cash, market ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IssueQuota:
    """The regulator issues quota of a vintage to its own account."""

    account: Address
    vintage: Uint16
    tonnes: Uint128
    document: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class AllocateQuota:
    """The regulator allocates quota to an enterprise."""

    account: Address
    to: Address
    vintage: Uint16
    tonnes: Uint128
    document: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class SurrenderQuota:
    """An enterprise surrenders quota against a confirmed statement."""

    account: Address
    statement: Bytes32
    vintage: Uint16
    tonnes: Uint128
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CancelQuota:
    """A holder cancels quota of its own will."""

    account: Address
    vintage: Uint16
    tonnes: Uint128
    reason: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CreditReceipt:
    """The settlement bank says that money came in."""

    account: Address
    to: Address
    fen: Uint128
    bank_reference: Bytes32
    """Hash of the bank's receipt number, used once."""
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """A holder asks for money to be paid out."""

    account: Address
    fen: Uint128
    destination: Bytes32
    """Hash of the bank account that receives it."""
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class PayoutReceipt:
    """The settlement bank says that a payout was made."""

    account: Address
    payout: Bytes32
    bank_reference: Bytes32
    nonce: Uint64
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class BlockTrade:
    """A bilateral trade, one struct signed by both sides."""

    seller: Address
    buyer: Address
    vintage: Uint16
    tonnes: Uint128
    price_fen: Uint128
    """Price. [fen per tonne]"""
    seller_nonce: Uint64
    buyer_nonce: Uint64
    deadline: Uint64
