"""A stream goes on after its embedded chain was restored from a snapshot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.calls import UnsignedCall
from contracts.errors import UnavailableError
from node.engine import EmbeddedEngine, EngineSettings
from oracle.member.chain import EvmChain
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, members_of, wait_until

pytestmark = pytest.mark.embedded_only("stops the chain and starts it again")

FORGOTTEN_BLOCKS = 260
"""BLOCKHASH looks back 256 blocks."""


@pytest.fixture
def park(tmp_path: Path, free_port: int) -> Iterator[OraclePark]:
    """A park whose chain has just come back."""
    (tmp_path / "chain").mkdir()
    settings = EngineSettings(tmp_path / "chain", CHAIN_ID, port=free_port)
    with EmbeddedEngine(settings) as engine:
        made = OraclePark(engine, tmp_path)
    with EmbeddedEngine(settings), made:
        yield made


class TestRestoredChain:
    def test_takes_a_batch_that_names_its_last_block(self, park: OraclePark):
        with park.running(heartbeat_s=5):
            wait_until(lambda: park.anchored() >= 1, 150)


class TestReportThatTheChainCannotTake:
    def test_is_left_behind_by_configuring_the_same_members_again(
        self, park: OraclePark, monkeypatch: pytest.MonkeyPatch
    ):
        """The members signed it and may sign no other under the same version."""
        signed = _cut_off_sending(monkeypatch)
        with park.running(heartbeat_s=5):
            wait_until(lambda: len(signed) > 0, 150)
            nothing = UnsignedCall(park.sender.address, b"", gas_limit=21_000)
            for _ in range(FORGOTTEN_BLOCKS):
                park.sender.send(nothing)
            monkeypatch.undo()
            height = park.client.block_number()
            wait_until(lambda: park.client.block_number() > height + 1, 150)
            assert park.anchored() == 0
            call = park.ledger.anchor.configure(members_of(), 3)
            park.govern("Regulator", call)
            wait_until(lambda: park.anchored() >= 1, 150)


def _cut_off_sending(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let no report reach the chain; gives what would have been sent."""
    signed: list[object] = []

    def submit(_: EvmChain, report: object, __: object) -> None:
        signed.append(report)
        raise UnavailableError("cut off")

    monkeypatch.setattr(EvmChain, "submit", submit)
    return signed
