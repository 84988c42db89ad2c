"""A stream goes on after its embedded chain was restored from a snapshot."""

from pathlib import Path

import pytest

from contracts.chain import ChainClient
from node.engine import EmbeddedEngine, EngineSettings
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, wait_until

pytestmark = pytest.mark.embedded_only("stops the chain and starts it again")


class TestRestoredChain:
    def test_gets_its_first_batch_behind_the_snapshot(
        self, tmp_path: Path, free_port: int
    ):
        """Reports name blocks by hash, which the restored engine has forgotten."""
        (tmp_path / "chain").mkdir()
        settings = EngineSettings(tmp_path / "chain", CHAIN_ID, port=free_port)
        with EmbeddedEngine(settings) as engine:
            park = OraclePark(engine, tmp_path)
        with EmbeddedEngine(settings), ChainClient(engine.rpc_url) as client:
            assert client.block_number() > 0
            with park.running(heartbeat_s=5):
                wait_until(lambda: park.anchored() >= 1, 60)
            park.client.close()
