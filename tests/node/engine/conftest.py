"""Parts for the engine's tests: signers, a JSON-RPC client, a host process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from eth_account import Account

from node.engine import EmbeddedEngine, EngineSettings
from node.engine.transactions import SignedTransaction, decode_transaction

ROOT = Path(__file__).resolve().parents[3]
CHAIN_ID = 20260
GENESIS_TIME = 1_700_000_000
SOMEBODY = "0x" + 20 * "22"


class Signer:
    """A test account that signs transactions one nonce after the other."""

    def __init__(self, number: int) -> None:
        self.account = Account.from_key(number.to_bytes(32))
        self.address = self.account.address
        self.nonce = 0

    def sign(self, **fields: object) -> str:
        filled = {
            "chainId": CHAIN_ID,
            "nonce": self.nonce,
            "to": SOMEBODY,
            "gas": 100_000,
            "gasPrice": 0,
            "value": 0,
            "data": b"",
            **fields,
        }
        if filled["to"] is None:
            del filled["to"]
        if "maxFeePerGas" in filled:
            del filled["gasPrice"]
        self.nonce = filled["nonce"] + 1
        return "0x" + self.account.sign_transaction(filled).raw_transaction.hex()

    def transaction(self, **fields: object) -> SignedTransaction:
        raw = bytes.fromhex(self.sign(**fields)[2:])
        return decode_transaction(raw, CHAIN_ID, 30_000_000)


class Rpc:
    """A JSON-RPC client that returns results or error objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(timeout=20, trust_env=False)

    def post(self, request: object) -> object:
        return self.http.post(self.url, json=request).json()

    def answer(self, method: str, *params: object) -> dict:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.post(request)

    def call(self, method: str, *params: object) -> object:
        answer = self.answer(method, *params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, *params: object) -> dict:
        answer = self.answer(method, *params)
        assert "error" in answer, answer
        return answer["error"]

    def send(self, raw: str) -> dict:
        """Send a transaction and return its receipt, which must be there at once."""
        receipt = self.call(
            "eth_getTransactionReceipt", self.call("eth_sendRawTransaction", raw)
        )
        assert receipt is not None
        return receipt

    def block_hashes(self) -> list[str]:
        height = int(self.call("eth_blockNumber"), 16)
        return [
            self.call("eth_getBlockByNumber", hex(each), False)["hash"]
            for each in range(height + 1)
        ]


class Host:
    """``python -m node.engine`` in a process of its own."""

    def __init__(self, data_dir: Path, *options: str, file_limit_kb: int = 0) -> None:
        self.data_dir = data_dir
        command = [sys.executable, "-m", "node.engine", "--data-dir", str(data_dir)]
        if file_limit_kb:  # a file that cannot grow any more, as on a full disk
            limit = f'ulimit -f {file_limit_kb}; exec "$@"'
            command = ["bash", "-c", limit, "bash", *command]
        self.process = subprocess.Popen(
            [*command, "--chain-id", str(CHAIN_ID), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.url = self.process.stdout.readline().strip()

    @property
    def anvil_pid(self) -> int:
        return int((self.data_dir / "anvil.pid").read_text().split()[0])

    def signal(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def end(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)


def process_runs(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def runs() -> Callable[[int], bool]:
    return process_runs


@pytest.fixture
def signer() -> Signer:
    return Signer(1)


@pytest.fixture
def make_signer() -> type[Signer]:
    return Signer


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., EngineSettings]:
    def make(**overrides: object) -> EngineSettings:
        defaults = {
            "data_dir": tmp_path / "chain",
            "chain_id": CHAIN_ID,
            "clock_mode": "virtual",
            "genesis_time": GENESIS_TIME,
            "genesis_alloc": {Signer(1).address: 10**18},
        }
        return EngineSettings(**(defaults | overrides))

    return make


@pytest.fixture
def engine(make_settings: Callable[..., EngineSettings]) -> Iterator[EmbeddedEngine]:
    with EmbeddedEngine(make_settings()) as running:
        yield running


@pytest.fixture
def make_rpc() -> Iterator[Callable[[str], Rpc]]:
    opened: list[Rpc] = []

    def make(url: str) -> Rpc:
        opened.append(Rpc(url))
        return opened[-1]

    yield make
    for each in opened:
        each.http.close()


@pytest.fixture(scope="module")
def shared_rpc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    """A client of one engine for a module's tests that change nothing."""
    settings = EngineSettings(tmp_path_factory.mktemp("shared"), CHAIN_ID)
    with EmbeddedEngine(settings) as running:
        client = Rpc(running.rpc_url)
        yield client
        client.http.close()


@pytest.fixture
def rpc(engine: EmbeddedEngine, make_rpc: Callable[[str], Rpc]) -> Rpc:
    return make_rpc(engine.rpc_url)


@pytest.fixture
def start_host() -> Iterator[Callable[..., Host]]:
    started: list[Host] = []

    def start(data_dir: Path, *options: str, file_limit_kb: int = 0) -> Host:
        started.append(Host(data_dir, *options, file_limit_kb=file_limit_kb))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def kill() -> Callable[[int], None]:
    return lambda pid: os.kill(pid, signal.SIGKILL)
