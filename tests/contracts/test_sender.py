from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from coincurve import PrivateKey

from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.errors import (
    AccessManagedUnauthorizedError,
    AccessManagerBadConfirmationError,
    InvalidInputError,
    RevertedError,
    UnavailableError,
)
from contracts.sender import Sender
from tests.servers.chain import funded_sender


@pytest.fixture
def sender(client: ChainClient, request: pytest.FixtureRequest) -> Sender:
    seed = request.node.name.encode().ljust(32, b".")[:32]
    return funded_sender(client, PrivateKey(seed))


@pytest.fixture
def harmless(park: Any, sender: Sender) -> UnsignedCall:
    """Gives up a role that nobody has."""
    call: UnsignedCall = park.ledger.access_manager.renounce_role(9, sender.address)
    return call


class TestSend:
    def test_counts_its_nonces(
        self, sender: Sender, harmless: UnsignedCall, client: ChainClient
    ):
        hashes = {sender.send(harmless).tx_hash for _ in range(3)}
        assert len(hashes) == 3
        assert client.transaction_count(sender.address) == 3

    def test_takes_the_receipt_it_sent(self, sender: Sender, harmless: UnsignedCall):
        tx_hash = sender.transmit(harmless)
        assert sender.settle(harmless, tx_hash).tx_hash == tx_hash

    def test_serves_many_threads(
        self, sender: Sender, harmless: UnsignedCall, client: ChainClient
    ):
        with ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(sender.send, [harmless] * 24))
        assert len({receipt.tx_hash for receipt in receipts}) == 24
        assert client.transaction_count(sender.address) == 24

    def test_goes_on_after_another_used_its_key(
        self, sender: Sender, harmless: UnsignedCall, client: ChainClient
    ):
        sender.send(harmless)
        Sender(client, sender._key).send(harmless)
        assert sender.send(harmless).succeeded

    def test_raises_a_revert_before_it_sends(
        self, sender: Sender, park: Any, client: ChainClient
    ):
        with pytest.raises(AccessManagedUnauthorizedError, match="no right"):
            sender.send(park.ledger.market.halt(0, True))
        assert client.transaction_count(sender.address) == 0

    def test_raises_a_revert_of_a_block_as_its_own_class(
        self, sender: Sender, park: Any, client: ChainClient
    ):
        foreign = park.ledger.access_manager.renounce_role(9, park.sender.address)
        with pytest.raises(AccessManagerBadConfirmationError, match="its holder"):
            sender.send(replace(foreign, gas_limit=200_000))
        assert client.transaction_count(sender.address) == 1

    def test_says_when_the_gas_was_too_little(
        self, sender: Sender, harmless: UnsignedCall
    ):
        with pytest.raises(RevertedError, match="was its gas limit too low"):
            sender.send(replace(harmless, gas_limit=22_500))

    def test_says_when_the_chain_is_gone(
        self, sender: Sender, harmless: UnsignedCall, free_port: int
    ):
        with ChainClient(f"http://127.0.0.1:{free_port}", timeout_s=1) as nobody:
            sender.client = nobody
            with pytest.raises(UnavailableError, match="does not answer"):
                sender.send(harmless)


class TestCalls:
    def test_refuse_an_argument_that_does_not_fit(self, park: Any):
        with pytest.raises(InvalidInputError, match=r"halt.* that does not fit"):
            park.ledger.market.halt(70_000, True)
