"""Meter series as sources of a carrier: CSV rows → cumulative counts.

A row is one interval with its end as label. Rules kept: rows count in file order,
never sorted by label; a midnight label carries the date of the day that ends (as
in the steel-plant series: the day's last row reads 00:00 of the same date), so it is
taken as 24:00; every step between two rows must be the series' step, else the file is
refused with its line. Quantities are exact decimals that must be whole counts.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

from oracle.errors import InvalidSeriesError

LABEL_FORMAT = "%d/%m/%Y %H:%M"
_MIDNIGHT = "00:00"


@dataclass(frozen=True, slots=True)
class SeriesFormat:
    """How a file is to be read."""

    columns: Mapping[int, str]
    """Register → column with the interval's quantity."""
    counts_per_unit: int = 100
    """Counts of the register for one unit of the column."""
    label_column: str = "date"
    """Column with the interval's end, DD/MM/YYYY HH:MM local time."""
    step_s: int = 900
    """Length of an interval. [s]"""
    utc_offset_s: int = 32_400
    """Local time of the labels against UTC. [s]"""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """Registers of a meter at one moment."""

    ts: int
    """Moment. [unix s]"""
    values: tuple[tuple[int, int], ...]
    """Pairs of register and cumulative count, ascending."""


def read_series(path: Path, form: SeriesFormat) -> Iterator[MeterReading]:
    """Turn interval rows into cumulative readings.

    Args:
        path: CSV file, plain or gzip.
        form: How it is to be read.

    Yields:
        First the registers at the start (zero), then one reading a row.

    Raises:
        InvalidSeriesError: A missing column or file, an unreadable cell, a label that
            does not follow the one before. Names file and line.
    """
    counts = dict.fromkeys(sorted(form.columns), 0)
    expected: int | None = None
    for line, row in _rows(path, form):
        where = f"{path}, line {line}"
        end = _end_of_interval(row[form.label_column], form, where)
        if expected is None:
            yield MeterReading(end - form.step_s, tuple(counts.items()))
        elif end != expected:
            label = _label(expected, form)
            given = row[form.label_column]
            raise InvalidSeriesError(f"{where}: expected {label}, given {given}")
        for register, column in form.columns.items():
            counts[register] += _counts(row[column], column, form, where)
        yield MeterReading(end, tuple(counts.items()))
        expected = end + form.step_s
    if expected is None:
        raise InvalidSeriesError(f"{path} has no rows: expected at least one interval")


def _rows(path: Path, form: SeriesFormat) -> Iterator[tuple[int, dict[str, str]]]:
    """Read rows with their line number, refusing files that lack a column."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        wanted = {form.label_column, *form.columns.values()}
        missing = wanted - set(reader.fieldnames or ())
        if missing:
            names = ", ".join(sorted(missing))
            raise InvalidSeriesError(f"{path}, line 1: no column {names}")
        for row in reader:
            yield reader.line_num, row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as exc:
        raise InvalidSeriesError(f"{path} cannot be read: {exc}") from exc


def _end_of_interval(label: str, form: SeriesFormat, where: str) -> int:
    """Read a label; midnight is the end of its date's day."""
    zone = timezone(timedelta(seconds=form.utc_offset_s))
    try:
        moment = datetime.strptime(label, LABEL_FORMAT).replace(tzinfo=zone)
    except (ValueError, TypeError) as exc:
        message = f"{where}: expected DD/MM/YYYY HH:MM, given {label!r}"
        raise InvalidSeriesError(message) from exc
    if label.endswith(_MIDNIGHT):
        moment += timedelta(days=1)
    return int(moment.astimezone(UTC).timestamp())


def _label(ts: int, form: SeriesFormat) -> str:
    """Write the label that a moment has in the file."""
    zone = timezone(timedelta(seconds=form.utc_offset_s))
    moment = datetime.fromtimestamp(ts, zone)
    if moment.strftime("%H:%M") == _MIDNIGHT:
        moment -= timedelta(days=1)
    return moment.strftime(LABEL_FORMAT)


def _counts(cell: str, column: str, form: SeriesFormat, where: str) -> int:
    try:
        counts = Decimal(cell) * form.counts_per_unit
    except (InvalidOperation, TypeError) as exc:
        message = f"{where}, column {column}: expected a number, given {cell!r}"
        raise InvalidSeriesError(message) from exc
    if not counts.is_finite() or counts < 0 or counts != int(counts):
        message = (
            f"{where}, column {column}: expected whole counts of "
            f"1/{form.counts_per_unit}, at least 0, given {cell}"
        )
        raise InvalidSeriesError(message)
    return int(counts)
