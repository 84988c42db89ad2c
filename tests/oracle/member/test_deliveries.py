"""Any permutation, repetition and delay of deliveries gives the same content."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.boundary import Boundary, Source
from contracts.enumerations import Purpose
from contracts.typed_data import account_id, boundary_id
from node.engine import EngineSettings
from oracle.member.member import MemberNode
from oracle.member.proposal import Batch, build_batch
from oracle.member.statements import NO_STATEMENT
from oracle.member.view import Period
from tests.servers.chain import Chain, open_engine
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, member_key

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEPS = 8
END = START + STEPS * 900
PERIOD = Period(boundary_id("works"), START, END)
MEMBERS = 3
PHASES = 2
_folders = itertools.count()


@dataclass(frozen=True)
class Delivery:
    """One message given to one member, before the first or the second batch."""

    reading: int
    member: int
    phase: int


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    settings_ = EngineSettings(
        tmp_path_factory.mktemp("engine"),
        CHAIN_ID,
        clock_mode="virtual",
        genesis_time=END + 3600,
    )
    with open_engine(settings_) as running:
        yield running


class Members:
    """Members without rounds: the test carries messages and cuts the batches."""

    def __init__(self, park: OraclePark) -> None:
        folder = park.folder / f"example-{next(_folders)}"
        self.nodes = [
            MemberNode(
                park.settings(index, clock="chain", data_dir=folder / str(index)),
                key=member_key(index),
            )
            for index in range(MEMBERS)
        ]
        for node in self.nodes:
            node.follower.follow()

    def deliver(self, given: list[tuple[int, bytes]]) -> None:
        for member, raw in given:
            self.nodes[member].inbox.submit([raw])
        for node in self.nodes:
            node.inbox.submit([raw for _, raw in given[::-1]])

    def cut(self) -> None:
        """Let every member build the batch; they must agree; then adopt it."""
        batches = [self.build(node) for node in self.nodes]
        assert len({batch.report_hash for batch in batches}) == 1
        for node, batch in zip(self.nodes, batches, strict=True):
            event = SimpleNamespace(seq=batch.report.seq, tx_hash=bytes(32))
            node.follower._adopt(batch, event)

    def build(self, node: MemberNode) -> Batch:
        follower = node.follower
        head = follower.head
        readings, states = node.rounds._selection.choose(head.number)
        frame = follower.frame_at(head.number, head.hash, 1)
        return build_batch(frame, readings, states, END)

    def content(self) -> list[tuple[bytes, int, bytes]]:
        """Everything batched, by carrier and seq."""
        batches = self.nodes[0]._desk.store.batches(0, 100)
        refs = [ref for batch in batches for ref in batch.refs]
        return sorted((ref.identifier_hash, ref.seq, ref.digest) for ref in refs)

    def statements(self) -> set[tuple[int, bytes, bytes]]:
        """Grams, input root and result of every member."""
        purpose = Purpose.TOTAL_WITH_INDIRECT
        reports = [
            node.statements.compute(PERIOD, purpose, NO_STATEMENT).report
            for node in self.nodes
        ]
        return {(one.grams, one.input_root, one.result_digest) for one in reports}

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def enrolled(park: OraclePark) -> list[bytes]:
    """Two carriers of one boundary; their readings, in order."""
    devices = [park.device(name) for name in ("a", "b")]
    boundary = Boundary(
        name="works",
        account_name="Steel",
        title_zh="Steel",
        title_en="Steel",
        industry="steel",
        region="浙江",
        sources=tuple(Source(d.identifier, 1, "electricity_in") for d in devices),
    )
    where = (boundary_id("works"), account_id("Steel"))
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    return [raw for device in devices for raw in _series(device)]


def _series(device: DeviceSimulator) -> list[bytes]:
    return [device.next(ts=START + index * 900) for index in range(STEPS + 1)]


def reference(
    park: OraclePark, raws: list[bytes]
) -> tuple[list[tuple[bytes, int, bytes]], set[tuple[int, bytes, bytes]]]:
    """Content and statement when everything comes once and in order."""
    members = Members(park)
    try:
        members.deliver([(0, raw) for raw in raws])
        members.cut()
        return members.content(), members.statements()
    finally:
        members.stop()


COUNT = 2 * (STEPS + 1)
deliveries = st.permutations(range(COUNT)).flatmap(
    lambda order: st.tuples(
        st.just(order),
        st.lists(st.integers(0, COUNT - 1), max_size=6),
        st.lists(st.integers(0, MEMBERS - 1), min_size=30, max_size=30),
        st.lists(st.integers(0, PHASES - 1), min_size=30, max_size=30),
    )
)


class TestAnyDelivery:
    def test_gives_the_same_batches_content_and_the_same_statement(
        self, park: OraclePark
    ):
        raws = enrolled(park)
        content, statements = reference(park, raws)
        assert (len(content), len(statements)) == (COUNT, 1)

        @settings(
            max_examples=10, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(deliveries)
        def holds(
            drawn: tuple[list[int], list[int], list[int], list[int]],
        ) -> None:
            order, repeated, to, phases = drawn
            given_ = [
                Delivery(reading, member, phase)
                for reading, member, phase in zip(
                    [*order, *repeated], to, phases, strict=False
                )
            ]
            members = Members(park)
            try:
                for phase in range(PHASES):
                    now = [one for one in given_ if one.phase == phase]
                    members.deliver([(one.member, raws[one.reading]) for one in now])
                    members.cut()
                assert members.content() == content
                assert members.statements() == statements
            finally:
                members.stop()

        holds()
