"""Kill -9 at seeded random moments while clients send: nothing acknowledged is lost."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

CYCLES = 8
SENDERS = 4
OPTIONS = ("--snapshot-every", "15", "--clock", "virtual")


class Client:
    """Sends one account's transactions and remembers what was acknowledged.

    What was not answered is sent again, byte for byte, in the next cycle.
    """

    def __init__(self, signer: Any) -> None:
        self.signer = signer
        self.unanswered = None
        self.acknowledged = {}

    def run(self, url: str, stop: threading.Event):
        with httpx.Client(trust_env=False, timeout=20) as http:
            while not stop.is_set():
                data = self.signer.nonce.to_bytes(2)
                self.unanswered = self.unanswered or self.signer.sign(data=data)
                request = {"jsonrpc": "2.0", "id": 1, "params": [self.unanswered]}
                request["method"] = "eth_sendRawTransaction"
                try:
                    answer = http.post(url, json=request).json()
                except (httpx.HTTPError, ValueError):
                    return
                if "result" not in answer:
                    assert answer["error"]["code"] == -32002, answer
                    continue
                self.acknowledged[answer["result"]] = self.unanswered
                self.unanswered = None


class Watcher:
    """Remembers every block hash it ever saw; a height has one hash for ever."""

    def __init__(self) -> None:
        self.seen = {}

    def run(self, url: str, stop: threading.Event):
        with httpx.Client(trust_env=False, timeout=20) as http:
            request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber"}
            request["params"] = ["latest", False]
            while not stop.is_set():
                try:
                    block = http.post(url, json=request).json()["result"]
                except (httpx.HTTPError, ValueError, KeyError):
                    return
                assert (
                    self.seen.setdefault(block["number"], block["hash"])
                    == (block["hash"])
                )
                time.sleep(0.002)


class Crowd:
    """Runs clients and watcher at once; their failures fail the test."""

    def __init__(self, url: str, parts: list[Any]) -> None:
        self.stop = threading.Event()
        self.pool = ThreadPoolExecutor(len(parts))
        self.runs = [self.pool.submit(part.run, url, self.stop) for part in parts]

    def join(self):
        self.stop.set()
        self.pool.shutdown()
        for each in self.runs:
            each.result()


def check_chain(rpc: Any, clients: Any, watcher: Any):
    """Hold what clients and watcher remember against the chain."""
    height = int(rpc.call("eth_blockNumber"), 16)
    mined = {}
    times = Counter()
    for number in range(1, height + 1):
        block = rpc.call("eth_getBlockByNumber", hex(number), True)
        assert watcher.seen.setdefault(block["number"], block["hash"]) == block["hash"]
        for each in block["transactions"]:
            times[each["hash"]] += 1
            mined[each["hash"]] = each
    assert set(times.values()) <= {1}
    for client in clients:
        for digest in client.acknowledged:
            assert mined[digest]["from"] == client.signer.address.lower()
            expected = int(mined[digest]["nonce"], 16).to_bytes(2)
            assert mined[digest]["input"] == "0x" + expected.hex()
        nonce = rpc.call("eth_getTransactionCount", client.signer.address, "latest")
        open_end = 1 if client.unanswered else 0
        assert 0 <= int(nonce, 16) - len(client.acknowledged) <= open_end


def count_acknowledged(clients: list[Any]) -> int:
    return sum(len(each.acknowledged) for each in clients)


def wait_for_an_acknowledgement(clients: list[Any]) -> None:
    before = count_acknowledged(clients)
    deadline = time.monotonic() + 10
    while count_acknowledged(clients) == before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def clients(make_signer: Callable[[int], Any]):
    return [Client(make_signer(number)) for number in range(1, SENDERS + 1)]


@pytest.mark.timeout(100)
class TestKill:
    def test_host_killed_again_and_again_loses_nothing(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        make_rpc: Callable[[str], Any],
        clients: Any,
        runs: Callable[[int], bool],
    ):
        moments = random.Random(20260)  # seeded moments, no secret
        watcher = Watcher()
        for cycle in range(CYCLES):
            # Every second time acknowledged transactions wait for their block.
            mode = ("--block-interval", "0.05") if cycle % 2 else ()
            host = start_host(tmp_path / "chain", *OPTIONS, *mode)
            anvil = host.anvil_pid
            crowd = Crowd(host.url, [*clients, watcher])
            wait_for_an_acknowledgement(clients)
            time.sleep(moments.uniform(0, 0.3))
            host.signal(signal.SIGKILL)
            crowd.join()
            deadline = time.monotonic() + 3
            while runs(anvil) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not runs(anvil)
        host = start_host(tmp_path / "chain", *OPTIONS)
        check_chain(make_rpc(host.url), clients, watcher)
        assert count_acknowledged(clients) >= CYCLES

    def test_engine_killed_again_and_again_loses_nothing(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        make_rpc: Callable[[str], Any],
        clients: Any,
        kill: Callable[[int], None],
    ):
        moments = random.Random(4)  # seeded moments, no secret
        watcher = Watcher()
        host = start_host(tmp_path / "chain", *OPTIONS)
        crowd = Crowd(host.url, [*clients, watcher])
        killed = set()
        for _ in range(CYCLES):
            time.sleep(moments.uniform(0.1, 0.4))
            killed.add(host.anvil_pid)
            kill(host.anvil_pid)
            deadline = time.monotonic() + 10
            while host_is_down(host, killed) and time.monotonic() < deadline:
                time.sleep(0.01)
        time.sleep(0.2)
        crowd.join()
        assert len(killed) == CYCLES
        rpc = make_rpc(host.url)
        before = rpc.block_hashes()
        check_chain(rpc, clients, watcher)
        host.signal(signal.SIGKILL)
        again = start_host(tmp_path / "chain", *OPTIONS)
        hashes = make_rpc(again.url).block_hashes()
        assert hashes[: len(before)] == before


def host_is_down(host: Any, killed: set[int]):
    try:
        return host.anvil_pid in killed
    except (FileNotFoundError, IndexError):
        return True
