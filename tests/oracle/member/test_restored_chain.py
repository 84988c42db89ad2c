"""A stream goes on after its embedded chain was restored from a snapshot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.engine import EmbeddedEngine, EngineSettings
from oracle.member.chain import EvmChain
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, members_of, wait_until

pytestmark = pytest.mark.embedded_only("stops the chain and starts it again")


@pytest.fixture
def park(tmp_path: Path, free_port: int) -> Iterator[OraclePark]:
    """A park whose chain has just come back: contracts forgot its blocks' hashes."""
    (tmp_path / "chain").mkdir()
    settings = EngineSettings(tmp_path / "chain", CHAIN_ID, port=free_port)
    with EmbeddedEngine(settings) as engine:
        made = OraclePark(engine, tmp_path)
    with EmbeddedEngine(settings), made:
        yield made


class TestRestoredChain:
    def test_gets_its_first_batch_behind_the_snapshot(self, park: OraclePark):
        with park.running(heartbeat_s=5):
            wait_until(lambda: park.anchored() >= 1, 150)


class TestReportThatTheChainCannotTake:
    def test_is_left_behind_by_configuring_the_same_members_again(
        self, park: OraclePark, monkeypatch: pytest.MonkeyPatch
    ):
        """The members signed it and may sign no other under the same version."""
        monkeypatch.setattr(EvmChain, "require_known_blocks", lambda _: None)
        height = park.client.block_number()
        with park.running(heartbeat_s=5):
            wait_until(lambda: park.client.block_number() > height + 1, 150)
            assert park.anchored() == 0
            call = park.ledger.anchor.configure(members_of(), 3)
            park.govern("Regulator", call)
            wait_until(lambda: park.anchored() >= 1, 150)
