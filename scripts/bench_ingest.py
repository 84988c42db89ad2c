"""Measure ingest: verified, committed readings a second ÷ raw verifications a second.

Both figures come from one run on one machine with one library. They alternate, and
each ingest is compared with the raw rates just before and after it, so that a machine
whose speed drifts is compared with itself:

    raw      one process a core, each verifying one P-256 signature again and again
    ingest   a real inbox behind HTTP on loopback, a client in its own process that
             sends signed readings in batches, counted when they are acknowledged
"""

import contextlib
import json
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from itertools import pairwise
from multiprocessing.pool import Pool
from pathlib import Path

import httpx
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from accounting.channels import Channel, ChannelTable
from contracts.hashing import keccak256
from oracle.inbox.app import create_app
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.inbox.results import Status, decode_results
from oracle.reading.checks import CheckRules, Domain
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    external_aad,
    prev_link,
    sign_message,
)
from oracle.reading.registry import CarrierRecord, CarrierRegistry, CarrierStatus, Epoch
from oracle.reading.sequence import join_sequence
from oracle.reading.suites import SoftwareSigner, key_id_of

DOMAIN = Domain(20260, "0x00000000000000000000000000000000000000c4")
SPAWN = multiprocessing.get_context("spawn")
CARRIERS = 100
BATCH_MESSAGES = 500
CLIENTS = 10
ROUNDS = 5
START = 1_704_038_400
STEP_S = 900
_CHANNEL = Channel(
    1,
    "active energy",
    "kWh",
    Fraction(1, 100),
    10**10,
    Fraction(1000),
    "carrier-signed",
)


def measure_ingest(seconds: float = 1.5, readings: int = 300_000) -> dict[str, float]:
    """Measure raw verification and ingest in alternating rounds.

    Args:
        seconds: Length of each measurement of the raw rate. [s]
        readings: Readings of all rounds together.

    Returns:
        `ingest_per_s`, `raw_verify_per_s` and `ingest_efficiency` (medians).
    """
    registry, shares = _signed_bodies(readings)
    step = (len(shares[0]) - 1) // ROUNDS
    ingest_rates = []
    with SPAWN.Pool(_cores()) as cores, _served(registry) as url, _clients() as clients:
        send = partial(_ingest, clients, f"{url}/readings/batch")
        send([share[:1] for share in shares])  # starts workers and caches
        raw_rates = [_raw_rate(cores, seconds)]
        for first in range(1, ROUNDS * step + 1, step):
            parts = [share[first : first + step] for share in shares]
            ingest_rates.append(send(parts))
            raw_rates.append(_raw_rate(cores, seconds))
    beside = [(one + two) / 2 for one, two in pairwise(raw_rates)]
    ratios = [one / raw for one, raw in zip(ingest_rates, beside, strict=True)]
    return {
        "ingest_per_s": round(statistics.median(ingest_rates), 1),
        "raw_verify_per_s": round(statistics.median(raw_rates), 1),
        "ingest_efficiency": round(statistics.median(ratios), 4),
    }


def _cores() -> int:
    return os.cpu_count() or 1


def _raw_rate(cores: Pool, seconds: float) -> float:
    """Verifications a second of all cores at once."""
    return sum(cores.map(_verify_for, [seconds] * _cores(), 1))


def _verify_for(seconds: float) -> float:
    """Verify one signature again and again; verifications a second."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm, data = ec.ECDSA(hashes.SHA256()), bytes(200)
    signature, public = key.sign(data, algorithm), key.public_key()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(100):
            public.verify(signature, data, algorithm)
        count += 100
    return count / (time.perf_counter() - start)


@contextlib.contextmanager
def _clients() -> Iterator[list[httpx.Client]]:
    """Open the clients once: to set one up costs what a thousand readings do."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(httpx.Client(timeout=120)) for _ in range(CLIENTS)]


def _ingest(clients: list[httpx.Client], url: str, shares: list[list[bytes]]) -> float:
    """Send from several clients, each in order; acknowledged readings a second."""

    def send_all(client: httpx.Client, bodies: list[bytes]) -> int:
        return sum(_send(client, url, body) for body in bodies)

    with ThreadPoolExecutor(len(shares)) as threads:
        start = time.perf_counter()
        counts = threads.map(send_all, clients, shares)
        return sum(counts) / (time.perf_counter() - start)


def _send(client: httpx.Client, url: str, body: bytes) -> int:
    """Send one batch; the number of readings that were acknowledged as new."""
    headers = {"content-type": "application/cbor-seq"}
    answer = client.post(url, content=body, headers=headers)
    answer.raise_for_status()
    results = decode_results(answer.content)
    return sum(one.status is Status.ACCEPTED for one in results)


def _signed_bodies(readings: int) -> tuple[CarrierRegistry, list[list[bytes]]]:
    """Sign a series for every carrier; each client has its carriers' batches."""
    records = {}
    shares: list[list[bytes]] = []
    for client in range(CLIENTS):
        series = []
        for number in range(CARRIERS // CLIENTS):
            signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
            record = _record(f"88.100.{client}/meter-{number}", signer)
            records[record.identifier_hash] = record
            series.append(_series(record, signer, readings // CARRIERS))
        mixed = [raw for row in zip(*series, strict=True) for raw in row]
        starts = range(0, len(mixed), BATCH_MESSAGES)
        shares.append([join_sequence(mixed[at : at + BATCH_MESSAGES]) for at in starts])
    return CarrierRegistry(records), shares


def _record(identifier: str, signer: SoftwareSigner) -> CarrierRecord:
    table = ChannelTable(identifier, (_CHANNEL,))
    kid = key_id_of(signer.suite, signer.public_key)
    return CarrierRecord(
        identifier=identifier,
        identifier_hash=keccak256(identifier.encode()),
        owner_account="0x00000000000000000000000000000000000000e1",
        status=CarrierStatus.ACTIVE,
        cutoff_seq=None,
        epochs=(Epoch(0, signer.suite, signer.public_key, kid),),
        channel_table=table,
        channel_table_hash=keccak256(table.to_bytes()),
    )


def _series(record: CarrierRecord, signer: SoftwareSigner, count: int) -> list[bytes]:
    name, kid = record.identifier_hash, record.epochs[0].kid
    aad = external_aad(DOMAIN.chain_id, DOMAIN.carriers_address, name)
    messages, prev = [], NO_PREV
    for seq in range(count):
        ts = START + seq * STEP_S
        raw = sign_message(Reading(kid, seq, ts, ((1, 25 * seq),), prev), signer, aad)
        messages.append(raw)
        prev = prev_link(raw)
    return messages


@contextlib.contextmanager
def _served(registry: CarrierRegistry) -> Iterator[str]:
    """Run an inbox process on a temporary database and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "inbox.db"
        server = SPAWN.Process(target=_serve, args=(database, registry, port))
        server.start()
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(url, server.is_alive)
            yield url
        finally:
            server.terminate()
            server.join(30)


def _serve(database: Path, registry: CarrierRegistry, port: int) -> None:
    member = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
    punctual = CheckRules(window_s=10**9)  # the series counts as sent in time
    settings = InboxSettings(database, DOMAIN, punctual)
    with Inbox(settings, registry, member, lambda: int(time.time())) as inbox:
        uvicorn.run(create_app(inbox), host="127.0.0.1", port=port, log_level="error")


def _wait_for(url: str, is_alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{url}/health", timeout=5)
        except httpx.TransportError:
            if time.monotonic() > deadline or not is_alive():
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    print(json.dumps(measure_ingest()))
