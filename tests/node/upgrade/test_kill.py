"""The command of an upgrade, killed between and behind its requests to the chain."""

import os
import random
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.bindings import CarbonCodes
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.editions import follow
from contracts.enumerations import Purpose
from contracts.ledger import Ledger
from contracts.sender import Sender
from node.engine import EmbeddedEngine, EngineSettings
from node.errors import UnavailableEngineError
from node.relayer import transport_key
from node.upgrade.steps import wait_settled
from tests.faults.hosts import Host
from tests.simulators.flaky_rpc import FlakyRpc
from wallet.instruction_file import from_json

pytestmark = pytest.mark.embedded_only("the delay of governance passes at once")

EDITIONS = Path(__file__).parents[3] / "contracts" / "artifacts" / "editions"
NAMES = ("steel", "glass")


class DeadlyRpc(FlakyRpc):
    """A line that kills who asks: before a request goes on, or before its answer
    comes back, the answer to a transaction above all."""

    _behind: Callable[[], object] | None = None
    _answers_left = 0

    def arm(self, kill: Callable[[], object], after: int, *, is_behind: bool) -> None:
        self.calm()
        self._behind, self._answers_left = (kill, after) if is_behind else (None, 0)
        if not is_behind:
            self.interrupt(kill, after)

    def alter(self, fault: str, question: bytes, answer: bytes) -> bytes:
        self._answers_left -= 1
        is_due = self._answers_left < 0 or b"eth_sendRawTransaction" in question
        if self._behind is not None and is_due:
            kill, self._behind = self._behind, None
            kill()
        return super().alter(fault, question, answer)


@dataclass(frozen=True)
class Upgrader:
    """Who upgrades a contract by the command, and is killed again and again."""

    park: Any
    folder: Path
    line: DeadlyRpc

    def go(self, contract: str) -> tuple[str, int]:
        """Run the command until it ends; give the state, and how often it was killed.

        It is killed at the first request, then ever later, so that every run goes on
        with what the one before left.
        """
        number = kills = 0
        while True:
            host = self._host(contract)
            self.line.arm(
                lambda host=host: os.kill(host.pid, signal.SIGKILL),
                number,
                is_behind=kills % 2 == 1,
            )
            host.start()
            code = host.join(120)
            if code == 0:
                return self._state(host), kills
            assert code == -signal.SIGKILL, host.log.read_text()
            number, kills = 2 * number + 1, kills + 1

    def sign(self, contract: str, state: str) -> None:
        path = self.folder / contract / f"{state}.json"
        self.park.act(from_json(path.read_text("utf-8")), "regulator")

    def sent(self, contract: str) -> int:
        """Transactions that the deployer has sent."""
        key = transport_key(self.folder / contract / "deployer.key")
        return self.park.client.transaction_count(Sender(self.park.client, key).address)

    def _host(self, contract: str) -> Host:
        options = ("--config", self.folder / "node.toml", "--editions", EDITIONS)
        return Host(
            "node",
            self.folder / "logs",
            *("upgrade", contract, *options, "--folder", self.folder / contract),
            *("--rpc", self.line.url),
        )

    def _state(self, host: Host) -> str:
        return re.findall(r"state=(\w+)", host.log.read_text())[-1]


@pytest.fixture
def upgrader(park: Any, tmp_path: Path) -> Iterator[Upgrader]:
    (tmp_path / "deployment.json").write_text(park.deployment.to_json())
    (tmp_path / "node.toml").write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nchain_id = 20260\n'
        'public_url = "http://node.example"\n'
    )
    with DeadlyRpc(park.engine.rpc_url, random.Random(7)) as line:
        yield Upgrader(park, tmp_path, line)


class TestKilledUpgrade:
    def test_creates_each_contract_once(self, upgrader: Upgrader):
        state, kills = upgrader.go("Rulebook")
        assert state == "announce"
        assert kills > 3
        assert upgrader.sent("Rulebook") == 2  # the rulebook, and the market with it

    def test_of_certificates_ends_with_all_of_them(self, upgrader: Upgrader):
        park, tokens = upgrader.park, []
        park.heartbeat()
        for name in NAMES:
            statement = park.record_statement(name, Purpose.TOTAL_WITH_INDIRECT, 10**9)
            park.confirm_statement(name, statement)
            park.issue_certificate(statement)
            tokens.append(park.ledger.codes.live_code(statement))

        begun = upgrader.go("CarbonCodes")
        upgrader.sign("CarbonCodes", "announce")
        waiting = upgrader.go("CarbonCodes")
        park.engine.advance(200_000)
        park.engine.mine()
        due = upgrader.go("CarbonCodes")
        upgrader.sign("CarbonCodes", "activate")
        ended = upgrader.go("CarbonCodes")

        stages = (begun, waiting, due, ended)
        assert [one[0] for one in stages] == ["announce", "wait", "activate", "done"]
        assert all(one[1] > 3 for one in stages)
        assert upgrader.sent("CarbonCodes") == 2  # the creation, and all certificates
        deployment = follow(park.client, park.deployment)
        new = Ledger(park.client, deployment).codes
        old = CarbonCodes(park.client, park.deployment.addresses["CarbonCodes"])
        assert (new.address != old.address, new.is_complete()) == (True, True)
        assert [new.code_of(one) for one in tokens] == [
            old.code_of(one) for one in tokens
        ]


class TestWaitSettled:
    def test_waits_for_what_a_killed_run_has_sent(self, tmp_path: Path):
        settings = EngineSettings(tmp_path / "chain", 20260, block_interval_s=2)
        key = transport_key(tmp_path / "deployer.key")
        with EmbeddedEngine(settings) as engine, ChainClient(engine.rpc_url) as client:
            sender = Sender(client, key)
            call = UnsignedCall(sender.address, b"", 30_000)
            sender.send(call)  # the next block is due two seconds later
            sender.transmit(call)
            with pytest.raises(UnavailableEngineError, match="2 transactions, 1 are"):
                wait_settled(client, sender.address, 0)
            wait_settled(client, sender.address)
            assert client.transaction_count(sender.address) == 2
