"""The index after reorganisations, repetitions and kills: as one made afresh."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from contracts.bindings.market import HALT
from contracts.calls import UnsignedCall
from contracts.chain import ChainClient
from contracts.enumerations import AccountStatus
from contracts.events import EVENTS
from node.errors import ConflictLedgerError, UnavailableEngineError
from node.ledger.cursor import position
from node.ledger.fetch import LogFetcher
from node.ledger.indexer import Indexer
from node.ledger.project import FEED_ONLY, is_projected
from node.run import indexer_of
from node.services.fsck import check_ledger, compare_tables
from node.services.market import cash_balances, quota_supply
from node.store.database import Database, open_database
from node.store.facts import Event, QuotaMovement
from tests.servers.chain import funded_sender

CHAIN_ID = 20260


@contextmanager
def _database(folder: Path, name: str) -> Iterator[Database]:
    with _at(f"sqlite:///{folder}/{name}.sqlite") as database:
        yield database


@contextmanager
def _at(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


@contextmanager
def _fresh(park: Any, folder: Path) -> Iterator[Database]:
    path = folder / "fresh.sqlite"
    for suffix in ("", "-wal", "-shm", ".commits"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with _database(folder, "fresh") as database:
        indexer_of(park.ledger, database).catch_up()
        yield database


def _assert_equal(ours: Database, theirs: Database) -> int:
    with ours.begin() as mine, theirs.begin() as other:
        assert position(mine) == position(other)
        return compare_tables(mine, other, 2**62)


def _some_action(park: Any, dice: random.Random) -> None:
    """Do one thing that leaves several kinds of facts."""
    act = dice.randrange(4)
    if act == 0:
        park.endow("steel", 2024, dice.randint(1, 900), dice.randint(1, 90) * 100)
    elif act == 1:
        halted = dice.random() < 0.5
        data = HALT.encode(dice.choice([0, 2024, 2025]), halted)
        park.govern("regulator", UnsignedCall(park.ledger.market.address, data))
    elif act == 2:
        status = dice.choice([AccountStatus.RESTRICTED, AccountStatus.OPEN])
        call = park.ledger.accounts.set_status(park.account("glass"), status, b"r" * 32)
        park.govern("regulator", call)
    else:
        price = park.ledger.market.set_reference_price(2024, dice.randint(1, 10_000))
        park.govern("regulator", price)


def _with_new_relayer(park: Any) -> Any:
    return replace(park, sender=funded_sender(park.client))


class TestProjection:
    def test_every_event_has_rows_or_is_said_to_have_none(self):
        unclear = [
            event.__name__
            for event in EVENTS.values()
            if is_projected(event) == (event in FEED_ONLY)
        ]
        assert unclear == []


class _Altered(ChainClient):
    """A real client whose answers to eth_getLogs are altered on the way."""

    def __init__(self, url: str, alter: Any) -> None:
        super().__init__(url)
        self._alter = alter

    def request(self, method: str, *params: Any) -> Any:
        answer = super().request(method, *params)
        return self._alter(answer) if method == "eth_getLogs" else answer


class TestFetch:
    @pytest.fixture
    def read(self, fragile_park: Any) -> Iterator[Any]:
        """Read the whole chain as one page, its logs altered on the way."""
        clients: list[ChainClient] = []
        addresses = tuple(fragile_park.deployment.addresses.values())

        def page(alter: Any, parent: bytes | None = None) -> Any:
            clients.append(_Altered(fragile_park.client.url, alter))
            fetcher = LogFetcher(clients[-1], addresses)
            return fetcher.page(1, clients[-1].block("latest"), parent)

        yield page
        for client in clients:
            client.close()

    def test_takes_logs_in_any_order_and_twice(self, read: Any):
        plain = read(lambda logs: logs)
        assert read(lambda logs: [*reversed(logs), *logs]) == plain
        assert plain.headers[0].timestamp > 0

    def test_refuses_a_page_without_its_logs(self, read: Any):
        with pytest.raises(
            UnavailableEngineError, match=r"header of block \d+ promises"
        ):
            read(lambda _: [])

    def test_refuses_a_page_without_one_log(self, read: Any):
        with pytest.raises(UnavailableEngineError, match="others or fewer: try again"):
            read(lambda logs: logs[1:])

    @pytest.mark.parametrize("which", [3, 7, 40])
    def test_shortens_the_page_until_it_is_whole(
        self, fragile_park: Any, read: Any, which: int
    ):
        page = read(lambda logs: [*logs[:which], *logs[which + 1 :]])
        addresses = tuple(fragile_park.deployment.addresses.values())
        last = page.tip.number
        assert page.logs == fragile_park.client.logs(1, last, addresses)
        assert last < fragile_park.client.block_number()

    def test_refuses_logs_that_are_none(self, read: Any):
        with pytest.raises(
            UnavailableEngineError, match="expected logs, got something"
        ):
            read(lambda logs: [*logs, {"blockNumber": "0x1"}])

    def test_notices_a_log_of_a_block_that_is_gone(self, read: Any):
        def change(logs: list[Any]) -> list[Any]:
            return [{**logs[0], "blockHash": f"0x{'ab' * 32}"}, *logs[1:]]

        assert read(change) is None

    def test_notices_that_the_page_does_not_follow(self, read: Any):
        assert read(lambda logs: logs, bytes(32)) is None


class TestReorganisation:
    def test_leaves_the_tables_as_a_fresh_index_makes_them(
        self, fragile_park: Any, tmp_path: Path
    ):
        dice = random.Random(7)  # dice, no secret
        with _database(tmp_path, "node") as database:
            indexer = indexer_of(fragile_park.ledger, database)
            for _ in range(8):
                park = _with_new_relayer(fragile_park)
                mark = park.client.request("evm_snapshot")
                for _ in range(dice.randint(1, 3)):
                    _some_action(park, dice)
                    indexer.step()
                if dice.random() < 0.75:
                    park.client.request("evm_revert", mark)
                    park = _with_new_relayer(fragile_park)
                for _ in range(dice.randint(0, 3)):
                    _some_action(park, dice)
                indexer.catch_up()
                with _fresh(park, tmp_path) as fresh:
                    _assert_equal(database, fresh)

    def test_to_a_shorter_chain_drops_the_rows_above(
        self, fragile_park: Any, database_url: str
    ):
        park = _with_new_relayer(fragile_park)
        mark = park.client.request("evm_snapshot")
        with _at(database_url) as database:
            indexer = indexer_of(park.ledger, database)
            indexer.catch_up()
            with database.begin() as connection:
                before = connection.execute(select(func.count(Event.name))).scalar()
            park.endow("glass", 2025, 5, 500)
            indexer.catch_up()
            park.client.request("evm_revert", mark)
            indexer.catch_up()
            with database.begin() as connection:
                after = connection.execute(select(func.count(Event.name))).scalar()
        assert after == before


class TestRepetition:
    def test_of_the_same_logs_makes_the_same_rows(
        self, fragile_park: Any, tmp_path: Path
    ):
        park = _with_new_relayer(fragile_park)
        park.endow("steel", 2024, 3, 300)
        with _database(tmp_path, "node") as database:
            indexer = indexer_of(park.ledger, database)
            start = indexer._position()
            head = park.client.block("latest")
            page = indexer._pages.page(start.number + 1, head, start.hash)
            indexer._commit(start, page)
            with database.begin() as connection:
                reached = position(connection)
                held = connection.execute(
                    select(func.sum(QuotaMovement.delta_tonnes))
                ).scalar()
            indexer._commit(reached, page)
            with database.begin() as connection:
                again = connection.execute(
                    select(func.sum(QuotaMovement.delta_tonnes))
                ).scalar()
            with _fresh(park, tmp_path) as fresh:
                _assert_equal(database, fresh)
        assert again == held

    def test_by_two_indexers_on_one_database_is_harmless(
        self, fragile_park: Any, database_url: str, tmp_path: Path
    ):
        park = _with_new_relayer(fragile_park)
        with _at(database_url) as database:
            pair = [indexer_of(park.ledger, database) for _ in range(2)]
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(one.catch_up) for one in pair]:
                    done.result()
            with _fresh(park, tmp_path) as fresh:
                assert _assert_equal(database, fresh) > 0


class TestSums:
    def test_are_those_of_the_contracts(self, fragile_park: Any, tmp_path: Path):
        park = _with_new_relayer(fragile_park)
        park.endow("glass", 2025, 40, 12_300)
        with _database(tmp_path, "node") as database:
            indexer_of(park.ledger, database).catch_up()
            with database.begin() as connection:
                supply = {row["vintage"]: row for row in quota_supply(connection)}
                money = {
                    row["account"]: row["fen"]
                    for row in cash_balances(connection, None)
                }
        on_chain = park.ledger.quota.supply_of(2025)
        assert supply[2025]["held_tonnes"] == on_chain.held
        assert supply[2025]["issued_tonnes"] == on_chain.issued
        glass = park.account("glass")
        assert money[glass] == park.ledger.cash.balance_of(glass)


class TestFsck:
    def test_names_a_row_that_was_changed(self, fragile_park: Any, tmp_path: Path):
        park = _with_new_relayer(fragile_park)
        park.endow("steel", 2024, 8, 800)
        with _database(tmp_path, "node") as database, _fresh(park, tmp_path) as fresh:
            indexer_of(park.ledger, database).catch_up()
            assert check_ledger(park.ledger, database, fresh).balances > 0
            with database.begin() as connection:
                connection.exec_driver_sql(
                    "update quota_movements set delta_tonnes = delta_tonnes + 1"
                )
            with pytest.raises(ConflictLedgerError, match=r"quota_movements differs"):
                check_ledger(park.ledger, database, fresh)


class TestAnotherChain:
    def test_is_refused_with_what_to_do(self, fragile_park: Any, tmp_path: Path):
        with _database(tmp_path, "node") as database:
            indexer_of(fragile_park.ledger, database).catch_up()
            with database.begin() as connection:
                connection.exec_driver_sql("update ledger_cursor set chain_id = 1")
            with pytest.raises(ConflictLedgerError, match="carbon-node reindex"):
                indexer_of(fragile_park.ledger, database).step()

    def test_that_does_not_answer_is_said_to(
        self, fragile_park: Any, tmp_path: Path, free_port: int
    ):
        del fragile_park
        with (
            _database(tmp_path, "node") as database,
            ChainClient(f"http://127.0.0.1:{free_port}") as client,
        ):
            indexer = Indexer(client, (), 0, database)
            with pytest.raises(UnavailableEngineError, match="does not answer"):
                indexer.step()


class TestKill:
    CYCLES = 4

    def test_at_any_moment_loses_and_doubles_nothing(
        self, fragile_park: Any, tmp_path: Path
    ):
        dice = random.Random()  # dice, no secret
        stop = threading.Event()
        worker = threading.Thread(target=_keep_busy, args=(fragile_park, dice, stop))
        worker.start()
        try:
            for _ in range(self.CYCLES):
                _run_and_kill(fragile_park, tmp_path, dice.uniform(0.05, 0.8))
        finally:
            stop.set()
            worker.join()
        with _database(tmp_path / "data", "node") as database:
            with database.begin() as connection:
                reached = position(connection)
            indexer_of(fragile_park.ledger, database).catch_up()
            with _fresh(fragile_park, tmp_path) as fresh:
                assert _assert_equal(database, fresh) > 0
        assert reached is not None


def _keep_busy(park: Any, dice: random.Random, stop: threading.Event) -> None:
    with ChainClient(park.client.url) as client:
        busy = replace(park, sender=funded_sender(client))
        while not stop.is_set():
            _some_action(busy, dice)


def _run_and_kill(park: Any, folder: Path, after_s: float) -> None:
    (folder / "deployment.json").write_text(park.deployment.to_json())
    (folder / "node.toml").write_text(
        'data_dir = "data"\ndeployment = "deployment.json"\nport = 0\n'
        f'chain_id = {CHAIN_ID}\npublic_url = "http://node.example"\n'
        f'rpc_url = "{park.client.url}"\npoll_interval_ms = 5\n'
    )
    command = [sys.executable, "-m", "node", "run", "--config", "node.toml"]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        assert lines.readline().startswith("http://127.0.0.1:")
        time.sleep(after_s)
        process.kill()
        process.wait()
