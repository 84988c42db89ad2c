"""The cast of the demo: enterprises, their meters, and how each meter is derived.

One meter is real: the main electricity meter of the first enterprise replays the
plant series. Every other meter is SIMULATED from that series by one rule:

    interval = series[(row + shift) mod rows] · share · (1 + wobble), whole units

with a wobble of at most ± 5 % drawn from a generator seeded by the meter's
identifier. Shares are chosen for the sandbox and stand for no real plant. Three
faults are built in, one a meter: a rollover, a gap (readings made and never
delivered) and a late delivery.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

STEP_S = 900


@dataclass(frozen=True, slots=True)
class Kind:
    """What a meter measures."""

    role: str
    """Its role in the boundary, such as ``electricity_in``."""
    quantity: str
    unit: str
    nameplate_max_per_h: int
    """Most the meter can count. [unit/h]"""


ELECTRICITY = Kind("electricity_in", "electricity", "kWh", 2000)
GAS = Kind("fuel:natural_gas", "natural_gas", "Nm3", 500)
STEAM = Kind("heat_in", "heat", "GJ", 50)


@dataclass(frozen=True, slots=True)
class Meter:
    """One carrier with one cumulative register."""

    suffix: str
    """Identifier's part after the enterprise's prefix."""
    kind: Kind
    per_kwh: Fraction
    """Share: units of this meter per kWh of the plant series. [unit/kWh]"""
    shift_rows: int = 0
    """How many 15-minute rows it runs ahead of the series."""
    is_real: bool = False
    suite: str = "ES256"
    modulus: int | None = None
    """Where the register wraps. [0.01 unit]"""
    start: int = 0
    """The register before the first interval. [0.01 unit]"""
    lost_rows: range = range(0)
    """Readings that are signed and lost before delivery: the gap."""
    offline_rows: range = range(0)
    """While these are due the uplink is down; they are delivered late, from store."""

    @property
    def provenance(self) -> str:
        """Who signs: the carrier beside the meter."""
        return "carrier-signed"

    def registers(self, usage_wh: Sequence[int], identifier: str) -> list[int]:
        """Return the cumulative register at every interval end.

        Args:
            usage_wh: Intervals of the plant series. [Wh]
            identifier: Whole identifier; seeds the wobble of a simulated meter.

        Returns:
            ``len(usage_wh) + 1`` register values, the first before the first
            interval. [0.01 unit]
        """
        rng = random.Random(identifier)  # noqa: S311  a documented, repeatable rule
        value, values = self.start, [self.start]
        for row in range(len(usage_wh)):
            value += self._interval(usage_wh, row, rng)
            values.append(value % self.modulus if self.modulus else value)
        return values

    def _interval(self, usage_wh: Sequence[int], row: int, rng: random.Random) -> int:
        """Return one interval. [0.01 unit]."""
        if self.is_real:
            return usage_wh[row] // 10
        source = usage_wh[(row + self.shift_rows) % len(usage_wh)]
        wobble = Fraction(rng.randrange(950, 1051), 1000)
        return int(source * self.per_kwh * wobble / 10)


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise of the park with its meters and the sandbox's figures."""

    name: str
    title_zh: str
    title_en: str
    prefix: str
    """Identifier prefix; 88.999 is a marked test node."""
    meters: tuple[Meter, ...]
    value_added_fen: int
    """Industrial value added of the month, SIMULATED. [fen]"""

    def identifier(self, meter: Meter) -> str:
        """Return a meter's whole identifier."""
        return f"{self.prefix}/{meter.suffix}"


ENTERPRISES = (
    Enterprise(
        "hongda-steel",
        "宏达钢铁",
        "Hongda Steel",
        "88.999.1001",
        (
            Meter("electricity-main", ELECTRICITY, Fraction("1"), is_real=True),
            Meter("electricity-aux", ELECTRICITY, Fraction("0.18"), shift_rows=4),
            Meter("gas-furnace", GAS, Fraction("0.06"), shift_rows=2),
            Meter("steam", STEAM, Fraction("0.004"), shift_rows=1),
        ),
        value_added_fen=180_000_000,
    ),
    Enterprise(
        "yongxin-rolling",
        "永鑫轧钢",
        "Yongxin Rolling",
        "88.999.1002",
        (
            Meter(
                "electricity-main",
                ELECTRICITY,
                Fraction("0.7"),
                shift_rows=8,
                modulus=100_000_000,
                start=96_000_000,
            ),
            Meter("electricity-aux", ELECTRICITY, Fraction("0.1"), shift_rows=12),
            Meter("gas-furnace", GAS, Fraction("0.09"), shift_rows=6),
            Meter("steam", STEAM, Fraction("0.002"), shift_rows=3),
        ),
        value_added_fen=95_000_000,
    ),
    Enterprise(
        "mingyuan-forging",
        "明远锻造",
        "Mingyuan Forging",
        "88.999.1003",
        (
            Meter(
                "electricity-main",
                ELECTRICITY,
                Fraction("0.4"),
                shift_rows=16,
                offline_rows=range(1900, 2092),
            ),
            Meter("electricity-aux", ELECTRICITY, Fraction("0.05"), shift_rows=20),
            Meter(
                "gas-furnace",
                GAS,
                Fraction("0.03"),
                shift_rows=10,
                lost_rows=range(1200, 1240),
            ),
            Meter("steam", STEAM, Fraction("0.003"), shift_rows=5, suite="EdDSA"),
        ),
        value_added_fen=120_000_000,
    ),
)
