"""From readings to a statement, a certificate and a proof package, by four members."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import cbor2
import pytest

from accounting.boundary import Boundary, Source
from contracts.enumerations import CarrierStatus, Purpose, StatementStatus
from contracts.structs import (
    ConfirmStatement,
    DeclareValueAdded,
    SubmitStatement,
    VerifyStatement,
)
from contracts.typed_data import CodeReport, account_id, boundary_id, struct_hash
from node.engine import EngineSettings
from oracle.errors import InvalidProposalError
from oracle.evidence.package import build_package
from oracle.evidence.stages import Stage
from oracle.evidence.trust import Trust
from oracle.evidence.verify import verify_package
from oracle.member.member import MemberNode
from oracle.member.statements import NO_STATEMENT
from oracle.member.states import encode_report
from oracle.member.view import Period
from tests.servers.chain import Chain, open_engine
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, OraclePark, wait_until

STEP_S = 900
DAY_S = 86_400
START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
END = START + 6 * 3600
FIRMS = ("Steel", "Glass", "Wire")


def boundary_of(firm: str, device: DeviceSimulator) -> Boundary:
    return Boundary(
        name=f"{firm} works",
        account_name=firm,
        title_zh=firm,
        title_en=firm,
        industry="steel",
        region="浙江",
        sources=(Source(device.identifier, 1, "electricity_in"),),
    )


def period_of(firm: str) -> Period:
    return Period(boundary_id(f"{firm} works"), START, END)


def series(device: DeviceSimulator, step: int) -> list[bytes]:
    """Readings from the start of the period to its end, edges included."""
    raws = []
    for index in range((END - START) // STEP_S + 1):
        raws.append(device.next(ts=START + index * STEP_S, values=((1, device.count),)))
        device.count += step
    return raws


class Scene:
    """Three firms with one meter each, running members, readings anchored."""

    def __init__(self, park: OraclePark, nodes: dict[int, MemberNode]) -> None:
        self.park = park
        self.nodes = nodes
        self.devices = {firm: park.device(f"{firm}-1", firm) for firm in FIRMS}
        for firm, device in self.devices.items():
            content = boundary_of(firm, device).to_bytes()
            where = (boundary_id(f"{firm} works"), account_id(firm))
            call = park.ledger.emissions.register_boundary(*where, content)
            park.govern("Regulator", call)
        self.total = 0
        self.wait_for_members()

    def wait_for_members(self) -> None:
        """Members see what the chain has before the next reading comes."""
        block = self.park.client.block_number()
        wait_until(
            lambda: all(
                node.status()["block"] >= block for node in self.nodes.values()
            ),
        )

    def works(
        self, name: str, firm: str, industry: str = "steel", written: str = ""
    ) -> DeviceSimulator:
        """Register another boundary of a firm with one meter."""
        device = self.park.device(name.replace(" ", "-"), firm)
        boundary = replace(
            boundary_of(firm, device), name=written or name, industry=industry
        )
        where = (boundary_id(name), account_id(firm))
        emissions = self.park.ledger.emissions
        call = emissions.register_boundary(*where, boundary.to_bytes())
        self.park.govern("Regulator", call)
        self.wait_for_members()
        return device

    def deliver(self, member: int, raws: list[bytes]) -> None:
        """Give readings to a member and wait until all have them in batches."""
        self.nodes[member].inbox.submit(raws)
        self.total += len(raws)
        for node in self.nodes.values():
            wait_until(lambda node=node: self.batched(node) == self.total, 30)

    def batched(self, node: MemberNode) -> int:
        batches = node._desk.store.batches(0, 10**6)
        return sum(batch.report.leaf_count for batch in batches)

    def confirm(self, firm: str, statement: bytes) -> None:
        emissions = self.park.ledger.emissions
        given = {"statement": statement}
        self.park.instruct(firm, SubmitStatement, emissions.submit, **given)
        opinion = given | {"opinion": 1, "findings_digest": b"\x01" * 32}
        self.park.instruct("Auditor", VerifyStatement, emissions.verify, **opinion)
        self.park.instruct("Regulator", ConfirmStatement, emissions.confirm, **given)

    def declare(self, firm: str, fen: int, name: str | None = None) -> None:
        codes = self.park.ledger.codes
        self.park.instruct(
            firm,
            DeclareValueAdded,
            codes.declare_value_added,
            boundary=boundary_id(name or f"{firm} works"),
            period_start=START,
            period_end=END,
            value_added_fen=fen,
            evidence_digest=b"\x02" * 32,
        )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain whose clock stands behind the period."""
    settings = EngineSettings(
        tmp_path_factory.mktemp("engine"),
        CHAIN_ID,
        clock_mode="virtual",
        genesis_time=END + 3600,
    )
    with open_engine(settings) as running:
        yield running


@pytest.fixture(scope="module")
def scene(engine: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Each firm's readings at another member, one of them reversed, all anchored."""
    folder = tmp_path_factory.mktemp("statements")
    with OraclePark(engine, folder) as park, park.running(clock="chain") as nodes:
        scene = Scene(park, nodes)
        for place, (firm, device) in enumerate(scene.devices.items()):
            raws = series(device, 100 * (place + 1))
            scene.deliver(place, raws[::-1] if firm == "Glass" else raws)
        yield scene


@dataclass(frozen=True)
class Revocation:
    """Statements before and behind the revocation of a carrier in batches."""

    device: DeviceSimulator
    before: bytes
    behind: bytes


@pytest.fixture(scope="module")
def revocation(scene: Scene) -> Revocation:
    """Above seq 9 nothing counts; one reading below it comes later.

    So a batch follows the revocation.
    """
    device = scene.works("revoked works", "Steel")
    period = Period(boundary_id("revoked works"), START, END)
    raws, purpose = series(device, 100), Purpose.TOTAL_WITH_INDIRECT
    scene.deliver(0, raws[:5] + raws[6:])
    first = scene.nodes[1].propose_statement(period, purpose)
    status = (device.identifier_hash, CarrierStatus.REVOKED, 9)
    call = scene.park.ledger.carriers.set_status(*status)
    scene.park.govern("Identity Platform", call)
    scene.wait_for_members()
    scene.deliver(2, raws[5:6])
    second = scene.nodes[1].propose_statement(period, purpose)
    for node in scene.nodes.values():
        node.follower.follow()
    return Revocation(device, first, second)


def source_of(scene: Scene, device: DeviceSimulator, statement: bytes) -> Any:
    """What the document of a statement says of a meter."""
    document = json.loads(scene.nodes[0].statements.recorded(statement).document)
    return document["sources"][f"{device.identifier}#1"]


class TestStatements:
    def test_records_what_every_member_computes(self, scene: Scene):
        purpose = Purpose.TOTAL_WITH_INDIRECT
        statement = scene.nodes[0].propose_statement(period_of("Steel"), purpose)
        found = scene.park.ledger.emissions.statement_of(statement)
        assert found.status == StatementStatus.RECORDED
        computed = [
            node.statements.compute(period_of("Steel"), purpose, NO_STATEMENT)
            for node in scene.nodes.values()
        ]
        assert {struct_hash(one.report) for one in computed} == {statement}
        assert found.grams == computed[0].report.grams > 0

    def test_proposes_the_same_statement_once(self, scene: Scene):
        purpose = Purpose.TOTAL_WITH_INDIRECT
        first = scene.nodes[0].propose_statement(period_of("Steel"), purpose)
        assert scene.nodes[3].propose_statement(period_of("Steel"), purpose) == first

    def test_restates_after_a_late_delivery(self, scene: Scene):
        raws = series(scene.works("late works", "Steel"), 100)
        scene.deliver(0, raws[:5] + raws[9:])
        purpose = Purpose.TOTAL_WITH_INDIRECT
        period = Period(boundary_id("late works"), START, END)
        first = scene.nodes[1].propose_statement(period, purpose)
        scene.deliver(2, raws[5:9])
        second = scene.nodes[1].propose_statement(period, purpose)
        assert second != first
        old = scene.park.ledger.emissions.statement_of(first)
        assert old.status == StatementStatus.SUPERSEDED

    def test_restates_without_what_a_revoked_carrier_signed_later(
        self, scene: Scene, revocation: Revocation
    ):
        old = scene.park.ledger.emissions.statement_of(revocation.before)
        assert old.status == StatementStatus.SUPERSEDED
        before, after = (
            source_of(scene, revocation.device, one)
            for one in (revocation.before, revocation.behind)
        )
        assert (before["samples"], before["sequences"]) == ("24", [0, 24])
        assert (after["samples"], after["sequences"]) == ("10", [0, 9])
        told = [fact[3] for fact in after["facts"] if fact[0] == "revoked"]
        assert told == ["seq 10 to 24, last good seq 9"]

    def test_every_member_leaves_out_the_same(
        self, scene: Scene, revocation: Revocation
    ):
        node = scene.nodes[0]
        packages = {
            build_package(one.statement_evidence(revocation.behind))
            for one in scene.nodes.values()
        }
        (package,) = packages
        trust = Trust(node._identity, node.follower.view.configurations)
        report = verify_package(package, trust)
        assert report.is_accepted, report.failed
        found = report.stages[Stage.COMPLETENESS - 1].found
        assert found["excluded"] == f"{revocation.device.identifier} seq 10 to 24"

    def test_a_statement_of_the_time_before_stays_provable(
        self, scene: Scene, revocation: Revocation
    ):
        node = scene.nodes[0]
        trust = Trust(node._identity, node.follower.view.configurations)
        package = build_package(node.statement_evidence(revocation.before))
        assert verify_package(package, trust).is_accepted

    def test_a_revocation_behind_the_last_reading_restates_with_the_next_batch(
        self, scene: Scene
    ):
        device = scene.works("lately revoked works", "Steel")
        other = scene.works("other works", "Steel")
        period = Period(boundary_id("lately revoked works"), START, END)
        purpose = Purpose.TOTAL_WITH_INDIRECT
        scene.deliver(0, series(device, 100))
        first = scene.nodes[1].propose_statement(period, purpose)
        status = (device.identifier_hash, CarrierStatus.REVOKED, 9)
        call = scene.park.ledger.carriers.set_status(*status)
        scene.park.govern("Identity Platform", call)
        scene.wait_for_members()
        assert scene.nodes[1].propose_statement(period, purpose) == first
        scene.deliver(1, series(other, 100))
        second = scene.nodes[1].propose_statement(period, purpose)
        assert scene.nodes[2].propose_statement(period, purpose) == second
        for node in scene.nodes.values():
            node.follower.follow()
        assert source_of(scene, device, second)["sequences"] == [0, 9]
        node = scene.nodes[3]
        trust = Trust(node._identity, node.follower.view.configurations)
        package = build_package(node.statement_evidence(second))
        assert verify_package(package, trust).is_accepted
        assert source_of(scene, device, first)["sequences"] == [0, 24]

    @pytest.mark.parametrize(
        ("field", "value"),
        [("grams", 1), ("input_root", b"\x09" * 32), ("last_batch", 10**6)],
    )
    def test_a_member_refuses_what_it_does_not_compute(
        self, scene: Scene, field: str, value: object
    ):
        node, period = scene.nodes[0], period_of("Steel")
        purpose = Purpose.TOTAL_WITH_INDIRECT
        live = node.follower.view.live_statement(period, purpose) or NO_STATEMENT
        own = node.statements.compute(period, purpose, live)
        lie = replace(own.report, **{field: value})
        answer = scene.nodes[1].statements.answer("", encode_report(lie))
        assert f"refused for its {field}" in cbor2.loads(answer)["refused"]

    @pytest.mark.parametrize("end", [(1 << 63) - 1, START, END + 3 * 366 * DAY_S])
    def test_a_member_looks_for_no_readings_of_an_impossible_period(
        self, scene: Scene, end: int
    ):
        node, period = scene.nodes[0], period_of("Steel")
        own = node.statements.compute(period, Purpose.ETS_DIRECT, NO_STATEMENT)
        lie = replace(own.report, period_end=end)
        answer = scene.nodes[1].statements.answer("", encode_report(lie))
        assert "refused for its period" in cbor2.loads(answer)["refused"]

    def test_refuses_a_boundary_that_is_not_registered(self, scene: Scene):
        period = Period(b"\x07" * 32, START, END)
        with pytest.raises(InvalidProposalError, match="registered"):
            scene.nodes[0].propose_statement(period, Purpose.TOTAL_WITH_INDIRECT)

    def test_says_that_there_are_no_readings(self, scene: Scene):
        with pytest.raises(InvalidProposalError, match="none in the period"):
            scene.nodes[0].propose_statement(
                replace(
                    period_of("Steel"), start=END + 10 * DAY_S, end=END + 11 * DAY_S
                ),
                Purpose.TOTAL_WITH_INDIRECT,
            )


class TestCodes:
    @pytest.mark.embedded_only("a certificate of 2023 has expired by wall time")
    def test_grades_three_firms_against_their_mean(self, scene: Scene):
        statements = {}
        for firm in FIRMS:
            statements[firm] = scene.nodes[0].propose_statement(
                period_of(firm), Purpose.TOTAL_WITH_INDIRECT
            )
            scene.confirm(firm, statements[firm])
            scene.declare(firm, 50_000_000)
        for node in scene.nodes.values():
            node.follower.follow()
        reports = {
            firm: [
                node.codes.compute(statements[firm]) for node in scene.nodes.values()
            ]
            for firm in FIRMS
        }
        assert all(len(set(found)) == 1 for found in reports.values())
        levels = [reports[firm][0].level_micro for firm in FIRMS]
        assert all(low < high for low, high in pairwise(levels))
        assert abs(reports["Glass"][0].ratio_micro - 1_000_000) < 100
        assert reports["Steel"][0].coverage_bps == 10_000
        token = scene.nodes[2].propose_code(statements["Steel"])
        assert scene.park.ledger.codes.is_valid(token)
        code = scene.park.ledger.codes.code_of(token)
        assert code.grade == reports["Steel"][0].grade
        assert scene.nodes[1].propose_code(statements["Steel"]) == token

    @pytest.mark.embedded_only("a certificate of 2023 has expired by wall time")
    def test_asks_again_when_the_benchmark_moved_meanwhile(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ):
        """A firm declares another value between computing and asking."""
        period, node = period_of("Glass"), scene.nodes[1]
        statement = node.propose_statement(period, Purpose.TOTAL_WITH_INDIRECT)
        compute, asked = node.codes.compute, []

        def compute_and_lag(which: bytes) -> CodeReport:
            report = compute(which)
            if not asked:
                scene.declare("Wire", 60_000_000)
            asked.append(report.benchmark_digest)
            return report

        monkeypatch.setattr(node.codes, "compute", compute_and_lag)
        assert scene.park.ledger.codes.is_valid(node.propose_code(statement))
        assert len(set(asked)) == 2

    def test_gives_no_grade_without_enough_firms(self, scene: Scene):
        scene.deliver(3, series(scene.works("lone works", "Steel", "glass"), 100))
        statement = scene.nodes[0].propose_statement(
            Period(boundary_id("lone works"), START, END), Purpose.TOTAL_WITH_INDIRECT
        )
        scene.confirm("Steel", statement)
        scene.declare("Steel", 50_000_000, "lone works")
        with pytest.raises(InvalidProposalError, match="at least 3 are needed"):
            scene.nodes[0].propose_code(statement)

    def test_says_why_there_is_no_grade_where_two_firms_have_one_name(
        self, scene: Scene
    ):
        for name, firm in (("twin one", "Steel"), ("twin two", "Glass")):
            device = scene.works(name, firm, "cement", "twin works")
            scene.deliver(3, series(device, 100))
            statement = scene.nodes[0].propose_statement(
                Period(boundary_id(name), START, END), Purpose.TOTAL_WITH_INDIRECT
            )
            scene.confirm(firm, statement)
            scene.declare(firm, 50_000_000, name)
        with pytest.raises(InvalidProposalError, match="each firm once"):
            scene.nodes[0].propose_code(statement)

    def test_refuses_a_statement_that_is_not_confirmed(self, scene: Scene):
        statement = scene.nodes[0].propose_statement(
            period_of("Steel"), Purpose.ETS_DIRECT
        )
        with pytest.raises(InvalidProposalError, match="confirmed one, given recorded"):
            scene.nodes[0].propose_code(statement)


class TestEvidence:
    def test_every_member_builds_the_same_package_and_a_stranger_accepts_it(
        self, scene: Scene
    ):
        statement = scene.nodes[0].propose_statement(
            period_of("Glass"), Purpose.TOTAL_WITH_INDIRECT
        )
        packages = {
            build_package(node.statement_evidence(statement))
            for node in scene.nodes.values()
        }
        (package,) = packages
        node = scene.nodes[0]
        trust = Trust(node._identity, node.follower.view.configurations)
        assert verify_package(package, trust).is_accepted
