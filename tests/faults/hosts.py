"""Programs in processes of their own that start fast and are killed for good.

A fork server holds an interpreter with the product's modules loaded; every start forks
it, so that a thousand starts cost minutes instead of hours. The child shares nothing
with the others but what it read from disk: its state is its own, and `SIGKILL` is the
operating system's. A child ends with its fork server, and that with the harness.
"""

import ctypes
import faulthandler
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.faults.weather import Weather

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "chain": "node.engine.__main__",
    "inbox": "tests.simulators.inbox_process",
    "member": "oracle.__main__",
    "node": "node.__main__",
}
"""Name → module whose `main` runs it."""
LONGEST_WAIT_S = 150.0
"""What takes longer is stuck, even on a machine with far too much to do. [s]"""
_PR_SET_PDEATHSIG = 1
_T = TypeVar("_T")

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([*PROGRAMS.values(), "oracle.member.member", __name__])


class Host:
    """One program: started, killed, paused, started again with the same arguments."""

    def __init__(self, program: str, folder: Path, *arguments: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.program = program
        self.log = folder / f"{program}.log"
        self._arguments = [str(one) for one in arguments]
        self._page = folder / f"{program}.weather"
        self.weather = Weather(self._page)
        self._process: multiprocessing.process.BaseProcess | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """Start the program; it may take a moment until it answers."""
        module = PROGRAMS[self.program]
        arguments = (module, self._arguments, str(self.log), str(self._page))
        os.environ["PYTHONPATH"] = str(ROOT)  # for workers that the program starts
        self._process = _SERVER.Process(target=_run, args=arguments)
        self._process.start()

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        self.join()

    def stop(self, timeout_s: float = 20.0) -> int | None:
        """Ask it to end; gives its exit code."""
        self._signal(signal.SIGTERM)
        return self.join(timeout_s)

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def tell_stacks(self) -> None:
        """Let it write into its log what all its threads are doing."""
        self._signal(signal.SIGUSR1)

    def join(self, timeout_s: float = 20.0) -> int | None:
        assert self._process is not None
        self._process.join(timeout_s)
        return self._process.exitcode

    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def end(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        if self.is_alive():
            self.resume()
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive():
            os.kill(self.pid, number)


def _run(module: str, arguments: Sequence[str], log: str, page: str) -> None:
    """Become the program; runs in the child."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    faulthandler.register(signal.SIGUSR1)
    Weather(Path(page)).suffer()
    sys.argv = [module, *arguments]
    code = importlib.import_module(module).main()
    sys.stdout.flush()
    os._exit(code or 0)


def wait_for(
    condition: Callable[[], _T],
    timeout_s: float = LONGEST_WAIT_S,
    pause_s: float = 0.02,
) -> _T:
    """Wait until a condition gives something; TimeoutError otherwise."""
    deadline = time.monotonic() + timeout_s
    while not (given := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {condition}")
        time.sleep(pause_s)
    return given
