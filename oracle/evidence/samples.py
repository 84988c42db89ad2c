"""From verified readings to the samples that a statement is computed from.

Member and verifier use this one function, so both hand the same samples to the
calculation. Registers that the boundary does not name are left out.

The status that counts for a reading is that of its carrier at its seq, as the registry
has it at the reference block of the statement's last batch: what a carrier signed above
its last good seq does not count, even where a batch took it in before the carrier was
revoked. Which readings these are is told as a fact of the source, never passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from accounting.boundary import Boundary
from accounting.metering import Fact, Sample
from accounting.statement import SourceReadings
from oracle.reading.profile import Reading
from oracle.reading.registry import CarrierRegistry


def source_readings(
    boundary: Boundary,
    readings: Iterable[tuple[str, Reading]],
    registry: CarrierRegistry,
) -> list[SourceReadings]:
    """Sort readings into the sources of a boundary.

    Args:
        boundary: Boundary of the statement.
        readings: Identifier of the carrier and its reading, in any order.
        registry: Carriers at the reference block of the statement's last batch.

    Returns:
        One entry for each source in the boundary's order; without samples where no
        reading that counts carries its register. Those that do not count are runs of
        sequence numbers among its facts.
    """
    samples: dict[tuple[str, int], list[Sample]] = {
        (source.identifier, source.register): [] for source in boundary.sources
    }
    revoked: dict[tuple[str, int], dict[int, int]] = {key: {} for key in samples}
    for identifier, reading in readings:
        is_counted = registry.admits(identifier, reading.seq)
        boot, flags = reading.boot or 0, reading.flags or 0
        for register, value in reading.values:
            key = identifier, register
            if key not in samples:
                continue
            if is_counted:
                sample = Sample(reading.seq, reading.ts, value, boot, flags)
                samples[key].append(sample)
            else:
                revoked[key][reading.seq] = reading.ts
    return [
        SourceReadings(*key, tuple(found), _facts(key[0], revoked[key], registry))
        for key, found in samples.items()
    ]


def runs(seqs: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Join neighbouring numbers.

    Args:
        seqs: Numbers, ascending, each once.

    Yields:
        First and last of each run.
    """
    for _, run in groupby(enumerate(seqs), key=lambda one: one[1] - one[0]):
        (_, first), *rest = run
        yield first, rest[-1][1] if rest else first


def _facts(
    identifier: str, times: Mapping[int, int], registry: CarrierRegistry
) -> tuple[Fact, ...]:
    """Tell which sequence numbers do not count; `times` gives the time of each."""
    record = registry.by_identifier(identifier)
    cutoff = record.cutoff_seq if record else None
    good = "none" if cutoff is None else str(cutoff)
    facts = []
    for first, last in runs(sorted(times)):
        moments = [times[seq] for seq in range(first, last + 1)]
        detail = f"seq {first} to {last}, last good seq {good}"
        facts.append(Fact("revoked", min(moments), max(moments), detail))
    return tuple(facts)
