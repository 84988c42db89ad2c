"""A small works with four meters, for statements."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from accounting.boundary import Boundary, Source
from accounting.channels import Channel, ChannelTable, Sample
from accounting.statement import (
    TOTAL_WITH_INDIRECT,
    Methods,
    SourceReadings,
    Statement,
    compute_statement,
)

STEP = 900
START = 1_672_502_400  # 2023-01-01 00:00 +08:00
STEPS = 8
END = START + STEPS * STEP


def _channel(register: int, unit: str, scale: str, **more: Any) -> Channel:
    fields: dict[str, Any] = {
        "register": register,
        "quantity": "amount",
        "unit": unit,
        "scale": Fraction(scale),
        "modulus": 10**8,
        "nameplate_max_per_h": None,
        "provenance": "meter-signed",
    }
    return Channel(**{**fields, **more})


class Works:
    """Inputs of a statement, each open to change."""

    def __init__(self, methods: Methods) -> None:
        self.methods = methods
        self.region = "浙江"
        self.purpose = TOTAL_WITH_INDIRECT
        self.year = 2023
        self.period = (START, END)
        self.sources = [
            Source("88.1.1/power", 1, "electricity_in"),
            Source("88.1.1/power", 2, "electricity_out"),
            Source("88.1.1/gas", 1, "fuel:natural_gas"),
            Source("88.1.1/heat", 1, "heat_in"),
        ]
        self.channels = {
            "88.1.1/power": [_channel(1, "kWh", "1"), _channel(2, "kWh", "1")],
            "88.1.1/gas": [_channel(1, "Nm3", "1/10")],
            "88.1.1/heat": [_channel(1, "GJ", "1/100")],
        }
        rises = {
            ("88.1.1/power", 1): 1000,
            ("88.1.1/power", 2): 100,
            ("88.1.1/gas", 1): 500,
            ("88.1.1/heat", 1): 25,
        }
        self.samples = {
            key: [Sample(i, START + i * STEP, 7 + i * rise) for i in range(STEPS + 1)]
            for key, rise in rises.items()
        }

    def replace_channel(self, identifier: str, register: int, **more: Any) -> None:
        old = next(c for c in self.channels[identifier] if c.register == register)
        fields = {name: getattr(old, name) for name in Channel.__slots__}
        others = [c for c in self.channels[identifier] if c.register != register]
        self.channels[identifier] = [*others, Channel(**{**fields, **more})]

    @property
    def boundary(self) -> Boundary:
        texts = ("works", "steel", "钢厂", "steel works", "steel", self.region)
        return Boundary(*texts, tuple(self.sources))

    @property
    def tables(self) -> dict[str, ChannelTable]:
        return {
            name: ChannelTable(name, tuple(channels))
            for name, channels in self.channels.items()
        }

    @property
    def readings(self) -> list[SourceReadings]:
        return [
            SourceReadings(identifier, register, tuple(samples))
            for (identifier, register), samples in self.samples.items()
        ]

    def statement(self, readings: list[SourceReadings] | None = None) -> Statement:
        return compute_statement(
            self.boundary,
            self.tables,
            *self.period,
            self.purpose,
            self.readings if readings is None else readings,
            self.methods,
            self.year,
        )


@pytest.fixture(scope="session")
def methods() -> Methods:
    return Methods.shipped()


@pytest.fixture
def works(methods: Methods) -> Works:
    return Works(methods)


@pytest.fixture(scope="session")
def make_works(methods: Methods) -> Callable[[], Works]:
    """Make works inside a property test."""
    return lambda: Works(methods)
