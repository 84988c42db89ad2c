"""One avalanchego as a child process: start, stop, kill, pause.

A record of process id and start time stands in the validator's folder, so that a
later command finds the process, and never ends another one that got its number.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from node.errors import UnavailableEngineError
from node.network.home import ValidatorHome

__all__ = ["ValidatorProcess"]

STOP_TIMEOUT_S = 20.0
"""How long a validator may take to stop before it is killed. [s]"""
_POLL_S = 0.02

# Runs between us and the validator: asks the kernel to kill this process when the
# thread that started it ends, then becomes the validator.
_LEASH = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class ValidatorProcess:
    """The process of one validator, started here or by an earlier command.

    Args:
        home: Its folder.
        program: The avalanchego program.
    """

    def __init__(self, home: ValidatorHome, program: Path) -> None:
        self.home = home
        self._program = program
        self._child: subprocess.Popen[bytes] | None = None
        self._starter = ThreadPoolExecutor(1, "validator")

    @property
    def pid(self) -> int | None:
        """Process id, None if it does not run."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        return _recorded(self.home.record)

    def start(self, *, leashed: bool = True) -> None:
        """Start it; returns before it answers.

        Args:
            leashed: Whether it dies with this process.

        Raises:
            UnavailableEngineError: If it runs already, or cannot be started.
        """
        if self.pid is not None:
            raise UnavailableEngineError(
                f"The validator in {self.home.folder} runs already as process "
                f"{self.pid}; stop it first."
            )
        launch = self._launch_leashed if leashed else self._launch
        try:
            # The leash holds as long as the thread that started the child: one of
            # our own, which lives as long as this object.
            self._child = self._starter.submit(launch).result()
        except OSError as exc:
            raise UnavailableEngineError(
                f"The validator program {self._program} cannot be started "
                f"({exc.strerror}); give the right path, or build it with carbon-node "
                "network install."
            ) from exc
        pid = self._child.pid
        self.home.record.write_text(f"{pid} {_start_ticks(pid)}\n", "ascii")

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask it to stop, kill it if it does not; nothing if it does not run."""
        self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """Kill it with SIGKILL; nothing if it does not run."""
        self._end(signal.SIGKILL, STOP_TIMEOUT_S)

    def pause(self) -> None:
        """Let it stand still (SIGSTOP), as a machine that hangs."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._signal(signal.SIGCONT)

    def _launch_leashed(self) -> subprocess.Popen[bytes]:
        leash = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid())]
        return self._spawn([*leash, str(self._program)])

    def _launch(self) -> subprocess.Popen[bytes]:
        return self._spawn([str(self._program)])

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.home.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # the program found by the caller
                [*command, f"--config-file={self.home.config.resolve()}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home.folder,
                start_new_session=True,
            )

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            raise UnavailableEngineError(
                f"The validator in {self.home.folder} does not run; start it first."
            )
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _end(self, number: signal.Signals, timeout_s: float) -> None:
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
            if not _within(timeout_s, lambda: self.pid is None):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                _within(timeout_s, lambda: self.pid is None)
        self._child = None
        self.home.record.unlink(missing_ok=True)


def _within(timeout_s: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _recorded(record: Path) -> int | None:
    """Give the recorded process if it is still the same one."""
    try:
        pid, started = record.read_text("ascii").split()
    except (OSError, ValueError):
        return None
    is_same = started != "-" and started == _start_ticks(int(pid))
    return int(pid) if is_same else None


def _start_ticks(pid: int) -> str:
    """Give a process's start time from /proc, a dash if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return "-"
    fields = stat.rpartition(")")[2].split()
    return "-" if fields[0] == "Z" else fields[19]
