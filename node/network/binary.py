"""The avalanchego program: where it is."""

import os
from pathlib import Path

from node.errors import UnavailableEngineError

__all__ = ["VERSION", "cached_program", "find_avalanchego"]

VERSION = "1.13.5"
"""Version of avalanchego that everything here was tried with."""


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
    named = os.environ.get("CARBON_AVALANCHEGO")
    path = configured or (Path(named) if named else cached_program())
    if os.access(path, os.X_OK):
        return path
    raise UnavailableEngineError(
        f"There is no avalanchego {VERSION} at {path}; build it with carbon-node "
        "network install, or name a program with CARBON_AVALANCHEGO."
    )
