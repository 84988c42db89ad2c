"""Meter series: row order, midnight labels, exact counts, faults by line."""

import gzip
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from oracle.carrier.sources import MeterReading, SeriesFormat, read_series
from oracle.errors import InvalidSeriesError

FORM = SeriesFormat({1: "Usage_kWh"})
MIDNIGHT = 1_514_732_400  # 2018-01-01 00:00 at UTC+9


def written(folder: Path, *rows: str, header: str = "date,Usage_kWh") -> Path:
    file = folder / "series.csv"
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file


class TestReadSeries:
    def test_starts_at_zero_one_step_before_the_first_label(self, tmp_path: Path):
        file = written(tmp_path, "01/01/2018 00:15,3.17", "01/01/2018 00:30,4")

        assert list(read_series(file, FORM)) == [
            MeterReading(MIDNIGHT, ((1, 0),)),
            MeterReading(MIDNIGHT + 900, ((1, 317),)),
            MeterReading(MIDNIGHT + 1800, ((1, 717),)),
        ]

    def test_a_midnight_label_is_the_end_of_its_date(self, tmp_path: Path):
        rows = ("01/01/2018 23:45,1", "01/01/2018 00:00,1", "02/01/2018 00:15,1")

        read = list(read_series(written(tmp_path, *rows), FORM))

        assert [one.ts for one in read[1:]] == [
            MIDNIGHT + 86_400 + offset for offset in (-900, 0, 900)
        ]

    def test_several_columns_are_several_registers(self, tmp_path: Path):
        header = "date,Usage_kWh,Reactive"
        file = written(tmp_path, "01/01/2018 00:15,1,2.5", header=header)
        form = SeriesFormat({7: "Reactive", 1: "Usage_kWh"})

        assert list(read_series(file, form))[1].values == ((1, 100), (7, 250))

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            (["01/01/2018 00:15,1", "01/01/2018 00:45,1"], "line 3: .*00:30.*00:45"),
            (["01/01/2018 00:15,1", "01/01/2018 00:15,1"], "line 3: .*00:30.*00:15"),
            (["2018-01-01 00:15,1"], "line 2: expected DD/MM/YYYY"),
            (["01/13/2018 00:15,1"], "line 2: expected DD/MM/YYYY"),
            (["01/01/2018 00:15,abc"], "line 2, column Usage_kWh: expected a number"),
            (["01/01/2018 00:15,-1"], "whole counts of 1/100, at least 0, given -1"),
            (["01/01/2018 00:15,0.001"], "whole counts of 1/100.*given 0.001"),
            (["01/01/2018 00:15,NaN"], "whole counts.*given NaN"),
            (["01/01/2018 00:15"], "line 2, column Usage_kWh"),
            ([], "has no rows"),
        ],
    )
    def test_a_fault_is_named_with_its_line(
        self, tmp_path: Path, rows: list[str], message: str
    ):
        with pytest.raises(InvalidSeriesError, match=message):
            list(read_series(written(tmp_path, *rows), FORM))

    def test_a_missing_column_is_named(self, tmp_path: Path):
        file = written(tmp_path, header="date,kWh")

        with pytest.raises(InvalidSeriesError, match="line 1: no column Usage_kWh"):
            list(read_series(file, FORM))

    def test_a_missing_file_is_named(self, tmp_path: Path):
        with pytest.raises(InvalidSeriesError, match="cannot be read"):
            list(read_series(tmp_path / "none.csv", FORM))

    def test_a_broken_archive_is_named(self, tmp_path: Path):
        file = tmp_path / "series.csv.gz"
        file.write_bytes(gzip.compress(b"date,Usage_kWh\n" * 100)[:-20])

        with pytest.raises(InvalidSeriesError, match="cannot be read"):
            list(read_series(file, FORM))


class TestSteelPlant:
    def test_the_year_is_complete_and_conserved(self, data_dir: Path):
        file = data_dir / "steel-industry" / "Steel_industry_data.csv.gz"

        read = list(read_series(file, FORM))

        assert len(read) == 35_041
        assert {after.ts - one.ts for one, after in pairwise(read)} == {900}
        assert (read[0].ts, read[-1].ts) == (MIDNIGHT, MIDNIGHT + 365 * 86_400)
        assert Decimal(read[-1].values[0][1]) / 100 == Decimal("959636.71")
