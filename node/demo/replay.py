"""Step 2: a month of signed readings, acknowledged, anchored."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from node.demo.carriers import Carrier, Month, Store
from node.demo.park import STEP_S
from node.demo.stage import ROWS_A_DAY, START, Stage, Told
from node.errors import ConflictDemoError
from oracle.carrier.uplink import MemberKey, Uplink
from oracle.member.member import MemberNode
from oracle.member.setup import receipt_signer
from oracle.reading.checks import Domain

ANCHOR_TIMEOUT_S = 60.0
PAUSE_S = 0.05


def replay(
    stage: Stage,
    carriers: list[Carrier],
    usage_wh: tuple[int, ...],
    progress: Callable[[int], None],
) -> Told:
    """Sign and deliver the month day by day.

    Args:
        stage: The running parts.
        carriers: Who signs.
        usage_wh: The plant series of the month. [Wh]
        progress: Told the number of readings anchored so far.
    """
    month = Month(usage_wh, int(START.timestamp()))
    delivered = late = 0
    with _stores(stage, carriers, month) as stores:
        for first in range(0, len(month) + ROWS_A_DAY, ROWS_A_DAY):
            rows = range(first, min(first + ROWS_A_DAY, len(month)))
            end = START + dt.timedelta(seconds=STEP_S * (first + ROWS_A_DAY))
            stage.ledger.set_time(end)
            for store in stores:
                now = _step(store, rows)
                delivered += now
                late += max(0, now - len(rows))
            _wait_anchored(stage)
            progress(delivered)
        lost = sum(store.status().refused for store in stores)
    head = stage.ledger.ledger.anchor.head(stage.members.leader.follower.view.stream_id)
    return Told(
        "Readings signed, acknowledged, anchored",
        {
            "readings": delivered,
            "of them late, from store": late,
            "lost for ever (the gap)": lost,
            "batches": head.seq,
            "head": "0x" + head.head.hex(),
        },
    )


@contextmanager
def _stores(
    stage: Stage, carriers: list[Carrier], month: Month
) -> Iterator[list[Store]]:
    """Open an outbox a carrier, each with an uplink to one of the members."""
    folder = stage.folder.parent / "carriers"
    folder.mkdir()
    where = stage.ledger.deployment
    domain = Domain(where.chain_id, where.addresses["Carriers"])
    nodes = stage.members.nodes
    with httpx.Client(timeout=30, trust_env=False) as client:
        stores = [
            Store(
                carrier,
                month,
                folder,
                _uplink(nodes[index % len(nodes)], client, domain),
                domain,
            )
            for index, carrier in enumerate(carriers)
        ]
        yield stores
        for store in stores:
            store.close()


def _uplink(node: MemberNode, client: httpx.Client, domain: Domain) -> Uplink:
    signer = receipt_signer(node.key)
    return Uplink(node.url, client, MemberKey(signer.suite, signer.public_key, domain))


def _step(store: Store, rows: range) -> int:
    """Sign a day's readings and deliver them, unless the uplink is down."""
    store.sign(rows)
    return 0 if rows.start in store.meter.offline_rows else store.deliver()


def _wait_anchored(stage: Stage) -> None:
    """Return when every member has adopted all readings into batches."""
    give_up = time.monotonic() + ANCHOR_TIMEOUT_S
    while any(node.status()["pending"] for node in stage.members.nodes):
        if time.monotonic() > give_up:
            states = [node.status() for node in stage.members.nodes]
            raise ConflictDemoError(f"readings wait unanchored: {states}")
        time.sleep(PAUSE_S)
