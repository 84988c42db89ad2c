"""What the API says, subject by subject.

Hashes and ids are hexadecimal; accounts are checksum addresses; numbers that may
exceed 2^53 are decimal text. Tonnes are whole [t], money is fen [fen], emissions are
grams [g], times unix seconds [s]. Every fact carries block number and log index.
"""

from enum import IntEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.enumerations import (
    AccountStatus,
    CarrierStatus,
    Kind,
    Opinion,
    Purpose,
    Rights,
    StatementStatus,
)
from node.store.read import MAX_LIMIT

Item = TypeVar("Item")


def _hex(value: Any) -> Any:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else str(value)


def _name_of(enum: type[IntEnum]) -> BeforeValidator:
    def convert(value: Any) -> Any:
        return enum(value).name.lower() if isinstance(value, int) else value

    return BeforeValidator(convert)


Hex = Annotated[str, BeforeValidator(_hex), Field(pattern="^0x[0-9a-f]*$")]
Text = Annotated[str, BeforeValidator(_text)]
KindName = Annotated[str, _name_of(Kind)]
AccountStatusName = Annotated[str, _name_of(AccountStatus)]
RightsName = Annotated[str, _name_of(Rights)]
CarrierStatusName = Annotated[str, _name_of(CarrierStatus)]
PurposeName = Annotated[str, _name_of(Purpose)]
StatementStatusName = Annotated[str, _name_of(StatementStatus)]
OpinionName = Annotated[str, _name_of(Opinion)]


class Model(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


class FactModel(Model):
    """Where in the chain a fact stands."""

    block_number: int
    log_index: int


class PageModel(Model, Generic[Item]):
    """A page of a list, newest first; ``next`` is the cursor of the next page."""

    items: list[Item]
    next: str | None


class ProblemModel(Model):
    """A problem (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    facts: dict[str, Any] = Field(default_factory=dict)


# --- status -------------------------------------------------------------------------


class StatusModel(Model):
    """How the node is."""

    chain_id: int
    chain_block: int | None
    """Newest block of the chain, None while it does not answer."""
    chain_time: int | None
    """Time of that block. [unix s]"""
    indexed_block: int | None
    """Block up to which the node's tables are complete."""
    engine: str
    """The engine's state."""
    contracts: dict[str, str]
    """Name of a contract → its address."""
    mandates: dict[str, str]
    """Institution → the contract that acts for it."""


# --- accounts and instructions ------------------------------------------------------


class ChallengeRequest(Model):
    """Who wants to log in."""

    address: str


class ChallengeModel(Model):
    """What to sign (EIP-4361)."""

    message: str
    expires_at: int


class AnswerRequest(Model):
    """The signed challenge."""

    message: str
    signature: str


class TokenModel(Model):
    """A bearer token."""

    token: str
    address: str
    expires_at: int


class RepresentationModel(Model):
    """A caller's part in an account."""

    account: str
    name: str
    kind: KindName
    rights: RightsName


class CallerModel(Model):
    """Who the node thinks the caller is."""

    address: str | None
    sees_all: bool
    represents: list[RepresentationModel]


class AccountModel(Model):
    """An account."""

    account: str
    name: str
    kind: KindName
    status: AccountStatusName
    nonce: int
    """Number of its next instruction."""


class RepresentativeModel(Model):
    """A representative."""

    key: str
    rights: RightsName


class AccountDetailModel(AccountModel):
    """An account with its representatives."""

    representatives: list[RepresentativeModel] | None
    """None where the caller may not see them."""


class AuthorisedModel(FactModel):
    """An instruction the chain accepted."""

    nonce: int
    digest: Hex
    initiator: str
    approver: str


class MissingModel(Model):
    """A signature still to come."""

    account: str
    role: str


class WaitingModel(Model):
    """An instruction at the node's desk."""

    digest: Hex
    status: str
    created_by: str
    tx_hash: Hex | None
    reason: str | None
    missing: list[MissingModel]
    instruction: dict[str, Any]
    """The instruction's file."""


# --- carriers, readings, batches ----------------------------------------------------


class CarrierModel(FactModel):
    """A carrier."""

    identifier: str
    identifier_hash: Hex
    owner: str
    status: CarrierStatusName
    cutoff_seq: int | None


class CarrierKeyModel(Model):
    """A carrier's key from a sequence on."""

    epoch: int
    from_seq: int
    suite: int
    public_key: Hex


class CarrierDetailModel(Model):
    """A carrier with keys and channels."""

    identifier: str
    identifier_hash: Hex
    owner: str
    status: CarrierStatusName
    cutoff_seq: int | None
    keys: list[CarrierKeyModel]
    channel_table: Text
    """Canonical JSON."""


class IngestModel(Model):
    """What the inbox holds."""

    counts: dict[str, int]


class ReadingsQuestion(Model):
    """Which readings are asked for."""

    identifier: str = Field(description="<prefix>/<suffix>")
    from_ts: int = Field(description="Begin, unix seconds")
    to_ts: int = Field(description="End, exclusive, unix seconds")
    limit: int = Field(100, ge=1, le=MAX_LIMIT)


class ReadingModel(Model):
    """A stored reading."""

    identifier: str
    seq: int
    ts: int
    received_at: int
    digest: Hex
    raw: Hex
    facts: list[str]
    batch_stream: Hex | None
    batch_seq: int | None
    batch_index: int | None


class ReadingPageModel(Model):
    """Readings by sequence; ``next`` is the time from which the next page begins."""

    items: list[ReadingModel]
    next: int | None


class BatchModel(FactModel):
    """An anchored batch."""

    stream_id: Hex
    seq: int
    head: Hex
    batch_root: Hex
    leaf_count: int
    log_root: Hex
    first_ts: int
    last_ts: int
    gaps_digest: Hex
    rules_version: int
    signers: int


# --- statements and certificates ----------------------------------------------------


class StatementModel(FactModel):
    """A statement."""

    statement: Hex
    boundary: Hex
    account: str
    status: StatementStatusName
    period_start: int
    period_end: int
    purpose: PurposeName
    stream_id: Hex
    first_batch: int
    last_batch: int
    input_root: Hex
    rule_set_digest: Hex
    factor_set_digest: Hex
    boundary_digest: Hex
    grams: int
    result_digest: Hex
    supersedes: Hex
    signers: int


class StatementStepModel(FactModel):
    """A step of a statement."""

    status: StatementStatusName
    actor: str | None
    opinion: OpinionName | None
    digest: Hex | None


class StatementDetailModel(StatementModel):
    """A statement with its steps."""

    steps: list[StatementStepModel]
    surrendered_tonnes: int


class DeclaredValueModel(FactModel):
    """A declared value added."""

    boundary: Hex
    account: str
    period_start: int
    period_end: int
    value_added_fen: Text
    evidence_digest: Hex


class CertificateModel(FactModel):
    """A carbon-efficiency certificate."""

    token_id: Text
    statement: Hex
    account: str
    boundary: Hex
    period_start: int
    period_end: int
    grade: int
    level_micro: int
    ratio_micro: int
    benchmark_digest: Hex
    coverage_bps: int
    attested_bps: int
    expires: int
    is_revoked: bool


# --- quota, cash, trades ------------------------------------------------------------


class HoldingModel(Model):
    """What an account holds of a vintage."""

    account: str
    vintage: int
    tonnes: int


class SupplyModel(Model):
    """Where the quota of a vintage is."""

    vintage: int
    issued_tonnes: int
    held_tonnes: int
    surrendered_tonnes: int
    cancelled_tonnes: int


class QuotaOperationModel(FactModel):
    """An issue, allocation, surrender or cancellation."""

    operation: str
    account: str
    receiver: str | None
    vintage: int
    tonnes: int
    reference: Hex


class CashModel(Model):
    """An account's money."""

    account: str
    fen: int


class PayoutModel(FactModel):
    """A payout; without a bank reference it waits for the bank."""

    payout: Hex
    account: str
    fen: int
    destination: Hex
    bank_reference: Hex | None


class TradeModel(FactModel):
    """A block trade."""

    trade_id: Hex
    seller: str
    buyer: str
    vintage: int
    tonnes: int
    price_fen: int


class PriceModel(Model):
    """Reference price of a vintage, and whether it is halted."""

    vintage: int
    price_fen: int
    is_halted: bool
