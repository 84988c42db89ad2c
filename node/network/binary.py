"""The avalanchego program: where it is, and that it is the one that was tried.

It is built once into the user's cache (``node/network/build.py``); a program of one's
own is named by setting or by ``CARBON_AVALANCHEGO``.
"""

import hashlib
import os
import subprocess
from pathlib import Path

from node.errors import UnavailableEngineError

__all__ = [
    "VERSION",
    "cache_folder",
    "cached_program",
    "find_avalanchego",
    "is_intact",
    "version_of",
    "write_digest",
]

VERSION = "1.13.5"
"""Version of avalanchego that everything here was tried with."""
ENVIRONMENT = "CARBON_AVALANCHEGO"
"""Environment variable that names a ready program."""
_ANSWER_TIMEOUT_S = 30


def cache_folder() -> Path:
    """Give the folder of what is built once: in ``XDG_CACHE_HOME`` or its default."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "carbon-node"


def cached_program() -> Path:
    """Give the path of the program once it is built."""
    return cache_folder() / "avalanchego" / VERSION / "avalanchego"


def find_avalanchego(configured: Path | None = None) -> Path:
    """Find the program; build nothing.

    Args:
        configured: A path that, if given, is used or refused.

    Returns:
        Path of the program.

    Raises:
        UnavailableEngineError: If there is none.
    """
    named = os.environ.get(ENVIRONMENT)
    path = configured or (Path(named) if named else cached_program())
    if os.access(path, os.X_OK):
        return path.resolve()
    raise UnavailableEngineError(
        f"There is no avalanchego {VERSION} at {path}; build it with carbon-node "
        f"network install, or name a program with {ENVIRONMENT}."
    )


def version_of(program: Path) -> str:
    """Ask a program for its version.

    Args:
        program: avalanchego.

    Returns:
        For example ``1.13.5``.

    Raises:
        UnavailableEngineError: If it does not run, or says something else.
    """
    try:
        done = subprocess.run(  # noqa: S603  # the program that is to be used
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise UnavailableEngineError(
            f"The program {program} does not tell its version ({exc}); take it away "
            "and run carbon-node network install."
        ) from exc
    name, _, rest = done.stdout.strip().partition("/")
    if name != "avalanchego" or not rest:
        raise UnavailableEngineError(
            f"The program {program} is no avalanchego: it says {done.stdout!r:.80}."
        )
    return rest.split()[0]


def write_digest(program: Path, digest_of: Path) -> None:
    """Note the digest of a program that was just built, beside its final place."""
    digest_path(program).write_text(f"{_digest(digest_of)}\n", "ascii")


def is_intact(program: Path) -> bool:
    """Tell whether a built program is still the one whose digest was noted."""
    try:
        noted = digest_path(program).read_text("ascii").strip()
        return os.access(program, os.X_OK) and _digest(program) == noted
    except OSError:
        return False


def digest_path(program: Path) -> Path:
    """Give the file of a built program's SHA-256."""
    return program.with_name(f"{program.name}.sha256")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
