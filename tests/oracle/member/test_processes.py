"""Four members as four processes: stopped, killed, restarted; nothing is lost."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contracts.events import decode
from oracle.inbox.results import Status, decode_results
from tests.servers.chain import Chain
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import STREAM_ID, OraclePark, wait_until

Processes = dict[int, "subprocess.Popen[bytes]"]


def recent(device: DeviceSimulator, count: int) -> list[bytes]:
    start = int(time.time()) - 3600
    return [device.next(ts=start + device.seq) for _ in range(count)]


def deliver(park: OraclePark, member: int, raws: list[bytes]) -> bool:
    """Send readings to a member as a carrier does; True if all are acknowledged."""
    url = f"http://127.0.0.1:{park.ports[member]}/readings/batch"
    try:
        answer = httpx.post(
            url,
            content=b"".join(raws),
            headers={"content-type": "application/cbor-seq"},
            timeout=5,
            trust_env=False,
        )
    except httpx.HTTPError:
        return False
    if answer.status_code != httpx.codes.OK:
        return False
    good = {Status.ACCEPTED, Status.REPLAYED}
    return all(result.status in good for result in decode_results(answer.content))


def anchored_refs(park: OraclePark, member: int) -> list[tuple[bytes, int]]:
    """Carrier and seq of everything in the batches of a member's database."""
    path = park.folder / f"member-{member}" / "member.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute(
            "SELECT c.identifier_hash, r.seq FROM readings r "
            "JOIN carriers c ON c.id = r.carrier_id "
            "WHERE r.batch_seq IS NOT NULL ORDER BY r.batch_seq, r.batch_index"
        ).fetchall()


def signed_reports(path: Path) -> dict[tuple[int, int], set[bytes]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT seq, rules_version, report_hash FROM signed_reports"
        ).fetchall()
    found: dict[tuple[int, int], set[bytes]] = {}
    for seq, version, report_hash in rows:
        found.setdefault((seq, version), set()).add(report_hash)
    return found


@pytest.fixture(scope="module")
def park(
    engine: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OraclePark]:
    with OraclePark(engine, tmp_path_factory.mktemp("processes")) as shared:
        yield shared


@pytest.fixture(scope="module")
def processes(park: OraclePark) -> Iterator[Processes]:
    """Four processes for all tests here; each starts again what it ended."""
    running: Processes = {}
    try:
        for index in range(4):
            running[index] = park.process(index)
        wait_until(lambda: all(park.status(index) for index in range(4)), 150)
        yield running
    finally:
        for process in running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)


class TestFourProcesses:
    def test_go_on_with_one_stopped_and_one_killed_in_turn(
        self, park: OraclePark, processes: Processes
    ):
        device = park.device("m")
        raws = recent(device, 10)
        wait_until(lambda: deliver(park, 0, raws), 20)
        wait_until(lambda: len(anchored_refs(park, 3)) == device.seq, 30)
        os.kill(processes[2].pid, signal.SIGSTOP)
        for _ in range(4):
            wanted = device.seq + 5
            assert deliver(park, 0, recent(device, 5))
            wait_until(lambda wanted=wanted: len(anchored_refs(park, 1)) == wanted, 30)
        os.kill(processes[2].pid, signal.SIGCONT)
        wait_until(lambda: len(anchored_refs(park, 2)) == device.seq, 30)
        processes[3].kill()
        processes[3].wait(10)
        assert deliver(park, 1, recent(device, 5))
        wait_until(lambda: len(anchored_refs(park, 0)) == device.seq, 30)
        processes[3] = park.process(3)

    def test_stop_when_they_are_asked_to(self, park: OraclePark, processes: Processes):
        processes[1].send_signal(signal.SIGTERM)
        assert processes[1].wait(15) == 0
        assert park.status(1) is None
        processes[1] = park.process(1)


class TestKills:
    CYCLES = 6

    def test_lose_nothing_double_nothing_and_never_sign_twice(
        self, park: OraclePark, processes: Processes
    ):
        """Seeded kills at random moments, between persisting and signing too."""
        chance = random.Random(20260)  # a schedule, no secret
        devices = [park.device(f"m{index}") for index in range(2)]
        raw = recent(devices[0], 1)
        wait_until(lambda: deliver(park, 0, raw), 20)
        acknowledged = {*anchored_refs(park, 0), (devices[0].identifier_hash, 0)}
        for _ in range(self.CYCLES):
            for device in devices:
                raws = recent(device, 20)
                first = device.seq - 20
                keys = {(device.identifier_hash, first + k) for k in range(20)}
                wait_until(
                    lambda raws=raws: deliver(park, chance.randrange(4), raws), 20
                )
                acknowledged |= keys
            time.sleep(chance.uniform(0.0, 0.8))
            victim = chance.randrange(4)
            wait_until(lambda victim=victim: park.status(victim), 60)
            processes[victim].kill()
            processes[victim].wait(10)
            processes[victim] = park.process(victim)
        for index in range(4):
            wait_until(
                lambda index=index: set(anchored_refs(park, index)) == acknowledged, 60
            )
            assert max(Counter(anchored_refs(park, index)).values()) == 1
        self.check_heads(park)

    def check_heads(self, park: OraclePark) -> None:
        """Every member signed at most one report a number: the one on the chain."""
        address = park.deployment.addresses["ReadingAnchor"]
        logs = park.client.logs(0, park.client.block_number(), [address])
        events = [decode(log) for log in logs]
        heads = {
            event.seq: event.head
            for event in events
            if type(event).__name__ == "BatchAnchored" and event.stream_id == STREAM_ID
        }
        assert sorted(heads) == list(range(len(heads)))
        for index in range(4):
            path = park.folder / f"member-{index}" / "member.db"
            for (seq, _), hashes in signed_reports(path).items():
                assert len(hashes) == 1
                if seq in heads:
                    assert hashes == {heads[seq]}
