from accounting.boundary import Boundary, Source
from accounting.metering import Sample
from accounting.statement import SourceReadings
from oracle.evidence.samples import source_readings
from oracle.reading.profile import NO_PREV, Reading

BOUNDARY = Boundary(
    "plant",
    "Plant Ltd",
    "厂",
    "Plant",
    "steel",
    "全国",
    (Source("88.1.2/a", 1, "electricity_in"), Source("88.1.2/a", 2, "heat_in")),
)


def reading(seq: int, *values: tuple[int, int], boot: int | None = None) -> Reading:
    return Reading(bytes(8), seq, 100 + seq, values, NO_PREV, None, 1, boot)


class TestSourceReadings:
    def test_registers_become_the_samples_of_their_sources(self):
        found = source_readings(BOUNDARY, [("88.1.2/a", reading(3, (1, 10), (2, 20)))])
        assert found == [
            SourceReadings("88.1.2/a", 1, (Sample(3, 103, 10, 0, 1),)),
            SourceReadings("88.1.2/a", 2, (Sample(3, 103, 20, 0, 1),)),
        ]

    def test_the_boot_counter_is_kept(self):
        found = source_readings(BOUNDARY, [("88.1.2/a", reading(3, (1, 10), boot=4))])
        assert found[0].samples[0].boot == 4

    def test_other_registers_and_carriers_are_left_out(self):
        pairs = [("88.1.2/a", reading(3, (9, 10))), ("88.1.2/b", reading(0, (1, 5)))]
        assert [one.samples for one in source_readings(BOUNDARY, pairs)] == [(), ()]
