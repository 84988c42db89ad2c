"""Running members, fed in any order, again and again, at any pace: one result.

Every example has its own chain, founded by the same key, so that contracts have the
same addresses and carriers sign the same bytes. Only the way to the members differs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from coincurve import PrivateKey
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounting.boundary import Boundary, Source
from contracts.enumerations import Purpose
from contracts.structs import StatementReport
from contracts.typed_data import account_id, boundary_id
from node.engine import EngineSettings
from oracle.evidence.evidence import StatementEvidence
from oracle.evidence.package import build_package
from oracle.evidence.trust import Trust
from oracle.evidence.verify import verify_package
from oracle.member.member import MemberNode
from oracle.member.view import Period
from tests.servers.chain import open_engine
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, wait_until

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEPS = 6
END = START + STEPS * 900
CARRIERS = ("a", "b")
COUNT = len(CARRIERS) * (STEPS + 1)
MEMBERS = 4
WAVES = 3
FOUNDER = PrivateKey(b"\x01" * 32)


@dataclass(frozen=True)
class Delivery:
    """One reading brought to one member, in one of the waves."""

    reading: int
    member: int
    wave: int


IN_ORDER = [Delivery(number, 0, 0) for number in range(COUNT)]


@st.composite
def schedules(draw: st.DrawFn) -> list[Delivery]:
    """Every reading once at least, in some order, to some member, in some wave."""
    order = draw(st.permutations(range(COUNT)))
    repeated = draw(st.lists(st.integers(0, COUNT - 1), max_size=8))
    members, waves = st.integers(0, MEMBERS - 1), st.integers(0, WAVES - 1)
    return [Delivery(one, draw(members), draw(waves)) for one in [*order, *repeated]]


@dataclass(frozen=True)
class Outcome:
    """What must not depend on the deliveries."""

    leaves: list[bytes]
    """Every reading in the batches, sorted."""
    figures: dict[str, object]
    """The statement without what names batches."""
    is_proven: bool
    """Whether the proof package verifies."""


Play = Callable[[list[Delivery]], Outcome]


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Found a ledger, run its members, bring the readings, make the statement."""
    signed: list[bytes] = []  # once: a signature is another one each time

    def run(schedule: list[Delivery]) -> Outcome:
        folder = tmp_path_factory.mktemp("park")
        chain = EngineSettings(
            folder / "chain",
            CHAIN_ID,
            clock_mode="virtual",
            genesis_time=END + 3600,
        )
        with (
            open_engine(chain) as engine,
            OraclePark(engine, folder, FOUNDER) as park,
        ):
            devices = enrol(park)
            signed.extend(() if signed else sign(devices))
            with park.running(clock="chain") as nodes:
                bring(nodes, signed, schedule)
                return outcome(nodes)

    return run


def enrol(park: OraclePark) -> list[DeviceSimulator]:
    """Register two carriers and the boundary that holds them."""
    devices = [park.device(name) for name in CARRIERS]
    sources = tuple(Source(one.identifier, 1, "electricity_in") for one in devices)
    boundary = Boundary("works", "Steel", "厂", "Works", "steel", "浙江", sources)
    where = boundary_id("works"), account_id("Steel")
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    return devices


def sign(devices: list[DeviceSimulator]) -> list[bytes]:
    """All readings of the period, by carrier, in order."""
    steps = range(STEPS + 1)
    return [one.next(ts=START + step * 900) for one in devices for step in steps]


def bring(
    nodes: dict[int, MemberNode], raws: list[bytes], schedule: list[Delivery]
) -> None:
    """Bring each wave when the wave before it is anchored everywhere."""
    brought: set[int] = set()
    for wave in range(WAVES):
        now = [one for one in schedule if one.wave == wave]
        for one in now:
            url = f"{nodes[one.member].url}/readings"
            headers = {"content-type": "application/cose"}
            raw = raws[one.reading]
            answer = httpx.post(url, content=raw, headers=headers, trust_env=False)
            assert answer.status_code == httpx.codes.OK, answer.text
        brought |= {one.reading for one in now}
        count = len(brought)
        for node in nodes.values():
            wait_until(lambda node=node, count=count: anchored(node) == count, 30)


def anchored(node: MemberNode) -> int:
    """Count the readings in the batches that a member adopted."""
    batches = node._desk.store.batches(0, 1000)
    return sum(batch.report.leaf_count for batch in batches)


def outcome(nodes: dict[int, MemberNode]) -> Outcome:
    period = Period(boundary_id("works"), START, END)
    statement = nodes[0].propose_statement(period, Purpose.TOTAL_WITH_INDIRECT)
    evidence = nodes[1].statement_evidence(statement)
    trust = Trust(evidence.chain, {one.version: one for one in evidence.configurations})
    leaves = [raw for batch in evidence.batches for raw in batch.readings.values()]
    report = verify_package(build_package(evidence), trust)
    return Outcome(sorted(leaves), figures(evidence), report.is_accepted)


def figures(evidence: StatementEvidence) -> dict[str, object]:
    report: StatementReport = evidence.statement.report
    names = ("grams", "input_root", "rule_set_digest", "factor_set_digest")
    names += ("boundary_digest", "result_digest", "period_start", "period_end")
    return {name: getattr(report, name) for name in names}


class TestAnyDelivery:
    def test_gives_the_same_leaves_and_statement_and_a_proof(self, play: Play):
        expected = play(IN_ORDER)
        assert (len(expected.leaves), expected.is_proven) == (COUNT, True)

        @settings(
            max_examples=4,
            derandomize=True,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(schedules())
        def holds(schedule: list[Delivery]) -> None:
            assert play(schedule) == expected

        holds()
