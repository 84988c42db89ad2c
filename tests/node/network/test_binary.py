"""The program of the validators: found, whole, built by one at a time."""

import fcntl
import threading
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
from node.network.build import ensure_avalanchego


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
