"""Five real validators: what they bear, and what they must not do."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coincurve import PrivateKey

from contracts.calls import UnsignedCall
from contracts.chain import ChainClient, Receipt
from contracts.sender import Sender
from contracts.typed_data import address_of
from node.network.local import LocalNetwork

KEY = PrivateKey(b"\x07" * 32)
NOBODY = "0x00000000000000000000000000000000000000aa"
HEAL_S = 30
"""How soon a network must go on once its validators are back. [s]"""


class Load:
    """Sends transactions and keeps what was acknowledged by a receipt."""

    def __init__(self, network: LocalNetwork) -> None:
        self.network = network
        self.receipts: list[Receipt] = []

    def send(self, at: int = 0, timeout_s: float = HEAL_S) -> Receipt:
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
    return Sender(client, KEY)


def _call() -> UnsignedCall:
    return UnsignedCall(NOBODY, b"", 21_000)


def _wait_for_height(client: ChainClient, height: int) -> None:
    deadline = time.monotonic() + HEAL_S
    while client.block_number() < height:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _hashes(network: LocalNetwork, index: int, height: int) -> list[bytes]:
    with ChainClient(network.rpc_url(index)) as client:
        blocks = [client.block(number) for number in range(height + 1)]
    return [block.hash for block in blocks if block is not None]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    folder = tmp_path_factory.mktemp("network") / "five"
    made = LocalNetwork.create(folder, 5, [address_of(KEY.public_key)])
    with made as running:
        yield running


@pytest.fixture
def load(network: LocalNetwork) -> Iterator[Load]:
    """A load on the whole network, which is whole again afterwards."""
    made = Load(network)
    made.send()
    yield made
    network.start()
    network.wait_ready()


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
        network.restart(3)
        network.restart(4)
        with ChainClient(network.rpc_url()) as client:
            load.receipts.append(client.wait_receipt(tx_hash, HEAL_S))
        network.wait_ready(timeout_s=HEAL_S)
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
        network.wait_ready(timeout_s=HEAL_S)

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
