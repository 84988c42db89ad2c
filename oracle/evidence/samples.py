"""From verified readings to the samples that a statement is computed from.

Member and verifier use this one function, so both hand the same samples to the
calculation. Registers that the boundary does not name are left out.
"""

from collections.abc import Iterable

from accounting.boundary import Boundary
from accounting.metering import Sample
from accounting.statement import SourceReadings
from oracle.reading.profile import Reading


def source_readings(
    boundary: Boundary, readings: Iterable[tuple[str, Reading]]
) -> list[SourceReadings]:
    """Sort readings into the sources of a boundary.

    Args:
        boundary: Boundary of the statement.
        readings: Identifier of the carrier and its reading, in any order.

    Returns:
        One entry for each source in the boundary's order; without samples where no
        reading carries its register.
    """
    samples: dict[tuple[str, int], list[Sample]] = {
        (source.identifier, source.register): [] for source in boundary.sources
    }
    for identifier, reading in readings:
        boot, flags = reading.boot or 0, reading.flags or 0
        for register, value in reading.values:
            found = samples.get((identifier, register))
            if found is not None:
                sample = Sample(reading.seq, reading.ts, value, boot, flags)
                found.append(sample)
    return [
        SourceReadings(identifier, register, tuple(found))
        for (identifier, register), found in samples.items()
    ]
