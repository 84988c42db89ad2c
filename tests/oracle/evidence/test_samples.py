from dataclasses import replace

import pytest

from accounting.boundary import Boundary, Source
from accounting.metering import Fact, Sample
from accounting.statement import SourceReadings
from oracle.evidence.samples import source_readings
from oracle.reading.profile import NO_PREV, Reading
from oracle.reading.registry import CarrierRegistry, CarrierStatus
from tests.simulators.device import DeviceSimulator

BOUNDARY = Boundary(
    "plant",
    "Plant Ltd",
    "厂",
    "Plant",
    "steel",
    "全国",
    (Source("88.100.1/a", 1, "electricity_in"), Source("88.100.1/a", 2, "heat_in")),
)
ACTIVE = {
    device.identifier_hash: device.record
    for device in (DeviceSimulator("a"), DeviceSimulator("b"))
}
REGISTRY = CarrierRegistry(ACTIVE)


def revoked(
    cutoff_seq: int | None, status: CarrierStatus = CarrierStatus.REVOKED
) -> CarrierRegistry:
    name = DeviceSimulator("a").identifier_hash
    record = replace(ACTIVE[name], status=status, cutoff_seq=cutoff_seq)
    return CarrierRegistry({**ACTIVE, name: record})


def reading(seq: int, *values: tuple[int, int], boot: int | None = None) -> Reading:
    return Reading(bytes(8), seq, 100 + seq, values, NO_PREV, None, 1, boot)


class TestSourceReadings:
    def test_registers_become_the_samples_of_their_sources(self):
        pairs = [("88.100.1/a", reading(3, (1, 10), (2, 20)))]
        found = source_readings(BOUNDARY, pairs, REGISTRY)
        assert found == [
            SourceReadings("88.100.1/a", 1, (Sample(3, 103, 10, 0, 1),)),
            SourceReadings("88.100.1/a", 2, (Sample(3, 103, 20, 0, 1),)),
        ]

    def test_the_boot_counter_is_kept(self):
        pairs = [("88.100.1/a", reading(3, (1, 10), boot=4))]
        found = source_readings(BOUNDARY, pairs, REGISTRY)
        assert found[0].samples[0].boot == 4

    def test_other_registers_and_carriers_are_left_out(self):
        pairs = [
            ("88.100.1/a", reading(3, (9, 10))),
            ("88.100.1/b", reading(0, (1, 5))),
        ]
        found = source_readings(BOUNDARY, pairs, REGISTRY)
        assert [one.samples for one in found] == [(), ()]


class TestCutOff:
    PAIRS = tuple(("88.100.1/a", reading(seq, (1, 10 * seq))) for seq in range(6))

    def seqs(self, registry: CarrierRegistry) -> list[int]:
        found = source_readings(BOUNDARY, self.PAIRS, registry)
        return [sample.seq for sample in found[0].samples]

    @pytest.mark.parametrize("status", [CarrierStatus.REVOKED, CarrierStatus.SUSPENDED])
    def test_readings_above_it_do_not_count(self, status: CarrierStatus):
        assert self.seqs(revoked(2, status)) == [0, 1, 2]

    def test_a_carrier_in_order_keeps_all(self):
        assert self.seqs(REGISTRY) == [0, 1, 2, 3, 4, 5]

    def test_without_a_last_good_one_none_count(self):
        assert self.seqs(revoked(None)) == []

    def test_a_carrier_that_is_not_registered_has_none(self):
        assert self.seqs(CarrierRegistry()) == []

    def test_what_does_not_count_is_told_in_runs_by_source(self):
        pairs = [pair for pair in self.PAIRS if pair[1].seq != 4]
        found = source_readings(BOUNDARY, [*reversed(pairs), *pairs], revoked(2))
        assert found[0].facts == (
            Fact("revoked", 103, 103, "seq 3 to 3, last good seq 2"),
            Fact("revoked", 105, 105, "seq 5 to 5, last good seq 2"),
        )
        assert found[1].facts == ()
