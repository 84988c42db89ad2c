"""A deployed ledger on the embedded engine, and keys to act for everybody in it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from coincurve import PrivateKey

from contracts import typed_data
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.deployment import DeploymentPlan, Organisation, Stream, deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind, Rights
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.structs import (
    Attestation,
    CallBatch,
    Member,
    Representative,
    Signatures,
)
from contracts.typed_data import address_of, compact_signature
from node.engine import EmbeddedEngine, EngineSettings

CHAIN_ID = 20260
OPENING = int(dt.datetime(2022, 3, 15, 1, tzinfo=dt.UTC).timestamp())
"""A Tuesday, 9:00 local time."""

KINDS = {
    "Park Operator": Kind.PARK_OPERATOR,
    "Identity Platform": Kind.IDENTITY_PLATFORM,
    "Auditor": Kind.VERIFIER,
    "Regulator": Kind.REGULATOR,
    "Bank": Kind.BANK,
    "Steel": Kind.ENTERPRISE,
    "Chemicals": Kind.ENTERPRISE,
    "Glass": Kind.ENTERPRISE,
}
MEMBERS = ("Park Operator", "Identity Platform", "Auditor", "Regulator")


def key_of(title: str) -> PrivateKey:
    return PrivateKey(keccak256(b"test key of " + title.encode()))


def address_of_title(title: str) -> str:
    return address_of(key_of(title).public_key)


def plan_of_the_park() -> DeploymentPlan:
    organisations = tuple(
        Organisation(
            name,
            kind,
            (
                Representative(address_of_title(f"{name} first"), Rights.INITIATE),
                Representative(address_of_title(f"{name} second"), Rights.APPROVE),
            ),
        )
        for name, kind in KINDS.items()
    )
    members = tuple(
        Member(
            address_of_title(f"{name} oracle"),
            typed_data.account_id(name),
            KINDS[name],
        )
        for name in MEMBERS
    )
    return DeploymentPlan(organisations, members, 3, (Stream("park", 3600),))


class Park:
    """Acts for every organisation and member of a deployed ledger."""

    def __init__(
        self, engine: EmbeddedEngine, sender: Sender, where: Deployment
    ) -> None:
        self.engine = engine
        self.sender = sender
        self.deployment = where
        self.ledger = Ledger(sender.client, where)

    @property
    def client(self) -> ChainClient:
        return self.sender.client

    def now(self) -> int:
        block = self.client.block()
        assert block is not None
        return block.timestamp

    def deadline(self) -> int:
        return self.now() + 86_400

    def account(self, name: str) -> str:
        return typed_data.account_id(name)

    def nonce(self, name: str) -> int:
        return self.ledger.accounts.account_of(self.account(name)).nonce

    def domain(self, instruction: Any) -> bytes:
        contract = typed_data.TYPES[type(instruction).__name__]
        return self.deployment.domain(contract)

    def sign(self, name: str, instruction: Any) -> Signatures:
        digest = typed_data.digest(instruction, self.domain(instruction))
        return self.sign_digest(name, digest)

    def sign_digest(self, name: str, digest: bytes) -> Signatures:
        first, second = key_of(f"{name} first"), key_of(f"{name} second")
        return Signatures(
            compact_signature(first, digest), compact_signature(second, digest)
        )

    def attest(self, report: Any, members: tuple[int, ...] = (0, 2, 3)) -> Attestation:
        digest = typed_data.digest(report, self.domain(report))
        return Attestation.collect(
            {
                index: compact_signature(key_of(f"{MEMBERS[index]} oracle"), digest)
                for index in members
            }
        )

    def govern(self, name: str, *calls: UnsignedCall) -> Receipt:
        """Let an institution's two representatives make governed calls."""
        mandate = self.ledger.mandate(name)
        batch = CallBatch(
            tuple(str(call.to) for call in calls),
            tuple(call.data for call in calls),
            self.nonce(name),
            self.deadline(),
        )
        digest = typed_data.digest(batch, self.deployment.domain(mandate.address))
        signatures = self.sign_digest(name, digest)
        return self.sender.send(mandate.execute_batch(batch, signatures))

    def send(self, call: UnsignedCall) -> Receipt:
        return self.sender.send(call)


@pytest.fixture
def plan() -> DeploymentPlan:
    return plan_of_the_park()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedEngine]:
    settings = EngineSettings(
        tmp_path_factory.mktemp("ledger"),
        CHAIN_ID,
        clock_mode="virtual",
        genesis_time=OPENING,
    )
    with EmbeddedEngine(settings) as running:
        yield running


@pytest.fixture(scope="session")
def client(engine: EmbeddedEngine) -> Iterator[ChainClient]:
    with ChainClient(engine.rpc_url) as connected:
        yield connected


@pytest.fixture(scope="session")
def park(engine: EmbeddedEngine, client: ChainClient) -> Park:
    sender = Sender(client, key_of("deployer"))
    return Park(engine, sender, deploy(client, sender, plan_of_the_park()))
