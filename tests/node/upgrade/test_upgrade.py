"""Upgrades through governance, on a chain with a running node and its people."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contracts.bindings import CarbonCodes, Market, Rulebook
from contracts.bindings.rulebook import Rule, rule_name
from contracts.calls import GAS_LIMIT, UnsignedCall
from contracts.creation import PREDECESSOR, creation_code
from contracts.directory import artifact, load_artifact
from contracts.editions import follow
from contracts.enumerations import Purpose
from contracts.errors import (
    AccessManagedUnauthorizedError,
    AccessManagerNotReadyError,
    CodesNotCompleteError,
    CodesOutOfOfficeError,
    DirectoryCodeMismatchError,
)
from contracts.hashing import checksum_address, keccak256
from contracts.ledger import Ledger
from contracts.sender import Sender
from contracts.solidity import decode_abi
from contracts.transactions import contract_address
from node.config import Settings
from node.errors import ConflictLedgerError, InvalidConfigError
from node.ledger.cursor import position
from node.relayer import transport_key
from node.run import RunningNode, indexer_of
from node.services.fsck import check_ledger
from node.services.versions import contract_versions
from node.store.database import Database, open_database
from node.store.facts import Certificate
from node.upgrade.command import UpgradeOptions, upgrade
from node.upgrade.steps import Step
from wallet.instruction_file import from_json
from wallet.show import sentence

pytestmark = pytest.mark.embedded_only("the delay of governance passes at once")

EDITIONS = Path(__file__).parents[3] / "contracts" / "artifacts" / "editions"
NAMES = ("steel", "glass")


@dataclass(frozen=True)
class House:
    """A park with a running node, and who upgrades its contracts."""

    park: Any
    node: RunningNode
    settings: Settings
    folder: Path

    def step(self, contract: str, **options: Any) -> Step:
        folder = options.pop("folder", self.folder / contract)
        chosen = {"editions": EDITIONS, **options}
        rpc_url = self.park.engine.rpc_url
        return upgrade(
            self.settings,
            UpgradeOptions(contract, folder, rpc_url=rpc_url, **chosen),
        )

    def sign_and_send(self, step: Step) -> None:
        assert step.file is not None
        instruction = from_json(step.file.read_text("utf-8"))
        self.park.act(instruction, "regulator")

    def go_through(self, contract: str) -> list[str]:
        """Run the whole upgrade; give the states it went through."""
        states = []
        for _ in range(30):
            step = self.step(contract)
            states.append(step.state)
            if step.state == "done":
                return states
            if step.state == "wait":
                self.park.engine.advance(200_000)
                self.park.engine.mine()
            else:
                self.sign_and_send(step)
        raise AssertionError(states)

    def present(self) -> Any:
        """The park as it is now, with the contracts in office."""
        deployment = follow(self.park.client, self.park.deployment)
        ledger = Ledger(self.park.client, deployment)
        return replace(self.park, deployment=deployment, ledger=ledger)

    def holdings(self, statements: list[bytes]) -> dict[str, Any]:
        """Everything that an upgrade must not touch."""
        ledger = self.park.ledger
        found: dict[str, Any] = {
            f"statement {at}": ledger.emissions.statement_of(statement)
            for at, statement in enumerate(statements)
        }
        for name in NAMES:
            account = self.park.account(name)
            found |= {
                f"{name} quota": ledger.quota.balance_of(account, 2023),
                f"{name} cash": ledger.cash.balance_of(account),
            }
        return found


@pytest.fixture(scope="module")
def house(
    park: Any, open_node: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """People with holdings, a market with prices and halts, and a running node."""
    for name in NAMES:
        park.endow(name, 2023, 5_000, 700_000)
    market = park.ledger.market
    park.govern("regulator", market.set_reference_price(2023, 8_000))
    park.govern("regulator", market.set_reference_price(2024, 9_000))
    park.govern("regulator", market.halt(2024, True))
    for value in range(1, 14):  # so that one instruction cannot repeat all
        rule = Rule("test.rule", value, value, f"Art. {value}", b"\x08" * 32)
        park.govern("regulator", park.ledger.rulebook.set(rule))
    park.heartbeat()
    folder = tmp_path_factory.mktemp("house")
    (folder / "deployment.json").write_text(park.deployment.to_json())
    settings = Settings(
        folder / "data", folder / "deployment.json", 20260, "http://node.example"
    )
    with open_node(tmp_path_factory.mktemp("node")) as node:
        yield House(park, node, settings, folder)


@dataclass(frozen=True)
class Renewal:
    """What an upgrade of the certificates found and left."""

    statements: list[bytes]
    tokens: list[int]
    old: CarbonCodes
    new: CarbonCodes
    states: list[str]
    before: dict[str, Any]
    announcement: str


@pytest.fixture(scope="module")
def renewal(house: House) -> Renewal:
    """Certificates moved to a later edition; one was revoked before."""
    park = house.park
    statements, tokens = [], []
    for name in NAMES:
        statement = park.record_statement(name, Purpose.TOTAL_WITH_INDIRECT, 10**9)
        park.confirm_statement(name, statement)
        park.issue_certificate(statement)
        statements.append(statement)
        tokens.append(park.ledger.codes.live_code(statement))
    park.govern("regulator", park.ledger.codes.revoke(tokens[1], b"\x07" * 32))
    before = house.holdings(statements)
    first = house.step("CarbonCodes")
    assert first.file is not None
    instruction = from_json(first.file.read_text("utf-8"))
    states = [first.state, *house.go_through("CarbonCodes")]
    present = house.present()
    return Renewal(
        statements,
        tokens,
        CarbonCodes(park.client, park.deployment.addresses["CarbonCodes"]),
        present.ledger.codes,
        states,
        before,
        sentence(instruction, "en"),
    )


class TestCertificates:
    def test_go_through_announcement_delay_and_activation(self, renewal: Renewal):
        assert renewal.states == ["announce", "announce", "wait", "activate", "done"]

    def test_are_at_the_new_contract_as_they_were(self, renewal: Renewal, house: House):
        old, new = renewal.old, renewal.new
        assert new.address != old.address
        for token, name in zip(renewal.tokens, NAMES, strict=True):
            assert new.code_of(token) == old.code_of(token)
            assert new.owner_of(token) == house.park.account(name)
        assert new.live_code(renewal.statements[0]) == renewal.tokens[0]
        assert new.live_code(renewal.statements[1]) == 0
        assert [new.is_valid(token) for token in renewal.tokens] == [True, False]
        assert [old.is_valid(token) for token in renewal.tokens] == [True, False]

    def test_leave_balances_and_statements_alone(self, renewal: Renewal, house: House):
        assert house.holdings(renewal.statements) == renewal.before

    def test_of_the_old_contract_cannot_be_issued(self, renewal: Renewal, house: House):
        with pytest.raises(CodesOutOfOfficeError, match=renewal.new.address):
            house.park.issue_certificate(renewal.statements[1])

    def test_that_come_later_are_indexed_by_the_running_node(
        self, renewal: Renewal, house: House, tmp_path: Path
    ):
        present = house.present()
        present.issue_certificate(renewal.statements[1])
        token = renewal.new.live_code(renewal.statements[1])
        _wait_until_indexed(house)
        with opened(tmp_path / "fresh.sqlite") as fresh:
            indexer_of(present.ledger, fresh).catch_up()
            report = check_ledger(present.ledger, house.node.database, fresh)
        assert report.rows > 0
        with house.node.database.reading() as connection:
            issued = select(Certificate.block_number).where(
                Certificate.token_id == str(token)
            )
            assert len(connection.execute(issued).all()) == 1

    def test_are_signed_for_in_words(self, renewal: Renewal):
        assert "AccessManager" not in renewal.announcement
        for needed in (
            "schedule: ",
            "set('CarbonCodes', ",
            "setAuthoriser",
            "retire",
            "setTargetClosed",
        ):
            assert needed in renewal.announcement
        assert "unknown function" not in renewal.announcement


class TestVersions:
    def test_tell_what_is_in_office_and_whether_it_is_as_shipped(
        self, renewal: Renewal, house: House
    ):
        held = [
            one
            for one in _versions_by_command(house)
            if one["name"] in {"CarbonCodes", "Accounts", "Quota"}
        ]
        told = [(o["name"], o["version"], o["is_as_shipped"]) for o in held]
        assert told == [
            ("Accounts", 1, True),
            ("CarbonCodes", 1, None),
            ("CarbonCodes", 2, False),
            ("Quota", 1, True),
        ]
        assert held[2]["address"] == renewal.new.address
        code = house.park.client.code(renewal.new.address)
        assert held[2]["code_digest"] == f"0x{keccak256(code).hex()}"

    def test_stand_in_the_status(self, renewal: Renewal, house: House):
        _wait_until_indexed(house)
        status = httpx.get(f"{house.node.url}/status", timeout=30).json()
        assert renewal.new.address in {one["address"] for one in status["versions"]}
        assert status["versions"] == _versions(house)


def _wait_until_indexed(house: House) -> None:
    """Wait for the running node's own indexer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with house.node.database.reading() as connection:
            at = position(connection)
        if at is not None and at.number >= house.park.client.block_number():
            return
        time.sleep(0.05)
    raise AssertionError("the node did not index the chain in 60 s")


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def _versions_by_command(house: House) -> Any:
    config = house.folder / "node.toml"
    config.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nchain_id = 20260\n'
        'public_url = "http://node.example"\n'
    )
    command = [sys.executable, "-m", "node", "versions", "--json"]
    command += ["--config", str(config), "--rpc", house.park.engine.rpc_url]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def _versions(house: House) -> list[dict[str, Any]]:
    return [asdict(one) for one in contract_versions(house.park.ledger)]


@pytest.fixture(scope="module")
def states(house: House) -> list[str]:
    """Rulebook and market moved to later editions: the states on the way."""
    return house.go_through("Rulebook")


class TestRulebookAndMarket:
    def test_come_together_and_are_set_again_in_steps(self, states: list[str]):
        assert states[:3] == ["announce", "wait", "activate"]
        assert states[-1] == "done"
        assert set(states[3:-1]) == {"repeat"}
        assert len(states) > 5

    def test_keep_rules_prices_and_halts(self, states: list[str], house: House):
        del states
        client, first = house.park.client, house.park.deployment.addresses
        present = house.present().ledger
        old_book, old = (
            Rulebook(client, first["Rulebook"]),
            Market(client, first["Market"]),
        )
        now = house.park.now()
        assert present.rulebook.address != old_book.address
        assert present.rulebook.block_rules(now) == old_book.block_rules(now)
        for at in (1, 7, 13):
            assert present.rulebook.value_at("test.rule", at) == at
        assert present.market.reference_price(2023) == 8_000
        assert present.market.reference_price(2024) == 9_000
        halts = [present.market.is_halted(vintage) for vintage in (0, 2023, 2024)]
        assert (
            halts
            == [False, False, True]
            == [old.is_halted(vintage) for vintage in (0, 2023, 2024)]
        )

    def test_leave_nothing_to_the_old_ones(self, states: list[str], house: House):
        del states
        park = house.park
        first = park.deployment.addresses
        market = Market(park.client, first["Market"])
        assert not park.ledger.accounts.is_authoriser(market.address)
        with pytest.raises(AccessManagedUnauthorizedError):
            park.govern("regulator", market.set_reference_price(2023, 1))

    def test_are_done_when_asked_again(self, states: list[str], house: House):
        del states
        height = house.park.client.block_number()
        assert house.step("Rulebook").state == "done"
        assert house.park.client.block_number() == height


class TestRefusals:
    def test_of_a_registration_that_nobody_decided(self, house: House):
        park = house.park
        cash = park.ledger.cash.address
        digest = keccak256(park.client.code(cash))
        naming = park.ledger.directory.set(rule_name("CarbonCodes"), cash, digest)
        with pytest.raises(AccessManagedUnauthorizedError):
            park.sender.send(naming)
        before = park.ledger.directory.get(rule_name("CarbonCodes"))
        assert before.where != cash

    def test_of_an_activation_before_its_time(self, house: House, tmp_path: Path):
        step = house.step("Market", folder=tmp_path)
        assert step.state == "announce"
        house.sign_and_send(step)
        wait = house.step("Market", folder=tmp_path)
        assert wait.state == "wait"
        assert "172" in wait.text
        assert not (tmp_path / "activate.json").exists()
        announced = from_json((tmp_path / "announce.json").read_text())
        target, data = announced.message.targets[0], announced.message.data[0]
        # schedule(target, data, when): the inner call is made at once here.
        inner = _inner_call(data)
        assert target == house.park.ledger.access_manager.address
        with pytest.raises(AccessManagerNotReadyError):
            house.park.govern("regulator", inner)

    def test_of_code_that_was_not_decided_on(self, house: House):
        park = house.park
        where = _deploy(park, artifact("Cash"), park.deployment.addresses)
        digest = b"\x01" * 32
        naming = park.ledger.directory.set(rule_name("Spare"), where, digest)
        manager = park.ledger.access_manager
        park.govern("regulator", manager.schedule(naming))
        park.engine.advance(200_000)
        park.engine.mine()
        with pytest.raises(DirectoryCodeMismatchError, match="decide again"):
            park.govern("regulator", naming)

    def test_of_a_contract_that_somebody_else_put_there(
        self, house: House, tmp_path: Path
    ):
        park = house.park
        step = house.step("Market", folder=tmp_path)
        key = transport_key(tmp_path / "deployer.key")
        record = json.loads((tmp_path / "upgrade.json").read_text())
        assert step.state == "announce"
        (tmp_path / "announce.json").unlink()
        # The same deployer began with another contract: its address is taken.
        other = tmp_path / "other"
        other.mkdir()
        stranger = transport_key(other / "deployer.key")
        sender = Sender(park.client, stranger)
        given = park.deployment.addresses
        tampered = given | {"Accounts": given["Cash"]}
        compiled = load_artifact(EDITIONS / "Market.json")
        sender.send(UnsignedCall(None, creation_code(compiled, tampered), GAS_LIMIT))
        record["deployer"] = sender.address
        (other / "upgrade.json").write_text(json.dumps(record))
        with pytest.raises(ConflictLedgerError, match="sign nothing"):
            house.step("Market", folder=other)
        assert not [*other.glob("announce.json")]
        assert key != stranger

    def test_of_a_record_of_another_edition(self, house: House, tmp_path: Path):
        house.step("Market", folder=tmp_path)
        with pytest.raises(ConflictLedgerError, match="whose editions is"):
            house.step("Market", folder=tmp_path, editions=None)

    @pytest.mark.parametrize("name", ["Accounts", "Quota", "ReadingAnchor"])
    def test_of_what_stays_for_the_life_of_the_ledger(
        self, house: House, tmp_path: Path, name: str
    ):
        with pytest.raises(ConflictLedgerError, match="cannot be renewed"):
            house.step(name, folder=tmp_path)

    def test_of_an_unknown_contract(self, house: House, tmp_path: Path):
        with pytest.raises(ConflictLedgerError, match="expected one of CarbonCodes"):
            house.step("Nothing", folder=tmp_path)

    def test_of_what_is_in_office_already(self, park: Any, house: House):
        spare = house.folder / "spare"
        present = {one["name"]: one for one in _versions(house)}
        if present["Market"]["is_as_shipped"]:
            with pytest.raises(InvalidConfigError, match="nothing to upgrade"):
                house.step("Market", folder=spare, editions=None)
        assert park.client.block_number() > 0

    def test_of_a_step_without_the_deployers_key(self, house: House, tmp_path: Path):
        house.step("Market", folder=tmp_path)
        copy = tmp_path / "copy"
        copy.mkdir()
        record = (tmp_path / "upgrade.json").read_text()
        (copy / "upgrade.json").write_text(record)
        checked = house.step("Market", folder=copy)
        assert checked.state == "announce"
        unknown = json.loads(record) | {"deployer": "0x" + "ab" * 20}
        (copy / "upgrade.json").write_text(json.dumps(unknown))
        with pytest.raises(InvalidConfigError, match="needs the key of the deployer"):
            house.step("Market", folder=copy)


class TestAdoption:
    def test_goes_on_where_somebody_stopped(self, house: House, renewal: Renewal):
        """A third edition: a stranger carries one certificate over, we the rest."""
        del renewal
        park = house.present()
        folder = house.folder / "third"
        step = house.step("CarbonCodes", folder=folder)
        while step.state != "activate":
            if step.state == "announce":
                house.sign_and_send(step)
            else:
                park.engine.advance(200_000)
                park.engine.mine()
            step = house.step("CarbonCodes", folder=folder)
        house.sign_and_send(step)
        old, new = park.ledger.codes, house.present().ledger.codes
        token = old.live_code(_any_statement(park))
        park.sender.send(new.adopt([token]))
        assert not new.is_complete()
        with pytest.raises(CodesNotCompleteError):
            park.govern("regulator", new.revoke(token, b"\x07" * 32))
        assert house.step("CarbonCodes", folder=folder).state == "done"
        assert new.is_complete()
        assert new.total() == old.total()


def _any_statement(park: Any) -> bytes:
    found = park.client.logs(
        0, park.client.block_number(), list(park.deployment.every("CarbonCodes"))
    )
    topic = "0x" + keccak256(b"CodeAdopted(uint256,bytes32,address)").hex()
    (log, *_) = [log for log in found if log["topics"][0] == topic]
    return bytes.fromhex(log["topics"][2][2:])


def _inner_call(data: bytes) -> UnsignedCall:
    """Read the call out of ``schedule(address,bytes,uint48)``."""
    target, inner, _ = decode_abi("(address,bytes,uint48)", data[4:])
    return UnsignedCall(checksum_address(bytes.fromhex(target[2:])), inner)


def _deploy(park: Any, compiled: Any, addresses: dict[str, str]) -> str:
    nonce = park.client.transaction_count(park.sender.address)
    code = creation_code(compiled, addresses | {PREDECESSOR: "0x" + "00" * 20})
    park.sender.send(UnsignedCall(None, code, GAS_LIMIT))
    return contract_address(park.sender.address, nonce)
