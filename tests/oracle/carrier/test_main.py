"""The command line: make a key, replay a series into a real inbox, resume, look."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec

from oracle.inbox.app import create_app
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.reading.registry import CarrierRegistry, Epoch
from oracle.reading.suites import SoftwareSigner, Suite
from tests.simulators.device import DOMAIN, START, DeviceSimulator

ROOT = Path(__file__).resolve().parents[3]
ROWS = 200


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oracle.carrier", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.touch(0o600)
    file.write_text("correct horse battery\n")
    return file


@pytest.fixture
def public_key(tmp_path: Path, passphrase: Path) -> dict[str, str]:
    """A fresh key in `carrier.pem`; what the command printed of it."""
    key = tmp_path / "carrier.pem"
    made = run("new-key", key, "--passphrase-file", passphrase, "--json")
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.fixture
def member() -> SoftwareSigner:
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def inbox(
    tmp_path: Path, public_key: dict[str, str], member: SoftwareSigner
) -> Iterator[Inbox]:
    """An inbox that knows the fresh key."""
    kid = bytes.fromhex(public_key["key_id"])
    epoch = Epoch(0, Suite.ES256, bytes.fromhex(public_key["public_key"]), kid)
    record = replace(DeviceSimulator("steel").record, epochs=(epoch,))
    registry = CarrierRegistry({record.identifier_hash: record})
    settings = InboxSettings(tmp_path / "inbox.db", DOMAIN, workers=0)
    with Inbox(settings, registry, member, lambda: START) as one:
        yield one


@pytest.fixture
def url(inbox: Inbox, free_port: int) -> Iterator[str]:
    config = uvicorn.Config(
        create_app(inbox), host="127.0.0.1", port=free_port, log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{free_port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Two days and a bit of a meter, with the midnight label of its day."""
    file = tmp_path / "series.csv"
    rows = []
    for place in range(1, ROWS + 1):
        day, minute = 1 + (place - 1) // 96, place % 96 * 15
        label = f"{day:02}/01/2018 {minute // 60:02}:{minute % 60:02}"
        rows.append(f"{label},{place % 7}.25")
    file.write_text("\n".join(["date,Usage_kWh", *rows]) + "\n")
    return file


@pytest.fixture
def replay(tmp_path: Path, passphrase: Path, series: Path, url: str) -> list[object]:
    return [
        *("replay", series, "--url", url, "--identifier", "88.100.1/steel"),
        *("--key", tmp_path / "carrier.pem", "--passphrase-file", passphrase),
        *("--chain-id", DOMAIN.chain_id, "--carriers", DOMAIN.carriers_address),
        *("--outbox", tmp_path / "outbox.db", "--json"),
    ]


class TestReplay:
    def test_plays_a_series_into_an_inbox(self, replay: list[object], inbox: Inbox):
        done = run(*replay, "--start", "2024-01-01 00:00:00")

        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        assert (facts["readings"], facts["receipted"]) == (ROWS + 1, ROWS + 1)
        stored = inbox.stored.pending(1000)
        assert [one.seq for one in stored] == list(range(ROWS + 1))
        assert stored[0].ts == 1_704_067_200

    def test_resumes_where_it_stopped(
        self, replay: list[object], inbox: Inbox, tmp_path: Path
    ):
        run(*replay, "--rows", 50)

        done = run(*replay)

        assert json.loads(done.stdout)["sent_now"] == ROWS - 50
        status = run("status", tmp_path / "outbox.db", "--json")
        assert json.loads(status.stdout)["unsent"] == 0
        assert inbox.stored.counts()["readings"] == ROWS + 1


class TestMemberKey:
    def test_receipts_of_the_member_settle(
        self, replay: list[object], inbox: Inbox, member: SoftwareSigner
    ):
        done = run(*replay, "--rows", 3, "--member-key", member.public_key.hex())

        assert json.loads(done.stdout)["receipted"] == 4
        assert inbox.stored.counts()["readings"] == 4

    def test_receipts_of_another_key_do_not(self, replay: list[object]):
        stranger = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))

        done = run(*replay, "--rows", 3, "--member-key", stranger.public_key.hex())

        assert done.returncode == 1
        assert "not the member's" in done.stderr


class TestErrors:
    def test_are_one_sentence_and_an_exit_code(
        self, tmp_path: Path, passphrase: Path, public_key: dict[str, str]
    ):
        key = tmp_path / "carrier.pem"

        again = run("new-key", key, "--passphrase-file", passphrase)

        assert public_key["suite"] == "ES256"
        assert again.returncode == 1
        assert "never overwritten" in again.stderr
        assert "Traceback" not in again.stderr

    def test_a_missing_outbox_is_named(self, tmp_path: Path):
        looked = run("status", tmp_path / "none.db")

        assert looked.returncode == 1
        assert "no readable outbox" in looked.stderr
