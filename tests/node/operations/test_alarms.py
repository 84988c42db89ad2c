"""Every alarm is raised and cleared on real parts: chain, index, inbox, disk."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from contracts.chain import ChainClient
from contracts.enumerations import CarrierStatus
from contracts.hashing import keccak256
from contracts.ledger import Ledger
from contracts.structs import BatchReport, ReadingProof
from contracts.typed_data import stream_id, struct_hash
from node.engine import EmbeddedEngine, EngineSettings
from node.operations.alarms import MOST_CARRIERS, judge
from node.operations.facts import CarrierFacts
from node.operations.metrics import NodeCollector
from node.operations.notices import history, raised_alarms
from node.operations.observe import Observed, Observer
from node.operations.peers import MemberPoll
from node.operations.settings import OperationsSettings
from node.operations.watch import Watch
from node.run import indexer_of
from node.store.database import Database, open_database
from oracle.inbox.inbox import Inbox, InboxSettings
from oracle.log.tree import leaf_hash
from oracle.member.proposal import tree_of
from oracle.reading.suites import SoftwareSigner
from tests.simulators.device import DOMAIN, DeviceSimulator, registry_of
from tests.simulators.oracle_park import wait_until

pytestmark = pytest.mark.embedded_only("moves the chain's clock, and stops the chain")

STREAM = stream_id("park")
NO_TLS = httpx.create_ssl_context(trust_env=False)
QUIET = OperationsSettings(carrier_silence_s=0, disk_free_mb=0)


@dataclass(frozen=True)
class Scene:
    """A park with an index that moves when it is told to."""

    park: Any
    database: Database
    folder: Path

    def watch(
        self, settings: OperationsSettings = QUIET, **parts: Any
    ) -> Callable[[], set[str]]:
        """A watch; each call looks once and gives the kinds that are raised."""
        watch = self.open_watch(settings, **parts)

        def step() -> set[str]:
            watch.step()
            return self.raised()

        return step

    def raised(self) -> set[str]:
        return {alarm["kind"] for alarm in raised_alarms(self.database)}

    def open_watch(self, settings: OperationsSettings = QUIET, **parts: Any) -> Watch:
        seen = Observed(
            engine=self.park.engine,
            ledger=self.park.ledger,
            database=self.database,
            members=MemberPoll({}, NO_TLS),
            folders=(self.folder,),
            arrivals=None,
            is_indexing=lambda: True,
        )
        observer = Observer(replace(seen, **parts), settings)
        return Watch(observer, self.database, settings)

    def index(self) -> None:
        indexer_of(self.park.ledger, self.database).catch_up()

    def changes(self, kind: str) -> list[str]:
        """Changes of an alarm, oldest first."""
        notices = reversed(history(self.database, 100))
        return [one["change"] for one in notices if one["kind"] == kind]


@pytest.fixture
def scene(park: Any, tmp_path: Path) -> Iterator[Scene]:
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    made = Scene(park, database, tmp_path)
    made.index()
    yield made
    database.close()


def next_report(park: Any, **fields: Any) -> BatchReport:
    """A report that follows the stream's head."""
    head = park.ledger.anchor.head(STREAM)
    park.engine.mine()
    block = park.client.block(park.client.block_number() - 1)
    now = park.now()
    values = {
        "stream_id": STREAM,
        "seq": head.seq,
        "prev_head": head.head,
        "batch_root": bytes(32),
        "leaf_count": 0,
        "log_size": head.seq,
        "log_root": leaf_hash(b""),
        "ref_block_number": block.number,
        "ref_block_hash": block.hash,
        "first_ts": now,
        "last_ts": now,
        "gaps_digest": bytes(32),
        "data_digest": bytes(32),
        "rules_version": park.ledger.anchor.configuration().version,
    }
    return BatchReport(**values | fields)


def anchor(park: Any, **fields: Any) -> BatchReport:
    report = next_report(park, **fields)
    votes = park.attest(report, "ReadingAnchor")
    park.sender.send(park.ledger.anchor.submit(report, votes))
    assert park.ledger.anchor.head(STREAM).head == struct_hash(report)
    return report


class TestStream:
    def test_that_goes_stale_is_told_until_a_batch_comes(self, scene: Scene):
        anchor(scene.park)
        scene.index()
        look = scene.watch()
        assert look() == set()
        scene.park.engine.advance(3600)
        assert look() == set()
        scene.park.engine.advance(1)
        assert look() == {"stream_stale"}
        anchor(scene.park)
        scene.index()
        assert look() == set()
        assert scene.changes("stream_stale") == ["raised", "cleared"]


class TestForcedReading:
    def test_that_no_batch_carries_in_time_is_told_until_one_does(self, scene: Scene):
        park, message = scene.park, b"a signed reading"
        digest, name = keccak256(message), b"\x11" * 32
        park.sender.send(park.ledger.anchor.force_include(STREAM, message))
        scene.index()
        look = scene.watch()
        assert "inclusion_overdue" not in look()
        park.engine.advance(3601)
        assert "inclusion_overdue" in look()
        seq = park.ledger.anchor.head(STREAM).seq
        tree = tree_of(STREAM, seq, [(name, 5, digest)])
        report = anchor(park, batch_root=tree.root, leaf_count=1)
        scene.index()
        assert "inclusion_overdue" in look()
        proof = ReadingProof(report, report, (), 0, 5, name, tree.proof(0))
        park.sender.send(park.ledger.anchor.settle_inclusion(digest, proof))
        scene.index()
        assert look() == set()
        assert scene.changes("inclusion_overdue") == ["raised", "cleared"]


class TestCarrier:
    def test_that_sends_nothing_is_told_until_it_does(self, scene: Scene):
        park, device = scene.park, DeviceSimulator("steel-meter-7")
        park.register_carrier(device.identifier, "steel")
        scene.index()
        clock = [park.now()]
        signer = SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
        settings = InboxSettings(scene.folder / "inbox.db", DOMAIN, workers=0)
        with Inbox(settings, registry_of(device), signer, lambda: clock[0]) as inbox:
            limits = replace(QUIET, carrier_silence_s=60, watch_interval_s=0)
            watch = scene.watch(limits, arrivals=inbox.stored)

            def is_told_after(seconds: int) -> bool:
                clock[0] = park.engine.advance(seconds)
                return "carrier_silent" in watch()

            inbox.submit(device.series(1))
            assert not is_told_after(0)
            assert not is_told_after(60)
            assert is_told_after(200)
            inbox.submit(device.series(1))
            assert not is_told_after(20)
            assert is_told_after(200)
            self.suspend(scene, device)
            assert not is_told_after(20)
        changes = scene.changes("carrier_silent")
        assert changes == ["raised", "cleared", "raised", "cleared"]

    def suspend(self, scene: Scene, device: DeviceSimulator) -> None:
        """A carrier that is not active may be silent."""
        call = scene.park.ledger.carriers.set_status(
            device.identifier_hash, CarrierStatus.SUSPENDED, 10
        )
        scene.park.govern("identity", call)
        scene.index()

    def test_beyond_those_that_are_named_are_one_alarm(self, scene: Scene):
        silent = tuple((f"88.1.1/m{n}", 9000 - n) for n in range(MOST_CARRIERS + 7))
        facts = scene_facts(scene)
        given = replace(facts, carriers=CarrierFacts(1000, silent))
        found = judge(given, QUIET).raised
        rest = found["carrier_silent", "*"]
        assert (len(found), rest["count"]) == (MOST_CARRIERS + 1, "7")


def scene_facts(scene: Scene) -> Any:
    parts = Observed(
        scene.park.engine,
        scene.park.ledger,
        scene.database,
        MemberPoll({}, NO_TLS),
        (scene.folder,),
        None,
        lambda: True,
    )
    return Observer(parts, QUIET).look()


class TestMember:
    def test_that_does_not_answer_is_told_by_its_address(self, scene: Scene):
        limits = replace(QUIET, member_down_s=1)
        poll = MemberPoll({"0xA": "http://127.0.0.1:9"}, NO_TLS)
        look = scene.watch(limits, members=poll)
        assert look() == set()  # it has not been away for long enough yet
        time.sleep(1.1)
        assert look() == {"member_down"}
        poll.close()


class TestDisk:
    BAND = 128_000_000

    def test_that_runs_full_is_told_until_there_is_room(self, scene: Scene):
        free_mb = shutil.disk_usage(scene.folder).free // 1_000_000
        limits = replace(QUIET, disk_free_mb=free_mb - 200)
        look = scene.watch(limits)
        assert look() == set()
        filler = scene.folder / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 400_000_000)
        assert look() == {"disk_low"}
        filler.unlink()
        assert look() == set()
        assert scene.changes("disk_low") == ["raised", "cleared"]


class TestChain:
    def test_that_does_not_answer_is_told_until_it_does(
        self, scene: Scene, tmp_path: Path, free_port: int
    ):
        (tmp_path / "other").mkdir()
        settings = EngineSettings(
            tmp_path / "other", scene.park.engine.chain_id, port=free_port
        )
        limits = replace(QUIET, chain_stalled_s=1)
        with (
            EmbeddedEngine(settings) as engine,
            ChainClient(engine.rpc_url) as client,
        ):
            ledger = Ledger(client, scene.park.deployment)
            look = scene.watch(limits, engine=engine, ledger=ledger)
            assert "chain_stalled" not in look()
            engine.stop()
            time.sleep(1.1)
            assert "chain_stalled" in look()
            engine.start()
            assert "chain_stalled" not in look()
        assert scene.changes("chain_stalled") == ["raised", "cleared"]


class TestIndex:
    LIMITS = replace(QUIET, indexer_lag_blocks=0, indexer_behind_s=0)

    def test_that_is_behind_is_told_until_it_catches_up(self, scene: Scene):
        look = scene.watch(self.LIMITS)
        assert look() == set()
        scene.park.engine.mine()
        assert look() == {"indexer_behind"}
        scene.index()
        assert look() == set()

    def test_that_has_stopped_is_told(self, scene: Scene):
        assert scene.watch(is_indexing=lambda: False)() == {"indexer_behind"}


class FaultyArrivals:
    """An inbox's reader with a fault that nobody thought of, until it is mended."""

    is_faulty = True

    def last_arrivals(self) -> list[tuple[str, int]]:
        if self.is_faulty:
            raise ValueError("no such column")
        return []


class TestWatch:
    def test_that_fails_is_an_alarm_itself_and_clears_no_other(self, scene: Scene):
        limits = replace(TestIndex.LIMITS, carrier_silence_s=60, watch_interval_s=0)
        scene.park.engine.mine()
        assert scene.watch(TestIndex.LIMITS)() == {"indexer_behind"}
        scene.index()
        arrivals, stop = FaultyArrivals(), threading.Event()
        watch = scene.open_watch(limits, arrivals=arrivals)
        figures = NodeCollector(watch, scene.database)
        thread = threading.Thread(target=watch.run, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: scene.raised() == {"indexer_behind", "watch_failed"})
            [own] = raised_alarms(scene.database)[1:]
            assert "ValueError: no such column" in own["sentence"]["en"]
            assert "disk_low" in own["sentence"]["zh"]
            found = {one.name: one.samples[0].value for one in figures.collect()}
            assert found["carbon_watch_up"] == 0
            arrivals.is_faulty = False
            wait_until(lambda: scene.raised() == set())
        finally:
            stop.set()
            thread.join()
        assert scene.changes("watch_failed") == ["raised", "cleared"]


class TestStored:
    def test_alarms_survive_a_restart_and_are_told_once(self, scene: Scene):
        scene.park.engine.mine()
        scene.watch(TestIndex.LIMITS)()
        scene.database.close()
        again = open_database(f"sqlite:///{scene.folder}/node.sqlite")
        later = replace(scene, database=again)
        look = later.watch(TestIndex.LIMITS)
        assert look() == {"indexer_behind"}
        assert later.changes("indexer_behind") == ["raised"]
        later.index()
        assert look() == set()
        assert later.changes("indexer_behind") == ["raised", "cleared"]
        again.close()

    def test_nothing_known_changes_nothing(self, scene: Scene):
        """A look that cannot read the database clears no alarm of its streams."""
        facts = replace(scene_facts(scene), work=None, streams=(), fault="locked")
        assert {"stream_stale", "carrier_silent"} <= judge(facts, QUIET).unknown
