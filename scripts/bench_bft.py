"""Anchored readings a second on five validators ÷ on one embedded engine, in one run.

    carriers ─HTTP─► four members (processes) ─► batches of up to 4,096 ─► chain

The same work goes the same way on both: signed readings are sent to all members at
once, each verifies all of them, leaders cut batches, a quorum signs, one transaction
anchors. The clock runs from the first byte sent to the block of the last batch. The
embedded engine is measured before and after the network, so that a machine whose speed
drifts is compared with itself; chains and members are started before the clock.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import httpx

from contracts.typed_data import address_of
from node.engine import EmbeddedEngine, EngineSettings
from node.network.local import LocalNetwork
from oracle.inbox.results import Status, decode_results
from oracle.reading.sequence import join_sequence
from tests.faults.field import ChainAddress
from tests.faults.findings import anchored_batches
from tests.faults.hosts import Host, wait_for
from tests.servers.chain import CHAIN_ID, FAUCET, VALIDATORS
from tests.simulators.oracle_park import (
    MEMBERS,
    STREAM_ID,
    OraclePark,
    settings_toml,
)

CARRIERS = 8
BODY_READINGS = 512
MAX_BATCH = 4096
WINDOW_S = 1.0
ROUND_S = 30.0
"""Long enough that no leader is taken for silent while all are at work. [s]"""
LONGEST_S = 300.0
"""How long the first batch may take. [s]"""
AGO_S = 86_400


def measure_bft(readings: int = 12_288) -> dict[str, float]:
    """Anchor the same work on one engine and on five validators.

    Args:
        readings: How many readings, in batches of up to 4,096.

    Returns:
        `anchored_per_s_bft`, `anchored_per_s_embedded` (mean of both) and `bft_ratio`.
    """
    rates = []
    for engine in (_embedded, _five_validators, _embedded):
        with tempfile.TemporaryDirectory() as folder, engine(Path(folder)) as url:
            rates.append(_rate(Path(folder), url, readings))
    embedded = (rates[0] + rates[2]) / 2
    return {
        "anchored_per_s_bft": round(rates[1], 1),
        "anchored_per_s_embedded": round(embedded, 1),
        "bft_ratio": round(rates[1] / embedded, 4),
    }


@contextmanager
def _embedded(folder: Path) -> Iterator[str]:
    with EmbeddedEngine(EngineSettings(folder / "chain", CHAIN_ID)) as engine:
        yield engine.rpc_url


@contextmanager
def _five_validators(folder: Path) -> Iterator[str]:
    funded = [address_of(FAUCET.public_key)]
    with LocalNetwork.create(
        folder / "network", VALIDATORS, funded, chain_id=CHAIN_ID
    ) as network:
        yield network.rpc_url()


def _rate(folder: Path, url: str, readings: int) -> float:
    """Anchored readings a second of four members on a chain."""
    with ExitStack() as stack:
        park = stack.enter_context(OraclePark(ChainAddress(url), folder))  # type: ignore[arg-type]  # it asks for no more
        shares = _shares(park, readings + len(MEMBERS) * BODY_READINGS)
        for index in range(len(MEMBERS)):
            stack.enter_context(_member(park, index))
        wait_for(lambda: all(park.status(index) for index in range(len(MEMBERS))))
        first = len(shares) * BODY_READINGS
        _anchor(park, [share[:1] for share in shares], first, LONGEST_S)
        started = time.monotonic()
        _anchor(park, [share[1:] for share in shares], first + readings, ROUND_S)
        return readings / (time.monotonic() - started)


def _anchor(
    park: OraclePark, shares: Sequence[Sequence[bytes]], total: int, longest_s: float
) -> None:
    """Send shares to all members at once, and wait until the chain has so many."""
    with ThreadPoolExecutor(len(shares)) as threads:
        urls = [f"http://127.0.0.1:{port}" for port in park.ports]
        list(threads.map(_send, urls, shares))
    wait_for(lambda: _anchored(park) == total, longest_s, 0.1)


@contextmanager
def _member(park: OraclePark, index: int) -> Iterator[None]:
    """Run a member as a process, verifying in place: the cores are few."""
    pace = {"window_s": WINDOW_S, "timeout_s": ROUND_S, "max_batch": MAX_BATCH}
    settings = park.settings(index, **pace)
    path = park.folder / f"member-{index}.toml"
    path.write_text(settings_toml(settings))
    host = Host("member", settings.data_dir, "run", "--config", path)
    host.start()
    try:
        yield
    finally:
        host.end()


def _shares(park: OraclePark, readings: int) -> list[list[bytes]]:
    """Sign everything beforehand; each member's share as bodies of requests."""
    start = int(time.time()) - AGO_S
    shares: list[list[bytes]] = []
    each = readings // CARRIERS
    for number in range(CARRIERS):
        device = park.device(f"meter-{number}")
        series = [device.next(ts=start + seq) for seq in range(each)]
        parts = range(0, each, BODY_READINGS)
        shares.append([join_sequence(series[at : at + BODY_READINGS]) for at in parts])
    count = len(MEMBERS)
    return [list(chain.from_iterable(shares[m::count])) for m in range(count)]


def _send(url: str, bodies: Sequence[bytes]) -> None:
    """Send a share in order; what a member does not know yet is sent again."""
    headers = {"content-type": "application/cbor-seq"}
    with httpx.Client(timeout=LONGEST_S, trust_env=False) as client:
        for body in bodies:
            while True:
                answer = client.post(
                    f"{url}/readings/batch", content=body, headers=headers
                )
                results = decode_results(answer.raise_for_status().content)
                if all(one.status is not Status.REFUSED for one in results):
                    break
                time.sleep(0.05)


def _anchored(park: OraclePark) -> int:
    """Readings in the batches on the chain."""
    anchor = park.deployment.addresses["ReadingAnchor"]
    batches = anchored_batches(park.client, anchor, STREAM_ID)
    return sum(one.report.leaf_count for one in batches)


if __name__ == "__main__":
    print(json.dumps(measure_bft(), indent=1))
