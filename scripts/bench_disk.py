"""Measure what a reading costs on disk and in memory, where it stays for ever.

A real inbox takes signed readings, the member's own code adopts them in batches, the
database is compacted, and its file is measured:

    raw row      the signed message, its digest (32 bytes) and the numbers of its row as
                 plain integers: 8 bytes for row, seq, ts, received_at, receipt and
                 batch, 4 bytes for carrier and place in the batch
    disk_ratio   bytes of the compacted file a reading ÷ bytes of the raw row

What the file holds beside the raw rows: receipts, two indexes, carriers, batches.
Memory is what the process grew by from the first half of the readings to the end, per
million of them: it counts the page cache of SQLite, which stops growing at 64 MiB.
"""

import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from contracts.structs import BatchReport
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.member.intake import MemberIntake
from oracle.member.refs import ReadingRef
from oracle.member.store import AnchoredBatch, MemberStore
from oracle.reading.checks import CheckRules
from oracle.reading.sequence import split_sequence
from oracle.reading.suites import SoftwareSigner
from scripts.bench_ingest import DOMAIN, _signed_bodies

BATCH_READINGS = 4096
LONG, SHORT = 8, 4
RAW_INTEGERS_BYTES = 6 * LONG + 2 * SHORT
DIGEST_BYTES = 32
STREAM = bytes(31) + b"\x01"
MILLION = 1_000_000


def measure_disk(readings: int = 60_000) -> dict[str, float]:
    """Store readings as a member does and measure its database.

    Args:
        readings: How many.

    Returns:
        `disk_ratio`, `disk_bytes_per_reading`, `raw_row_bytes`, and megabytes of disk
        and memory per million readings.
    """
    registry, shares = _signed_bodies(readings)
    bodies = [body for share in shares for body in share]
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "member.db"
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        punctual = CheckRules(window_s=10**9)  # the series counts as sent in time
        settings = InboxSettings(database, DOMAIN, punctual, workers=0)
        with Inbox(settings, registry, signer, lambda: int(time.time())) as inbox:
            for half in (bodies[: len(bodies) // 2], bodies[len(bodies) // 2 :]):
                before = memory_bytes()
                _take(half, inbox, database)
            grown = memory_bytes() - before
        count, message_bytes = _compact(database)
        disk = database.stat().st_size / count
    raw = message_bytes + DIGEST_BYTES + RAW_INTEGERS_BYTES
    return {
        "disk_bytes_per_reading": round(disk, 1),
        "raw_row_bytes": round(raw, 1),
        "disk_ratio": round(disk / raw, 4),
        "disk_mb_per_million_readings": round(disk * MILLION / 1e6, 1),
        "memory_mb_per_million_readings": round(grown / (count / 2) * MILLION / 1e6, 1),
    }


def _take(bodies: list[bytes], inbox: Inbox, database: Path) -> None:
    """Store readings and adopt them in batches, as a follower of the chain does."""
    for body in bodies:
        inbox.submit(split_sequence(body)[0])
    intake, store = MemberIntake(inbox, database), MemberStore(inbox.engine, database)
    for seq, refs in enumerate(_batches(inbox), len(store.heads())):
        report = _report(seq, len(refs))
        store.adopt(AnchoredBatch(report, bytes(32), refs, bytes(32)), {})
        intake.mark_batched(STREAM, seq, refs)


def _batches(inbox: Inbox) -> Iterator[tuple[ReadingRef, ...]]:
    while waiting := inbox.stored.pending(BATCH_READINGS):
        yield tuple(
            ReadingRef(one.identifier_hash, one.seq, one.digest) for one in waiting
        )


def _report(seq: int, count: int) -> BatchReport:
    """A report of full length; what it says does not matter to the disk."""
    hashes = {"prev_head": STREAM, "batch_root": STREAM, "log_root": STREAM}
    blocks = {"ref_block_number": seq, "ref_block_hash": STREAM}
    times = {"first_ts": 1_704_038_400, "last_ts": 1_704_038_400}
    digests = {"gaps_digest": STREAM, "data_digest": STREAM, "rules_version": 1}
    frame = {"stream_id": STREAM, "seq": seq, "leaf_count": count, "log_size": seq}
    return BatchReport(**frame, **hashes, **blocks, **times, **digests)  # type: ignore[arg-type]  # plain values


def _compact(database: Path) -> tuple[int, float]:
    """Compact the file; number of readings and mean length of their messages."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = "SELECT count(*), avg(length(raw)) FROM readings"
        count, length = connection.execute(query).fetchone()
    return int(count), float(length)


def memory_bytes() -> int:
    """Memory that this process holds at the moment, in bytes."""
    resident = Path("/proc/self/statm").read_text().split()[1]
    return int(resident) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps(measure_disk(), indent=1))
