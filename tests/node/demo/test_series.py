from pathlib import Path

import pytest

from node.demo.series import (
    ROWS_A_DAY,
    ROWS_A_YEAR,
    SIMULATED,
    check_rows,
    load_series,
)
from node.errors import InvalidSeriesError


class TestLoadSeries:
    def test_reads_the_published_rows(self, data_dir: Path):
        series = load_series(data_dir, may_fetch=False)

        assert not series.is_simulated
        assert len(series.usage_wh) == ROWS_A_YEAR
        assert sum(series.usage_wh) == 959_636_710

    def test_cuts_months_by_file_order(self, data_dir: Path):
        series = load_series(data_dir, may_fetch=False)

        kwh = [round(sum(series.month(number)) / 1000) for number in range(1, 13)]

        assert kwh[0] == 126_238
        assert kwh[-1] == 59_437
        assert len(series.month(2)) == 28 * ROWS_A_DAY

    def test_says_so_when_the_plant_is_simulated(self, tmp_path: Path):
        series = load_series(tmp_path, may_fetch=False)

        assert series.is_simulated
        assert series.origin == SIMULATED
        assert load_series(tmp_path, may_fetch=False) == series

    def test_reaches_for_the_publisher_and_falls_back_without_a_network(
        self, tmp_path: Path
    ):
        assert load_series(tmp_path).is_simulated


class TestCheckRows:
    def test_refuses_one_changed_value(self):
        with pytest.raises(InvalidSeriesError, match=r"expected the 35,040 published"):
            check_rows([("01/01/2018 00:15", 317)], "a file")
