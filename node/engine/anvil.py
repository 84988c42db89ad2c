"""The anvil program as a supervised child process.

Starts one anvil on a free loopback port and makes sure that none is left: the
kernel kills it when the thread that started it ends (Linux), and the next start
ends a recorded one that is still there. An orphan could do no harm to the
journal; it would only hold memory.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from node.engine.rpc import RpcConnection
from node.engine.settings import EngineSettings
from node.errors import UnavailableEngineError

_ANVIL_PACKAGES = "node_modules/@foundry-rs/anvil-*/bin/anvil"
_PORT_ATTEMPTS = 3

# Runs in a fresh interpreter between us and anvil: asks the kernel to kill this
# process when its parent dies, then becomes anvil. Doing this in our own forked
# child (preexec_fn) is unsafe in a program with threads.
_LEASH = """
import ctypes, os, sys
parent, program = int(sys.argv[1]), sys.argv[2]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
    if os.getppid() != parent:
        sys.exit(1)
os.execv(program, sys.argv[2:])
"""


def find_anvil(configured: Path | None = None) -> Path:
    """Return the anvil program.

    Args:
        configured: A path that, if given, is used or refused.

    Raises:
        UnavailableEngineError: If there is none.
    """
    project = Path(__file__).resolve().parents[2]
    found = shutil.which("anvil")
    candidates = [
        *project.glob(_ANVIL_PACKAGES),
        *Path.cwd().glob(_ANVIL_PACKAGES),
        *([Path(found)] if found else []),
    ]
    for path in [configured] if configured else candidates:
        if os.access(path, os.X_OK):
            return path
    where = configured or "node_modules/@foundry-rs and on the PATH"
    raise UnavailableEngineError(
        f"the embedded chain needs the program anvil, looked for at {where}: run "
        "'make install' (npm package @foundry-rs/anvil 1.7.1) or set the path to it"
    )


class AnvilProcess:
    """One running anvil with its RPC connection.

    Args:
        settings: Program, chain id, block gas limit and time limits.
        genesis: Path of the genesis file.

    Raises:
        UnavailableEngineError: If anvil cannot be found or does not come up.
    """

    def __init__(self, settings: EngineSettings, genesis: Path) -> None:
        self._record = settings.data_dir / "anvil.pid"
        self._log = settings.data_dir / "anvil.log"
        _end_recorded(self._record)
        program = find_anvil(settings.anvil_path)
        for attempt in range(_PORT_ATTEMPTS):
            port = _free_port()
            self._process = self._spawn(program, settings, genesis, port)
            if self._wait_listening(port, settings.start_timeout_s):
                break
            self.kill()
            if attempt == _PORT_ATTEMPTS - 1:
                raise UnavailableEngineError(
                    f"{program} did not come up within {settings.start_timeout_s} s; "
                    f"its last words are in {self._log}"
                )
        self.rpc = RpcConnection("127.0.0.1", port, settings.call_timeout_s)

    @property
    def pid(self) -> int:
        """Process id of anvil."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process; it keeps nothing worth a farewell."""
        self._process.kill()
        self._process.wait()
        if hasattr(self, "rpc"):
            self.rpc.close()
        self._record.unlink(missing_ok=True)

    def _spawn(
        self, program: Path, settings: EngineSettings, genesis: Path, port: int
    ) -> subprocess.Popen[bytes]:
        options = _options(settings, genesis, port)
        leash = [sys.executable, "-I", "-S", "-c", _LEASH, str(os.getpid())]
        with self._log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # program found above, no shell
                [*leash, str(program), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started = _start_ticks(process.pid)
        try:
            self._record.write_text(f"{process.pid} {started}\n", encoding="ascii")
        except OSError:
            process.kill()
            process.wait()
            raise
        return process

    def _wait_listening(self, port: int, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.is_alive():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), timeout=1),
            ):
                return self.is_alive()
            time.sleep(0.003)
        return False


def _options(settings: EngineSettings, genesis: Path, port: int) -> list[str]:
    return [
        "--no-mining",
        "--init", str(genesis),
        "--chain-id", str(settings.chain_id),
        "--base-fee", "0",
        "--gas-price", "0",
        "--gas-limit", str(settings.block_gas_limit),
        "--hardfork", "cancun",
        "--order", "fifo",
        "--max-persisted-states", "0",
        "--accounts", "0",
        "--no-request-size-limit",
        "--no-cors",
        "--silent",
        "--host", "127.0.0.1",
        "--port", str(port),
    ]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start_ticks(pid: int) -> str:
    """Return the process's start time from /proc, or a dash where unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return "-"
    return stat.rpartition(")")[2].split()[19]


def _end_recorded(record: Path) -> None:
    """End a recorded anvil that outlived its engine, if it is the same process."""
    try:
        pid, started = record.read_text(encoding="ascii").split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if b"anvil" in command and started == _start_ticks(int(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
