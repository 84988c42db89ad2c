"""Stages 6 and 7: every reading in its batch, truly signed, none left out.

The numbered checks are those of `oracle.reading.checks`, the same function as in the
inbox and at every member.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter

from contracts.merkle import BatchLeaf, leaf_hash
from oracle.errors import InvalidMessageError, InvalidPackageError, RefusedReadingError
from oracle.evidence.evidence import BatchPart
from oracle.evidence.proofs import root_of_leaves
from oracle.evidence.samples import runs
from oracle.evidence.threads import check_in_threads
from oracle.reading.checks import AuthenticReading, Domain, authenticate, fold_readings
from oracle.reading.facts import FactKind
from oracle.reading.profile import decode_message
from oracle.reading.registry import CarrierRegistry


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """Batches whose readings are to be checked, with what the checks need."""

    batches: tuple[BatchPart, ...]
    """Batches, ascending."""
    registries: Mapping[bytes, CarrierRegistry]
    """Data digest of batch reports (32 bytes) → carriers proven under it."""
    domain: Domain
    """Chain and contract that readings are bound to."""


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run of sequence numbers of one carrier."""

    identifier: str
    """Identifier of the carrier."""
    first: int
    """Lowest seq."""
    last: int
    """Highest seq."""

    def __str__(self) -> str:
        """Name the run."""
        return f"{self.identifier} seq {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the order of batches says of how readings came."""

    gaps: tuple[NamedRun, ...]
    """Missing between the first and last reading of a carrier, by carrier."""
    late: tuple[NamedRun, ...]
    """Delivered behind a later reading of their carrier, by carrier."""
    excluded: tuple[NamedRun, ...]
    """Signed above the last good seq of their carrier, by carrier; they do not count
    and are none of the others."""


def check_readings(task: ReadingTask, threads: int | None) -> list[AuthenticReading]:
    """Check every reading of a package.

    Args:
        task: Batches with proven carriers.
        threads: Number of threads; None takes one for each processor.

    Returns:
        The authentic readings in batch order.

    Raises:
        InvalidPackageError: Names the first reading, by carrier and seq, that is not
            signed, not of a proven carrier, not entitled or not in its batch.
    """
    parts = check_in_threads(
        lambda batch: _check_batch(batch, task), task.batches, threads
    )
    return [one for part in parts for one in part]


def trace_deliveries(
    readings: Sequence[AuthenticReading], registry: CarrierRegistry
) -> Deliveries:
    """Find which readings are missing, which came late and which do not count.

    A statement does not depend on when its readings came, so it says nothing of it;
    the batches do.

    Args:
        readings: All authentic readings in batch order.
        registry: Carriers at the reference block of the last batch.

    Returns:
        Gaps, late deliveries and excluded readings by carrier, ascending.

    Raises:
        InvalidPackageError: A carrier's seq comes twice.
    """
    counted = [one for one in readings if registry.admits(*_name(one))]
    excluded = {_name(one) for one in readings}.difference(map(_name, counted))
    try:
        rows, states = fold_readings(counted, {})
    except RefusedReadingError as exc:
        subject = f"check {exc.check} ({exc.name})"
        raise InvalidPackageError(subject, exc.expected, exc.given) from exc
    names = {one.carrier.identifier_hash: one.carrier.identifier for one in readings}
    gaps = (
        NamedRun(names[name], gap.first, gap.last)
        for name, state in states.items()
        for gap in state.gaps
        if gap.around.below is not None  # what came before the first is not used
    )
    late = ((names[n], seq) for n, seq, fact in rows if fact.kind is FactKind.LATE)
    order = attrgetter("identifier", "first")
    return Deliveries(
        tuple(sorted(gaps, key=order)),
        tuple(_runs(sorted(late))),
        tuple(_runs(sorted(excluded))),
    )


def _runs(found: Sequence[tuple[str, int]]) -> Iterator[NamedRun]:
    """Join neighbouring sequence numbers of one carrier."""
    for identifier, own in groupby(found, key=itemgetter(0)):
        for first, last in runs(seq for _, seq in own):
            yield NamedRun(identifier, first, last)


def _check_batch(batch: BatchPart, task: ReadingTask) -> list[AuthenticReading]:
    """Check the readings of one batch and their joint proof."""
    report = batch.report
    if not batch.readings:
        if batch.nodes:
            subject = f"proof of batch {report.seq}"
            raise InvalidPackageError(subject, "no nodes", f"{len(batch.nodes)}")
        return []
    registry = task.registries[report.data_digest]
    found, leaves = [], {}
    for index, raw in batch.readings:
        one = _authenticate(
            raw, registry, task, f"reading {index} of batch {report.seq}"
        )
        name, seq = one.carrier.identifier_hash, one.message.reading.seq
        leaf = BatchLeaf(report.stream_id, report.seq, index, name, seq, one.digest)
        leaves[index] = leaf_hash(leaf)
        found.append(one)
    root = root_of_leaves(report.leaf_count, leaves, batch.nodes)
    if root != report.batch_root:
        names = ", ".join(_reading_name(one) for one in found)
        given = root.hex() if root else "a proof of another length"
        subject = f"batch {report.seq} with {names}"
        raise InvalidPackageError(subject, f"root {report.batch_root.hex()}", given)
    return found


def _authenticate(
    raw: bytes, registry: CarrierRegistry, task: ReadingTask, place: str
) -> AuthenticReading:
    try:
        return authenticate(raw, registry, task.domain)
    except RefusedReadingError as exc:
        subject = f"{_claimed_name(raw, registry, place)}, check {exc.check} {exc.name}"
        raise InvalidPackageError(subject, exc.expected, exc.given) from exc


def _name(one: AuthenticReading) -> tuple[str, int]:
    return one.carrier.identifier, one.message.reading.seq


def _reading_name(one: AuthenticReading) -> str:
    return f"reading [{one.carrier.identifier}, {one.message.reading.seq}]"


def _claimed_name(raw: bytes, registry: CarrierRegistry, place: str) -> str:
    """Name a refused reading by what it claims, as far as it can be read."""
    try:
        reading = decode_message(raw).reading
    except InvalidMessageError:
        return place
    carrier = registry.by_kid(reading.kid)
    name = carrier.identifier if carrier else f"key id {reading.kid.hex()}"
    return f"reading [{name}, {reading.seq}] ({place})"
