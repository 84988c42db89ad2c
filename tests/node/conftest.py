"""A park for the node's tests: a real chain with real contracts, people with keys."""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.directory import Deployment
from contracts.enumerations import Kind, Purpose, Rights
from contracts.errors import UnavailableError
from contracts.ledger import Ledger
from contracts.plan import DeploymentPlan, Organisation, Stream
from contracts.sender import Sender
from contracts.structs import (
    Attestation,
    BatchReport,
    CodeReport,
    Member,
    Registration,
    Representative,
    StatementReport,
)
from contracts.typed_data import (
    account_id,
    boundary_id,
    digest,
    stream_id,
    struct_hash,
)
from node.config import Settings
from node.engine import EmbeddedEngine, EngineSettings
from node.engine.anvil import find_anvil
from node.run import RunningNode, run_node
from node.services.relay import call_of
from tests.servers.chain import Chain, fund, funded_sender, open_engine, relayer_of
from wallet.instruction_file import to_json
from wallet.instructions import Instruction, build
from wallet.signers import KeySigner, sign_instruction

CHAIN_ID = 20260
GENESIS_TIME = 1_704_067_200  # 2024-01-01 08:00 in Shanghai
KINDS = {
    "regulator": Kind.REGULATOR,
    "identity": Kind.IDENTITY_PLATFORM,
    "auditor": Kind.VERIFIER,
    "bank": Kind.BANK,
    "steel": Kind.ENTERPRISE,
    "glass": Kind.ENTERPRISE,
}
MEMBERS = ("identity", "auditor", "regulator")


def signer_of(label: str) -> KeySigner:
    """The key of a person, the same in every run."""
    return KeySigner(int.from_bytes(label.encode()).to_bytes(32))


@dataclass(frozen=True)
class Park:
    """A chain with contracts, and the people who act on it."""

    engine: Chain | None
    client: ChainClient
    deployment: Deployment
    ledger: Ledger
    sender: Sender

    def account(self, name: str) -> str:
        return account_id(name)

    def pair(self, name: str) -> tuple[KeySigner, KeySigner]:
        return signer_of(f"{name}-first"), signer_of(f"{name}-second")

    def now(self) -> int:
        block = self.client.block("latest")
        assert block is not None
        return block.timestamp

    def nonce(self, name: str) -> int:
        return self.ledger.accounts.account_of(account_id(name)).nonce

    def build(self, kind: str, contract: str, name: str, **fields: Any) -> Instruction:
        """An unsigned instruction with number and deadline filled in."""
        texts = {
            "account": name,
            "nonce": str(self.nonce(name)),
            "deadline": str(self.now() + 3600),
            **{field: str(value) for field, value in fields.items()},
        }
        if kind in {"Call", "CallBatch"}:
            del texts["account"]
        return build(kind, contract, CHAIN_ID, texts, name)

    def quota(self, kind: str, name: str, **fields: Any) -> Instruction:
        return self.build(kind, self.deployment.addresses["Quota"], name, **fields)

    def cash(self, kind: str, name: str, **fields: Any) -> Instruction:
        return self.build(kind, self.deployment.addresses["Cash"], name, **fields)

    def signed(self, instruction: Instruction, name: str) -> Instruction:
        first, second = self.pair(name)
        account = account_id(name)
        once = sign_instruction(instruction, account, "initiate", first)
        return sign_instruction(once, account, "approve", second)

    def act(self, instruction: Instruction, name: str) -> None:
        self.sender.send(call_of(self.signed(instruction, name)))

    def govern(self, name: str, *calls: Any) -> None:
        """Carry out governed calls by an institution's mandate."""
        for call in calls:
            mandate = self.deployment.mandates[name]
            fields = {"target": call.to, "data": f"0x{call.data.hex()}"}
            self.act(self.build("Call", mandate, name, **fields), name)

    def endow(self, name: str, vintage: int, tonnes: int, fen: int) -> None:
        """Give an enterprise quota and money."""
        quota = {"vintage": vintage, "tonnes": tonnes, "document": "decision"}
        self.act(self.quota("IssueQuota", "regulator", **quota), "regulator")
        allocation = self.quota("AllocateQuota", "regulator", to=name, **quota)
        self.act(allocation, "regulator")
        receipt = f"receipt {self.nonce('bank')}"
        money = {"to": name, "fen": f"{fen // 100}", "bank_reference": receipt}
        self.act(self.cash("CreditReceipt", "bank", **money), "bank")

    # --- evidence, as the members of the oracle sign it ------------------------------

    def attest(self, report: Any, contract: str) -> Attestation:
        """All three members' signatures."""
        made = digest(report, self.deployment.domain(contract))
        signers = [signer_of(f"{name}-member") for name in MEMBERS]
        return Attestation.collect(
            {index: signer.sign_digest(made) for index, signer in enumerate(signers)}
        )

    def heartbeat(self) -> None:
        """Anchor the first, empty batch of the park's stream."""
        block = self.client.block(self.client.block_number() - 1)
        assert block is not None
        now = self.now()
        report = BatchReport(
            *(stream_id("park"), 0, bytes(32), bytes(32), 0, 0),
            *(hashlib.sha256(b"").digest(), block.number, block.hash, now, now),
            *(bytes(32), bytes(32), self.ledger.anchor.configuration().version),
        )
        attestation = self.attest(report, "ReadingAnchor")
        self.sender.send(self.ledger.anchor.submit(report, attestation))

    def record_statement(self, name: str, purpose: Purpose, grams: int) -> bytes:
        """Register a boundary where needed, and record a statement of it."""
        content = f'{{"name":"{name}"}}'.encode()
        boundary = boundary_id(name)
        if self.ledger.emissions.boundary_of(boundary).digest == bytes(32):
            account = self.account(name)
            call = self.ledger.emissions.register_boundary(boundary, account, content)
            self.govern("regulator", call)
        report = StatementReport(
            *(boundary, 1_640_966_400, 1_672_502_400, purpose, stream_id("park")),
            *(0, 0, b"\x01" * 32, b"\x02" * 32, b"\x03" * 32),
            *(hashlib.sha256(content).digest(), grams, b"\x04" * 32, bytes(32)),
        )
        attestation = self.attest(report, "EmissionLedger")
        self.sender.send(self.ledger.emissions.record(report, attestation))
        return struct_hash(report)

    def confirm_statement(self, name: str, statement: bytes) -> None:
        """Submit, verify and confirm a statement."""
        where = self.deployment.addresses["EmissionLedger"]
        which = {"statement": f"0x{statement.hex()}"}
        opinion = {"opinion": "positive", "findings_digest": "none"}
        steps = (
            ("SubmitStatement", name, which),
            ("VerifyStatement", "auditor", which | opinion),
            ("ConfirmStatement", "regulator", which),
        )
        for kind, who, fields in steps:
            self.act(self.build(kind, where, who, **fields), who)

    def issue_certificate(self, statement: bytes) -> None:
        """Grade a confirmed statement."""
        report = CodeReport(
            *(statement, 2, 1_500_000, 900_000, b"\x05" * 32, 9_900, 9_800),
            self.now() + 86_400 * 365,
        )
        attestation = self.attest(report, "CarbonCodes")
        self.sender.send(self.ledger.codes.issue(report, attestation))

    def register_carrier(self, identifier: str, owner: str) -> None:
        """Enrol a carrier with some key."""
        public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        table = f'{{"identifier":"{identifier}"}}'.encode()
        made = Registration(identifier, self.account(owner), 2, public_key, table)
        self.govern("identity", self.ledger.carriers.register([made]))


class Visitor:
    """A person at a node's API."""

    def __init__(self, url: str, signer: KeySigner | None = None) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        if signer is not None:
            self.login(signer)

    def login(self, signer: KeySigner) -> None:
        asked = self.http.post("/login/challenge", json={"address": signer.address})
        message = asked.json()["message"]
        signature = f"0x{signer.sign_text(message).hex()}"
        answer = {"message": message, "signature": signature}
        token = self.http.post("/login/answer", json=answer).json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def bring(self, instruction: Instruction) -> httpx.Response:
        return self.http.post("/instructions", json=to_json(instruction))

    def submit(self, instruction: Instruction) -> httpx.Response:
        return self.http.post(f"/instructions/0x{instruction.digest.hex()}/submit")


def _plan() -> DeploymentPlan:
    organisations = tuple(
        Organisation(
            name,
            kind,
            (
                Representative(signer_of(f"{name}-first").address, Rights.INITIATE),
                Representative(signer_of(f"{name}-second").address, Rights.APPROVE),
            ),
        )
        for name, kind in KINDS.items()
    )
    members = tuple(
        Member(signer_of(f"{name}-member").address, account_id(name), KINDS[name])
        for name in MEMBERS
    )
    return DeploymentPlan(organisations, members, 3, (Stream("park", 3600),))


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    """A fresh chain with deployed contracts."""
    settings = EngineSettings(
        data_dir=tmp_path_factory.mktemp("chain"),
        chain_id=CHAIN_ID,
        clock_mode="virtual",
        genesis_time=GENESIS_TIME,
    )
    with open_engine(settings) as engine, ChainClient(engine.rpc_url) as client:
        deployment = deploy(client, funded_sender(client), _plan())
        ledger = Ledger(client, deployment)
        yield Park(engine, client, deployment, ledger, funded_sender(client))


@pytest.fixture(scope="module")
def open_node(park: Park) -> Any:
    """Run a node in a folder on the park's chain: a context manager."""

    @contextmanager
    def opened(folder: Path, **settings: Any) -> Iterator[RunningNode]:
        deployment = folder / "deployment.json"
        deployment.write_text(park.deployment.to_json())
        chosen = Settings(
            data_dir=folder / "data",
            deployment=deployment,
            chain_id=CHAIN_ID,
            public_url="http://node.example",
            **{"port": 0, "poll_interval_ms": 20, **settings},
        )
        fund(park.client, relayer_of(chosen))
        with run_node(chosen, park.engine) as node:
            yield node

    return opened


@pytest.fixture(scope="module")
def node_database() -> str:
    """Kind of the node's database; modules that run on both redefine it."""
    return "sqlite"


@pytest.fixture(scope="module")
def node(
    open_node: Any,
    node_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[RunningNode]:
    """A node on the park's chain."""
    with ExitStack() as stack:
        settings = {}
        if node_database == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            settings["database_url"] = stack.enter_context(server.database())
        folder = tmp_path_factory.mktemp("node")
        yield stack.enter_context(open_node(folder, **settings))


@pytest.fixture
def visit(node: RunningNode) -> Iterator[Any]:
    """Come to the node as a person, ``visit("steel-first")``, or as nobody."""
    visitors: list[Visitor] = []

    def come(label: str | None = None) -> Visitor:
        visitor = Visitor(node.url, signer_of(label) if label else None)
        visitors.append(visitor)
        return visitor

    yield come
    for visitor in visitors:
        visitor.http.close()


@pytest.fixture
def embedded_home(tmp_path: Path) -> Path:
    """Settings file of a node that runs its own chain, with contracts deployed."""
    settings = EngineSettings(tmp_path / "data" / "chain", CHAIN_ID)
    with EmbeddedEngine(settings) as engine, ChainClient(engine.rpc_url) as client:
        deployment = deploy(client, Sender(client, PrivateKey()), _plan())
    (tmp_path / "deployment.json").write_text(deployment.to_json())
    path = tmp_path / "node.toml"
    path.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
    )
    return path


@contextmanager
def _plain_anvil(folder: Path) -> Iterator[str]:
    """A bare engine that can be reverted: no journal, a block a transaction."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"--chain-id": CHAIN_ID, "--port": port, "--hardfork": "cancun"}
    options |= {"--gas-price": 0, "--base-fee": 0, "--max-persisted-states": 0}
    options |= {"--timestamp": GENESIS_TIME, "--accounts": 1}
    words = [str(word) for pair in options.items() for word in pair]
    with (folder / "anvil.log").open("wb") as log:
        process = subprocess.Popen([str(find_anvil()), *words], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def fragile_park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    """A park on a chain that can be reorganised."""
    with (
        _plain_anvil(tmp_path_factory.mktemp("anvil")) as url,
        ChainClient(url) as client,
    ):
        _wait_for(client)
        deployment = deploy(client, Sender(client, PrivateKey()), _plan())
        ledger = Ledger(client, deployment)
        yield Park(None, client, deployment, ledger, Sender(client, PrivateKey()))


def _wait_for(client: ChainClient) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            client.chain_id()
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
