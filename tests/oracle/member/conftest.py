"""One chain; a fresh ledger on it for every test that runs members."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.engine import EngineSettings
from tests.servers.chain import Chain, open_engine
from tests.simulators.oracle_park import CHAIN_ID, OraclePark


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("engine")
    with open_engine(EngineSettings(folder, CHAIN_ID)) as running:
        yield running


@pytest.fixture
def park(engine: Chain, tmp_path: Path) -> Iterator[OraclePark]:
    with OraclePark(engine, tmp_path) as fresh:
        yield fresh
