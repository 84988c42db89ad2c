"""What the API says of the node, of accounts and of instructions; what all share.

Hashes and ids are hexadecimal; accounts are checksum addresses; numbers that may
exceed 2^53 are decimal text. Tonnes are whole [t], money is fen [fen], emissions are
grams [g], times unix seconds [s]. Every fact carries block number and log index.
"""

from enum import IntEnum
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.enumerations import AccountStatus, Kind, Rights

Item = TypeVar("Item")


def _hex(value: Any) -> Any:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else str(value)


def name_of(enum: type[IntEnum]) -> BeforeValidator:
    """Say numbers of an enumeration by their names in lower case."""

    def convert(value: Any) -> Any:
        return enum(value).name.lower() if isinstance(value, int) else value

    return BeforeValidator(convert)


Hex = Annotated[str, BeforeValidator(_hex), Field(pattern="^0x[0-9a-f]*$")]
Text = Annotated[str, BeforeValidator(_text)]
KindName = Annotated[str, name_of(Kind)]
AccountStatusName = Annotated[str, name_of(AccountStatus)]
RightsName = Annotated[str, name_of(Rights)]


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


class VersionModel(Model):
    """One version of one contract."""

    name: str
    version: int
    """From 1."""
    address: str
    since_block: int
    """Block in which the directory was pointed to it."""
    code_digest: str
    """keccak256 of the code that governance decided on, ``0x…``."""
    is_current: bool
    is_as_shipped: bool | None
    """Whether its code is that of this release; None for one no longer in office."""


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
    versions: list[VersionModel] | None
    """Every version of every contract, None while the chain does not answer."""
    permissions_version: int | None
    """Version of the permissions in force at the gate, None where there are none."""
    permissions_digest: Hex | None
    """SHA-256 of that version's file."""


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
