"""A chain with a fresh ledger for every test that runs members."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.oracle_park import OraclePark, oracle_park


@pytest.fixture
def park(tmp_path: Path) -> Iterator[OraclePark]:
    with oracle_park(tmp_path) as running:
        yield running
