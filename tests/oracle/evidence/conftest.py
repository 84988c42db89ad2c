"""Packages for the verifier's tests; rule sets small enough for every byte to count."""

from collections.abc import Callable
from typing import Any

import pytest

from oracle.evidence.evidence import StatementEvidence
from oracle.evidence.package import build_package
from oracle.evidence.stages import Outcome, Stage
from oracle.evidence.trust import Trust
from oracle.evidence.verify import verify_package
from tests.simulators.device import KWH, DeviceSimulator
from tests.simulators.evidence import ParkSimulator

HEAD = """
format: ccl/rule-set/v1
id: t/{role}/1
role: {role}
standard: t
edition: "1"
title: {{zh: t, en: t}}
in_force: {{from: null, until: null, evidence: confirmed}}
supersedes: null
industries: [t]
notes: []
"""
TAIL = """
rounding: {mode: half_even, places: 2, reference: t, evidence: confirmed}
"""
COMBUSTION = """
groups: []
inputs: {}
formulas:
  E_comb: {description: t, unit: tCO2, expression: F * 0}
parameters:
  F:
    description: t
    unit: tCO2
    kind: constant
    sources: {0001-01-01: {reference: t, evidence: confirmed}}
    values: {0001-01-01: 1}
checks: []
lines: []
results: {result: E_comb}
"""
ENERGY = """
groups: [electricity_in]
inputs:
  Q: {description: t, unit: MWh, over: electricity_in, minimum: 0}
parameters:
  EF_grid:
    description: t
    unit: tCO2/MWh
    kind: published
    choice: grid
    sources: {0001-01-01: {reference: t, evidence: confirmed}}
    entries: {average/全国: {0001-01-01: 0.5306}}
formulas:
  E_elec_in:
    description: t
    unit: tCO2
    expression: sum(Q, over=electricity_in) * EF_grid
checks: []
lines: []
results: {result: E_elec_in}
"""
TOTALS = """
groups: []
inputs:
  E_comb: {description: t, unit: tCO2, absent: 0}
  E_elec_in: {description: t, unit: tCO2, absent: 0}
formulas:
  E: {description: t, unit: tCO2, expression: E_comb + E_elec_in}
  D: {description: t, unit: tCO2, expression: E_comb * 1}
checks: []
lines: []
results: {total_with_indirect: E, ets_direct: D}
"""
BODIES = {"combustion": COMBUSTION, "energy": ENERGY, "totals": TOTALS}
RULE_SETS = tuple(
    (HEAD.format(role=role) + body + TAIL).encode() for role, body in BODIES.items()
)


@pytest.fixture(scope="session")
def make_park() -> Callable[..., ParkSimulator]:
    """Make a park of two devices, m1 in the boundary, with its batches.

    The function takes the number of steps, the names inside the boundary and other
    fields of the simulator; two readings of a device go into each batch, and a
    heartbeat ends the series. Without steps there are no batches yet.
    """

    def make(
        steps: int | None = 6, inside: tuple[str, ...] = ("m1",), **options: Any
    ) -> ParkSimulator:
        devices = tuple(DeviceSimulator(name, channels=(KWH,)) for name in ("m1", "m2"))
        fields = {"rule_sets": RULE_SETS, "boundary_of": inside, **options}
        park = ParkSimulator(devices, **fields)
        for start in range(0, steps + 1 if steps else 0, 2):
            count = min(2, steps + 1 - start)
            park.add_batch([raw for one in devices for raw in one.series(count)])
        if steps:
            park.add_batch([])
        return park

    return make


@pytest.fixture(scope="session")
def park(make_park: Callable[..., ParkSimulator]) -> ParkSimulator:
    """A park whose package is small; tests leave it as it is."""
    return make_park(4)


@pytest.fixture(scope="session")
def trust(park: ParkSimulator) -> Trust:
    """What a reader of that park's packages believes."""
    return park.trust


@pytest.fixture(scope="session")
def evidence(park: ParkSimulator) -> StatementEvidence:
    """Evidence of the small park's statement over four steps."""
    return park.evidence(4)


@pytest.fixture(scope="session")
def package(evidence: StatementEvidence) -> bytes:
    """The small package, about 9 kB."""
    return build_package(evidence)


@pytest.fixture(scope="session")
def refusal(trust: Trust) -> Callable[[bytes], tuple[Stage, str]]:
    """Verify bytes that must be refused; give the stage and what it names."""

    def refuse(data: bytes, believed: Trust | None = None) -> tuple[Stage, str]:
        report = verify_package(data, believed or trust, threads=1)
        failed = report.failed
        assert failed is not None
        assert failed.failure is not None
        later = [one.outcome for one in report.stages[failed.stage :]]
        assert set(later) <= {Outcome.NOT_REACHED}
        failure = failed.failure
        return failed.stage, f"{failure.subject} | {failure.expected} | {failure.given}"

    return refuse
