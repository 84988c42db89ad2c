"""What the API says of carriers, readings, batches, statements and certificates."""

from typing import Annotated

from pydantic import Field

from contracts.enumerations import CarrierStatus, Opinion, Purpose, StatementStatus
from node.api.models import FactModel, Hex, Model, Text, name_of
from node.store.read import MAX_LIMIT

CarrierStatusName = Annotated[str, name_of(CarrierStatus)]
PurposeName = Annotated[str, name_of(Purpose)]
StatementStatusName = Annotated[str, name_of(StatementStatus)]
OpinionName = Annotated[str, name_of(Opinion)]


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
    from_ts: int = Field(ge=0, lt=1 << 40, description="Begin, unix seconds")
    to_ts: int = Field(ge=0, lt=1 << 40, description="End, exclusive, unix seconds")
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
