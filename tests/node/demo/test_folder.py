"""The demo empties its own folder and no other."""

import gzip
from pathlib import Path

import pytest
from rich.console import Console

from node.demo.run import DemoSettings, run_demo
from node.errors import InvalidConfigError, InvalidSeriesError


def begin(folder: Path, data: Path) -> None:
    """Run a demo that ends behind the emptying of its folder: its input is broken."""
    series = data / "steel-industry" / "Steel_industry_data.csv.gz"
    series.parent.mkdir(parents=True, exist_ok=True)
    series.write_bytes(gzip.compress(b"no series"))
    settings = DemoSettings(folder, data, days=1, may_fetch=False)
    with run_demo(settings, Console(quiet=True)):
        pytest.fail("a demo without input ran")


class TestFolder:
    def test_of_somebody_else_is_left_alone(
        self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
    ):
        (tmp_path / "thesis.tex").write_text("years of work")
        (tmp_path / "keys").mkdir()
        with pytest.raises(InvalidConfigError, match="not of a demo"):
            begin(tmp_path, tmp_path_factory.mktemp("data"))
        assert (tmp_path / "thesis.tex").read_text() == "years of work"

    def test_that_is_a_file_is_left_alone(self, tmp_path: Path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(InvalidConfigError, match="not of a demo"):
            begin(tmp_path / "file", tmp_path / "data")
        assert (tmp_path / "file").read_text() == "mine"

    def test_of_an_earlier_demo_is_emptied_each_time(self, tmp_path: Path):
        folder = tmp_path / "demo"
        for name in ("keys", "members", "chain"):
            (folder / name).mkdir(parents=True)
        for _ in range(2):
            (folder / "keys" / "old").parent.mkdir(exist_ok=True)
            (folder / "keys" / "old").touch()
            with pytest.raises(InvalidSeriesError):
                begin(folder, tmp_path / "data")
            assert [one.name for one in folder.iterdir()] == [".carbon-demo"]
