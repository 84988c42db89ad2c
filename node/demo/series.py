"""The plant's electricity series that the demo replays, and where it came from.

Source: UCI Machine Learning Repository, "Steel Industry Energy Consumption"
(Sathishkumar V E, Changsun Shin, Yongyun Cho, 2021), CC BY 4.0: one row per
15 minutes of 2018, energy of the interval that ends at the label. Found in this
order: the data folder, the publisher (checked by the digest of its rows), a
simulated plant. Whatever was taken is named in ``Series.origin`` and goes into
every output of the demo.

A day's 96th row carries the label 00:00 of the same date and ends at 24:00, so
rows count in file order and never by label.
"""

import csv
import gzip
import hashlib
import io
import random
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from node.errors import InvalidSeriesError

PUBLISHER_URL = (
    "https://archive.ics.uci.edu/static/public/851/"
    "steel+industry+energy+consumption.zip"
)
ROWS_DIGEST = "f15ad22f847a7397fbc5f98179bc54689fde32526b7940dbb27419d9029b2466"
"""SHA-256 over the lines ``date,Usage_kWh`` of all rows, two decimals, LF."""

ROWS_A_YEAR = 35_040
ROWS_A_DAY = 96
STEP_S = 900
REAL = "real: UCI Steel Industry Energy Consumption 2018, CC BY 4.0"
SIMULATED = (
    "SIMULATED plant (seed 2018): the real series was neither in the data folder "
    "nor to be had from its publisher"
)


@dataclass(frozen=True, slots=True)
class Series:
    """A year of interval energies of one electricity meter."""

    usage_wh: tuple[int, ...]
    """Active energy of each 15-minute interval, in order. [Wh]"""
    origin: str
    """Where the rows came from, in words for every output."""
    is_simulated: bool

    def month(self, number: int) -> tuple[int, ...]:
        """Return one month's intervals.

        Args:
            number: Month, 1 to 12, of the series' year 2018.

        Returns:
            Active energy of each interval. [Wh]
        """
        start, end = (_row_of_month(number), _row_of_month(number + 1))
        return self.usage_wh[start:end]


def load_series(data_dir: Path, *, may_fetch: bool = True) -> Series:
    """Find the plant series: data folder, publisher, or a simulated plant.

    Args:
        data_dir: Folder that may hold ``steel-industry/``.
        may_fetch: Whether the publisher may be asked.

    Returns:
        The series with its origin.

    Raises:
        InvalidSeriesError: If the data folder's file is there but its rows are
            not the published ones.
    """
    local = data_dir / "steel-industry" / "Steel_industry_data.csv.gz"
    if local.is_file():
        with gzip.open(local, "rt", encoding="utf-8", newline="") as file:
            return Series(_parse(file, where=str(local.name)), REAL, is_simulated=False)
    fetched = _fetch() if may_fetch else None
    if fetched is not None:
        return Series(fetched, REAL, is_simulated=False)
    return Series(_simulate(), SIMULATED, is_simulated=True)


def _parse(lines: Iterable[str], where: str) -> tuple[int, ...]:
    rows = [
        (row["date"], _centi_kwh(row["Usage_kWh"], where, number))
        for number, row in enumerate(csv.DictReader(lines), start=2)
    ]
    check_rows(rows, where)
    return tuple(centi * 10 for _, centi in rows)


def check_rows(rows: Sequence[tuple[str, int]], where: str) -> None:
    """Compare the rows with the published series.

    Args:
        rows: Label and energy of each row. [0.01 kWh]
        where: Name of the file for the message.

    Raises:
        InvalidSeriesError: If the digest of the rows is not the published one.
    """
    text = "\n".join(f"{date},{c // 100}.{c % 100:02d}" for date, c in rows)
    given = hashlib.sha256(text.encode()).hexdigest()
    if given != ROWS_DIGEST:
        raise InvalidSeriesError(
            f"{where}: expected the {ROWS_A_YEAR:,} published rows with digest "
            f"{ROWS_DIGEST[:16]}…, got {len(rows):,} rows with {given[:16]}…; "
            "fetch the file again from its publisher or remove it."
        )


def _centi_kwh(text: str, where: str, line: int) -> int:
    whole, _, fraction = text.partition(".")
    if not (whole.isdigit() and (fraction == "" or fraction.isdigit())):
        raise InvalidSeriesError(
            f"{where}, line {line}: expected energy such as 3.17 kWh, got {text!r}."
        )
    return int(whole) * 100 + int((fraction + "00")[:2])


def _fetch() -> tuple[int, ...] | None:
    """Return the publisher's rows, or None where it cannot be reached."""
    try:
        answer = httpx.get(
            PUBLISHER_URL, timeout=httpx.Timeout(20, connect=5), follow_redirects=True
        )
        answer.raise_for_status()
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        with archive.open("Steel_industry_data.csv") as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            return _parse(text, where="the publisher's file")
    except (httpx.HTTPError, zipfile.BadZipFile, KeyError, InvalidSeriesError):
        return None


def _simulate() -> tuple[int, ...]:
    """Return a made-up plant: a day shape times a seeded wobble. [Wh]."""
    rng = random.Random(2018)  # noqa: S311  a documented, repeatable series
    by_hour = [4, 4, 4, 4, 4, 4, 6, 9, 45, 70, 75, 70, 40, 70, 78, 80, 72, 60, 40, 35]
    by_hour += [30, 20, 8, 5]
    return tuple(
        by_hour[(row % ROWS_A_DAY) // 4] * rng.randrange(800, 1201)
        for row in range(ROWS_A_YEAR)
    )


def _row_of_month(number: int) -> int:
    year, month = (2018, number) if number <= 12 else (2019, 1)  # noqa: PLR2004
    days = datetime(year, month, 1, tzinfo=UTC) - datetime(2018, 1, 1, tzinfo=UTC)
    return days.days * ROWS_A_DAY
