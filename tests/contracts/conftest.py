"""A deployed ledger on the embedded engine, and keys to act for everybody in it."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from coincurve import PrivateKey

from contracts import typed_data
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.deployment import DeploymentPlan, Organisation, Stream, deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind, Opinion, Purpose, Rights
from contracts.events import decode
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.merkle import BatchTree
from contracts.sender import Sender
from contracts.structs import (
    AllocateQuota,
    Attestation,
    BatchReport,
    CallBatch,
    ConfirmStatement,
    CreditReceipt,
    IssueQuota,
    Member,
    Representative,
    Signatures,
    StatementReport,
    SubmitStatement,
    VerifyStatement,
)
from contracts.typed_data import address_of, compact_signature
from node.engine import EngineSettings
from oracle.log.tree import leaf_hash, tree_root
from tests.servers.chain import Chain, funded_sender, open_engine

CHAIN_ID = 20260
OPENING = int(dt.datetime(2022, 3, 15, 1, tzinfo=dt.UTC).timestamp())
"""A Tuesday, 9:00 local time."""

MARCH = (1_646_064_000, 1_648_742_400)
"""The reporting period: March 2022, local time. [unix s]"""

ADMIN_DELAY_S = 5
"""Short, so that the shared clock hardly moves. [s]"""

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
                Representative(address_of_title(f"{name} first"), Rights.BOTH),
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
    return DeploymentPlan(
        organisations,
        members,
        3,
        (Stream("park", 3600),),
        admin_delay_s=ADMIN_DELAY_S,
    )


class Park:
    """Acts for every organisation and member of a deployed ledger."""

    def __init__(self, engine: Chain, sender: Sender, where: Deployment) -> None:
        self.engine = engine
        self.sender = sender
        self.deployment = where
        self.ledger = Ledger(sender.client, where)
        self.log: dict[str, list[bytes]] = {}

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

    def member_key(self, index: int) -> PrivateKey:
        return key_of(f"{MEMBERS[index]} oracle")

    def attest(self, report: Any, members: tuple[int, ...] = (0, 2, 3)) -> Attestation:
        digest = typed_data.digest(report, self.domain(report))
        return Attestation.collect(
            {
                index: compact_signature(self.member_key(index), digest)
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

    def govern_later(self, name: str, call: UnsignedCall) -> Receipt:
        """Announce a call of the administrator, wait, and make it."""
        self.govern(name, self.ledger.access_manager.schedule(call))
        self.wait_until(self.now() + ADMIN_DELAY_S)
        return self.govern(name, call)

    def wait_until(self, time: int) -> None:
        """Bring the chain to a time, in a block of its own. [unix s]"""
        self.engine.set_time(time)
        self.engine.mine()

    def send(self, call: UnsignedCall) -> Receipt:
        return self.sender.send(call)

    def events(self, receipt: Receipt) -> list[Any]:
        """Decode a receipt's logs, leaving out foreign ones."""
        return [event for log in receipt.logs if (event := decode(log))]

    # --- batches --------------------------------------------------------------------

    def report(self, stream: str, leaves: Sequence[bytes] = ()) -> BatchReport:
        """Make the next report of a stream that this park alone has anchored."""
        number = typed_data.stream_id(stream)
        head = self.ledger.anchor.head(number)
        block = self.client.block(self.client.block_number() - 1)
        assert block is not None
        return BatchReport(
            number,
            head.seq,
            head.head,
            BatchTree(leaves).root if leaves else bytes(32),
            len(leaves),
            head.seq,
            tree_root(self.log.setdefault(stream, [])),
            block.number,
            block.hash,
            self.now(),
            self.now(),
            bytes(32),
            bytes(32),
            self.ledger.anchor.configuration().version,
        )

    def anchor(self, report: BatchReport, stream: str) -> Receipt:
        receipt = self.send(self.ledger.anchor.submit(report, self.attest(report)))
        self.log[stream].append(leaf_hash(typed_data.struct_hash(report)))
        return receipt

    # --- statements -----------------------------------------------------------------

    def statement(self, name: str, purpose: Purpose, grams: int) -> StatementReport:
        """Make a report for March 2022 on the first batch of the park's stream."""
        content = f'{{"name":"{name}"}}'.encode()
        boundary = typed_data.boundary_id(name)
        if self.ledger.emissions.boundary_of(boundary).digest == bytes(32):
            account = self.account(name)
            call = self.ledger.emissions.register_boundary(boundary, account, content)
            self.govern("Regulator", call)
        if self.ledger.anchor.head(typed_data.stream_id("park")).seq == 0:
            self.anchor(self.report("park"), "park")
        return StatementReport(
            boundary,
            MARCH[0],
            MARCH[1],
            purpose,
            typed_data.stream_id("park"),
            0,
            0,
            b"\x01" * 32,
            b"\x02" * 32,
            b"\x03" * 32,
            hashlib.sha256(content).digest(),
            grams,
            b"\x04" * 32,
            self.ledger.emissions.live_statement(boundary, *MARCH, purpose),
        )

    def record(self, report: StatementReport) -> bytes:
        self.send(self.ledger.emissions.record(report, self.attest(report)))
        return typed_data.struct_hash(report)

    def submit(self, name: str, statement: bytes) -> Receipt:
        instruction = SubmitStatement(
            self.account(name), statement, self.nonce(name), self.deadline()
        )
        signatures = self.sign(name, instruction)
        return self.send(self.ledger.emissions.submit(instruction, signatures))

    def verify(
        self, statement: bytes, opinion: Opinion, name: str = "Auditor"
    ) -> Receipt:
        instruction = VerifyStatement(
            self.account(name),
            statement,
            opinion,
            b"\x05" * 32,
            self.nonce(name),
            self.deadline(),
        )
        signatures = self.sign(name, instruction)
        return self.send(self.ledger.emissions.verify(instruction, signatures))

    def confirm(self, statement: bytes, name: str = "Regulator") -> Receipt:
        instruction = ConfirmStatement(
            self.account(name), statement, self.nonce(name), self.deadline()
        )
        signatures = self.sign(name, instruction)
        return self.send(self.ledger.emissions.confirm(instruction, signatures))

    def confirmed(self, name: str, purpose: Purpose, grams: int) -> bytes:
        """Bring a new statement all the way."""
        statement = self.record(self.statement(name, purpose, grams))
        self.submit(name, statement)
        self.verify(statement, Opinion.POSITIVE)
        self.confirm(statement)
        return statement

    # --- quota and cash -------------------------------------------------------------

    def order(self, name: str, struct: type, *arguments: Any) -> tuple[Any, Signatures]:
        """Make and sign an instruction of an account."""
        instruction = struct(
            self.account(name), *arguments, self.nonce(name), self.deadline()
        )
        return instruction, self.sign(name, instruction)

    def give_quota(self, name: str, vintage: int, tonnes: int) -> None:
        quota = self.ledger.quota
        document = b"\x06" * 32
        order = self.order("Regulator", IssueQuota, vintage, tonnes, document)
        self.send(quota.issue(*order))
        order = self.order(
            "Regulator", AllocateQuota, self.account(name), vintage, tonnes, document
        )
        self.send(quota.allocate(*order))

    def give_cash(self, name: str, fen: int) -> None:
        reference = keccak256(f"{name} {self.nonce('Bank')}".encode())
        order = self.order("Bank", CreditReceipt, self.account(name), fen, reference)
        self.send(self.ledger.cash.credit(*order))


@pytest.fixture
def plan() -> DeploymentPlan:
    return plan_of_the_park()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    settings = EngineSettings(
        tmp_path_factory.mktemp("ledger"),
        CHAIN_ID,
        clock_mode="virtual",
        genesis_time=OPENING,
    )
    with open_engine(settings) as running:
        yield running


@pytest.fixture(scope="session")
def client(engine: Chain) -> Iterator[ChainClient]:
    with ChainClient(engine.rpc_url) as connected:
        yield connected


@pytest.fixture(scope="session")
def park(engine: Chain, client: ChainClient) -> Park:
    sender = funded_sender(client, key_of("deployer"))
    return Park(engine, sender, deploy(client, sender, plan_of_the_park()))
