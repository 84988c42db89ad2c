"""Some seventy kills at random moments; `make soak` does a thousand and more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.kills import Progress, kill_chain, kill_inbox
from tests.faults.tally import Tally

SEED = 20260
Run = Callable[[Path, int, int, Progress], Tally]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("run", "cycles"), [(kill_inbox, 35), (kill_chain, 35)])
def test_nothing_acknowledged_is_lost_doubled_or_altered(
    tmp_path: Path, run: Run, cycles: int
):
    tally = run(tmp_path, cycles, SEED, lambda: None)
    assert tally.wrong == []
    assert tally.is_clean
    assert tally.cycles == cycles == len(tally.recovery_s)
    assert tally.acknowledged > cycles
