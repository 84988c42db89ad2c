"""From signed samples to a statement: the one calculation that every member repeats.

samples → ledgers (`metering`) → activity data → inventories (`engine`) → totals by
purpose → document with digests. Deterministic and independent of the order and
repetition of samples: equal inputs give equal bytes. Samples are taken as verified;
nothing is signed or anchored here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final

from accounting.activity import Activity, Stream, Supplied
from accounting.boundary import Boundary, Source
from accounting.calculation import Calculation, Metered
from accounting.canonical import canonical_json, digest, merkle_root
from accounting.channels import ChannelTable, Sample
from accounting.engine import Inventory, evaluate
from accounting.errors import (
    InvalidActivityError,
    InvalidBoundaryError,
    InvalidQuantityError,
    UnavailableReadingsError,
)
from accounting.metering import Fact, MeterLedger, build_intervals
from accounting.quantities import Quantity, rounded
from accounting.rule_loading import load_rule_set
from accounting.rule_sets import Input, RuleSet
from accounting.statement_document import build_document
from accounting.substitution import MAX_RATE, MIN_RATE

ETS_DIRECT: Final = 1
TOTAL_WITH_INDIRECT: Final = 2
PRODUCT: Final = 3
PARK: Final = 4

PURPOSES: Final[Mapping[int, str]] = {
    ETS_DIRECT: "ets_direct",
    TOTAL_WITH_INDIRECT: "total_with_indirect",
    PRODUCT: "product",
    PARK: "park",
}
"""Purpose on chain (uint8) to its name in rule sets and documents."""

STEP_S: Final = 900
"""Length of a ledger's intervals. [s]"""

MAX_PERIOD_S: Final = 2 * 366 * 86_400
"""Longest period of a statement; a longer one is a mistake or an attack. [s]"""

LAST_MOMENT: Final = 1 << 36
"""End of the time that is calculated with, in the year 4147. [unix s]"""

GRID_KIND: Final = "average"
"""Kind of the grid factor of an inventory; no attribute of origin is claimed."""

_SHIPPED: Final = (
    "sac/gbt32151.34-combustion/2024",
    "sac/gbt32150-energy/2025",
    "sac/gbt32150-totals/2025",
)


@dataclass(frozen=True, slots=True)
class Methods:
    """The rule sets of a statement, and measured values that come before defaults."""

    combustion: RuleSet
    energy: RuleSet
    totals: RuleSet
    supplied: Mapping[str, Mapping[str, Supplied]] = field(default_factory=dict)
    """Source `<identifier>#<register>`, or empty text for the whole boundary, to the
    measured values by parameter."""

    @classmethod
    def of(cls, rule_sets: Sequence[RuleSet]) -> "Methods":
        """Sort rule sets by their role.

        Args:
            rule_sets: One for combustion, one for energy, one for totals.

        Returns:
            The methods without supplied values.

        Raises:
            InvalidActivityError: A role is missing or given twice.
        """
        roles = ("combustion", "energy", "totals")
        by_role = {rule_set.role: rule_set for rule_set in rule_sets}
        if set(by_role) != set(roles) or len(rule_sets) != len(roles):
            raise InvalidActivityError(
                "rule sets", expected=roles, given=[r.role for r in rule_sets]
            )
        return cls(by_role["combustion"], by_role["energy"], by_role["totals"])

    @classmethod
    def shipped(cls) -> "Methods":
        """Load the shipped rule sets."""
        return cls.of([load_rule_set(rule_set_id) for rule_set_id in _SHIPPED])

    @property
    def rule_sets(self) -> tuple[RuleSet, ...]:
        """The rule sets in the order of their use."""
        return (self.combustion, self.energy, self.totals)

    @property
    def digest(self) -> bytes:
        """32 bytes, SHA-256 over roles, ids and digests of the rule sets."""
        return digest(
            {r.role: {"id": r.id, "digest": r.digest.hex()} for r in self.rule_sets}
        )


@dataclass(frozen=True, slots=True)
class SourceReadings:
    """Samples of one register, in any order, with any repetition."""

    identifier: str
    register: int
    samples: tuple[Sample, ...]
    facts: tuple[Fact, ...] = ()
    """What the caller found of the source, for the document: signed samples that do
    not count because their carrier was revoked."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A calculated emission, ready to be signed and anchored."""

    grams: int
    """Result. [g CO2, or g CO2e where the document says so]"""
    input_root: bytes
    """32 bytes: Merkle root (RFC 9162, SHA-256) over the samples by source."""
    rule_set_digest: bytes
    """32 bytes: digest of the methods."""
    factor_set_digest: bytes
    """32 bytes: digest of all factors as used."""
    boundary_digest: bytes
    """32 bytes: digest of the boundary."""
    result_digest: bytes
    """32 bytes: SHA-256 of the document."""
    document: dict[str, Any]
    """Everything the result carries, fit for canonical JSON."""
    coverage: Fraction
    """Share of time between readings without a gap, weighted by emission."""
    attested_share: Fraction
    """Share of the emission that stems from signed register differences."""
    substituted_share: Fraction
    """Share of the emission that stems from derived amounts."""
    default_factor_share: Fraction
    """Share of the emission that was calculated with a default factor."""
    unconfirmed: tuple[str, ...]
    """Values used whose evidence is not confirmed."""

    def to_bytes(self) -> bytes:
        """Return the canonical JSON of the document."""
        return canonical_json(self.document)


def compute_statement(  # noqa: PLR0913, PLR0917  # these determine a statement
    boundary: Boundary,
    channel_tables: Mapping[str, ChannelTable],
    period_start: int,
    period_end: int,
    purpose: int,
    readings: Sequence[SourceReadings],
    rule_sets: Methods,
    year_of_factors: int,
) -> Statement:
    """Calculate the statement of one boundary, period and purpose.

    Args:
        boundary: The sources that count.
        channel_tables: Pinned channel table of every carrier, by identifier.
        period_start: First second of the period. [unix s]
        period_end: First second after the period. [unix s]
        purpose: `ETS_DIRECT` or `TOTAL_WITH_INDIRECT`.
        readings: Verified samples by source; of sources that do not count for the
            purpose none are needed, and none are used.
        rule_sets: The methods.
        year_of_factors: Calendar year whose factors apply.

    Returns:
        The statement.

    Raises:
        InvalidBoundaryError: The purpose is not calculated, or a channel is missing.
        InvalidActivityError: The period is not positive or too long, or units or
            roles do not fit the rule sets.
        InvalidSampleError: A value is out of the register's range.
        ConflictSampleError: Two different samples carry one sequence number.
        UnavailableReadingsError: The readings of a source do not suffice.
        UnavailableFactorError: A factor is missing for its key and year.
    """
    _check_period(boundary, period_start, period_end)
    purpose_name = _purpose_name(purpose, rule_sets)
    _check_supplied(boundary, rule_sets)
    sources = [s for s in boundary.sources if purpose != ETS_DIRECT or s.fuel]
    period = (period_start, period_end)
    metered = tuple(
        _meter(source, channel_tables, period, readings, rule_sets)
        for source in sources
    )
    inventories = _inventories(boundary, metered, rule_sets, purpose, year_of_factors)
    calculation = Calculation(
        boundary=boundary,
        period=period,
        purpose=purpose_name,
        factor_year=year_of_factors,
        methods_digest=rule_sets.digest,
        metered=metered,
        inventories=inventories,
        input_root=merkle_root([m.leaf() for m in metered]),
    )
    return _statement(calculation)


def _check_period(boundary: Boundary, start: int, end: int) -> None:
    if not 0 <= start < end <= min(start + MAX_PERIOD_S, LAST_MOMENT):
        raise InvalidActivityError(
            "period",
            where=boundary.name,
            expected=f"a start before its end and at most {MAX_PERIOD_S} s",
            given=f"{start} to {end}",
        )


def _purpose_name(purpose: int, methods: Methods) -> str:
    name = PURPOSES.get(purpose, "")
    if name not in methods.totals.results:
        raise InvalidBoundaryError(
            "purpose",
            expected=sorted(methods.totals.results),
            given=name or purpose,
        )
    return name


def _check_supplied(boundary: Boundary, methods: Methods) -> None:
    known = {"", *(source.name for source in boundary.sources)}
    unknown = sorted(set(methods.supplied) - known)
    if unknown:
        raise InvalidActivityError(
            "supplied values",
            where=boundary.name,
            expected=sorted(known),
            given=unknown,
        )


def _meter(
    source: Source,
    channel_tables: Mapping[str, ChannelTable],
    period: tuple[int, int],
    readings: Sequence[SourceReadings],
    methods: Methods,
) -> Metered:
    name = source.name
    table = channel_tables.get(source.identifier)
    channel = table.channel(source.register) if table else None
    if table is None or channel is None:
        raise InvalidBoundaryError(
            "channel", where=name, expected="one in the channel tables", given="none"
        )
    key = (source.identifier, source.register)
    own = [r for r in readings if (r.identifier, r.register) == key]
    samples = [sample for r in own for sample in r.samples]
    rule = MIN_RATE if source.role.endswith("_out") else MAX_RATE
    try:
        ledger = build_intervals(samples, channel, *period, STEP_S, rule)
    except UnavailableReadingsError as exc:
        raise UnavailableReadingsError(str(exc), where=name) from exc
    ledger = ledger.with_facts(fact for r in own for fact in r.facts)
    wanted, amount = _amount(source, ledger, methods)
    return Metered(source, table, ledger, wanted, amount)


def _amount(
    source: Source, ledger: MeterLedger, methods: Methods
) -> tuple[Input, Quantity]:
    """Find the input that a source feeds and its total in that input's unit."""
    rule_set = methods.combustion if source.fuel else methods.energy
    group = rule_set.group_of(source.fuel) if source.fuel else source.role
    inputs = [i for i in rule_set.inputs.values() if group and i.over == group]
    if not inputs:
        raise InvalidActivityError(
            "role",
            where=source.name,
            expected=sorted(rule_set.keys) or rule_set.groups,
            given=repr(source.role),
        )
    try:
        return inputs[0], ledger.total.to(inputs[0].unit)
    except InvalidQuantityError as exc:
        raise InvalidActivityError(
            f"unit of {source.role}",
            where=source.name,
            expected=f"a channel that converts to {inputs[0].unit}",
            given=ledger.channel.unit,
        ) from exc


def _inventories(
    boundary: Boundary,
    metered: Sequence[Metered],
    methods: Methods,
    purpose: int,
    year: int,
) -> tuple[Inventory, ...]:
    day = date(year, 1, 1)
    fuels = [m for m in metered if m.source.fuel]
    energy = [m for m in metered if not m.source.fuel]
    found = [evaluate(methods.combustion, _activity(day, fuels, methods, {}))]
    if purpose != ETS_DIRECT:
        choices = {"grid": f"{GRID_KIND}/{boundary.region}"}
        found.append(evaluate(methods.energy, _activity(day, energy, methods, choices)))
    inputs: dict[str, Quantity] = {}
    for inventory in found:
        known = methods.totals.inputs
        inputs |= {n: q for n, q in inventory.values.items() if n in known}
    return (*found, evaluate(methods.totals, Activity(day, inputs)))


def _activity(
    day: date,
    metered: Sequence[Metered],
    methods: Methods,
    choices: Mapping[str, str],
) -> Activity:
    streams: dict[str, list[Stream]] = {}
    for item in metered:
        stream = Stream(
            name=item.name,
            key=item.source.fuel or "",
            inputs={item.input.name: item.amount},
            supplied=methods.supplied.get(item.name, {}),
        )
        streams.setdefault(str(item.input.over), []).append(stream)
    whole = methods.supplied.get("", {}) if choices else {}
    return Activity(day, streams=streams, choices=choices, supplied=whole)


def _statement(calculation: Calculation) -> Statement:
    totals = calculation.totals
    tonnes = totals.results[calculation.purpose]
    mode = totals.rule_set.rounding.mode
    grams = int(rounded(tonnes.to("gCO2").value, 0, mode))
    document = build_document(calculation, grams)
    shares = calculation.shares
    return Statement(
        grams=grams,
        input_root=calculation.input_root,
        rule_set_digest=calculation.methods_digest,
        factor_set_digest=calculation.factor_set_digest,
        boundary_digest=calculation.boundary.digest,
        result_digest=digest(document),
        document=document,
        coverage=shares.coverage,
        attested_share=shares.attested,
        substituted_share=shares.substituted,
        default_factor_share=shares.default_factor,
        unconfirmed=calculation.unconfirmed,
    )
