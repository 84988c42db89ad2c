"""A node's database damaged or gone: refused aloud, made anew, equal row for row."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.errors import ConflictLedgerError
from node.ledger.cursor import position
from node.run import indexer_of
from node.services import pending
from node.services.fsck import compare_tables
from node.services.reindex import Cleared, clear_ledger
from node.store.database import Database, open_database
from node.store.desk import LoginToken, PendingInstruction, PendingSignature
from node.store.schema import table_of
from oracle.database.claim import FileClaim
from tests.simulators.damage import (
    ALL,
    cut,
    empty,
    flip,
    halve,
    overwrite,
    remove,
    zero_a_page,
)
from wallet.signers import sign_instruction

FILE = "node.sqlite"
PARTS = ("", "-wal", ".commits")
CASES = [
    *[("closed", "", damage, seed) for damage in ALL for seed in range(2)],
    *[("killed", "", damage, 0) for damage in (halve, empty, remove, overwrite)],
    *[("killed", "-wal", damage, 0) for damage in (halve, empty, remove, overwrite)],
    *[("killed", "-wal", damage, seed) for damage in (flip, cut) for seed in range(2)],
]


@dataclass(frozen=True)
class Home:
    """A node's database in two states, and the chain behind it."""

    park: Any
    closed: Path
    """As a clean stop left it."""
    killed: Path
    """As a kill left it: everything new is in the write-ahead log alone."""
    whole: Database
    """The same, open and sound."""

    def take(self, state: str, folder: Path) -> Path:
        for part in PARTS:
            if (source := getattr(self, state) / f"{FILE}{part}").exists():
                shutil.copyfile(source, folder / source.name)
        return folder / FILE

    def reindex(self, path: Path) -> Cleared:
        """Do what `carbon-node reindex` does, and compare every row."""
        made = clear_ledger(f"sqlite:///{path}")
        database = open_database(f"sqlite:///{path}")
        indexer_of(self.park.ledger, database).catch_up()
        with database.reading() as ours, self.whole.reading() as theirs:
            assert position(ours) == position(theirs)
            assert compare_tables(ours, theirs, 2**62) > 50
        database.close()
        return made


@pytest.fixture(scope="module")
def home(park: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folders = [tmp_path_factory.mktemp(name) for name in ("closed", "killed", "whole")]
    park.endow("steel", 2024, 600, 60_000)
    path = folders[0] / FILE
    database = open_database(f"sqlite:///{path}")
    made = park.quota("CancelQuota", "steel", vintage=2024, tonnes=1, reason="decision")
    signed = sign_instruction(
        made, park.account("steel"), "initiate", park.pair("steel")[0]
    )
    with database.begin() as connection:
        pending.keep(connection, signed, "0x00", park.now())
        pending.keep_signatures(connection, None, signed)
        connection.execute(
            table_of(LoginToken).insert(),
            {"token_hash": b"1" * 32, "address": "0x", "expires_at": 1},
        )
    indexer_of(park.ledger, database).catch_up()
    _copy(folders[0], folders[1])
    database.close()
    _copy(folders[0], folders[2])
    whole = open_database(f"sqlite:///{folders[2] / FILE}")
    yield Home(park, folders[0], folders[1], whole)
    whole.close()


def _copy(source: Path, target: Path) -> None:
    for part in PARTS:
        if (path := source / f"{FILE}{part}").exists():
            shutil.copyfile(path, target / path.name)


def _desk(path: Path) -> dict[str, int]:
    database = open_database(f"sqlite:///{path}")
    with database.reading() as connection:
        found = {
            table.__tablename__: len(connection.execute(select(table)).all())
            for table in (PendingInstruction, PendingSignature, LoginToken)
        }
    database.close()
    return found


class TestDamage:
    def test_is_never_passed_over_and_every_row_comes_back(
        self, home: Home, tmp_path: Path
    ):
        refused = 0
        for number, (state, part, damage, seed) in enumerate(CASES):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = home.take(state, folder)
            damage(
                path.with_name(f"{FILE}{part}"),
                random.Random(f"{damage.__name__} {seed}"),
            )
            try:
                open_database(f"sqlite:///{path}").close()
            except ConflictLedgerError as exc:
                refused += "carbon-node reindex" in str(exc)
                home.reindex(path)
            else:
                assert _desk(path)["pending_signatures"] == 1, (state, part, damage)
            shutil.rmtree(folder)
        assert len(CASES) >= 24
        assert refused >= 22


class TestReindex:
    def test_keeps_what_it_sets_aside(self, home: Home, tmp_path: Path):
        path = home.take("closed", tmp_path)
        overwrite(path, random.Random(1))
        damaged = path.read_bytes()
        made = home.reindex(path)
        assert made.set_aside == f"{path}.damaged-1"
        assert (tmp_path / f"{FILE}.damaged-1").read_bytes() == damaged

    def test_takes_over_what_waits_for_people(self, home: Home, tmp_path: Path):
        """Where one page of the file is gone, the desk can still be read."""
        path = home.take("closed", tmp_path)
        with path.open("ab") as file:
            file.write(b"more")
        made = home.reindex(path)
        assert made.kept["pending_instructions"] == 1
        assert _desk(path) == {
            "pending_instructions": 1,
            "pending_signatures": 1,
            "login_tokens": 0,
        }

    def test_takes_over_no_instruction_that_was_altered(
        self, home: Home, tmp_path: Path
    ):
        path = home.take("closed", tmp_path)
        data = path.read_bytes()
        assert data.count(b'"tonnes": "1"') == 1
        path.write_bytes(data.replace(b'"tonnes": "1"', b'"tonnes": "9"'))
        made = home.reindex(path)
        assert made.kept["pending_instructions"] == 0

    def test_in_place_leaves_the_desk_alone(self, home: Home, tmp_path: Path):
        path = home.take("closed", tmp_path)
        assert home.reindex(path) == Cleared()
        assert _desk(path)["login_tokens"] == 1

    def test_replaces_nothing_that_a_node_holds(self, home: Home, tmp_path: Path):
        path = home.take("closed", tmp_path)
        zero_a_page(path, random.Random(2))
        claim = FileClaim(path)
        with pytest.raises(ConflictLedgerError, match="another process holds"):
            clear_ledger(f"sqlite:///{path}")
        claim.release()
        assert home.reindex(path).set_aside is not None

    def test_works_in_postgresql_where_nothing_is_readable(
        self, home: Home, postgresql_server: Any, postgresql_url: str
    ):
        """A table of another shape stands for one that cannot be read."""
        database = open_database(postgresql_url)
        indexer_of(home.park.ledger, database).catch_up()
        database.close()
        name = postgresql_url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
        change = "UPDATE alembic_version SET version_num = 'lost'"
        postgresql_server.execute(change, name)
        with pytest.raises(ConflictLedgerError, match="revision lost"):
            open_database(postgresql_url)
        made = clear_ledger(postgresql_url)
        assert str(made.set_aside).endswith("schema damaged_1")
        database = open_database(postgresql_url)
        indexer_of(home.park.ledger, database).catch_up()
        with database.reading() as ours, home.whole.reading() as theirs:
            assert compare_tables(ours, theirs, 2**62) > 50
        database.close()
