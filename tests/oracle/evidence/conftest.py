"""Packages for the verifier's tests; rule sets small enough for every byte to count."""

from collections.abc import Sequence

import pytest

from accounting.channels import Channel
from oracle.evidence.evidence import StatementEvidence
from oracle.evidence.package import build_package
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
checks: []
lines: []
results: {total_with_indirect: E}
"""
BODIES = {"combustion": COMBUSTION, "energy": ENERGY, "totals": TOTALS}
RULE_SETS = tuple(
    (HEAD.format(role=role) + body + TAIL).encode() for role, body in BODIES.items()
)


@pytest.fixture(scope="session")
def rule_sets() -> tuple[bytes, ...]:
    """The tiny rule sets: electricity times one factor."""
    return RULE_SETS


@pytest.fixture
def park() -> ParkSimulator:
    """Two devices of which one is in the boundary, four members, four batches."""
    return fill(plain_park(), steps=6)


@pytest.fixture
def evidence(park: ParkSimulator) -> StatementEvidence:
    """Evidence of the park's statement over six steps."""
    return park.evidence(steps=6)


@pytest.fixture
def package(evidence: StatementEvidence) -> bytes:
    """The package of that evidence."""
    return build_package(evidence)


def plain_park(channels: Sequence[Channel] = (KWH,)) -> ParkSimulator:
    """A park without batches yet."""
    devices = tuple(
        DeviceSimulator(name, channels=tuple(channels)) for name in ("m1", "m2")
    )
    return ParkSimulator(devices, RULE_SETS, boundary_of=("m1",))


def fill(park: ParkSimulator, steps: int) -> ParkSimulator:
    """Send steps + 1 readings of every device, two steps a batch, one heartbeat."""
    for start in range(0, steps + 1, 2):
        count = min(2, steps + 1 - start)
        park.add_batch([raw for one in park.devices for raw in one.series(count)])
    park.add_batch([])
    return park
