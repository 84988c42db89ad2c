"""Readings of a member's inbox through the API."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from node.run import RunningNode
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.reading.suites import SoftwareSigner
from tests.servers.postgresql import PostgresqlServer
from tests.simulators.device import DOMAIN, START, STEP_S, DeviceSimulator, registry_of

DEVICE = DeviceSimulator("steel-meter-7")
COUNT = 8


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def inbox_address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path | str]:
    """A database for an inbox."""
    if request.param == "sqlite":
        yield tmp_path_factory.mktemp("inbox") / "inbox.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    with server.database() as url:
        yield url


@pytest.fixture(scope="module")
def inbox_setting(inbox_address: Path | str) -> dict[str, Path | str]:
    """The node's setting for an inbox that took in eight readings of one meter."""
    device = DeviceSimulator("steel-meter-7")
    signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    settings = InboxSettings(inbox_address, DOMAIN, workers=0)
    with Inbox(settings, registry_of(device), signer, lambda: START + 86_400) as inbox:
        inbox.submit(device.series(COUNT))
    is_file = isinstance(inbox_address, Path)
    return {"inbox_database" if is_file else "inbox_database_url": inbox_address}


@pytest.fixture(scope="module")
def enrolled(park: Any) -> Any:
    """The park, with the meter's carrier."""
    park.register_carrier(DEVICE.identifier, "steel")
    return park


@pytest.fixture(scope="module")
def node(
    open_node: Any,
    tmp_path_factory: pytest.TempPathFactory,
    inbox_setting: dict[str, Any],
    enrolled: Any,
) -> Iterator[RunningNode]:
    folder = tmp_path_factory.mktemp("node")
    with open_node(folder, **inbox_setting) as running:
        head = enrolled.client.block_number()
        give_up = time.monotonic() + 15
        while httpx.get(f"{running.url}/status").json()["indexed_block"] != head:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        yield running


def _question(**changes: Any) -> dict[str, Any]:
    whole = {"from_ts": START, "to_ts": START + 86_400}
    return {"identifier": DEVICE.identifier, **whole, **changes}


class TestReadings:
    def test_pages_hold_every_reading_once(self, visit: Any):
        visitor = visit("steel-second")
        page = visitor.get("/readings", **_question(limit=3)).json()
        found = page["items"]
        while page["next"] is not None:
            question = _question(limit=3, from_ts=page["next"])
            page = visitor.get("/readings", **question).json()
            found += page["items"]
        assert [one["seq"] for one in found] == list(range(COUNT))
        assert found[1]["ts"] == START + STEP_S

    def test_carry_the_signed_message(self, visit: Any):
        (first, *_) = (
            visit("auditor-first").get("/readings", **_question()).json()["items"]
        )
        assert first["raw"].startswith("0x84")
        assert first["batch_seq"] is None

    def test_of_others_are_refused(self, visit: Any):
        assert visit("glass-first").get("/readings", **_question()).status_code == 403

    def test_of_no_period_are_a_problem(self, visit: Any):
        answer = visit("steel-first").get("/readings", **_question(to_ts=START))
        assert (answer.status_code, "expected a period" in answer.text) == (422, True)

    def test_are_counted_for_everybody(self, visit: Any):
        counts = visit().get("/readings/status").json()["counts"]
        assert counts["readings"] == COUNT
