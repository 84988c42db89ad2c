"""Stages 7 to 10: what the statement says, repeated from the readings.

The document, which the quorum signed through `resultDigest`, says how many samples of
which sequence numbers entered, under which rule sets and factors. So a reading that
was withheld from the package and a factor that was changed in it can be named, and not
only noticed as another digest. The calculation is `accounting.compute_statement`, as
at every member.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

from accounting.boundary import Boundary
from accounting.errors import AccountingError
from accounting.metering import ChannelTable
from accounting.rule_loading import load_rule_set_bytes
from accounting.rule_sets import RuleSet
from accounting.statement import Methods, Statement, compute_statement
from contracts.structs import StatementReport
from contracts.typed_data import boundary_id
from oracle.errors import InvalidPackageError
from oracle.evidence.evidence import Package
from oracle.evidence.fields import check_equal
from oracle.evidence.samples import source_readings
from oracle.reading.checks import AuthenticReading
from oracle.reading.registry import CarrierRegistry


@dataclass(frozen=True, slots=True)
class Basis:
    """What earlier stages proved, ready to calculate with."""

    report: StatementReport
    """Signed report."""
    document: Mapping[str, Any]
    """Signed document, decoded."""
    boundary: Boundary
    """Boundary whose digest the report carries."""
    readings: Sequence[AuthenticReading]
    """All readings of the package, in batch order."""
    registry: CarrierRegistry
    """Carriers proven under the root of the last batch; their status counts."""


def check_completeness(basis: Basis) -> None:
    """Stage 7: every sample that the document counts is here, and may be counted.

    Args:
        basis: What stages 3 to 6 proved.

    Raises:
        InvalidPackageError: Names carrier and sequence numbers that are missing, or
            the last one if it is above the carrier's last good one.
    """
    for name, source in _mapping(basis.document, "sources").items():
        identifier, _, register = name.rpartition("#")
        times = {
            one.message.reading.seq: one.message.reading.ts
            for one in basis.readings
            if one.carrier.identifier == identifier
            and any(str(number) == register for number, _ in one.message.reading.values)
        }
        _, last = _check_source(name, identifier, source, times)
        if not basis.registry.admits(identifier, last):
            batch = f"the registry of batch {basis.report.last_batch}"
            expected = f"one up to the last good seq of its carrier under {batch}"
            subject = f"reading [{identifier}, {last}]"
            raise InvalidPackageError(subject, expected, "one that the document counts")


def check_rules(package: Package, basis: Basis) -> Methods:
    """Stage 8: rule sets, factor year and factors are those of the statement.

    Args:
        package: Package that passed stage 7.
        basis: What stages 3 to 6 proved.

    Returns:
        The methods, ready to calculate with.

    Raises:
        InvalidPackageError: Names the factor or the rule set that differs.
    """
    book, named = package.rule_book, _mapping(basis.document, "rule_sets")
    check_equal("factor year", basis.document.get("factor_year"), str(book.factor_year))
    rule_sets = [_rule_set(data) for data in book.rule_sets]
    try:
        methods = Methods.of(rule_sets)
    except AccountingError as exc:
        raise InvalidPackageError("rule sets", "one for each role", str(exc)) from exc
    check_equal(
        "order of rule sets",
        [one.id for one in methods.rule_sets],
        [one.id for one in rule_sets],
    )
    for one in rule_sets:
        if one.role not in named:
            continue  # the purpose does not use it; the digest over all covers it
        expected = _mapping(named, one.role).get("digest")
        if expected != one.digest.hex():
            where, *difference = _changed_factor(package, basis, methods) or (
                "digest",
                str(expected),
                one.digest.hex(),
            )
            raise InvalidPackageError(f"rule set {one.id}, {where}", *difference)
    check_equal("rule set digest", basis.report.rule_set_digest, methods.digest)
    return methods


def recompute(package: Package, basis: Basis, methods: Methods) -> Statement:
    """Stage 9, first half: calculate the statement again.

    Args:
        package: Package that passed stage 8.
        basis: What stages 3 to 6 proved.
        methods: Rule sets of stage 8.

    Returns:
        The statement.

    Raises:
        InvalidPackageError: The readings do not give one; names the source.
    """
    try:
        return _compute(package, basis, methods)
    except (AccountingError, ValueError) as exc:
        raise InvalidPackageError("calculation", "a result", str(exc)) from exc


def check_recomputation(basis: Basis, statement: Statement) -> None:
    """Stage 9, second half: inputs, grams and result are the signed ones.

    Args:
        basis: What stages 3 to 6 proved.
        statement: The statement of `recompute`.

    Raises:
        InvalidPackageError: Names the figure or the first field of the document.
    """
    report = basis.report
    check_equal("input root", report.input_root, statement.input_root)
    check_equal("grams of CO2", report.grams, statement.grams)
    for where, expected, given in _differences(basis.document, statement.document, ""):
        raise InvalidPackageError(f"document{where}", str(expected), str(given))
    check_equal("result digest", report.result_digest, statement.result_digest)


def check_report(basis: Basis, statement: Statement) -> None:
    """Stage 10: the rest of the report is what was recomputed.

    Args:
        basis: What stages 3 to 6 proved.
        statement: The statement of `recompute`.

    Raises:
        InvalidPackageError: Names the field.
    """
    report, name = basis.report, basis.boundary.name
    check_equal(f"boundary id of {name}", boundary_id(name), report.boundary)
    check_equal("boundary digest", statement.boundary_digest, report.boundary_digest)
    check_equal(
        "factor set digest", statement.factor_set_digest, report.factor_set_digest
    )


def _check_source(
    name: str, identifier: str, source: Any, times: Mapping[int, int]
) -> tuple[int, int]:
    """Compare one source's samples with what the document counts; give its range."""
    try:
        first, last = map(int, source["sequences"])
        count = int(source["samples"])
        recorded = {(fact[1], fact[2]) for fact in source["facts"] if fact[0] == "gap"}
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        subject = f"source {name} of the document"
        raise InvalidPackageError(subject, "sequences and samples", repr(exc)) from exc
    seqs = [seq for seq in sorted(times) if first <= seq <= last]
    if len(seqs) == count and seqs[:1] == [first] and seqs[-1:] == [last]:
        return first, last
    runs = list(_missing(seqs, first, last))
    edges = [(times.get(low - 1), times.get(high + 1)) for low, high in runs]
    hidden = [
        run for run, edge in zip(runs, edges, strict=True) if edge not in recorded
    ]
    spans = ", ".join(f"{low} to {high}" for low, high in hidden or runs)
    subject = f"gap in [{identifier}, seq {spans or 'none'}]"
    expected = f"{count} samples of {name} from seq {first} to {last}"
    raise InvalidPackageError(subject, expected, f"{len(seqs)}")


def _missing(seqs: Sequence[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Find the runs of numbers between first and last that are not there."""
    for low, high in pairwise([first - 1, *seqs, last + 1]):
        if high - low > 1:
            yield low + 1, high - 1


def _rule_set(data: bytes) -> RuleSet:
    """Load a rule set; its bytes must be the canonical form that its digest covers."""
    try:
        rule_set = load_rule_set_bytes(data)
    except AccountingError as exc:
        raise InvalidPackageError("rule set", "a sound rule set", str(exc)) from exc
    subject = f"bytes of rule set {rule_set.id}"
    check_equal(subject, rule_set.digest, sha256(data).digest())
    return rule_set


def _changed_factor(
    package: Package, basis: Basis, methods: Methods
) -> tuple[str, str, str] | None:
    """Find the first factor that enters with another value than in the document."""
    try:
        statement = _compute(package, basis, methods)
    except (AccountingError, ValueError):
        return None
    signed, used = basis.document.get("factors"), statement.document["factors"]
    for where, expected, given in _differences(signed, used, ""):
        return f"factor {where.strip('/')}", str(expected), str(given)
    return None


def _compute(package: Package, basis: Basis, methods: Methods) -> Statement:
    report = basis.report
    pairs = ((one.carrier.identifier, one.message.reading) for one in basis.readings)
    return compute_statement(
        basis.boundary,
        _channel_tables(package),
        report.period_start,
        report.period_end,
        int(report.purpose),
        source_readings(basis.boundary, pairs, basis.registry),
        methods,
        package.rule_book.factor_year,
    )


def _channel_tables(package: Package) -> dict[str, ChannelTable]:
    return {
        proof.record.identifier: proof.record.channel_table
        for part in package.registries
        for proof in part.proofs
        if proof.record.channel_table is not None
    }


def _differences(
    expected: Any, given: Any, where: str
) -> Iterator[tuple[str, Any, Any]]:
    """Walk two documents side by side; yield where they differ, in order."""
    if isinstance(expected, Mapping) and isinstance(given, Mapping):
        for key in sorted({*expected, *given}):
            path = f"{where}/{key}"
            yield from _differences(expected.get(key), given.get(key), path)
    elif isinstance(expected, list | tuple) and isinstance(given, list | tuple):
        if len(expected) != len(given):
            yield f"{where} length", len(expected), len(given)
        for index, pair in enumerate(zip(expected, given, strict=False)):
            yield from _differences(*pair, f"{where}/{index}")
    elif expected != given:
        yield where, expected, given


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise InvalidPackageError(f"document/{name}", "an object", repr(value)[:40])
    return value
