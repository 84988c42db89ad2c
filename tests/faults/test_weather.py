"""The weather is real: SQLite meets its errors, the clock is off, and it clears up."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.hosts import ROOT
from tests.faults.weather import Disk, Weather

PROGRAM = """
import sqlite3, sys, time
from pathlib import Path
from tests.faults.weather import Weather
Weather(Path(sys.argv[1])).suffer()
database = sqlite3.connect(sys.argv[2], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE IF NOT EXISTS notes (text)")
for line in sys.stdin:
    started = time.monotonic()
    try:
        database.execute("INSERT INTO notes VALUES (?)", [line])
        said = "kept"
    except sqlite3.Error as exc:
        said = str(exc)
    print(said, round(time.time()), time.monotonic() - started, sep="|", flush=True)
"""
Ask = Callable[[str], tuple[str, int, float]]


@pytest.fixture
def weather(tmp_path: Path) -> Weather:
    return Weather(tmp_path / "weather")


@pytest.fixture
def ask(tmp_path: Path, weather: Weather):  # noqa: ARG001  its page must be there
    """A process that writes a row when asked, and says how it went."""
    words = [sys.executable, "-c", PROGRAM, tmp_path / "weather", tmp_path / "db"]
    with subprocess.Popen(
        words, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:

        def exchange(line: str) -> tuple[str, int, float]:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            said, clock, took = process.stdout.readline().split("|")
            return said, int(clock), float(took)

        yield exchange
        process.stdin.close()


class TestDisk:
    @pytest.mark.parametrize(
        ("disk", "said"), [(Disk.FULL, "full"), (Disk.BROKEN, "disk I/O error")]
    )
    def test_fails_as_sqlite_knows_it_and_recovers(
        self, ask: Ask, weather: Weather, tmp_path: Path, disk: Disk, said: str
    ):
        assert ask("before")[0] == "kept"
        weather.set(disk=disk)
        assert said in ask("during")[0]
        weather.set()
        assert ask("after")[0] == "kept"
        with sqlite3.connect(tmp_path / "db") as database:
            rows = database.execute("SELECT text FROM notes").fetchall()
        assert rows == [("before\n",), ("after\n",)]

    def test_is_slow_where_it_should_be(self, ask: Ask, weather: Weather):
        weather.set(write_delay_ms=150)
        said, _, took_s = ask("slow")
        assert said == "kept"
        assert took_s >= 0.15


class TestClock:
    def test_is_off_by_what_was_set(self, ask: Ask, weather: Weather):
        weather.set(clock_s=-500)
        assert ask("past")[1] == pytest.approx(time.time() - 500, abs=60)
        weather.set()
        assert ask("present")[1] == pytest.approx(time.time(), abs=60)
