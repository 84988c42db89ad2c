"""Statements as acknowledgements, asked of any member while all have trouble.

A carrier's readings of 2023 are batched before the trouble begins, so each period has
one true statement. It is asked for again and again: every answer must be the same, and
the chain must hold it once.
"""

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import cbor2
import httpx

from accounting.boundary import Boundary, Source
from contracts.enumerations import Purpose
from contracts.events import decode
from contracts.typed_data import account_id, boundary_id, domain
from oracle.errors import UnavailableMemberError
from oracle.inbox.results import Status, decode_results
from oracle.member.envelope import Mailroom
from oracle.member.transport import HttpPeers
from oracle.reading.sequence import join_sequence
from tests.faults.book import Book, Item
from tests.faults.checker import Verdict
from tests.faults.findings import PAGE_BLOCKS
from tests.faults.hosts import wait_for
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, MEMBERS, OraclePark, member_key

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEP_S = 900
PERIODS = 12
NAME = "works"
PAUSE_S = 0.5
TIMEOUT_S = 15.0
SIGNERS = 3
"""How many members must have stored what they signed."""


def enrol(park: OraclePark) -> DeviceSimulator:
    """Give a boundary with one carrier."""
    device = park.device("of-2023")
    boundary = Boundary(
        name=NAME,
        account_name="Steel",
        title_zh="钢铁",
        title_en="Steel",
        industry="steel",
        region="浙江",
        sources=(Source(device.identifier, 1, "electricity_in"),),
    )
    where = (boundary_id(NAME), account_id("Steel"))
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    return device


def deliver(park: OraclePark, device: DeviceSimulator) -> None:
    """Send the year's readings and wait until they are in a batch everywhere."""
    raws = [device.next(ts=START + step * STEP_S) for step in range(PERIODS + 1)]
    url = f"http://127.0.0.1:{park.ports[0]}/readings/batch"
    headers = {"content-type": "application/cbor-seq"}

    def is_taken() -> bool:
        answer = httpx.post(url, content=join_sequence(raws), headers=headers)
        good = {Status.ACCEPTED, Status.REPLAYED}
        return answer.is_success and all(
            one.status in good for one in decode_results(answer.content)
        )

    wait_for(is_taken, pause_s=0.2)
    places = range(len(MEMBERS))
    wait_for(lambda: all((park.status(one) or {}).get("batches") for one in places))


class StatementAsker:
    """Asks members for statements, as their own operators."""

    def __init__(self, park: OraclePark, book: Book, seed: int) -> None:
        self.count = 0
        self._book = book
        self._chance = random.Random(seed)
        anchor = park.deployment.addresses["ReadingAnchor"]
        self._peers = [
            HttpPeers(
                Mailroom(
                    member_key(index).private, domain(CHAIN_ID, anchor), time.time
                ),
                {member_key(index).address: f"http://127.0.0.1:{park.ports[index]}"},
                TIMEOUT_S,
            )
            for index in range(len(MEMBERS))
        ]

    def run_once(self) -> None:
        number = self._chance.randrange(PERIODS)
        place = self._chance.randrange(len(MEMBERS))
        start = START + number * STEP_S
        asked = [boundary_id(NAME), start, start + STEP_S]
        body = cbor2.dumps([*asked, int(Purpose.TOTAL_WITH_INDIRECT)])
        try:
            found = self._peers[place].ask(
                member_key(place).address, "statement-request", body
            )
        except UnavailableMemberError:
            found = b""  # it is down, or alone, or the chain is
        if found:
            self._book.note([Item("statement", str(start), found.hex())])
            self.count += 1
        time.sleep(PAUSE_S)

    def close(self) -> None:
        for one in self._peers:
            one.close()


def recorded(park: OraclePark) -> list[Item]:
    """Statements on the chain, by the start of their period."""
    address, found = park.deployment.addresses["EmissionLedger"], []
    last = park.client.block_number()
    for first in range(0, last + 1, PAGE_BLOCKS):
        end = min(first + PAGE_BLOCKS - 1, last)
        for log in park.client.logs(first, end, [address]):
            event = decode(log)
            if type(event).__name__ == "StatementRecorded":
                start = str(int(event.report.period_start))
                found.append(Item("statement", start, event.statement.hex()))
    return found


def check_signers(found: list[Item], databases: list[Path]) -> Verdict:
    """A quorum has stored what it signed of every statement on the chain."""
    lost = []
    for item in found:
        holders = sum(_has(path, bytes.fromhex(item.digest)) for path in databases)
        if holders < SIGNERS:
            lost.append(f"statement {item.key} with {holders} members")
    return Verdict(lost=tuple(lost))


def _has(database: Path, statement: bytes) -> bool:
    query = "SELECT 1 FROM statements WHERE statement = ?"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query, [statement]).fetchone() is not None
