"""Proof packages from a running member, through the node's port."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounting.boundary import Boundary, Source
from contracts.enumerations import Purpose
from contracts.typed_data import account_id, boundary_id
from node.engine import EngineSettings
from node.errors import UnavailableMemberError
from node.services.ports import MemberProofs
from oracle.evidence.package import build_package
from oracle.member.view import Period
from tests.servers.chain import open_engine
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, wait_until

START = 1_672_502_400
STEP_S = 900
END = START + 2 * 3600
COUNT = (END - START) // STEP_S + 1


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[tuple[OraclePark, dict[int, Any]]]:
    """Four members on a chain whose clock stands behind the period."""
    (tmp_path / "engine").mkdir()
    settings = EngineSettings(
        tmp_path / "engine",
        CHAIN_ID,
        clock_mode="virtual",
        genesis_time=END + 3600,
    )
    with (
        open_engine(settings) as engine,
        OraclePark(engine, tmp_path) as park,
        park.running(clock="chain") as nodes,
    ):
        yield park, nodes


def _recorded(park: OraclePark, nodes: dict[int, Any]) -> bytes:
    """Anchor one meter's readings and have a statement of them recorded."""
    device = park.device("Steel-1", "Steel")
    boundary = Boundary(
        name="Steel works",
        account_name="Steel",
        title_zh="Steel",
        title_en="Steel",
        industry="steel",
        region="浙江",
        sources=(Source(device.identifier, 1, "electricity_in"),),
    )
    where = (boundary_id(boundary.name), account_id("Steel"))
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    time.sleep(0.3)  # members see the carrier before its first reading comes
    readings = [device.next(ts=START + index * STEP_S) for index in range(COUNT)]
    nodes[0].inbox.submit(readings)
    for node in nodes.values():
        wait_until(lambda node=node: _leaves(node) == COUNT, 30)
    period = Period(where[0], START, END)
    return bytes(nodes[0].propose_statement(period, Purpose.TOTAL_WITH_INDIRECT))


def _leaves(node: Any) -> int:
    batches = node._desk.store.batches(0, 10**6)
    return sum(batch.report.leaf_count for batch in batches)


class TestMemberProofs:
    def test_are_those_that_the_member_builds(self, oracle: Any):
        park, nodes = oracle
        statement = _recorded(park, nodes)
        given = MemberProofs(park.settings(0)).package(statement)
        assert given == build_package(nodes[0].statement_evidence(statement))

    def test_of_an_unknown_statement_say_what_to_check(self, oracle: Any):
        park, _ = oracle
        with pytest.raises(UnavailableMemberError, match="has recomputed"):
            MemberProofs(park.settings(0)).package(b"\x07" * 32)

    def test_of_a_stopped_member_say_what_to_check(self, oracle: Any, free_port: int):
        park, _ = oracle
        away = replace(park.settings(0), port=free_port)
        with pytest.raises(UnavailableMemberError, match="check that it runs"):
            MemberProofs(away).package(b"\x07" * 32)
