"""What a member asks of a chain before it proposes."""

from pathlib import Path

from contracts.calls import UnsignedCall
from node.engine import EngineSettings
from oracle.member.chain import EvmChain
from tests.servers.chain import open_engine
from tests.simulators.oracle_park import CHAIN_ID, OraclePark

MOST_BLOCKS = 4_000
"""One hash in 256 begins with 0xef: fewer than one run in a million finds none."""


class TestKnownBlocks:
    def test_are_known_whatever_their_hash_begins_with(self, tmp_path: Path):
        chain = EngineSettings(tmp_path / "chain", CHAIN_ID)
        with open_engine(chain) as engine, OraclePark(engine, tmp_path) as park:
            member = EvmChain(park.client, park.sender, park.deployment)
            nothing = UnsignedCall(park.sender.address, b"", gas_limit=21_000)
            for _ in range(MOST_BLOCKS):
                before = park.client.block()
                park.sender.send(nothing)
                if before is not None and before.hash[0] == 0xEF:
                    break
            else:
                raise AssertionError("no block of the kind was made")
            height = park.client.block_number()
            member.require_known_blocks()
            assert park.client.block_number() == height
