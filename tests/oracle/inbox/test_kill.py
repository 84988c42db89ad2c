"""`kill -9` at random moments: what was acknowledged is there, once, unchanged."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from oracle.inbox.results import Status, decode_results
from oracle.inbox.store import open_engine
from oracle.reading.sequence import join_sequence
from tests.oracle.inbox.conftest import AddressOf
from tests.simulators.device import DeviceSimulator

CYCLES = {"sqlite": 7, "postgresql": 3}
DEVICES = 4
ROOT = Path(__file__).resolve().parents[3]


class Sender(threading.Thread):
    """Sends batches without end, and again whatever was not acknowledged."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.devices = [DeviceSimulator(f"meter-{n}") for n in range(DEVICES)]
        self.acknowledged: set[bytes] = set()
        self.sent: list[bytes] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        unsent: list[bytes] = []
        while not self.is_over.is_set():
            if not unsent:
                unsent = [raw for one in self.devices for raw in one.series(10)]
                self.sent += unsent
            if self._send(unsent):
                self.acknowledged.update(unsent)
                unsent = []

    def wait_for_more(self) -> None:
        """Wait until another batch is acknowledged."""
        before, deadline = len(self.acknowledged), time.monotonic() + 10
        while len(self.acknowledged) == before and time.monotonic() < deadline:
            time.sleep(0.01)

    def _send(self, messages: list[bytes]) -> bool:
        url = f"http://127.0.0.1:{self.port}/readings/batch"
        headers = {"content-type": "application/cbor-seq"}
        body = join_sequence(messages)
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.05)
            return False
        assert answer.status_code == 200
        good = {Status.ACCEPTED, Status.REPLAYED}
        assert {one.status for one in decode_results(answer.content)} <= good
        return True


def start(database: Path | str, port: int, workers: int) -> subprocess.Popen:
    arguments = [str(database), str(port), str(DEVICES), str(workers)]
    command = [sys.executable, "-m", "tests.simulators.inbox_process", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return process
    process.kill()
    raise AssertionError("the inbox did not start within 10 s")


@pytest.mark.parametrize(
    ("address_of", "cycles"), CYCLES.items(), indirect=["address_of"]
)
def test_no_acknowledged_reading_is_lost_doubled_or_altered(
    address_of: AddressOf, cycles: int, free_port: int
):
    database, chance = address_of("inbox.db"), random.Random(20260)
    sender = Sender(free_port)
    sender.start()
    grown = []
    try:
        for cycle in range(cycles):
            process = start(database, free_port, workers=cycle % 2)
            if cycle < cycles - 1:
                sender.wait_for_more()
            time.sleep(chance.uniform(0.0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            grown.append(len(sender.acknowledged))
    finally:
        sender.is_over.set()
        sender.join(10)

    engine = open_engine(database)
    with engine.connect() as connection:
        stored = list(connection.exec_driver_sql("SELECT raw FROM readings").scalars())
    engine.dispose()
    assert grown[-1] > grown[0] > 0
    assert len(stored) == len(set(stored))
    assert sender.acknowledged <= set(stored)
    assert set(stored) <= set(sender.sent)


def test_workers_end_with_their_killed_parent(tmp_path: Path, free_port: int):
    process = start(tmp_path / "inbox.db", free_port, workers=2)
    device = DeviceSimulator("meter-0")
    httpx.post(
        f"http://127.0.0.1:{free_port}/readings",
        content=device.next(),
        headers={"content-type": "application/cose"},
    )
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    children = [
        int(pid) for task in threads for pid in (task / "children").read_text().split()
    ]

    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    assert children
    for pid in children:
        assert ends(pid)


def ends(pid: int) -> bool:
    """Wait for a process that is not our child to end."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split(") ")[1][0] == "Z":
            return True
        time.sleep(0.05)
    return False
