"""Verify a proof package offline, stage by stage; see `oracle.evidence.stages`.

Rules kept: pure; a stage trusts only what earlier stages
proved, and the first of them only the trust file; the first thing that does not hold
is named and ends the verification. What no package can prove: that a meter measured
rightly, and that nobody knows of a later restatement.
"""

from collections.abc import Sequence
from hashlib import sha256

from contracts.enumerations import Purpose
from contracts.structs import StatementReport
from contracts.typed_data import struct_hash
from oracle.errors import InvalidPackageError
from oracle.evidence.attested import (
    check_batches,
    check_registry,
    check_statement,
    check_trust,
)
from oracle.evidence.codec import decode_package
from oracle.evidence.evidence import Package
from oracle.evidence.readings import (
    NamedRun,
    ReadingTask,
    check_readings,
    trace_deliveries,
)
from oracle.evidence.recompute import (
    Basis,
    check_completeness,
    check_recomputation,
    check_report,
    check_rules,
    recompute,
)
from oracle.evidence.stages import (
    Failure,
    Outcome,
    Stage,
    StageResult,
    VerificationReport,
)
from oracle.evidence.trust import Trust
from oracle.reading.checks import Domain


def verify_package(
    data: bytes, trust: Trust, threads: int | None = None
) -> VerificationReport:
    """Verify a proof package.

    Args:
        data: The whole file.
        trust: Chain and members that the caller believes.
        threads: Number of threads; None takes one for each processor.

    Returns:
        Every stage with its outcome; the first failure is named.
    """
    progress = _Progress()
    try:
        _verify(data, trust, threads, progress)
    except InvalidPackageError as exc:
        progress.fail(Failure(exc.subject, exc.expected, exc.given))
    return VerificationReport(
        tuple(progress.results),
        progress.statement,
        sha256(data).digest(),
        progress.notices,
        progress.unconfirmed,
    )


class _Progress:
    """Stages that ended; the next one is the one that runs."""

    def __init__(self) -> None:
        self.results: list[StageResult] = []
        self.statement: StatementReport | None = None
        self.notices: tuple[str, ...] = ()
        self.unconfirmed: tuple[str, ...] = ()

    def passed(self, stage: Stage, **found: object) -> None:
        texts = {name: str(value) for name, value in found.items()}
        self.results.append(StageResult(stage, Outcome.PASSED, texts))

    def fail(self, failure: Failure) -> None:
        running = Stage(len(self.results) + 1)
        self.results.append(StageResult(running, Outcome.FAILED, failure=failure))
        rest = list(Stage)[len(self.results) :]
        self.results += [StageResult(stage, Outcome.NOT_REACHED) for stage in rest]


def _verify(
    data: bytes, trust: Trust, threads: int | None, progress: _Progress
) -> None:
    """Run the stages in order; each raises what fails."""
    passed = progress.passed
    package = decode_package(data)
    report = progress.statement = package.statement.report
    passed(Stage.FORM, bytes=len(data))

    check_trust(package, trust)
    versions = [one.version for one in package.configurations]
    passed(Stage.TRUST, chain=trust.chain.chain_id, configurations=versions)

    boundary, document = check_statement(package, trust)
    signers = package.statement.attestation.signers.bit_count()
    passed(Stage.STATEMENT, statement=struct_hash(report).hex(), signers=signers)

    root = check_batches(package, trust, threads)
    passed(Stage.BATCHES, batches=len(package.batches), log_root=root.hex())

    registries = check_registry(package, boundary)
    passed(Stage.REGISTRY, states=len(registries))

    bound_to = Domain(trust.chain.chain_id, trust.chain.carriers)
    task = ReadingTask(package.batches, registries, bound_to)
    readings = check_readings(task, threads)
    passed(Stage.READINGS, readings=len(readings))

    last = registries[package.batches[-1].report.data_digest]
    _calculate(package, Basis(report, document, boundary, readings, last), progress)


def _calculate(package: Package, basis: Basis, progress: _Progress) -> None:
    """Run the stages that repeat the calculation."""
    passed, report = progress.passed, basis.report
    deliveries = trace_deliveries(basis.readings, basis.registry)
    check_completeness(basis)
    listed = {"gaps": _listed(deliveries.gaps), "late": _listed(deliveries.late)}
    if deliveries.excluded:
        listed["excluded"] = _listed(deliveries.excluded)
    passed(Stage.COMPLETENESS, **listed)

    methods = check_rules(package, basis)
    passed(Stage.RULES, rule_sets=", ".join(one.id for one in methods.rule_sets))

    statement = recompute(package, basis, methods)
    check_recomputation(basis, statement)
    shares = statement.document["shares"]
    passed(Stage.RECOMPUTATION, grams=statement.grams, **shares)
    progress.notices = tuple(statement.document["notices"])
    progress.unconfirmed = statement.unconfirmed

    check_report(basis, statement)
    found = {"boundary": basis.boundary.name}
    found["purpose"] = Purpose(report.purpose).name.lower()
    if any(report.supersedes):
        found["supersedes"] = report.supersedes.hex()
    passed(Stage.REPORT, **found)


def _listed(runs: Sequence[NamedRun]) -> str:
    return "; ".join(map(str, runs)) or "none"
