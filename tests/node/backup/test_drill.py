"""A restore drill: back up while readings flow, lose everything, restore, go on."""

import hashlib
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from node.config import load_settings
from node.run import run_node
from oracle.inbox.results import Status, decode_results
from tests.node.backup.conftest import House
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import wait_until

A_REQUEST = 8
"""Readings of one delivery."""


class Flow:
    """Delivers readings one request after the other, and keeps what was acknowledged."""

    def __init__(self, house: House, device: DeviceSimulator) -> None:
        self._url = f"http://127.0.0.1:{house.park.ports[0]}/readings/batch"
        self._device = device
        self.acknowledged: list[tuple[float, bytes]] = []
        """When each reading was acknowledged, and its SHA-256."""

    def deliver(self) -> None:
        raws = self._device.series(A_REQUEST)
        headers = {"content-type": "application/cbor-seq"}
        body = b"".join(raws)
        answer = httpx.post(
            self._url, content=body, headers=headers, timeout=20, trust_env=False
        )
        statuses = {one.status for one in decode_results(answer.content)}
        assert statuses == {Status.ACCEPTED}
        now = time.time()
        self.acknowledged += [(now, hashlib.sha256(raw).digest()) for raw in raws]

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                self.deliver()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def stored(database: Path) -> set[bytes]:
    with closing(sqlite3.connect(database)) as member:
        return {
            hashlib.sha256(raw).digest()
            for (raw,) in member.execute("SELECT raw FROM readings")
        }


def test_a_node_lost_while_readings_flow_is_back_from_its_backup(
    house: House, run: Any, key: tuple[Path, str], tmp_path: Path
):
    identity, recipient = key
    device = house.park.device("m1")
    flow = Flow(house, device)
    archive, target = tmp_path / "one.backup", tmp_path / "restored"
    with house.park.running():
        wait_until(lambda: house.park.status(0))
        flow.deliver()
        wait_until(lambda: house.park.anchored() > 0)
        with flow.running():
            wait_until(lambda: len(flow.acknowledged) > 10 * A_REQUEST)
            begun = time.time()
            words = ("--config", house.config, "--recipient", recipient, archive)
            code, out, err = run("backup", *words)
            assert (code, err) == (0, "")
            wait_until(lambda: len(flow.acknowledged) > 20 * A_REQUEST)
    lost_at = time.time()

    code, out, err = run("restore", archive, "--to", target, "--identity", identity)

    assert (code, "rows equal a fresh index" in out) == (0, True), err
    kept = stored(target / "member" / "data" / "member.db")
    before = {digest for at, digest in flow.acknowledged if at < begun}
    everything = {digest for _, digest in flow.acknowledged}
    assert before <= kept <= everything | {d for d in kept if d not in everything}
    took = re.search(r"restored in ([\d.]+) s", out)
    assert took is not None
    lost = [at for at, digest in flow.acknowledged if digest not in kept]
    print(  # noqa: T201  # the drill's result
        f"\nrestore drill: recovery time {took[1]} s; recovery point "
        f"{lost_at - min(lost, default=lost_at):.1f} s before the loss, "
        f"{len(lost)} of {len(everything)} acknowledged readings are later than it"
    )
    with run_node(load_settings(target / "node.toml")) as node:
        status = httpx.get(f"{node.url}/status", trust_env=False).json()
        assert status
