"""The program of the validators: found, whole, built by one at a time."""

import fcntl
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from node.errors import UnavailableEngineError
from node.network.binary import (
    ENVIRONMENT,
    VERSION,
    cached_program,
    find_avalanchego,
    is_intact,
    version_of,
    write_digest,
)
from node.network.build import MODULE_SUM, ensure_avalanchego
from tests.simulators import commands

# A Go that brings the real program, and whose first build stops half-way.
GO = """#!/bin/sh
case "$1 $2" in
version*) echo "go version go1.26.0 linux/amd64" ;;
"mod download") echo '{{"Sum": "{sum}", "Dir": "{folder}"}}' ;;
list*) echo one; echo two ;;
build*)
    echo one >&2
    while [ "$1" != -o ]; do shift; done
    if [ ! -e {folder}/begun ]; then
        head -c 1000000 {program} > "$2"
        chmod 755 "$2"
        touch {folder}/begun
        exec sleep 120
    fi
    cp {program} "$2" ;;
esac
"""


@pytest.fixture
def real() -> Path:
    """The program that `make test` built."""
    return find_avalanchego()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; ask for ``real`` before it."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


class TestFinding:
    def test_says_how_to_get_it(self, cache: Path) -> None:
        with pytest.raises(UnavailableEngineError, match="carbon-node network install"):
            find_avalanchego()
        assert cache in cached_program().parents

    def test_takes_a_program_of_ones_own(
        self, real: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not list(cache.iterdir())
        monkeypatch.setenv(ENVIRONMENT, str(real))
        assert find_avalanchego() == real

    def test_knows_its_version(self, real: Path) -> None:
        assert version_of(real) == VERSION

    def test_refuses_another_program(self) -> None:
        with pytest.raises(UnavailableEngineError, match="no avalanchego"):
            version_of(Path("/bin/echo"))


class TestBuilding:
    def test_notices_a_damaged_program(self, tmp_path: Path) -> None:
        program = tmp_path / "avalanchego"
        program.write_bytes(b"program")
        program.chmod(0o755)
        assert not is_intact(program)
        write_digest(program, program)
        assert is_intact(program)
        program.write_bytes(b"progrbm")
        assert not is_intact(program)

    def test_waits_for_a_build_that_runs_and_takes_what_it_made(
        self, real: Path, cache: Path
    ) -> None:
        program, said = cached_program(), threading.Event()
        program.parent.mkdir(parents=True)
        found: list[Path] = []

        def ensure() -> None:
            found.append(ensure_avalanchego(lambda *_: said.set()))

        with (program.parent / "build.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = threading.Thread(target=ensure)
            waiting.start()
            assert said.wait(30)
            program.symlink_to(real)
            write_digest(program, real)
        waiting.join(30)

        assert found == [program]
        assert cache in program.parents

    def test_that_was_killed_half_way_ends_well_when_it_is_run_again(
        self, real: Path, cache: Path
    ) -> None:
        tools = cache / "tools"
        tools.mkdir()
        go = tools / "go"
        go.write_text(GO.format(sum=MODULE_SUM, folder=tools, program=real))
        go.chmod(0o755)
        for compiler in ("gcc", "g++"):
            (tools / compiler).symlink_to("/bin/true")
        path = {"PATH": f"{tools}:{os.environ['PATH']}"}
        install = [commands.BIN / "carbon-node", "network", "install"]
        with subprocess.Popen(
            install,
            env=os.environ | path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as killed:
            deadline = time.monotonic() + 60
            while not (tools / "begun").exists():
                assert killed.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.killpg(killed.pid, signal.SIGKILL)
        with pytest.raises(UnavailableEngineError, match="carbon-node network install"):
            find_avalanchego()

        done = commands.run("carbon-node", "network", "install", env=path)

        assert done.code == 0, done.err
        assert done.out == f"{cached_program()} (avalanchego {VERSION})\n"
        assert is_intact(cached_program())
