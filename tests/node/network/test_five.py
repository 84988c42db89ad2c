"""Five real validators: the ledger on them, what they bear, what they must not do.

All on one network, which the process's other tests on avalanchego share.
"""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from coincurve import PrivateKey

from contracts.calls import UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.deployment import deploy
from contracts.errors import RefusedRequestError
from contracts.plan import DeploymentPlan
from contracts.rules import LOCAL
from contracts.sender import Sender
from contracts.structs import BlockTrade
from node.errors import InvalidConfigError
from node.network.apis import ValidatorApi
from node.network.engine import AvalancheEngine
from node.network.keys import ValidatorIdentity, read_identity
from node.network.local import LocalNetwork
from tests.contracts.conftest import Park, plan_of_the_park
from tests.servers.chain import CHAIN_ID, FAUCET, funded_sender, network_chain

NOBODY = "0x" + 20 * "5a"
PATIENCE_S = 120
HEAL_S = 30
"""From the restart of two to blocks again and five that have caught up. [s]"""
"""Long enough for a busy machine; how fast it is, `make soak` measures. [s]"""
ALL_DAYS = (2**256 - 1, 2**256 - 1)
TONNES = 100_000


class Load:
    """Sends transactions and keeps what was acknowledged by a receipt."""

    def __init__(self, network: LocalNetwork) -> None:
        self.network = network
        self.receipts: list[Receipt] = []

    def send(self, at: int = 0, timeout_s: float = PATIENCE_S) -> Receipt:
        with ChainClient(self.network.rpc_url(at)) as client:
            receipt = _sender(client).send(_call(), timeout_s)
        self.receipts.append(receipt)
        return receipt

    def transmit(self, at: int = 0) -> bytes:
        with ChainClient(self.network.rpc_url(at)) as client:
            return _sender(client).transmit(_call())

    def check(self) -> None:
        """Hold every receipt against every validator."""
        for index in range(len(self.network.homes)):
            with ChainClient(self.network.rpc_url(index)) as client:
                _wait_for_height(client, self.receipts[-1].block_number)
                again = [client.receipt(one.tx_hash) for one in self.receipts]
            assert again == self.receipts


def _sender(client: ChainClient) -> Sender:
    return Sender(client, FAUCET)


def _call() -> UnsignedCall:
    return UnsignedCall(NOBODY, b"", 21_000)


def _plan_without_night() -> DeploymentPlan:
    """The park's plan, with a block session that never closes."""
    plan = plan_of_the_park()
    hours = {"block.open_s": 0, "block.close_s": 86_400}
    rules = [replace(one, value=hours.get(one.name, one.value)) for one in plan.rules]
    return replace(plan, rules=tuple(rules))


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _wait_for_height(client: ChainClient, height: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while client.block_number() < height:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _hashes(network: LocalNetwork, index: int, height: int) -> list[bytes]:
    with ChainClient(network.rpc_url(index)) as client:
        blocks = [client.block(number) for number in range(height + 1)]
    return [block.hash for block in blocks if block is not None]


@pytest.fixture(scope="module")
def network() -> LocalNetwork:
    return network_chain().network


@pytest.fixture(scope="module")
def park() -> Iterator[Park]:
    chain = network_chain()
    with ChainClient(chain.rpc_url) as client:
        sender = funded_sender(client)
        park = Park(chain, sender, deploy(client, sender, _plan_without_night()))
        park.anchor(park.report("park", [b"\x01" * 32]), "park")
        yield park


@pytest.fixture
def load(network: LocalNetwork) -> Iterator[Load]:
    """A load on the whole network, which is whole again afterwards."""
    made = Load(network)
    made.send()
    yield made
    network.start()
    network.wait_ready()


class TestKeys:
    def test_are_read_by_avalanchego_as_we_read_them(
        self, network: LocalNetwork
    ) -> None:
        home = network.homes[2]
        said = ValidatorApi(home.base_url).ask("info", "info.getNodeID")
        proof = said["nodePOP"]
        given = (said["nodeID"], proof["publicKey"], proof["proofOfPossession"])
        assert read_identity(home.keys) == ValidatorIdentity(*given)


class TestConformance:
    def test_suite_passes(self, network: LocalNetwork, tmp_path: Path) -> None:
        key_file = tmp_path / "key"
        key_file.write_text(FAUCET.secret.hex())
        command = [sys.executable, "-m", "node.engine.conformance", network.rpc_url(1)]
        done = subprocess.run(
            [*command, "--key-file", str(key_file)],
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0 failed" in done.stdout

    def test_says_who_cannot_pay(self, network: LocalNetwork) -> None:
        with ChainClient(network.rpc_url()) as client:
            sender = Sender(client, PrivateKey())
            with pytest.raises(RefusedRequestError, match=f"{sender.address} cannot"):
                sender.transmit(_call())


class TestLedger:
    """Deployment, a batch and a trade, as on every other engine."""

    def test_anchors_a_batch(self, park: Park) -> None:
        head = park.ledger.anchor.head(park.report("park").stream_id)
        assert head.seq == 1

    def test_settles_a_trade(self, park: Park) -> None:
        book, market = park.ledger.rulebook, park.ledger.market
        now = dt.datetime.fromtimestamp(park.now(), LOCAL)
        vintage = now.year - 1
        park.govern("Regulator", book.set_working_days(now.year, ALL_DAYS))
        park.give_quota("Steel", vintage, TONNES)
        park.give_cash("Glass", TONNES * 6_000)
        park.govern("Regulator", market.set_reference_price(vintage, 5_000))
        sides = park.account("Steel"), park.account("Glass")
        numbers = park.nonce("Steel"), park.nonce("Glass"), park.deadline()
        trade = BlockTrade(*sides, vintage, TONNES, 5_500, *numbers)

        signed = park.sign("Steel", trade), park.sign("Glass", trade)
        park.send(market.trade_block(trade, *signed))

        assert park.ledger.quota.balance_of(sides[1], vintage) == TONNES
        assert park.ledger.cash.balance_of(sides[0]) == TONNES * 5_500


class TestEngine:
    @pytest.fixture
    def engine(self, network: LocalNetwork) -> Iterator[AvalancheEngine]:
        """An engine over the fifth validator, which does not run yet."""
        network.kill(4)
        made = AvalancheEngine(network.homes[4].folder, CHAIN_ID)
        yield made
        made.stop()
        network.start([4])
        network.wait_ready([4])

    def test_runs_the_validator_and_brings_it_back(
        self, network: LocalNetwork, engine: AvalancheEngine
    ) -> None:
        engine.start()
        pid = network.pid(4)
        assert engine.rpc_url == network.rpc_url(4)
        _wait_for(lambda: engine.health().state == "ready")

        network.kill(4)

        _wait_for(lambda: network.pid(4) is not None)
        network.wait_ready([4])
        _wait_for(lambda: engine.health().state == "ready")
        assert network.pid(4) != pid
        assert "started again 1 times" in engine.health().message
        engine.stop()
        assert network.pid(4) is None
        assert engine.health().state == "stopped"

    def test_leaves_a_validator_that_ran_before(self, network: LocalNetwork) -> None:
        engine = AvalancheEngine(network.homes[0].folder, CHAIN_ID)
        pid = network.pid(0)
        engine.start()
        engine.stop()
        assert network.pid(0) == pid

    def test_refuses_another_chain(self, network: LocalNetwork) -> None:
        engine = AvalancheEngine(network.homes[0].folder, CHAIN_ID + 1)
        with pytest.raises(InvalidConfigError, match=f"{CHAIN_ID}, expected"):
            engine.start()
        assert network.pid(0) is not None

    def test_says_how_many_others_are_missing(self, network: LocalNetwork) -> None:
        engine = AvalancheEngine(network.homes[0].folder, CHAIN_ID)
        network.kill(3)
        network.kill(4)
        _wait_for(lambda: engine.health().state == "recovering")
        assert "sees 2 others and needs 3" in engine.health().message
        network.start()
        network.wait_ready()
        _wait_for(lambda: engine.health().state == "ready")


class TestNetworkOfFive:
    def test_goes_on_when_one_is_killed(
        self, network: LocalNetwork, load: Load
    ) -> None:
        network.kill(4)

        for _ in range(3):
            load.send()

        network.restart(4)
        network.wait_ready([4])
        load.check()

    def test_goes_on_when_one_hangs(self, network: LocalNetwork, load: Load) -> None:
        network.pause(1)

        load.send()

        network.resume(1)
        load.check()

    def test_stands_still_without_a_fork_when_two_are_killed(
        self, network: LocalNetwork, load: Load
    ) -> None:
        network.kill(3)
        network.kill(4)
        height = network.height()
        tx_hash = load.transmit()

        time.sleep(6)  # longer than one proposer's turn

        assert [network.height(index) for index in range(3)] == [height] * 3
        restarted = time.monotonic()
        network.restart(3)
        network.restart(4)
        with ChainClient(network.rpc_url()) as client:
            load.receipts.append(client.wait_receipt(tx_hash, PATIENCE_S))
        network.wait_ready(timeout_s=PATIENCE_S)
        healed_s = time.monotonic() - restarted
        assert healed_s <= HEAL_S
        load.check()
        chains = [_hashes(network, index, height or 0) for index in range(5)]
        assert all(one == chains[0] for one in chains)

    def test_keeps_every_receipt_when_all_are_killed(
        self, network: LocalNetwork, load: Load
    ) -> None:
        for index in range(5):
            load.send(index)
        height = load.receipts[-1].block_number
        before = _hashes(network, 0, height)

        network.kill_all()
        network.start()
        network.wait_ready(timeout_s=PATIENCE_S)

        load.check()
        assert [_hashes(network, index, height) for index in range(5)] == [before] * 5
        load.send()


class TestProcesses:
    def test_leaves_none_behind(self, tmp_path: Path) -> None:
        made = LocalNetwork.create(tmp_path / "four", 4)
        made.start()
        pids = [made.pid(index) for index in range(4)]
        made.pause(0)

        made.stop()

        assert None not in pids
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
