"""Each trouble once; `make soak` goes through them at random for hundreds of times."""

from pathlib import Path

import pytest

from tests.faults.field import Field
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
    repeated = [line.repeated for line in field.to_peer.values()]
    assert sum(repeated) > 0
