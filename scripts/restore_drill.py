"""`make restore-drill`: lose a node with many readings, restore it, say time and point.

    many readings ─► a backup while more arrive ─► the machine is lost ─► restore, fsck

A real chain with contracts, a real member with its inbox; every reading is signed by a
carrier and goes through the ten checks. Recovery time is the time of the restore with
its own fsck; the recovery point is how far before the loss the newest restored reading
was acknowledged. Memory is what this process, member and inbox, grew by until the
backup. Writes `var/restore-drill/summary.json`; ends with 1 if a reading that was
acknowledged before the backup is not there.
"""

import argparse
import hashlib
import json
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from node.backup.create import make_backup
from node.backup.keys import create_identity
from node.backup.restore import Order, restore_backup
from node.config import load_settings
from node.engine import EmbeddedEngine, EngineSettings
from node.run import indexer_of, open_ledger, open_store
from oracle.inbox.results import Status
from oracle.member.member import MemberNode
from scripts.bench_disk import memory_bytes
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, settings_toml
from tests.simulators.repeating import repeating

FOLDER = Path("var/restore-drill")
CARRIERS = 20
A_REQUEST = 1_000
"""Readings of one delivery."""


@dataclass
class Deliveries:
    """What was acknowledged, and when."""

    node: MemberNode
    devices: list[DeviceSimulator]
    at: list[tuple[float, int]] = field(default_factory=list)
    """Time of each acknowledgement, and readings acknowledged until then."""
    count: int = 0
    digest: int = 0
    """Exclusive-or of the digests of all readings: order does not matter."""

    def deliver(self) -> int:
        """Deliver one request of one carrier; return its readings."""
        device = self.devices[len(self.at) % len(self.devices)]
        raws = device.series(A_REQUEST)
        results = self.node.inbox.submit(raws)
        if {one.status for one in results} != {Status.ACCEPTED}:
            raise RuntimeError(f"expected acceptance, got {results[0]}")
        for raw in raws:
            self.digest ^= digest_of(raw)
        self.count += len(raws)
        self.at.append((time.monotonic(), self.count))
        return len(raws)


def digest_of(raw: bytes) -> int:
    """Hash a reading to a number."""
    return int.from_bytes(hashlib.sha256(raw).digest())


def drill(readings: int, folder: Path, bar: Progress) -> dict[str, float]:
    """Hold the drill in an empty folder."""
    home = folder / "home"
    (home / "data").mkdir(parents=True)
    chain = EngineSettings(home / "data" / "chain", CHAIN_ID)
    with EmbeddedEngine(chain) as engine, OraclePark(engine, home) as park:
        config = _configure(home, park, engine.rpc_url)
        devices = [park.device(f"m{number}") for number in range(CARRIERS)]
        with park.running((0,)) as nodes:
            nodes[0].follower.follow()
            given = Deliveries(nodes[0], devices)
            task = bar.add_task("readings delivered", total=readings)
            held = memory_bytes()
            while given.count < readings:
                bar.advance(task, given.deliver())
            kept, digest = given.count, given.digest
            grown = (memory_bytes() - held) / kept
            figures = _back_up(config, folder, given, bar)
    lost_at = time.monotonic()
    figures |= _restore(folder, bar)
    figures["memory_bytes_per_reading"] = grown
    return figures | _compare(folder, given, (kept, digest), lost_at)


def _configure(home: Path, park: OraclePark, rpc_url: str) -> Path:
    """Write the settings of node and member, and index what there is."""
    (home / "member.toml").write_text(settings_toml(park.settings(0)))
    config = home / "node.toml"
    config.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://127.0.0.1:8620"\n'
        'member_config = "member.toml"\n'
    )
    settings = load_settings(config)
    with (
        open_ledger(settings, rpc_url) as ledger,
        open_store(settings) as database,
    ):
        indexer_of(ledger, database).catch_up()
    return config


def _back_up(
    config: Path, folder: Path, given: Deliveries, bar: Progress
) -> dict[str, float]:
    recipient, archive = create_identity(folder / "key"), folder / "drill.backup"
    task = bar.add_task("bytes backed up", total=None)
    with repeating(given.deliver):
        begun = time.monotonic()
        made = make_backup(config, archive, [recipient], lambda n: bar.advance(task, n))
        took = time.monotonic() - begun
    facts = made.manifest.facts
    return {
        "backup_s": took,
        "archive_bytes": archive.stat().st_size,
        "readings": facts["readings"],
    }


def _restore(folder: Path, bar: Progress) -> dict[str, float]:
    shutil.rmtree(folder / "home" / "data")
    task = bar.add_task("bytes restored", total=None)
    order = Order(folder / "drill.backup", folder / "restored", folder / "key")
    begun = time.monotonic()
    restore_backup(order, lambda n: bar.advance(task, n))
    return {"recovery_time_s": time.monotonic() - begun}


def _compare(
    folder: Path, given: Deliveries, before: tuple[int, int], lost_at: float
) -> dict[str, float]:
    """Count what was restored; everything before the backup must be there."""
    path = folder / "restored" / "member" / "data" / "member.db"
    count, digest = 0, 0
    with closing(sqlite3.connect(path)) as database:
        for (raw,) in database.execute("SELECT raw FROM readings ORDER BY id"):
            count += 1
            digest ^= digest_of(raw)
            if count == before[0] and digest != before[1]:
                raise SystemExit("readings from before the backup are not there")
    if count < before[0]:
        raise SystemExit(f"expected {before[0]} readings at least, restored {count}")
    newest = max(at for at, until in given.at if until <= count)
    return {
        "disk_bytes_per_reading": path.stat().st_size / count,
        "restored_readings": count,
        "later_readings": given.count - count,
        "recovery_point_s": lost_at - newest,
    }


def main() -> int:
    """Hold the drill and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=1_000_000)
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with Progress(console=Console(stderr=True)) as bar:
        figures = drill(options.readings, FOLDER.absolute(), bar)
    (FOLDER / "summary.json").write_text(json.dumps(figures, indent=1) + "\n")
    for name in ("home", "restored", "drill.backup"):
        path = FOLDER / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, value in figures.items():
        print(
            f"{name:20} {value:,.1f}"
            if isinstance(value, float)
            else f"{name:20} {value:,}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
