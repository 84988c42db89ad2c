"""A ledger moves: embedded chain → five Avalanche validators → embedded chain."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from sqlalchemy import select
from typer.testing import CliRunner

from accounting.boundary import Boundary, Source
from contracts.chain import ChainClient
from contracts.deployment import deploy
from contracts.enumerations import Purpose
from contracts.errors import ContractsError
from contracts.ledger import Ledger
from contracts.rules import default_rules
from contracts.sender import Sender
from contracts.typed_data import account_id, address_of, boundary_id, stream_id
from node import run
from node.__main__ import app
from node.config import Settings, load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.errors import ConflictArchiveError, InvalidArchiveError
from node.fsck import check_node
from node.network.local import LocalNetwork
from node.portability.bundle import open_bundle
from node.portability.export import export_ledger
from node.portability.moving import import_ledger
from node.services.relay import call_of
from node.store.database import Database, open_database
from node.store.facts import FACT_TABLES
from oracle.evidence.package import build_package
from oracle.evidence.trust import Trust
from oracle.evidence.verify import verify_package
from oracle.member.member import MemberNode
from oracle.member.view import Period
from tests.node.conftest import CHAIN_ID, KINDS, Park, _plan
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import (
    STREAM_ID,
    Institutions,
    OraclePark,
    member_key,
    settings_toml,
    wait_until,
)

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEPS = 8
PERIOD = Period(boundary_id("works"), START, START + STEPS * 900)
NEVER = 2**40
TIME = 1_704_042_000  # a year later
RELAYER = PrivateKey(b"\x21" * 32)


def ignore(_: int) -> None:
    """Nobody watches the progress."""


@dataclass(frozen=True)
class Home:
    """Two ledgers on one embedded chain: one of accounts, one of readings."""

    config: Path
    engine: EmbeddedEngine
    accounts: Park
    readings: OraclePark
    device: DeviceSimulator
    package: bytes
    """Proof package of a statement, made before the move."""
    trust: Trust
    instruction: Any
    """A signed instruction that was carried out before the move."""

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)


def furnish(park: Park) -> Any:
    """Let everything happen that an account can have; give one instruction of it."""
    park.endow("steel", 2023, 5_000, 900_000)
    park.endow("glass", 2024, 300, 50_000)
    park.register_carrier("88.100.1/m-a", "steel")
    park.heartbeat()
    direct = park.record_statement("steel", Purpose.ETS_DIRECT, 7_000_000)
    park.confirm_statement("steel", direct)
    total = park.record_statement("steel", Purpose.TOTAL_WITH_INDIRECT, 9_000_000)
    park.confirm_statement("steel", total)
    park.issue_certificate(total)
    fields = {"vintage": 2024, "tonnes": 11, "document": "decision"}
    fields |= {"deadline": NEVER}
    made = park.signed(park.quota("IssueQuota", "regulator", **fields), "regulator")
    park.sender.send(call_of(made))
    return made


def deliver(nodes: dict[int, MemberNode], raws: list[bytes]) -> None:
    """Give readings to a member and wait until all have them in a batch."""
    before = {index: batched(node) for index, node in nodes.items()}
    nodes[0].inbox.submit(raws)
    for index, node in nodes.items():
        wanted = before[index] + len(raws)
        wait_until(lambda node=node, wanted=wanted: batched(node) == wanted, 60)


def batched(node: MemberNode) -> int:
    batches = node._desk.store.batches(0, 10**6)
    return sum(batch.report.leaf_count for batch in batches)


def enrolled(park: OraclePark) -> DeviceSimulator:
    """A carrier, alone in its boundary."""
    device = park.device("m1")
    sources = (Source(device.identifier, 1, "electricity_in"),)
    boundary = Boundary("works", "Steel", "厂", "Works", "steel", "浙江", sources)
    where = boundary_id("works"), account_id("Steel")
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    return device


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("home")
    chain = EngineSettings(
        folder / "data" / "chain", CHAIN_ID, clock_mode="virtual", genesis_time=TIME
    )
    with EmbeddedEngine(chain) as engine, ChainClient(engine.rpc_url) as client:
        sender = Sender(client, PrivateKey())
        deployment = deploy(client, Sender(client, PrivateKey()), _plan())
        ledger = Ledger(client, deployment)
        accounts = Park(engine, client, deployment, ledger, sender)
        instruction = furnish(accounts)
        with OraclePark(engine, folder) as park:
            device = enrolled(park)
            with park.running(clock="chain") as nodes:
                deliver(nodes, [device.next(ts=START + n * 900) for n in range(9)])
                purpose = Purpose.TOTAL_WITH_INDIRECT
                statement = nodes[0].propose_statement(PERIOD, purpose)
                package = build_package(nodes[0].statement_evidence(statement))
                versions = nodes[0].follower.view.configurations
                trust = Trust(nodes[0]._identity, versions)
            (folder / "deployment.json").write_text(deployment.to_json())
            (folder / "readings.json").write_text(park.deployment.to_json())
            member = replace(park.settings(0), deployment_file=folder / "readings.json")
            (folder / "member.toml").write_text(settings_toml(member))
            config = folder / "node.toml"
            config.write_text(
                'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
                f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
            )
            yield Home(
                *(config, engine, accounts, park, device, package, trust, instruction)
            )


def exported(settings: Settings, out: Path, rpc: str | None = None) -> dict[str, Any]:
    return export_ledger(settings, out, rpc, ignore)


class TestExport:
    def test_the_same_ledger_gives_the_same_bytes(self, home: Home, tmp_path: Path):
        first = exported(home.settings, tmp_path / "one.tar")
        home.engine.snapshot()
        again = exported(home.settings, tmp_path / "two.tar")
        assert first == again
        assert (tmp_path / "one.tar").read_bytes() == (
            tmp_path / "two.tar"
        ).read_bytes()

    def test_the_commands_carry_it_to_another_embedded_chain(
        self, home: Home, tmp_path: Path
    ):
        file, folder = str(tmp_path / "one.tar"), str(tmp_path / "to")
        config = f"{folder}/node.toml"
        for words, expected in (
            (["export", "--config", str(home.config), file], "SHA-256"),
            (["import", file, "--to", folder], "carbon-node fsck"),
            (["index", "--config", config], "indexed up to block"),
            (["fsck", "--config", config], "rows equal a fresh index"),
        ):
            done = CliRunner().invoke(app, words)
            assert (done.exit_code, expected in done.output) == (0, True), done.output

    def test_evidence_of_the_member_goes_along(self, home: Home, tmp_path: Path):
        settings = replace(
            home.settings,
            member_config=home.config.parent / "member.toml",
            deployment=home.config.parent / "readings.json",
        )
        exported(settings, tmp_path / "one.tar")
        with open_bundle(tmp_path / "one.tar") as bundle:
            readings = list(bundle.rows("evidence/readings.jsonl"))
            statements = list(bundle.rows("evidence/statements.jsonl"))
            rules = list(bundle.rows("tables/rules.jsonl"))
        assert [one["seq"] for one in readings] == list(range(9))
        assert json.loads(statements[0]["document"])["sources"]
        assert rules == []

    def test_an_altered_export_is_refused_and_leaves_nothing(
        self, home: Home, tmp_path: Path
    ):
        exported(home.settings, tmp_path / "one.tar")
        data = bytearray((tmp_path / "one.tar").read_bytes())
        data[len(data) // 2] ^= 1
        (tmp_path / "one.tar").write_bytes(data)
        with pytest.raises(InvalidArchiveError, match=r"altered|damaged"):
            import_ledger(tmp_path / "one.tar", tmp_path / "to", None, ignore)
        assert not (tmp_path / "to").exists()

    def test_a_folder_in_use_is_refused(self, home: Home, tmp_path: Path):
        with pytest.raises(ConflictArchiveError, match="not empty"):
            import_ledger(tmp_path / "x", home.config.parent, None, ignore)


@dataclass(frozen=True)
class Moved:
    """The ledgers of a home on five validators."""

    config: Path
    network: LocalNetwork
    accounts: Park
    readings: Institutions
    shift: int
    """By how much the numbers of earlier blocks went down."""

    @property
    def settings(self) -> Settings:
        return load_settings(self.config)


@pytest.fixture(scope="module")
def moved(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    folder = tmp_path_factory.mktemp("moved")
    facts = exported(home.settings, folder / "ledger.tar")
    config = import_ledger(
        folder / "ledger.tar", folder / "node", "http://127.0.0.1:9", ignore
    )
    contracts = json.loads((folder / "node" / "contracts.json").read_text())
    funded = [address_of(RELAYER.public_key)]
    funded += [member_key(index).address for index in range(4)]
    network = LocalNetwork.create(
        folder / "network", funded=funded, chain_id=CHAIN_ID, contracts=contracts
    )
    _let_trace(network)
    config.write_text(
        config.read_text().replace("http://127.0.0.1:9", network.rpc_url(1))
    )
    with network, ExitStack() as stack:
        client = stack.enter_context(ChainClient(network.rpc_url(1)))
        sender = Sender(client, RELAYER)
        where = home.accounts.deployment
        accounts = Park(None, client, where, Ledger(client, where), sender)
        readings = Institutions(client, sender, home.readings.deployment)
        yield Moved(config, network, accounts, readings, facts["height"] + 1)


def _let_trace(network: LocalNetwork) -> None:
    """Let the first validator trace blocks, as an operator does who exports."""
    path = network.homes[0].folder / "chains" / "C" / "config.json"
    settings = json.loads(path.read_text())
    settings["eth-apis"].append("debug-tracer")
    path.write_text(json.dumps(settings))


def indexed(settings: Settings, folder: Path, name: str) -> Database:
    """A fresh index of a node's chain."""
    with run.open_ledger(settings, settings.rpc_url) as ledger:
        database = open_database(f"sqlite:///{folder / name}.sqlite")
        run.indexer_of(ledger, database).catch_up()
        return database


def rows_of(database: Database, shift: int = 0) -> dict[str, list[Any]]:
    found = {}
    with database.reading() as connection:
        for table in FACT_TABLES:
            query = select(table).order_by(*table.primary_key.columns)
            rows = [row._asdict() for row in connection.execute(query)]
            for row in rows:
                row["block_number"] -= shift
            found[table.name] = rows
    return found


def everything(park: Park) -> dict[str, Any]:
    """What the contracts say of all that an account can have."""
    ledger = park.ledger
    head = ledger.anchor.head(stream_id("park"))
    return {
        "quota": {
            (name, vintage): ledger.quota.balance_of(account_id(name), vintage)
            for name in KINDS
            for vintage in (2023, 2024)
        },
        "cash": {name: ledger.cash.balance_of(account_id(name)) for name in KINDS},
        "accounts": [ledger.accounts.account_of(account_id(name)) for name in KINDS],
        "rules": [
            ledger.rulebook.value_at(rule.name, rule.start) for rule in default_rules()
        ],
        "configuration": ledger.anchor.configuration(),
        "head": head,
    }


class TestOnAnotherEngine:
    def test_every_account_statement_and_rule_is_as_it_was(
        self, home: Home, moved: Moved
    ):
        assert everything(moved.accounts) == everything(home.accounts)
        run_index(moved.settings)
        assert check_node(moved.settings).balances > 4

    def test_the_index_has_the_same_rows_with_earlier_numbers(
        self, home: Home, moved: Moved, tmp_path: Path
    ):
        before = replace(home.settings, rpc_url=home.engine.rpc_url)
        old = indexed(before, tmp_path, "old")
        new = indexed(moved.settings, tmp_path, "new")
        rows = rows_of(old, moved.shift)
        found = rows_of(new)
        for name in ("statements", "certificates", "quota_movements"):
            assert rows.get(name, True), name
        for name, expected in rows.items():
            assert [one for one in found[name] if one["block_number"] < 0] == expected
        old.close()
        new.close()

    def test_an_instruction_of_before_is_not_carried_out_again(
        self, home: Home, moved: Moved
    ):
        with pytest.raises(ContractsError, match="nonce"):
            moved.accounts.sender.send(call_of(home.instruction))

    def test_a_new_instruction_is(self, moved: Moved):
        quota, regulator = moved.accounts.ledger.quota, account_id("regulator")
        before = quota.balance_of(regulator, 2024)
        fields = {"vintage": 2024, "tonnes": 9, "document": "decision"}
        made = moved.accounts.quota("IssueQuota", "regulator", **fields)
        moved.accounts.act(made, "regulator")
        assert quota.balance_of(regulator, 2024) == before + 9

    def test_members_continue_the_stream_and_old_proofs_hold(
        self, home: Home, moved: Moved, tmp_path: Path
    ):
        before = moved.readings.ledger.anchor.head(STREAM_ID)
        assert verify_package(home.package, home.trust).is_accepted
        with members(home, moved, tmp_path) as nodes:
            raws = home.device.series(2)
            deliver(nodes, raws)
            after = moved.readings.ledger.anchor.head(STREAM_ID)
            assert after.seq > before.seq
            first = nodes[0].inbox.stored.readings_of(home.device.identifier, 0, 2**40)[
                0
            ]
            proof = nodes[0].reading_proof(first)
            assert moved.readings.ledger.anchor.verify_reading(first.raw, proof)
            statement = nodes[1].propose_statement(PERIOD, Purpose.TOTAL_WITH_INDIRECT)
            package = build_package(nodes[1].statement_evidence(statement))
            assert verify_package(package, home.trust).is_accepted

    def test_and_back_to_an_embedded_chain(self, moved: Moved, tmp_path: Path):
        exported(moved.settings, tmp_path / "back.tar", moved.network.rpc_url(0))
        config = import_ledger(tmp_path / "back.tar", tmp_path / "back", None, ignore)
        settings = load_settings(config)
        with run.open_chain(settings) as ledger:
            sender = Sender(ledger.client, PrivateKey())
            park = Park(None, ledger.client, ledger.deployment, ledger, sender)
            assert everything(park) == everything(moved.accounts)
            fields = {"vintage": 2024, "tonnes": 5, "document": "decision"}
            park.act(park.quota("IssueQuota", "regulator", **fields), "regulator")
        run_index(settings)
        assert check_node(settings).rows > 100


def run_index(settings: Settings) -> None:
    with run.open_chain(settings) as ledger, run.open_store(settings) as database:
        run.indexer_of(ledger, database).catch_up()


@contextmanager
def members(home: Home, moved: Moved, folder: Path) -> Iterator[dict[int, MemberNode]]:
    """The members with their databases and keys, on the chain that they moved to."""
    old = home.readings.deployment
    deployment = replace(old, genesis_block=old.genesis_block - moved.shift)
    (folder / "deployment.json").write_text(deployment.to_json())
    changes = {
        "deployment_file": folder / "deployment.json",
        "history_file": moved.config.parent / "history.sqlite",
        "rpc_url": moved.network.rpc_url(2),
    }
    with home.readings.running(**changes) as nodes:
        yield nodes
