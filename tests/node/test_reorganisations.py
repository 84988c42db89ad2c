"""A thousand random reorganisations behind a bad line: the tables of a fresh index.

The real indexer follows a real chain that takes blocks back, through a proxy that
refuses, cuts, doubles, delays, mixes up and empties answers, and reorganises the chain
between two requests of one page. Indexers are replaced on the way, and real processes
killed. At every checkpoint the tables equal a fresh index, row for row.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.chain import ChainClient
from contracts.errors import UnavailableError
from contracts.ledger import Ledger
from node.errors import UnavailableEngineError
from node.ledger.cursor import clear, position
from node.ledger.indexer import Indexer
from node.run import indexer_of
from node.services.fsck import compare_tables
from node.store.database import Database, open_database
from tests.simulators.flaky_rpc import FAULTS, FlakyRpc
from tests.simulators.restless_chain import RestlessChain

SEED = 20_261_126
REORGANISATIONS = 1_000
BETWEEN_CHECKS = 50
FAULT_RATE = 0.15
KILLS = 3


class Follower:
    """An indexer on a bad line, replaced now and then; and a fresh one beside it."""

    def __init__(self, park: Any, url: str, folder: Path, dice: random.Random) -> None:
        self._park = park
        self._url = url
        self._path = folder / "node.sqlite"
        self._dice = dice
        self.fresh = open_database(f"sqlite:///{folder / 'fresh.sqlite'}")
        self.restarts = 0
        self.rows = 0
        self._open()

    def _open(self) -> None:
        self.database = open_database(f"sqlite:///{self._path}")
        self._client = ChainClient(self._url, timeout_s=30)
        self._indexer = self._new_indexer()

    def _new_indexer(self) -> Indexer:
        ledger = Ledger(self._client, self._park.deployment)
        return indexer_of(ledger, self.database)

    def restart(self) -> None:
        """Go on with a new indexer, every tenth time with a new connection too."""
        self.restarts += 1
        if self.restarts % 10:
            self._indexer = self._new_indexer()
        else:
            self.close()
            self._open()

    def close(self) -> None:
        self._client.close()
        self.database.close()

    def step(self) -> None:
        """Take one step, which the bad line may make fail."""
        try:
            self._indexer.step()
        except UnavailableEngineError:
            if self._dice.random() < 0.3:
                self.restart()

    def check(self) -> None:
        """Catch up on a good line, and hold every row against a fresh index."""
        with suppress(UnavailableEngineError):  # what the bad line left behind
            self._indexer.catch_up()
        self._indexer.catch_up()
        self.rows += equal_rows(self._park, self.database, self.fresh)


def equal_rows(park: Any, database: Database, fresh: Database) -> int:
    """Hold a database against one indexed afresh; return how many rows are equal."""
    with fresh.begin() as connection:
        clear(connection)
    indexer_of(park.ledger, fresh).catch_up()
    with database.reading() as ours, fresh.reading() as theirs:
        assert position(ours) == position(theirs)
        return compare_tables(ours, theirs, 2**62)


@pytest.fixture
def line(fragile_park: Any) -> Iterator[FlakyRpc]:
    """The bad line to the chain."""
    with FlakyRpc(fragile_park.client.url, random.Random(SEED)) as proxy:
        yield proxy


@pytest.fixture
def follower(fragile_park: Any, line: FlakyRpc, tmp_path: Path) -> Iterator[Follower]:
    made = Follower(fragile_park, line.url, tmp_path, random.Random(SEED))
    yield made
    made.close()
    made.fresh.close()


class TestReorganisations:
    @pytest.mark.timeout(900)
    def test_a_thousand_leave_the_tables_of_a_fresh_index(
        self,
        fragile_park: Any,
        line: FlakyRpc,
        follower: Follower,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ):
        dice = random.Random(SEED)
        chain = RestlessChain(fragile_park, dice)
        caplog.set_level("WARNING", "node.ledger.indexer")
        checked = 0
        while chain.reorganisations < REORGANISATIONS:
            line.rate = FAULT_RATE
            chain.reorganise()
            if dice.random() < 0.3:
                line.interrupt(chain.reorganise, after=dice.randrange(8))
            for _ in range(dice.randint(1, 3)):
                follower.step()
            if dice.random() < 0.05:
                follower.restart()
            if chain.reorganisations >= checked + BETWEEN_CHECKS:
                checked = chain.reorganisations
                line.calm()
                follower.check()
        line.calm()
        follower.check()
        rewinds = sum("rewound" in record.message for record in caplog.records)
        with capsys.disabled():
            sys.stdout.write(
                f"\n{chain.reorganisations} reorganisations, seed {SEED}: {rewinds} "
                f"rewinds, {follower.restarts} restarts, {follower.rows} rows compared"
                f", {dict(line.counts)}\n"
            )
        assert rewinds >= REORGANISATIONS // 3
        assert follower.restarts >= 50
        assert all(line.counts[fault] for fault in (*FAULTS, "interrupt"))

    @pytest.mark.parametrize("depth", [255, 257, 300])
    def test_deeper_than_one_look_back(
        self, fragile_park: Any, follower: Follower, depth: int
    ):
        chain = RestlessChain(fragile_park, random.Random(depth), window=400)
        chain.grow(depth + 5)
        follower.check()
        fragile_park.client.request("anvil_rollback", depth + 3)
        again = RestlessChain(fragile_park, random.Random(depth + 1))
        again.grow(3)
        follower.check()

    def test_under_a_process_killed_again_and_again(
        self, fragile_park: Any, line: FlakyRpc, tmp_path: Path
    ):
        dice = random.Random(SEED)
        chain = RestlessChain(fragile_park, dice)
        for _ in range(KILLS):
            line.calm()  # a node does not start without its chain
            with _node_process(fragile_park, line.url, tmp_path):
                line.rate = FAULT_RATE / 2
                stop_at = time.monotonic() + dice.uniform(0.3, 1.5)
                while time.monotonic() < stop_at:
                    chain.reorganise()
        line.calm()
        assert chain.reorganisations > KILLS
        with (
            closing(open_database(f"sqlite:///{tmp_path}/data/node.sqlite")) as ours,
            closing(open_database(f"sqlite:///{tmp_path}/fresh.sqlite")) as fresh,
        ):
            with ours.reading() as connection:
                assert position(connection) is not None
            indexer_of(fragile_park.ledger, ours).catch_up()
            assert equal_rows(fragile_park, ours, fresh) > 0


class TestAnswers:
    def test_of_another_question_is_refused(self, line: FlakyRpc):
        with closing(ChainClient(line.url)) as client:
            client.chain_id()
            answer = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'
            line.alter, honest = lambda *_: answer, line.alter
            with pytest.raises(UnavailableError, match="something else"):
                client.chain_id()
            line.alter = honest
            assert client.chain_id() == 20260

    def test_doubled_once_does_not_push_back_all_others(self, line: FlakyRpc):
        with closing(ChainClient(line.url)) as client:
            client.chain_id()
            line.before_request, honest = lambda: "twice", line.before_request
            client.chain_id()
            line.before_request = honest
            with suppress(UnavailableError):
                client.chain_id()
            assert [client.chain_id() for _ in range(3)] == [20260] * 3


@contextmanager
def _node_process(park: Any, url: str, folder: Path) -> Iterator[None]:
    """Run a node on a chain and kill it at the end."""
    (folder / "deployment.json").write_text(park.deployment.to_json())
    (folder / "node.toml").write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
        f"chain_id = {park.deployment.chain_id}\n"
        'public_url = "http://node.example"\n'
        f'rpc_url = "{url}"\npoll_interval_ms = 5\n'
    )
    root = Path(__file__).resolve().parents[2]
    with (folder / "node.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "node", "run", "--config", "node.toml"],
            cwd=folder,
            env={"PYTHONPATH": str(root), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        with process.stdout as lines:
            told = (folder / "node.log").read_text
            assert lines.readline().startswith("http://127.0.0.1:"), told()
            yield
    finally:
        process.kill()
        process.wait()
