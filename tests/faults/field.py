"""Four members and a chain as processes, with a line for every way between them.

    carriers ──line──► member ──line──► member
                          └────line───► chain

Each member has its own clock and disk (`weather`), each way its own moods (`lines`).
"""

import random
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from contracts.errors import ContractsError
from tests.faults import statements
from tests.faults.book import Book, Item, read
from tests.faults.checker import Verdict, check_forks, check_items
from tests.faults.clients import PAUSE_S, Carriers, Crowd, Rhythm
from tests.faults.findings import (
    anchored_batches,
    check_chain,
    check_member,
    signed_reports,
)
from tests.faults.hosts import Host, wait_for
from tests.faults.lines import Line, Lines
from tests.simulators.device import DOMAIN
from tests.simulators.oracle_park import (
    MEMBERS,
    STREAM_ID,
    OraclePark,
    free_port,
    member_key,
    settings_toml,
)

EVERYBODY = range(len(MEMBERS))
DEVICES = 3
LOAD = Rhythm(readings=4, pause_s=0.05)
ROUND_S = 3.0
"""Longer than a round takes on a machine that has more to do. [s]"""
DRAIN_S = 200.0
"""How long everything acknowledged may take until it is in a batch everywhere. [s]"""


@dataclass(frozen=True, slots=True)
class ChainAddress:
    """What a park needs to know of a chain."""

    rpc_url: str


class HeadWatcher:
    """Writes down every head of the stream that the chain shows."""

    def __init__(self, park: OraclePark, book: Book) -> None:
        self.count = 0
        self._park = park
        self._book = book

    def run_once(self) -> None:
        with suppress(ContractsError):
            head = self._park.ledger.anchor.head(STREAM_ID)
            if head.seq:
                self._book.note([Item("batch", str(head.seq - 1), head.head.hex())])
            self.count += 1
        time.sleep(PAUSE_S)

    def close(self) -> None:
        """The park's client is closed with the park."""


class Field:
    """Everything of one run; a context manager that leaves nothing behind."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._seed = seed
        self.chance = random.Random(seed)
        self.book = Book(folder / "acknowledged")
        self._undo = ExitStack()
        self._inboxes = random.Random(seed)  # the carriers' thread has its own chance
        self._lines = Lines(seed)
        self.chain_port = free_port()
        where = ("--data-dir", folder / "chain", "--port", self.chain_port)
        options = ("--chain-id", DOMAIN.chain_id, "--snapshot-every", 40)
        self.chain = Host("chain", folder, *where, *options)

    def __enter__(self) -> Self:
        with self._undo:
            self._undo.enter_context(self._lines)
            self._undo.callback(self.chain.end)
            self.chain.start()
            wait_for(lambda: "http" in self._said(self.chain))
            address = ChainAddress(f"http://127.0.0.1:{self.chain_port}")
            self.park = OraclePark(address, self.folder)  # type: ignore[arg-type]  # it asks for no more
            self._undo.callback(self.park.client.close)
            self._lay_lines()
            self.members = [self._member(index) for index in EVERYBODY]
            for member in self.members:
                self._undo.callback(member.end)
                member.start()
            devices = [self.park.device(f"m{number}") for number in range(DEVICES)]
            of_2023 = statements.enrol(self.park)
            wait_for(lambda: all(self.park.status(index) for index in EVERYBODY))
            statements.deliver(self.park, of_2023)
            carriers = Carriers(devices, self.book, self._some_inbox, LOAD)
            watcher = HeadWatcher(self.park, self.book)
            asker = statements.StatementAsker(self.park, self.book, self._seed)
            self.crowd = self._undo.enter_context(Crowd([carriers, watcher]))
            self.asking = self._undo.enter_context(Crowd([asker]))
            self._undo = self._undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()
        self.book.close()

    # ----------------------------------------------------------------- its parts

    def _lay_lines(self) -> None:
        ports = self.park.ports
        self.to_peer = {
            (one, other): self._lines.to(ports[other])
            for one in EVERYBODY
            for other in EVERYBODY
            if one != other
        }
        self.to_chain = [self._lines.to(self.chain_port) for _ in EVERYBODY]
        self.to_inbox = [self._lines.to(port) for port in ports]

    def _member(self, index: int) -> Host:
        peers = {
            member_key(other).address: line.url
            for (one, other), line in self.to_peer.items()
            if one == index
        }
        rpc_url = self.to_chain[index].url
        ways = {"peers": peers, "rpc_url": rpc_url, "timeout_s": ROUND_S}
        settings = self.park.settings(index, **ways)
        path = self.folder / f"member-{index}.toml"
        path.write_text(settings_toml(settings))
        return Host("member", settings.data_dir, "run", "--config", path)

    def _some_inbox(self) -> str:
        return self._inboxes.choice(self.to_inbox).url

    def _said(self, host: Host) -> str:
        return host.log.read_text() if host.log.exists() else ""

    def lines_of(self, members: Sequence[int]) -> list[Line]:
        """Lines between these members and the others, both ways."""
        chosen = set(members)
        return [
            line
            for (one, other), line in self.to_peer.items()
            if (one in chosen) != (other in chosen)
        ]

    @property
    def all_lines(self) -> list[Line]:
        return [*self.to_peer.values(), *self.to_chain, *self.to_inbox]

    # ------------------------------------------------------------- how they are

    def wait_until_well(self) -> None:
        """Acknowledged again, anchored again, and every member is at the chain's head.

        Raises:
            TimeoutError: They did not recover within a minute.
        """
        self.crowd.wait_for_more()
        before = wait_for(self.anchored)
        wait_for(lambda: (self.anchored() or 0) > before)
        for index in EVERYBODY:
            wait_for(lambda index=index: self.adopted(index) >= before)

    def anchored(self) -> int | None:
        """Batches on the chain; None while it does not answer."""
        with suppress(ContractsError):
            return self.park.anchored()
        return None

    def adopted(self, index: int) -> int:
        """Batches that a member has adopted; -1 while it does not answer."""
        status = self.park.status(index)
        return status["batches"] if status else -1

    def tell_stacks(self) -> None:
        """Leave in the logs what everybody is doing: something is stuck."""
        for host in (self.chain, *self.members):
            host.tell_stacks()
        time.sleep(1)

    def judge(self) -> Verdict:
        """Stop the load, let everything settle, and hold it against the book."""
        for crowd in (self.asking, self.crowd):
            crowd.__exit__()
            crowd.raise_faults()
        wait_for(self._is_drained, DRAIN_S, 0.2)
        acknowledged = list(read(self.book.path))
        readings = [item for item in acknowledged if item.kind == "reading"]
        sightings = [item for item in acknowledged if item.kind == "batch"]
        anchor = self.park.deployment.addresses["ReadingAnchor"]
        batches = anchored_batches(self.park.client, anchor, STREAM_ID)
        heads = [Item("batch", str(one.seq), one.head.hex()) for one in batches]
        verdict = check_chain(batches) + check_items(sightings, heads)
        verdict += self._judge_statements(acknowledged)
        signed = []
        for index in EVERYBODY:
            database = self.folder / f"member-{index}" / "member.db"
            found, wrong = check_member(database, batches)
            every = check_items(readings, found)
            counted = every.checked if index == 0 else 0  # each item once
            verdict += wrong + replace(every, checked=counted)
            signed += list(signed_reports(database, index))
        return verdict + check_forks(signed)

    def _judge_statements(self, acknowledged: list[Item]) -> Verdict:
        """Once on the chain, the same for everybody who asked, with its signers."""
        asked = [item for item in acknowledged if item.kind == "statement"]
        found = statements.recorded(self.park)
        databases = [
            self.folder / f"member-{index}" / "member.db" for index in EVERYBODY
        ]
        return check_items(asked, found) + statements.check_signers(found, databases)

    def _is_drained(self) -> bool:
        """Nothing waits in any member, and all are at the chain's head."""
        anchored = self.anchored()
        states = [self.park.status(index) for index in EVERYBODY]
        return all(
            state and not state["pending"] and state["batches"] == anchored
            for state in states
        )
