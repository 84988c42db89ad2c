"""The chain under the tests: embedded, or five real validators (``--engine``).

Every fixture that needs a chain opens it here, and every address that sends
transactions is funded here, so that one option decides for all tests. The network is
started once a test process, when the first test asks for it, and shared: a test gets
contracts of its own, not a chain of its own. Its time is wall time: a test that needs
another one is left out there with the reason.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from coincurve import PrivateKey
from eth_account import Account

from contracts.chain import ChainClient
from contracts.gas import gas_price_wei
from contracts.sender import Sender
from contracts.typed_data import address_of
from node.config import Settings
from node.engine import EmbeddedEngine, EngineHealth, EngineSettings
from node.engine.clock import WallClock
from node.network.local import LocalNetwork
from node.relayer import relayer_key

EngineName = Literal["embedded", "avalanche"]

CHAIN_ID = 20260
VALIDATORS = 5
FAUCET = PrivateKey(b"\x0f" * 32)
"""Funded in the genesis of the tests' networks."""

_ALLOWANCE_WEI = 10**21
_LONGEST_WAIT_S = 75
_GAS = 21_000
_chosen: list[EngineName] = ["embedded"]
_shared: list["NetworkChain"] = []
_folders: list[tempfile.TemporaryDirectory[str]] = []
_paying = threading.Lock()


class NetworkChain:
    """The shared network, with what tests ask of an engine."""

    def __init__(self, network: LocalNetwork) -> None:
        self.network = network
        self.rpc_url = network.rpc_url()
        self.chain_id = CHAIN_ID
        self.clock = WallClock()

    def start(self) -> None:
        """Runs already."""

    def stop(self) -> None:
        """Runs on for the next test."""

    def health(self) -> EngineHealth:
        return EngineHealth("ready", self.network.height(), None, "the network is up")

    def set_time(self, timestamp: int) -> None:
        """Wait for a time that is near; leave the test out where it is far."""
        wait_s = timestamp - self.clock.now()
        if wait_s > _LONGEST_WAIT_S:
            pytest.skip("embedded_only: the test needs a clock that can be set")
        time.sleep(max(wait_s + 1, 0))

    def advance(self, seconds: int) -> int:
        self.set_time(self.clock.now() + seconds)
        self.mine()
        return self.clock.now()

    def mine(self) -> None:
        """Make a block by a transaction that does nothing."""
        with ChainClient(self.rpc_url) as client:
            _pay(client, [address_of(FAUCET.public_key)], 0)


Chain = EmbeddedEngine | NetworkChain


def choose(name: EngineName) -> None:
    """Decide for the whole test process."""
    _chosen[0] = name


def is_embedded() -> bool:
    return _chosen[0] == "embedded"


@contextmanager
def open_engine(settings: EngineSettings) -> Iterator[Chain]:
    """Open the chosen chain: a new embedded one, or the shared network."""
    if is_embedded():
        with EmbeddedEngine(settings) as engine:
            yield engine
        return
    if settings.chain_id != CHAIN_ID:
        pytest.skip(f"embedded_only: the test needs chain id {settings.chain_id}")
    yield network_chain()


def network_chain() -> NetworkChain:
    """The network of this test process, started when it is first asked for."""
    if not _shared:
        _folders.append(tempfile.TemporaryDirectory(prefix="network-"))
        funded = [address_of(FAUCET.public_key)]
        folder = Path(_folders[-1].name) / "validators"
        network = LocalNetwork.create(folder, VALIDATORS, funded, chain_id=CHAIN_ID)
        network.__enter__()
        _shared.append(NetworkChain(network))
    return _shared[0]


def close() -> None:
    """Stop the network of this test process, if there is one."""
    while _shared:
        _shared.pop().network.stop()
    while _folders:
        _folders.pop().cleanup()


def fund(client: ChainClient, *addresses: str) -> None:
    """Let addresses pay gas, where gas costs anything."""
    if gas_price_wei(client) > 0:
        _pay(client, addresses, _ALLOWANCE_WEI)


def funded_sender(client: ChainClient, key: PrivateKey | None = None) -> Sender:
    """A sender that can pay, with a fresh key by default."""
    sender = Sender(client, key or PrivateKey())
    fund(client, sender.address)
    return sender


def relayer_of(settings: Settings) -> str:
    """Address of a node's relayer, whose key is made if it has none."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return address_of(relayer_key(settings).public_key)


def _pay(client: ChainClient, addresses: tuple[str, ...] | list[str], wei: int) -> None:
    account = Account.from_key(FAUCET.secret)
    with _paying:
        nonce = client.transaction_count(account.address, "pending")
        price = gas_price_wei(client)
        sent = []
        for at, address in enumerate(addresses):
            fields = {"chainId": CHAIN_ID, "nonce": nonce + at, "gasPrice": price}
            fields |= {"gas": _GAS, "to": address, "value": wei, "data": b""}
            raw = account.sign_transaction(fields).raw_transaction
            sent.append(client.send_raw(bytes(raw)))
        for tx_hash in sent:
            assert client.wait_receipt(tx_hash, 60).succeeded
