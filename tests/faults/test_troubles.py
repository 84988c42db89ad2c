"""Each trouble once; `make soak` goes through them at random for hundreds of times."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.book import Item
from tests.faults.field import Field
from tests.faults.statements import check_signers
from tests.faults.tally import Tally
from tests.faults.troubles import TROUBLES, go_through

SEED = 20260


@pytest.mark.timeout(900)
def test_members_recover_from_every_trouble_and_lose_nothing(tmp_path: Path):
    tally = Tally()
    with Field(tmp_path, SEED) as field:
        field.wait_until_well()
        for name in TROUBLES:
            go_through(field, name, tally)
        tally.judge(field.judge())
    assert tally.wrong == []
    assert tally.is_clean
    assert set(TROUBLES) <= set(tally.faults)
    assert tally.acknowledged > 100
    assert field.asking.count > 3
    repeated = [line.repeated for line in field.to_peer.values()]
    assert sum(repeated) > 0


class TestStatements:
    """The checker's part for statements finds what is planted."""

    def test_one_that_no_quorum_stored_is_lost(self, tmp_path: Path):
        paths = [tmp_path / f"{number}.db" for number in range(4)]
        for number, path in enumerate(paths):
            with closing(sqlite3.connect(path)) as database:
                database.execute("CREATE TABLE statements (statement BLOB)")
                rows = [[b"\x01"]] if number < 3 else []
                rows += [[b"\x02"]] if number < 2 else []
                database.executemany("INSERT INTO statements VALUES (?)", rows)
                database.commit()
        kept, lost = Item("statement", "1", "01"), Item("statement", "2", "02")
        verdict = check_signers([kept, lost], paths)
        assert verdict.lost == ("statement 2 with 2 members",)
