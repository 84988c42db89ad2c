"""Measure what one reading, carrier, event and batch costs, in processor time.

``docs/scaling.md`` is made from these figures. Processor time is taken, not wall time,
so other programs on the machine disturb them little; one core does the work. Disk and
memory are those of real files and of this process.

    python -m scripts.measure_costs [READINGS] [CARRIERS]
"""

import gc
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from eth_abi import encode

from contracts.events import (
    EVENTS,
    BatchAnchored,
    CarrierRegistered,
    decode,
    event_fields,
    event_signature,
)
from contracts.hashing import keccak256
from contracts.solidity import to_abi
from contracts.structs import BatchReport
from node.ledger.project import rows_of
from node.store.database import open_database
from node.store.write import insert_new
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.inbox.worker import verify_chunk
from oracle.member.intake import MemberIntake
from oracle.member.proposal import tree_of
from oracle.member.recheck import reauthenticate
from oracle.member.refs import ReadingRef
from oracle.reading.checks import CheckRules
from oracle.reading.registry import CarrierRegistry
from oracle.reading.sequence import split_sequence
from oracle.reading.suites import SoftwareSigner
from scripts.bench_disk import measure_disk, memory_bytes
from scripts.bench_gas import measure_gas
from scripts.bench_ingest import DOMAIN, _signed_bodies
from scripts.bench_proofs import measure_proofs

MICRO = 1e6
BATCH = 4096
EVENT_COUNT = 20_000
STREAM = bytes(31) + b"\x01"


def measure_costs(readings: int = 40_000, carriers: int = 100_000) -> dict[str, float]:
    """Measure every cost.

    Args:
        readings: Readings that are signed, verified, stored and batched.
        carriers: Carriers of the registry.

    Returns:
        Figures, the unit in each name.
    """
    figures: dict[str, float] = {}
    for step in (
        lambda: _readings(readings),
        lambda: _registry(carriers),
        _events,
        lambda: measure_proofs(1.0),
        lambda: measure_disk(readings),
        measure_gas,
    ):
        gc.collect()
        figures |= step()
    return figures


@contextmanager
def _spent(figures: dict[str, float], name: str, count: int) -> Iterator[None]:
    """Note processor time a thing. [µs]"""  # noqa: D415  # the unit ends the line
    start = time.process_time()
    yield
    spent = time.process_time() - start
    figures[f"{name}_us"] = round(spent / count * MICRO, 3)


def _readings(count: int) -> dict[str, float]:
    """Costs of one reading on its way through one member."""
    figures: dict[str, float] = {}
    with _spent(figures, "reading_sign", count):
        registry, shares = _signed_bodies(count)
    messages = [m for share in shares for b in share for m in split_sequence(b)[0]]
    count = len(messages)
    figures["reading_bytes"] = round(sum(map(len, messages)) / count, 1)
    with _spent(figures, "reading_verify", count):
        verify_chunk(messages, registry, DOMAIN)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "member.db"
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        settings = InboxSettings(
            database, DOMAIN, CheckRules(window_s=10**9), workers=0
        )
        with Inbox(settings, registry, signer, lambda: int(time.time())) as inbox:
            with _spent(figures, "reading_verify_and_store", count):
                for start in range(0, count, 500):
                    inbox.submit(messages[start : start + 500])
            _batches(figures, inbox, database, registry, count)
            with _spent(figures, "carrier_watch", len(registry.carriers)):
                inbox.stored.last_arrivals()
    return figures


def _batches(
    figures: dict[str, float],
    inbox: Inbox,
    database: Path,
    registry: CarrierRegistry,
    count: int,
) -> None:
    """Costs of one reading in a batch: list, check again, tree, mark."""
    intake = MemberIntake(inbox, database)
    with _spent(figures, "reading_list", count):
        stored = inbox.stored.pending(count)
    with _spent(figures, "reading_check_again", count):
        for one in stored:
            reauthenticate(one.raw, one.digest, registry)
    refs = [ReadingRef(s.identifier_hash, s.seq, s.digest) for s in stored]
    rows = [(s.identifier_hash, s.seq, s.digest) for s in stored]
    with _spent(figures, "reading_tree", count):
        for seq, start in enumerate(range(0, count, BATCH)):
            tree_of(STREAM, seq, rows[start : start + BATCH])
    with _spent(figures, "reading_mark", count):
        for seq, start in enumerate(range(0, count, BATCH)):
            intake.mark_batched(STREAM, seq, refs[start : start + BATCH])


def _registry(count: int) -> dict[str, float]:
    """Costs of one carrier in the registry that every member keeps in memory."""
    figures: dict[str, float] = {}
    before = memory_bytes()
    events = [_registration(number) for number in range(count)]
    after = memory_bytes()
    with _spent(figures, "carrier_register", count):
        registry = CarrierRegistry().apply_all(events)
    figures["carriermemory_bytes"] = round((memory_bytes() - after) / count, 1)
    figures["carrier_eventmemory_bytes"] = round((after - before) / count, 1)
    with _spent(figures, "carrier_root", count):
        registry.root()
    with _spent(figures, "carrier_root_after_one_change", count):
        registry.apply_all([_registration(count)]).root()
    with _spent(figures, "carrier_to_a_worker", count):
        sent = pickle.dumps(CarrierRegistry(registry.carriers), protocol=5)
    figures["carrier_to_a_worker_bytes"] = round(len(sent) / count, 1)
    return figures


def _registration(number: int) -> CarrierRegistered:
    identifier = f"88.100.1/meter-{number}"
    key = number.to_bytes(64, "big")
    where = {"address": "0x" + "11" * 20, "block_number": 1}
    return CarrierRegistered(
        id_hash=keccak256(identifier.encode()),
        owner="0x" + "22" * 20,
        identifier=identifier,
        suite=1,
        public_key=key,
        channel_table=b"{}",
        tx_hash=bytes(32),
        log_index=number,
        **where,
    )


def _events() -> dict[str, float]:
    """Cost of one event in the index: decode, project, insert, commit."""
    figures: dict[str, float] = {}
    logs = [_log(number) for number in range(EVENT_COUNT)]
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/node.sqlite")
        with _spent(figures, "event_index", EVENT_COUNT):
            for start in range(0, EVENT_COUNT, 2_000):
                decoded = [decode(log) for log in logs[start : start + 2_000]]
                rows = rows_of(event for event in decoded if event is not None)
                with database.begin() as connection:
                    for table, values in rows.items():
                        connection.execute(insert_new(connection, table), values)
        size = Path(folder, "node.sqlite").stat().st_size
        database.close()
    figures["event_bytes"] = round(size / EVENT_COUNT, 1)
    return figures


def _log(number: int) -> dict[str, Any]:
    """An anchored batch as the chain logs it: the longest event that is frequent."""
    values = {one.name: STREAM for one in fields(BatchReport)}
    names = ("seq", "leaf_count", "log_size", "ref_block_number", "first_ts")
    numbers = dict.fromkeys((*names, "last_ts", "rules_version"), number)
    report = BatchReport(**values | numbers)  # type: ignore[arg-type]  # plain values
    members = event_fields(BatchAnchored)
    data = encode([m.type for m in members], [to_abi(report), 7])
    topic = keccak256(event_signature(BatchAnchored).encode())
    assert topic in EVENTS  # noqa: S101  # a measurement of nothing would be worse
    return {
        "address": "0x" + "ab" * 20,
        "topics": ["0x" + topic.hex()],
        "data": "0x" + data.hex(),
        "blockNumber": hex(number),
        "transactionHash": "0x" + "11" * 32,
        "logIndex": "0x0",
    }


def main() -> None:
    """Measure and print."""
    given = [int(word) for word in sys.argv[1:]]
    run: Callable[..., dict[str, float]] = measure_costs
    print(json.dumps(run(*given), indent=1))


if __name__ == "__main__":
    main()
