"""Store and forward: signed once, kept until receipted, in order, one owner."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oracle.carrier.outbox import CarrierIdentity, Outbox, read_status
from oracle.carrier.sources import MeterReading
from oracle.errors import ConflictOutboxError
from oracle.reading.checks import Domain, authenticate, fold_readings
from tests.simulators.device import DOMAIN, START, DeviceSimulator, registry_of

ROOT = Path(__file__).resolve().parents[3]


def readings(count: int, first: int = 0) -> list[MeterReading]:
    places = range(first, first + count)
    return [MeterReading(START + 900 * n, ((1, 100 * n),)) for n in places]


@pytest.fixture
def device() -> DeviceSimulator:
    return DeviceSimulator()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def opened(file: Path, device: DeviceSimulator) -> Outbox:
    return Outbox(file, CarrierIdentity(device.identifier, DOMAIN), device.signer)


def facts(messages: list[bytes], device: DeviceSimulator) -> list[object]:
    registry = registry_of(device)
    authentic = [authenticate(raw, registry, DOMAIN) for raw in messages]
    return fold_readings(authentic, {})[0]


class TestAppend:
    def test_readings_become_a_linked_series(self, file: Path, device: DeviceSimulator):
        with opened(file, device) as outbox:
            assert outbox.append(readings(5), 900) == 5
            messages = [raw for _, raw in outbox.unsent(10)]

        assert facts(messages, device) == []

    def test_a_restart_continues_the_series(self, file: Path, device: DeviceSimulator):
        with opened(file, device) as outbox:
            outbox.append(readings(3))
        with opened(file, device) as outbox:
            outbox.append(readings(3, first=3))
            messages = outbox.unsent(10)

        assert [seq for seq, _ in messages] == list(range(6))
        assert facts([raw for _, raw in messages], device) == []

    def test_what_was_signed_is_not_signed_again(
        self, file: Path, device: DeviceSimulator
    ):
        with opened(file, device) as outbox:
            outbox.append(readings(3))
            before = outbox.unsent(10)

            assert outbox.append(readings(5)) == 2
            assert outbox.unsent(10)[:3] == before

    def test_a_failure_in_the_middle_stores_nothing(
        self, file: Path, device: DeviceSimulator
    ):
        broken = [*readings(2), MeterReading(START + 9000, ((2, 1), (1, 1)))]
        with opened(file, device) as outbox:
            with pytest.raises(Exception, match="ascend"):
                outbox.append(broken)

            assert outbox.status().next_seq == 0


class TestSettle:
    def test_receipted_and_refused_messages_are_not_sent_again(
        self, file: Path, device: DeviceSimulator
    ):
        with opened(file, device) as outbox:
            outbox.append(readings(4))
            outbox.settle({0: b"receipt", 2: b"receipt"}, {1: "check 5"})

            assert [seq for seq, _ in outbox.unsent(10)] == [3]
            status = outbox.status()
        assert (status.receipted, status.refused, status.unsent) == (2, 1, 1)

    def test_a_status_needs_no_key(self, file: Path, device: DeviceSimulator):
        with opened(file, device) as outbox:
            outbox.append(readings(4))
            expected = outbox.status()

        assert read_status(file) == (device.identifier, expected)

    def test_a_file_that_is_no_outbox_is_named(self, tmp_path: Path):
        with pytest.raises(ConflictOutboxError, match="no readable outbox"):
            read_status(tmp_path / "none.db")


class TestOwner:
    @pytest.mark.parametrize(
        "identity",
        [
            CarrierIdentity("88.100.1/other", DOMAIN),
            CarrierIdentity("88.100.1/meter-1", Domain(1, DOMAIN.carriers_address)),
            CarrierIdentity("88.100.1/meter-1", Domain(20260, "0x" + "77" * 20)),
        ],
        ids=["another carrier", "another chain", "another contract"],
    )
    def test_an_outbox_refuses_everyone_else(
        self, file: Path, device: DeviceSimulator, identity: CarrierIdentity
    ):
        opened(file, device).close()

        with pytest.raises(ConflictOutboxError, match="belongs to another carrier"):
            Outbox(file, identity, device.signer)

    def test_a_folder_that_is_missing_is_named(
        self, tmp_path: Path, device: DeviceSimulator
    ):
        with pytest.raises(ConflictOutboxError, match="check folder, rights and space"):
            opened(tmp_path / "missing" / "outbox.db", device)


SIGNER_PROCESS = """
import sys, itertools
from pathlib import Path
from oracle.carrier.outbox import CarrierIdentity, Outbox
from oracle.carrier.sources import MeterReading
from tests.simulators.device import DOMAIN, START, DeviceSimulator

device = DeviceSimulator()
identity = CarrierIdentity(device.identifier, DOMAIN)
outbox = Outbox(Path(sys.argv[1]), identity, device.signer)
first = outbox.status().next_seq
for n in itertools.count(first):
    outbox.append([MeterReading(START + 900 * n, ((1, n),))])
    print(n, outbox.unsent(10**9)[-1][1].hex(), flush=True)
"""


class TestPowerLoss:
    def test_no_message_that_could_have_left_is_lost_or_signed_anew(
        self, file: Path, device: DeviceSimulator
    ):
        chance, left = random.Random(7), {}  # a seeded test
        for _ in range(4):
            command = [sys.executable, "-c", SIGNER_PROCESS, str(file)]
            pipe = subprocess.PIPE
            with subprocess.Popen(command, cwd=ROOT, stdout=pipe, text=True) as process:
                process.stdout.readline()
                time.sleep(chance.uniform(0.0, 0.1))
                os.kill(process.pid, signal.SIGKILL)
                for line in process.stdout.read().splitlines()[:-1]:
                    seq, raw = line.split()
                    assert left.setdefault(int(seq), raw) == raw

        with opened(file, device) as outbox:
            stored = {seq: raw.hex() for seq, raw in outbox.unsent(10**6)}
        assert left
        assert left.items() <= stored.items()
        assert list(stored) == list(range(len(stored)))
        assert facts([bytes.fromhex(raw) for raw in stored.values()], device) == []
