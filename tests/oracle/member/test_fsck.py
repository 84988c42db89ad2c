"""`carbon-oracle fsck` on a member's real records, whole and with planted faults."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node.engine import EngineSettings
from oracle.config import MemberSettings
from oracle.errors import ConflictDatabaseError
from oracle.member.fsck import check_everything
from tests.servers.chain import open_engine
from tests.simulators.commands import Done, run
from tests.simulators.oracle_park import (
    CHAIN_ID,
    OraclePark,
    settings_toml,
    wait_until,
)


@dataclass(frozen=True)
class Records:
    """A member that has stopped, its chain running."""

    settings: MemberSettings

    def copied(self, folder: Path, *faults: str) -> MemberSettings:
        """Settings of a copy with faults planted."""
        shutil.copytree(self.settings.data_dir, folder / "data")
        with closing(sqlite3.connect(folder / "data" / "member.db")) as database:
            for fault in faults:
                assert database.execute(fault).rowcount != 0, fault
            database.commit()
        # Who plants a fault takes away the account of commits beside it as well.
        (folder / "data" / "member.db.commits").unlink(missing_ok=True)
        return replace(self.settings, data_dir=folder / "data")


def command(settings: MemberSettings, folder: Path) -> Done:
    """Run the command as its user does."""
    config = folder / "member.toml"
    config.write_text(settings_toml(settings))
    return run("carbon-oracle", "fsck", "--config", config)


def ignore(_what: str, _count: int) -> None:
    """Nobody watches the progress."""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    folder = tmp_path_factory.mktemp("records")
    with (
        open_engine(EngineSettings(folder / "chain", CHAIN_ID)) as engine,
        OraclePark(engine, folder) as park,
    ):
        device = park.device("m1")
        with park.running() as nodes:
            for _ in range(3):
                before = park.anchored()
                nodes[0].inbox.submit(device.series(5))
                wait_until(lambda before=before: park.anchored() > before)
            wait_until(lambda: nodes[0].follower.position.seq == park.anchored())
        yield Records(park.settings(0))


def test_good_records_are_counted(records: Records, tmp_path: Path):
    done = command(records.copied(tmp_path), tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "15 readings in them, 3 receipts" in done.out


FAULTS = {
    "UPDATE readings SET digest = zeroblob(32) WHERE seq = 3": "another digest",
    "DELETE FROM readings WHERE seq = 7": "rows are missing",
    "UPDATE readings SET batch_index = 9 WHERE seq = 2": "readings have another root",
    "UPDATE receipts SET message = zeroblob(200) WHERE id = 2": "receipt 2",
    "DELETE FROM receipts WHERE id = 1": "receipt 1 is not here, readings name it",
    "UPDATE readings SET receipt_id = 0 WHERE seq = 12": "receipt 3 acknowledges",
    "DELETE FROM batches WHERE seq = 1": "expected batch 1",
    "UPDATE batches SET report_hash = zeroblob(32) WHERE seq = 2": "does not follow",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(records: Records, tmp_path: Path, fault: str):
    settings = records.copied(tmp_path, fault)
    with pytest.raises(ConflictDatabaseError, match=FAULTS[fault]) as caught:
        check_everything(settings, ignore)
    assert "carbon-oracle rebuild" in str(caught.value)


def test_a_fault_has_an_exit_status_of_its_own(records: Records, tmp_path: Path):
    fault = "UPDATE readings SET raw = zeroblob(90) WHERE seq = 3"
    done = command(records.copied(tmp_path, fault), tmp_path)
    assert (done.code, "another digest" in done.err) == (3, True), done.err


def test_a_chain_that_lost_batches_is_named(records: Records, tmp_path: Path):
    """The same database on a chain where the stream has not begun."""
    with (
        open_engine(EngineSettings(tmp_path / "chain", CHAIN_ID)) as engine,
        OraclePark(engine, tmp_path) as other,
    ):
        settings = replace(
            records.settings,
            rpc_url=engine.rpc_url,
            deployment_file=other.deployment_file,
        )
        (tmp_path / "copy").mkdir()
        copy = Records(settings).copied(tmp_path / "copy")
        with pytest.raises(ConflictDatabaseError, match="the chain ends before it"):
            check_everything(copy, ignore)
