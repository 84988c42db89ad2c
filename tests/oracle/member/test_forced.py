"""A reading that no member was given enters the stream once the chain asks for it."""

import time
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.enumerations import CarrierStatus
from contracts.hashing import keccak256
from node.engine import EmbeddedEngine
from oracle.member import forced
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import STREAM_ID, OraclePark, wait_until


@pytest.fixture(scope="module")
def park(
    engine: EmbeddedEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OraclePark]:
    with OraclePark(engine, tmp_path_factory.mktemp("forced")) as shared:
        yield shared


def force(park: OraclePark, raw: bytes) -> bytes:
    """Ask for a reading in the open; gives its digest."""
    park.sender.send(park.ledger.anchor.force_include(STREAM_ID, raw))
    digest = keccak256(raw)
    assert park.ledger.anchor.inclusion_due_of(STREAM_ID, digest) > park.now()
    return digest


def due(park: OraclePark, digest: bytes) -> int:
    return park.ledger.anchor.inclusion_due_of(STREAM_ID, digest)


def reading(device: DeviceSimulator) -> bytes:
    return device.next(ts=int(time.time()) - 60)


def figures(url: str) -> dict[str, float]:
    """Scrape a member: name and labels → value."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    return {
        "".join([sample.name, *sorted(sample.labels.values())]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class TestForcedReading:
    def test_is_taken_from_the_chain_batched_and_settled(self, park: OraclePark):
        device = park.device("asked")
        with park.running() as members:
            digest = force(park, reading(device))
            wait_until(lambda: due(park, digest) == 0, 40)
            wait_until(lambda: not members[3].follower.view.forced, 10)
            stored = members[0].inbox.stored.readings_of(
                device.identifier, 0, int(time.time())
            )
            assert [one.digest for one in stored] == [digest]
            assert stored[0].batch_seq is not None

    def test_that_fails_the_checks_stays_open_and_harms_nobody(self, park: OraclePark):
        device = park.device("revoked")
        call = park.ledger.carriers.set_status(
            device.identifier_hash, CarrierStatus.SUSPENDED, 0
        )
        park.govern("Identity Platform", call)
        good = park.device("good")
        device.next(ts=int(time.time()) - 90)
        with park.running() as members:
            bad = force(park, reading(device))
            digest = force(park, reading(good))
            wait_until(lambda: due(park, digest) == 0, 40)
            assert due(park, bad) > 0
            assert members[1].inbox.stored.counts()["dead_letters"] == 1
            wait_until(lambda: len(members[1].follower.view.forced) == 1)
            shown = figures(members[1].url)
            assert shown["carbon_forced_readings"] == 1
            assert shown["carbon_inbox_messages_totalrefused"] == 1
            assert shown["carbon_inbox_messages_totalaccepted"] >= 1

    def test_is_reached_behind_many_that_are_none(
        self, park: OraclePark, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(forced, "AT_ONCE", 1)
        device = park.device("patient")
        asked = [force(park, bytes([number]) * 9) for number in range(3)]
        asked.append(force(park, reading(device)))
        member = park.node(0)
        try:
            member.follower.follow()
            names = list(member.follower.view.forced)
            assert set(asked) <= set(names)
            for name in (*names, names[0]):
                assert member.forced._next(member.follower.view.forced) == [name]
            for _ in names:
                member.forced.step()
            found = member.inbox.stored.readings_of(device.identifier, 0, 1 << 40)
            assert [one.digest for one in found] == asked[-1:]
        finally:
            member.stop()
