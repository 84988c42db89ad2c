"""This project's commands, run as a person types them, and what they leave running.

Every run is bounded in time, and whatever it prints is held to what holds for all
commands: no traceback.
"""

import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from click.testing import Result
from typer.testing import CliRunner

BIN = Path(sys.executable).parent
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
"""Makes an attempt to leave this machine fail at once; loopback is not asked."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


def run(
    program: str,
    *words: object,
    env: Mapping[str, str] | None = None,
    prepare: Callable[[], None] | None = None,
    timeout_s: float = 60,
) -> Done:
    """Run a command to its end; ``prepare`` runs in its process before it."""
    done = subprocess.run(
        [BIN / program, *map(str, words)],
        env=os.environ | NO_NETWORK | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        preexec_fn=prepare,  # limits of the child alone
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def invoked(app: typer.Typer, *words: object) -> Result:
    """Run a command in this process; what it set for its log ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        result = CliRunner().invoke(app, list(map(str, words)))
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


class Program:
    """A command that runs until it is stopped; its output goes to a file."""

    def __init__(self, program: str, *words: object, log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [BIN / program, *map(str, words)],
                env=os.environ | NO_NETWORK,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def wait_for(self, pattern: str, timeout_s: float = 60) -> re.Match[str]:
        """Wait until the output matches, while the program runs."""
        deadline = time.monotonic() + timeout_s
        while (found := re.search(pattern, self.output, re.MULTILINE)) is None:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)
        return found

    def stop(self, number: signal.Signals, timeout_s: float = 30) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout_s)


@contextmanager
def running(program: str, *words: object, log: Path) -> Iterator[Program]:
    """Run a command until the block ends."""
    started = Program(program, *words, log=log)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait(10)


def processes_of(folder: Path) -> list[str]:
    """Command lines of the living processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        line = b" ".join(words).decode(errors="replace")
        if entry.name.isdigit() and str(folder) in line:
            found.append(line)
    return found


def leaves_nothing(folder: Path, timeout_s: float = 5) -> bool:
    """Wait until no living process names a folder."""
    deadline = time.monotonic() + timeout_s
    while processes_of(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
