"""A real member that stops and comes back, as the watch of a node sees it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from node.engine import EngineSettings
from node.operations.notices import raised_alarms
from node.operations.observe import Observed, Observer
from node.operations.peers import MemberPoll
from node.operations.settings import OperationsSettings
from node.operations.watch import Watch
from node.store.database import Database, open_database
from tests.servers.chain import open_engine
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, member_key

ADDRESS = member_key(0).address


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OraclePark]:
    folder = tmp_path_factory.mktemp("members")
    with (
        open_engine(EngineSettings(folder / "chain", CHAIN_ID)) as engine,
        OraclePark(engine, folder) as made,
    ):
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def watch_of(park: OraclePark, database: Database, poll: MemberPoll) -> Watch:
    settings = OperationsSettings(member_down_s=1, disk_free_mb=0)
    parts = Observed(park.engine, park.ledger, database, poll, (), None, lambda: True)
    return Watch(Observer(parts, settings), database, settings)


class TestMember:
    def test_is_told_while_it_is_away(self, park: OraclePark, database: Database):
        urls = {ADDRESS: f"http://127.0.0.1:{park.ports[0]}"}
        poll = MemberPoll(urls, httpx.create_ssl_context(trust_env=False))
        watch = watch_of(park, database, poll)
        is_told = self.teller(watch, database)
        with park.running((0,)):
            assert not is_told()
        assert not is_told()  # it has only just gone
        time.sleep(1.1)
        assert is_told()
        with park.running((0,)):
            assert not is_told()
        poll.close()

    def teller(self, watch: Watch, database: Database) -> Callable[[], bool]:
        def is_told() -> bool:
            watch.step()
            raised = raised_alarms(database)
            return ("member_down", ADDRESS) in {
                (one["kind"], one["subject"]) for one in raised
            }

        return is_told

    def test_under_another_key_does_not_count(
        self, park: OraclePark, database: Database
    ):
        urls = {member_key(1).address: f"http://127.0.0.1:{park.ports[0]}"}
        poll = MemberPoll(urls, httpx.create_ssl_context(trust_env=False))
        with park.running((0,)):
            [found] = watch_of(park, database, poll).step().members
        assert not found.is_answering
        poll.close()
