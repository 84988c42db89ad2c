"""Enthalpy of steam by the table of a standard, with linear interpolation.

The published table is normative: it is used as printed, even where it differs from
the physical properties (IAPWS-IF97); a result that rests on a flagged entry says so.
Nothing is extrapolated, and no cell across the line of saturation is interpolated.

References:
    GB/T 32151.34-2024, Annex C.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from accounting.canonical import digest
from accounting.errors import UnavailableFactorError
from accounting.quantities import Quantity, exact_text, parse_unit
from accounting.rule_schema import Fields, exact_in, read_yaml

FORMAT: Final = "ccl/steam-table/v1"

TABLE_ID: Final = "sac/gbt32151.34-steam/2024"

_MPA: Final = parse_unit("MPa")
_DEGC: Final = parse_unit("degC")
_KJ_PER_KG: Final = parse_unit("kJ/kg")

_Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class SteamTable:
    """One edition of a steam table."""

    id: str
    reference: str
    evidence: str
    saturated: Mapping[Fraction, tuple[Fraction, Fraction]]
    """Pressure [MPa] to temperature [°C] and enthalpy [kJ/kg] of saturation."""
    superheated: Mapping[tuple[Fraction, Fraction], Fraction]
    """Temperature [°C] and pressure [MPa] to enthalpy [kJ/kg]."""
    flagged: frozenset[_Point]
    """Entries, by pressure or by temperature and pressure, that look wrong."""
    digest: bytes
    """32 bytes, SHA-256 of the canonical content."""


@dataclass(frozen=True, slots=True)
class Enthalpy:
    """An enthalpy with the entries it was made of."""

    value: Quantity
    """Enthalpy. [kJ/kg]"""
    entries: tuple[str, ...]
    """Entries used, as text."""
    notices: tuple[str, ...]
    """Flagged entries among them."""


@lru_cache(maxsize=4)
def load_steam_table(table_id: str = TABLE_ID) -> SteamTable:
    """Load a shipped steam table.

    Args:
        table_id: `publisher/standard/edition`.

    Returns:
        The table.

    Raises:
        InvalidRuleSetError: The file is not sound.
    """
    path = files("accounting") / "tables" / f"{table_id}.yaml"
    content = read_yaml(path.read_bytes(), table_id)
    fields = Fields(content, table_id)
    fields.text("format", (FORMAT,))
    fields.mapping("units")
    saturated = {
        exact_in(pressure, table_id): _pair(values, table_id)
        for pressure, values in fields.mapping("saturated").items()
    }
    pressures = [exact_in(text, table_id) for text in fields.texts("pressures")]
    superheated = {
        (exact_in(temperature, table_id), pressure): exact_in(text, table_id)
        for temperature, row in fields.mapping("superheated").items()
        for pressure, text in zip(pressures, row, strict=True)
    }
    flagged: set[_Point] = {
        (exact_in(text, table_id),) for text in fields.texts("saturated_flagged")
    }
    for temperature, texts in fields.mapping("superheated_flagged").items():
        at = exact_in(temperature, table_id)
        flagged |= {(at, exact_in(text, table_id)) for text in texts}
    table = SteamTable(
        id=fields.text("id"),
        reference=fields.text("reference"),
        evidence=fields.text("evidence"),
        saturated=saturated,
        superheated=superheated,
        flagged=frozenset(flagged),
        digest=digest(content),
    )
    fields.done()
    return table


def saturated_enthalpy(table: SteamTable, pressure: Quantity) -> Enthalpy:
    """Look up dry saturated steam, linear in pressure between two entries.

    Args:
        table: The table.
        pressure: Absolute pressure. [MPa]

    Returns:
        Enthalpy with its entries.

    Raises:
        InvalidQuantityError: The pressure is no pressure.
        UnavailableFactorError: The pressure is outside of the table.
    """
    at = pressure.to(_MPA).value
    low, high = _neighbours(sorted(table.saturated), at, "MPa", table)
    value = _between(low, high, at, *(table.saturated[p][1] for p in (low, high)))
    return _enthalpy(table, value, [(low,), (high,)])


def superheated_enthalpy(
    table: SteamTable, pressure: Quantity, temperature: Quantity
) -> Enthalpy:
    """Look up superheated steam, linear in pressure and temperature inside a cell.

    Args:
        table: The table.
        pressure: Absolute pressure. [MPa]
        temperature: Temperature. [°C]

    Returns:
        Enthalpy with its entries.

    Raises:
        InvalidQuantityError: A unit does not fit.
        UnavailableFactorError: The point is outside of the table, or its cell crosses
            the line of saturation.
    """
    at_p, at_t = pressure.to(_MPA).value, temperature.to(_DEGC).value
    temperatures = sorted({t for t, _ in table.superheated})
    pressures = sorted({p for _, p in table.superheated})
    t_low, t_high = _neighbours(temperatures, at_t, "degC", table)
    p_low, p_high = _neighbours(pressures, at_p, "MPa", table)
    corners = [(t, p) for t in (t_low, t_high) for p in (p_low, p_high)]
    _check_phase(table, corners)
    rows = [
        _between(
            p_low, p_high, at_p, *(table.superheated[t, p] for p in (p_low, p_high))
        )
        for t in (t_low, t_high)
    ]
    return _enthalpy(table, _between(t_low, t_high, at_t, *rows), corners)


def _pair(values: Any, where: str) -> tuple[Fraction, Fraction]:
    temperature, enthalpy = values
    return exact_in(temperature, where), exact_in(enthalpy, where)


def _neighbours(
    points: Sequence[Fraction], at: Fraction, unit: str, table: SteamTable
) -> tuple[Fraction, Fraction]:
    if not points[0] <= at <= points[-1]:
        raise UnavailableFactorError(
            "point outside of the table",
            where=table.id,
            expected=f"{exact_text(points[0])} to {exact_text(points[-1])} {unit}",
            given=exact_text(at),
            advice="nothing is extrapolated; use a measured enthalpy",
        )
    index = bisect_left(points, at)
    return points[index if points[index] == at else index - 1], points[index]


def _between(
    low: Fraction, high: Fraction, at: Fraction, first: Fraction, second: Fraction
) -> Fraction:
    if low == high:
        return first
    return first + (second - first) * (at - low) / (high - low)


def _check_phase(
    table: SteamTable, corners: Sequence[tuple[Fraction, Fraction]]
) -> None:
    phases = {t > table.saturated[p][0] for t, p in corners if p in table.saturated}
    if len(phases) > 1:
        raise UnavailableFactorError(
            "cell across the line of saturation",
            where=table.id,
            expected="steam or water at all corners",
            given=[f"{exact_text(t)} °C, {exact_text(p)} MPa" for t, p in corners],
            advice="use the table of saturated steam or a measured enthalpy",
        )


def _enthalpy(table: SteamTable, value: Fraction, points: Sequence[_Point]) -> Enthalpy:
    used = tuple(dict.fromkeys(points))
    names = {point: " / ".join(exact_text(v) for v in point) for point in used}
    return Enthalpy(
        value=Quantity(value, _KJ_PER_KG),
        entries=tuple(names[point] for point in used),
        notices=tuple(
            f"flagged entry used: {table.id}, {names[point]}"
            for point in used
            if point in table.flagged
        ),
    )
