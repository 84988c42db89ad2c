"""Findings of a check, and the checks that node and member share.

Every check looks and changes nothing, but for a probe file that is written, flushed to
the disk and taken away. A finding that is not good says what to do.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from contracts.errors import ContractsError
from oracle.errors import OracleError
from oracle.operations.access import OperatorAccess

__all__ = [
    "EXIT_CODES",
    "DiskLimits",
    "Finding",
    "Level",
    "attempt",
    "check_clock",
    "check_disk",
    "check_machine",
    "check_made_later",
    "check_operators",
    "check_revision",
    "check_secret",
    "exit_code",
    "to_json",
]

Level = Literal["ok", "warn", "fail"]
"""How a check went."""

EXIT_CODES: dict[Level, int] = {"ok": 0, "fail": 1, "warn": 4}
"""Exit code of a command whose worst finding is of that level."""

EXPECTED = (OracleError, ContractsError, OSError)
"""Errors that a check may meet in normal operation."""
LEAST_PYTHON = (3, 11)
SKEW_WARN_S = 2.0
"""Difference of two clocks from which an operator should look. [s]"""
SKEW_FAIL_S = 60.0
"""Difference of two clocks from which messages between members are refused soon. [s]"""
SLOW_FLUSH_S = 0.5
"""A flush to the disk that takes longer is worth a look. [s]"""
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    subject: str
    """What was checked."""
    level: Level
    """How it went."""
    detail: str
    """What was found; where it is not good, what to do."""

    @property
    def is_good(self) -> bool:
        """True if nothing is to be done."""
        return self.level == "ok"


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """Room that a folder must have."""

    free_mb: int = 1024
    """Least free room. [MB]"""
    free_inodes_percent: int = 5
    """Least free inodes of the file system. [%]"""


def attempt(
    subject: str,
    check: Callable[[], Finding],
    expected: tuple[type[Exception], ...] = EXPECTED,
) -> Finding:
    """Run a check; an error that is expected in operation is its finding.

    Args:
        subject: What is checked.
        check: The check.
        expected: Errors that are findings.

    Returns:
        Its finding.
    """
    try:
        return check()
    except expected as exc:
        return Finding(subject, "fail", str(exc))


def check_disk(folder: Path, limits: DiskLimits) -> Finding:
    """Look at the room of a folder and flush a probe file to its disk.

    Args:
        folder: The folder.
        limits: Room it must have.

    Returns:
        The finding.
    """
    subject = f"disk {folder}"
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent  # the first start makes what is missing
    free_mb = shutil.disk_usage(folder).free // _BYTES_PER_MB
    files = os.statvfs(folder)
    inodes = 100 * files.f_favail // files.f_files if files.f_files else 100
    if free_mb < limits.free_mb:
        advice = f"{free_mb} MB are free, expected {limits.free_mb}: free some space"
        return Finding(subject, "fail", advice)
    if inodes < limits.free_inodes_percent:
        advice = (
            f"{inodes} % of the inodes are free, expected "
            f"{limits.free_inodes_percent} %: remove small files"
        )
        return Finding(subject, "fail", advice)
    return _probe(subject, folder, f"{free_mb} MB and {inodes} % of the inodes free")


def check_secret(subject: str, path: Path, needed: str) -> Finding:
    """Look whether a secret's file is there and its owner's alone.

    Args:
        subject: What is checked.
        path: The file.
        needed: How one is made, for the advice.

    Returns:
        The finding.
    """
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        return Finding(subject, "fail", f"{path}: {exc.strerror}; {needed}")
    if mode & 0o077:
        advice = f"{path} can be read by others: chmod 600 {path}"
        return Finding(subject, "fail", advice)
    return Finding(subject, "ok", f"{path}, its owner's alone")


def check_clock(subject: str, skew_s: float) -> Finding:
    """Judge the difference of another clock from this machine's.

    Args:
        subject: Whose clock it is.
        skew_s: The other clock less this one. [s]

    Returns:
        The finding.
    """
    words = f"{skew_s:+.1f} s from this machine's clock"
    if abs(skew_s) >= SKEW_FAIL_S:
        return Finding(subject, "fail", f"{words}: set the clocks (NTP) on both")
    if abs(skew_s) >= SKEW_WARN_S:
        return Finding(subject, "warn", f"{words}: see that both keep time (NTP)")
    return Finding(subject, "ok", words)


def check_machine() -> Finding:
    """Look at interpreter and operating system."""
    found = f"Python {platform.python_version()} on {platform.system()}"
    if sys.version_info < LEAST_PYTHON:
        return Finding("machine", "fail", f"{found}: install Python 3.11 or newer")
    return Finding("machine", "ok", found)


def check_revision(found: str | None, newest: str) -> Finding:
    """Judge the revision of a database's tables.

    Args:
        found: Its revision, None where it has no tables yet.
        newest: The newest that this release knows.

    Returns:
        The finding.
    """
    if found == newest:
        return Finding("database", "ok", f"revision {found}, the newest")
    if found is None:
        return Finding("database", "ok", "no tables yet: the first start makes them")
    if found < newest:
        advice = f"revision {found}, the next start brings it to {newest}: back it up"
        return Finding("database", "warn", advice)
    advice = f"revision {found} is unknown here: install the release that wrote it"
    return Finding("database", "fail", advice)


def check_operators(subject: str, token_file: Path | None, what: str) -> Finding:
    """Look whose health, alarms and figures are.

    Args:
        subject: What is checked.
        token_file: File with the operators' token, None where there is none.
        what: What they may see.

    Returns:
        The finding.

    Raises:
        InvalidSettingsError: The file cannot be used.
    """
    access = OperatorAccess.from_file(token_file)
    words = "whoever shows the token" if access.token else "callers on this machine"
    return Finding(subject, "ok", f"{what} for {words}")


def check_made_later(subject: str, path: Path) -> Finding | None:
    """Tell of a file that the first start makes; None where it is there."""
    if path.exists():
        return None
    return Finding(subject, "ok", "none yet: the first start makes it")


def exit_code(findings: Iterable[Finding]) -> int:
    """Give the exit code of the worst finding."""
    order: tuple[Level, ...] = ("ok", "warn", "fail")
    worst = max((order.index(one.level) for one in findings), default=0)
    return EXIT_CODES[order[worst]]


def to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Write findings as plain objects."""
    return [asdict(one) for one in findings]


def _probe(subject: str, folder: Path, words: str) -> Finding:
    started = time.monotonic()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
            probe.write(b"probe")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as exc:
        advice = f"cannot be written ({exc.strerror}): check owner, rights and disk"
        return Finding(subject, "fail", advice)
    took_s = time.monotonic() - started
    if took_s > SLOW_FLUSH_S:
        advice = f"{words}; a flush took {took_s:.1f} s: look at the disk"
        return Finding(subject, "warn", advice)
    return Finding(subject, "ok", words)
