"""One embedded engine; gates before it, with callers and permissions of the test."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account import Account

from contracts.chain import ChainClient
from contracts.gas import gas_price_wei
from node.engine import EngineSettings
from node.gate.callers import new_token
from node.gate.open import OpenGate, open_gate
from node.gate.settings import GateSettings
from tests.servers.chain import Chain, fund, open_engine
from wallet.signers import KeySigner

CHAIN_ID = 20260
SOMEBODY = "0x" + 20 * "22"


def signer_of(label: str) -> KeySigner:
    """The key of a person, the same in every run."""
    return KeySigner(int.from_bytes(label.encode()).to_bytes(32))


class Transport:
    """A transport key that signs transactions, and can pay for them."""

    def __init__(self, number: int, rpc_url: str) -> None:
        self.account = Account.from_key((0xCA11 + number).to_bytes(32))
        self.address = self.account.address
        with ChainClient(rpc_url) as client:
            self.price_wei = gas_price_wei(client)
            if client.request("eth_getBalance", self.address, "latest") == "0x0":
                fund(client, self.address)

    def sign(self, nonce: int = 0, **fields: object) -> str:
        filled: dict[str, object] = {
            "chainId": CHAIN_ID,
            "nonce": nonce,
            "to": SOMEBODY,
            "gas": 100_000,
            "gasPrice": self.price_wei,
            "value": 0,
            "data": b"",
            **fields,
        }
        if filled["to"] is None:
            del filled["to"]
        return "0x" + self.account.sign_transaction(filled).raw_transaction.hex()


class Client:
    """Somebody at a gate."""

    def __init__(self, url: str, token: str | None = None, **options: Any) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=20, trust_env=False, **options
        )

    def post(self, body: object) -> httpx.Response:
        return self.http.post("/", json=body)

    def answer(self, method: str, *params: object) -> dict[str, Any]:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(request).json()

    def call(self, method: str, *params: object) -> Any:
        answer = self.answer(method, *params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, *params: object) -> dict[str, Any]:
        answer = self.answer(method, *params)
        assert "error" in answer, answer
        return answer["error"]

    def send(self, raw: str) -> dict[str, Any]:
        """Send a transaction and return its receipt."""
        digest = self.call("eth_sendRawTransaction", raw)
        deadline = time.monotonic() + 30
        while True:
            receipt = self.call("eth_getTransactionReceipt", digest)
            if receipt is not None:
                return receipt
            assert time.monotonic() < deadline
            time.sleep(0.05)


class CallersFile:
    """A callers file that is written as the test needs it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch(0o600)

    def add(self, name: str, *lines: str) -> str:
        """Add a caller with a token, which is returned."""
        token, digest = new_token()
        self.add_table(name, f'token_sha256 = "{digest}"', *lines)
        return token

    def add_table(self, name: str, *lines: str) -> None:
        with self.path.open("a") as file:
            text = "\n".join(["[[callers]]", f'name = "{name}"', *lines, ""])
            file.write(text)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """An engine for a module's tests; the gate's clock is the wall's."""
    settings = EngineSettings(tmp_path_factory.mktemp("chain"), CHAIN_ID)
    with open_engine(settings) as running:
        yield running


@pytest.fixture
def callers(tmp_path: Path) -> CallersFile:
    return CallersFile(tmp_path / "callers.toml")


@pytest.fixture
def serve(engine: Chain) -> Iterator[Callable[..., OpenGate]]:
    """Open a gate before the engine, or before another address."""
    with ExitStack() as stack:

        def opened(rpc_url: str = engine.rpc_url, **settings: Any) -> OpenGate:
            chosen = GateSettings(CHAIN_ID, port=0, **settings)
            return stack.enter_context(open_gate(chosen, rpc_url))

        yield opened


@pytest.fixture
def visit() -> Iterator[Callable[..., Client]]:
    """Come to a gate with a token, a certificate, or with nothing."""
    with ExitStack() as stack:

        def come(url: str, token: str | None = None, **options: Any) -> Client:
            client = Client(url, token, **options)
            stack.callback(client.http.close)
            return client

        yield come


@pytest.fixture
def account(engine: Chain) -> Callable[[int], Transport]:
    return lambda number: Transport(number, engine.rpc_url)
