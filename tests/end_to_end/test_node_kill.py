"""`kill -9` of a whole node while people send instructions through its API.

The node is the real program with its embedded chain, indexer and API. What it
acknowledged is there after every restart, once; numbers go on without a hole; the
tables equal a fresh index; no engine outlives its node.
"""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.directory import Deployment
from contracts.structs import AllocateQuota, IssueQuota
from contracts.typed_data import account_id
from node.engine import EmbeddedEngine, EngineSettings
from tests.simulators import commands
from tests.simulators.commands import Program
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, key_of, wait_until
from wallet.instruction_file import to_json
from wallet.instructions import ROLES, Instruction, build
from wallet.signers import KeySigner, sign_instruction

CYCLES = 5
SEED = 20260
VINTAGE = 2024
OPENING_T = 1_000_000
DONE = {"executed", "sent"}


class Customer(threading.Thread):
    """Two people of one account who send instructions without end.

    Every instruction differs in its tonnes from the others, so that each shows in the
    chain's sums. What was answered is noted; what was not is sent again.
    """

    def __init__(self, account: str, kind: str, place: "Place") -> None:
        super().__init__()
        self.account, self.kind = account, kind
        self.quota = place.deployment.addresses["Quota"]
        people = ("first", "second")
        keys = [key_of(f"{account} {person}").secret for person in people]
        self.first, self.second = map(KeySigner, keys)
        self.http = httpx.Client(base_url=place.url, timeout=20, trust_env=False)
        self.brought: dict[str, Instruction] = {}
        self.acknowledged: dict[str, Instruction] = {}
        self.faults: list[str] = []
        self.is_over = threading.Event()
        self.serial = 0

    def run(self) -> None:
        while not self.is_over.is_set():
            try:
                self.login()
                while not self.is_over.is_set():
                    self.instruct()
            except httpx.TransportError:
                time.sleep(0.05)
            except AssertionError as fault:
                self.faults.append(str(fault))
                return

    def login(self) -> None:
        self.http.headers.pop("Authorization", None)
        address = self.first.address
        asked = self.asked("POST", "/login/challenge", {"address": address})
        message = asked["message"]
        signature = f"0x{self.first.sign_text(message).hex()}"
        answer = {"message": message, "signature": signature}
        token = self.asked("POST", "/login/answer", answer)["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def instruct(self) -> None:
        """Send what is in doubt again, then something new."""
        for digest in [one for one in self.brought if one not in self.acknowledged]:
            self.finish(digest)
        nonce = self.asked("GET", f"/accounts/{self.account}")["nonce"]
        made = self.signed(int(nonce))
        digest = f"0x{made.digest.hex()}"
        self.asked("POST", "/instructions", to_json(made))
        self.brought[digest] = made
        self.finish(digest)

    def finish(self, digest: str) -> None:
        """Submit, unless the chain has it already."""
        path = f"/instructions/{digest}"
        if self.asked("GET", path)["status"] not in DONE:
            answer = self.http.post(f"{path}/submit")
            if answer.is_error:  # it may have been carried just before a kill
                wait_until(lambda: self.asked("GET", path)["status"] in DONE, 5)
        self.acknowledged[digest] = self.brought[digest]

    def signed(self, nonce: int) -> Instruction:
        self.serial += 1
        extra = "document" if self.kind == "IssueQuota" else "reason"
        fields = {
            "account": self.account,
            "vintage": str(VINTAGE),
            "tonnes": str(self.serial),
            extra: f"number {self.serial}",
            "nonce": str(nonce),
            "deadline": str(int(time.time()) + 3600),
        }
        made = build(self.kind, self.quota, CHAIN_ID, fields)
        for role, signer in zip(ROLES, (self.first, self.second), strict=True):
            made = sign_instruction(made, account_id(self.account), role, signer)
        return made

    def asked(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    @property
    def count(self) -> int:
        return len(self.acknowledged)

    @property
    def tonnes(self) -> int:
        """What all acknowledged instructions move together. [t]"""
        made: list[Any] = [one.message for one in self.acknowledged.values()]
        return sum(one.tonnes for one in made)

    def executed(self) -> list[dict[str, Any]]:
        """What the chain accepted for the account, by number."""
        path, rows = f"/accounts/{self.account}/instructions?limit=500", []
        cursor: str | None = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            page = self.asked("GET", f"{path}{more}")
            rows += page["items"]
            cursor = page["next"]
        return sorted(rows, key=lambda row: int(row["nonce"]))


@dataclass(frozen=True)
class Place:
    """A node's folder with a deployed ledger in it."""

    folder: Path
    config: Path
    deployment: Deployment
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def run(self) -> Iterator[Program]:
        """Start the node; it answers when its address is in the output."""
        words = ("run", "--config", self.config)
        with commands.running("carbon-node", *words, log=self.folder / "log") as node:
            node.wait_for(r"^http://127.0.0.1:\d+$")
            yield node

    def check(self) -> str:
        """Hold the tables against a fresh index, with the node down."""
        done = commands.run("carbon-node", "fsck", "--config", self.config)
        assert done.code == 0, done.err
        return done.out


@pytest.fixture
def place(tmp_path: Path, free_port: int) -> Iterator[Place]:
    """Deploy on the chain that the node will find in its folder."""
    chain = EngineSettings(tmp_path / "data" / "chain", CHAIN_ID)
    with EmbeddedEngine(chain) as engine, OraclePark(engine, tmp_path) as park:
        deployment = park.deployment
        endow(park)
    config = tmp_path / "node.toml"
    config.write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\n'
        f'chain_id = {CHAIN_ID}\nport = {free_port}\npublic_url = "http://node.example"\n'
    )
    yield Place(tmp_path, config, deployment, free_port)
    assert commands.leaves_nothing(tmp_path)


def endow(park: OraclePark) -> None:
    """Give the enterprise quota that it can cancel bit by bit."""
    quota = park.ledger.quota
    given = {"vintage": VINTAGE, "tonnes": OPENING_T, "document": bytes(32)}
    park.instruct("Regulator", IssueQuota, quota.issue, **given)
    given["to"] = account_id("Steel")
    park.instruct("Regulator", AllocateQuota, quota.allocate, **given)


@pytest.fixture
def customers(place: Place) -> Iterator[list[Customer]]:
    """Regulator and enterprise, who write to different sums."""
    both = [
        Customer(name, kind, place)
        for name, kind in (("Regulator", "IssueQuota"), ("Steel", "CancelQuota"))
    ]
    yield both
    for one in both:
        one.is_over.set()
        if one.ident is not None:
            one.join(30)
        one.http.close()


def wait_for_index(place: Place) -> None:
    """Wait until the tables are at the chain's newest block."""

    def is_complete() -> bool:
        status = httpx.get(f"{place.url}/status", timeout=5, trust_env=False).json()
        return bool(status["indexed_block"] == status["chain_block"])

    wait_until(is_complete, 30)


class TestKills:
    def test_lose_nothing_double_nothing_and_leave_no_engine(
        self, place: Place, customers: list[Customer]
    ):
        chance = random.Random(SEED)  # a schedule, no secret
        for cycle in range(CYCLES):
            with place.run() as node:
                if not cycle:
                    wait_for_index(place)
                    for one in customers:
                        one.start()
                self.see_progress(customers)
                time.sleep(chance.uniform(0.0, 0.6))
                node.process.kill()
                node.process.wait(10)
            assert commands.leaves_nothing(place.folder)
            assert "rows equal a fresh index" in place.check()
        self.see_the_end(place, customers)
        assert "rows equal a fresh index" in place.check()

    def see_progress(self, customers: list[Customer]) -> None:
        """Wait until everybody has more instructions acknowledged."""
        for one in customers:
            before = len(one.acknowledged)
            wait_until(
                lambda one=one, before=before: one.faults or one.count > before, 30
            )
            assert one.faults == []

    def see_the_end(self, place: Place, customers: list[Customer]) -> None:
        """Let everybody finish, then hold the chain against what was answered."""
        with place.run() as node:
            self.see_progress(customers)
            for one in customers:
                one.is_over.set()
                one.join(30)
            wait_for_index(place)
            for one in customers:
                self.check_numbers(one)
            self.check_sums(*customers)
            assert node.stop(signal.SIGTERM) == 0

    def check_numbers(self, one: Customer) -> None:
        assert one.faults == []
        rows = one.executed()
        assert [int(row["nonce"]) for row in rows] == list(range(len(rows)))
        digests = [row["digest"] for row in rows]
        assert len(set(digests)) == len(digests)
        mine = digests[-one.count :]
        assert set(mine) == set(one.acknowledged) == set(one.brought)

    def check_sums(self, regulator: Customer, steel: Customer) -> None:
        (supply,) = regulator.asked("GET", "/quota/supply")
        issued, cancelled = OPENING_T + regulator.tonnes, steel.tonnes
        assert int(supply["issued_tonnes"]) == issued
        assert int(supply["cancelled_tonnes"]) == cancelled
        assert int(supply["held_tonnes"]) == issued - cancelled
