"""Tables of the ledger: facts as the chain told them.

Amounts: tonnes of quota are whole [t], money is fen [fen], emissions grams [g], times
unix seconds [s]. Accounts are checksum addresses; hashes and ids are 32 bytes. Only
``node.ledger`` writes here.
"""

from sqlalchemy import Index, Integer, SmallInteger, Table
from sqlalchemy.orm import Mapped, mapped_column

from node.store.schema import Base, DecimalText, Fact, PartOfFact

__all__ = ["FACT_TABLES", "Block", "Event"]


class Block(Base):
    """A block in which a contract of ours said something."""

    __tablename__ = "blocks"
    block_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    timestamp: Mapped[int]


class Event(Fact, Base):
    """Every decoded log entry as JSON: the feed, and what an auditor samples."""

    __tablename__ = "events"
    tx_hash: Mapped[bytes]
    contract: Mapped[str]
    name: Mapped[str]
    arguments: Mapped[str]


class DirectoryEntry(Fact, Base):
    """A contract's address under a name."""

    __tablename__ = "directory_entries"
    name: Mapped[str]
    address: Mapped[str]
    version: Mapped[int]


class Rule(Fact, Base):
    """A dated parameter of the rulebook."""

    __tablename__ = "rules"
    name: Mapped[str]
    valid_from: Mapped[int]
    value: Mapped[int] = mapped_column(DecimalText)
    article: Mapped[str]
    article_digest: Mapped[bytes]


class Account(Fact, Base):
    """An organisation's account, as opened."""

    __tablename__ = "accounts"
    account: Mapped[str] = mapped_column(index=True)
    kind: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]


class AccountStatusChange(Fact, Base):
    """An account's status from here on."""

    __tablename__ = "account_statuses"
    account: Mapped[str] = mapped_column(index=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[bytes]


class RepresentativeChange(Fact, Base):
    """A key's rights at an account from here on."""

    __tablename__ = "representatives"
    account: Mapped[str] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(index=True)
    rights: Mapped[int] = mapped_column(SmallInteger)


class AuthorisedInstruction(Fact, Base):
    """An instruction the chain accepted for an account."""

    __tablename__ = "authorised_instructions"
    account: Mapped[str] = mapped_column(index=True)
    nonce: Mapped[int]
    digest: Mapped[bytes] = mapped_column(index=True)
    initiator: Mapped[str]
    approver: Mapped[str]


class Carrier(Fact, Base):
    """A carrier, as registered."""

    __tablename__ = "carriers"
    identifier_hash: Mapped[bytes] = mapped_column(index=True)
    identifier: Mapped[str]
    owner: Mapped[str] = mapped_column(index=True)
    channel_table: Mapped[bytes]


class CarrierKey(Fact, Base):
    """A carrier's key from a sequence on."""

    __tablename__ = "carrier_keys"
    identifier_hash: Mapped[bytes] = mapped_column(index=True)
    epoch: Mapped[int]
    from_seq: Mapped[int]
    suite: Mapped[int] = mapped_column(SmallInteger)
    public_key: Mapped[bytes]


class CarrierStatusChange(Fact, Base):
    """A carrier's status from here on; no cut-off while active."""

    __tablename__ = "carrier_statuses"
    identifier_hash: Mapped[bytes] = mapped_column(index=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    cutoff_seq: Mapped[int | None]


class OracleMember(PartOfFact, Base):
    """A member in one configuration of the oracle."""

    __tablename__ = "oracle_members"
    version: Mapped[int]
    threshold: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[str]
    organisation: Mapped[str]
    role: Mapped[int] = mapped_column(SmallInteger)


class Stream(Fact, Base):
    """A stream of batches, as opened."""

    __tablename__ = "streams"
    stream_id: Mapped[bytes]
    max_silence_s: Mapped[int]


class Batch(Fact, Base):
    """An anchored batch of readings."""

    __tablename__ = "batches"
    stream_id: Mapped[bytes]
    seq: Mapped[int]
    head: Mapped[bytes]
    batch_root: Mapped[bytes]
    leaf_count: Mapped[int]
    log_root: Mapped[bytes]
    first_ts: Mapped[int]
    last_ts: Mapped[int]
    gaps_digest: Mapped[bytes]
    rules_version: Mapped[int]
    signers: Mapped[int]
    __table_args__ = (Index("ix_batches_stream_id_seq", "stream_id", "seq"),)


class ForcedInclusion(Fact, Base):
    """A reading that somebody asked for in the open."""

    __tablename__ = "forced_inclusions"
    stream_id: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(index=True)
    due: Mapped[int]


class SettledInclusion(Fact, Base):
    """A reading that was asked for, shown in a batch."""

    __tablename__ = "settled_inclusions"
    stream_id: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(index=True)
    seq: Mapped[int]


class Boundary(Fact, Base):
    """A calculation's boundary, as registered."""

    __tablename__ = "boundaries"
    boundary: Mapped[bytes] = mapped_column(index=True)
    account: Mapped[str] = mapped_column(index=True)
    digest: Mapped[bytes]
    content: Mapped[bytes]


class Statement(Fact, Base):
    """A statement, as the quorum recorded it."""

    __tablename__ = "statements"
    statement: Mapped[bytes] = mapped_column(index=True)
    boundary: Mapped[bytes] = mapped_column(index=True)
    period_start: Mapped[int]
    period_end: Mapped[int]
    purpose: Mapped[int] = mapped_column(SmallInteger)
    stream_id: Mapped[bytes]
    first_batch: Mapped[int]
    last_batch: Mapped[int]
    input_root: Mapped[bytes]
    rule_set_digest: Mapped[bytes]
    factor_set_digest: Mapped[bytes]
    boundary_digest: Mapped[bytes]
    grams: Mapped[int]
    result_digest: Mapped[bytes]
    supersedes: Mapped[bytes]
    signers: Mapped[int]


class StatementStep(Fact, Base):
    """A step of a statement: submitted, verified, confirmed or superseded."""

    __tablename__ = "statement_steps"
    statement: Mapped[bytes] = mapped_column(index=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    actor: Mapped[str | None]
    opinion: Mapped[int | None] = mapped_column(SmallInteger)
    digest: Mapped[bytes | None]
    """Findings of a verification; the successor of a superseded statement."""


class DeclaredValue(Fact, Base):
    """A value added, as its enterprise declared it."""

    __tablename__ = "declared_values"
    boundary: Mapped[bytes] = mapped_column(index=True)
    account: Mapped[str]
    period_start: Mapped[int]
    period_end: Mapped[int]
    value_added_fen: Mapped[int] = mapped_column(DecimalText)
    evidence_digest: Mapped[bytes]


class Certificate(Fact, Base):
    """A carbon-efficiency certificate, as issued."""

    __tablename__ = "certificates"
    token_id: Mapped[int] = mapped_column(DecimalText, index=True)
    statement: Mapped[bytes]
    account: Mapped[str] = mapped_column(index=True)
    grade: Mapped[int] = mapped_column(SmallInteger)
    level_micro: Mapped[int]
    ratio_micro: Mapped[int]
    benchmark_digest: Mapped[bytes]
    coverage_bps: Mapped[int] = mapped_column(Integer)
    attested_bps: Mapped[int] = mapped_column(Integer)
    expires: Mapped[int]


class CertificateRevocation(Fact, Base):
    """A certificate's end before its time."""

    __tablename__ = "certificate_revocations"
    token_id: Mapped[int] = mapped_column(DecimalText, index=True)
    reason: Mapped[bytes]


class QuotaOperation(Fact, Base):
    """An issue, allocation, surrender or cancellation of quota."""

    __tablename__ = "quota_operations"
    operation: Mapped[str]
    account: Mapped[str] = mapped_column(index=True)
    receiver: Mapped[str | None]
    vintage: Mapped[int] = mapped_column(SmallInteger)
    tonnes: Mapped[int]
    reference: Mapped[bytes]
    """Document, statement or reason."""


class QuotaMovement(PartOfFact, Base):
    """One side of a movement of quota: what an account gained or lost."""

    __tablename__ = "quota_movements"
    account: Mapped[str]
    vintage: Mapped[int] = mapped_column(SmallInteger)
    delta_tonnes: Mapped[int]
    __table_args__ = (
        Index(
            "ix_quota_movements_account_vintage_delta_tonnes",
            "account",
            "vintage",
            "delta_tonnes",
        ),
    )


class CashMovement(PartOfFact, Base):
    """One side of a movement of money: what an account gained or lost."""

    __tablename__ = "cash_movements"
    account: Mapped[str]
    cause: Mapped[str]
    delta_fen: Mapped[int]
    reference: Mapped[bytes | None]
    __table_args__ = (
        Index("ix_cash_movements_account_delta_fen", "account", "delta_fen"),
    )


class Payout(Fact, Base):
    """A payout, as requested."""

    __tablename__ = "payouts"
    payout: Mapped[bytes] = mapped_column(index=True)
    account: Mapped[str]
    fen: Mapped[int]
    destination: Mapped[bytes]


class PaidPayout(Fact, Base):
    """A payout that has left the bank."""

    __tablename__ = "paid_payouts"
    payout: Mapped[bytes] = mapped_column(index=True)
    fen: Mapped[int]
    reference: Mapped[bytes]


class Trade(Fact, Base):
    """A settled block trade."""

    __tablename__ = "trades"
    trade_id: Mapped[bytes]
    seller: Mapped[str] = mapped_column(index=True)
    buyer: Mapped[str] = mapped_column(index=True)
    vintage: Mapped[int] = mapped_column(SmallInteger)
    tonnes: Mapped[int]
    price_fen: Mapped[int]


class ReferencePrice(Fact, Base):
    """A vintage's reference price from here on."""

    __tablename__ = "reference_prices"
    vintage: Mapped[int] = mapped_column(SmallInteger)
    price_fen: Mapped[int]


class Halt(Fact, Base):
    """A vintage halted or released; vintage 0 is the whole market."""

    __tablename__ = "halts"
    vintage: Mapped[int] = mapped_column(SmallInteger)
    is_halted: Mapped[bool]


FACT_TABLES: tuple[Table, ...] = tuple(
    table
    for table in Base.metadata.sorted_tables
    if "block_number" in table.primary_key.columns
)
"""Every table the indexer fills, and a rewind shortens."""
