"""Validators in the background on this machine: start, stop, look."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.engine.external import ExternalEngine
from node.errors import InvalidCallError, InvalidConfigError, UnavailableEngineError
from node.network.apis import ValidatorApi
from node.network.binary import find_avalanchego
from node.network.home import ValidatorHome
from node.network.keys import certificate_node_id
from node.network.local import LocalNetwork
from node.network.process import ValidatorProcess
from node.network.staking import PChain

__all__ = ["ValidatorState", "homes_in", "start", "status", "stop"]

_START_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class ValidatorState:
    """One look at a validator."""

    name: str
    """Name of its folder."""
    pid: int | None
    """Process, where a command of ours started it."""
    height: int | None
    peers: int
    stake_end: str
    """Moment, or a dash."""
    is_well: bool
    sentence: str


def homes_in(folder: Path) -> list[ValidatorHome]:
    """Find the validators of a folder: itself, or one in each folder below.

    Args:
        folder: An organisation's folder, or a network's.

    Returns:
        At least one.

    Raises:
        InvalidConfigError: If there is none.
    """
    places = [folder, *sorted(one for one in folder.glob("*") if one.is_dir())]
    found = [ValidatorHome(one) for one in places if ValidatorHome(one).config.exists()]
    if not found:
        raise InvalidConfigError(
            f"There is no validator in {folder}; make one with carbon-node network "
            "create, or complete yours with carbon-node network join --network."
        )
    return found


def start(homes: Sequence[ValidatorHome]) -> Sequence[ValidatorHome]:
    """Start validators that do not run, detached, and wait until all answer.

    Args:
        homes: Their folders.

    Returns:
        The same.

    Raises:
        UnavailableEngineError: If one does not come up; the others run on.
    """
    network = LocalNetwork(homes, find_avalanchego())
    for process in network.processes:
        if process.pid is None:
            process.start(leashed=False)
    network.wait_ready(timeout_s=_START_TIMEOUT_S)
    return homes


def stop(homes: Sequence[ValidatorHome]) -> int:
    """Stop validators that earlier commands started; give how many."""
    processes = [ValidatorProcess(home, Path()) for home in homes]
    living = [one for one in processes if one.pid is not None]
    for process in living:
        process.stop()
    return len(living)


def status(home: ValidatorHome) -> ValidatorState:
    """Look at a validator; never raises for one that is down.

    Args:
        home: Its folder.

    Returns:
        What was seen.
    """
    pid = ValidatorProcess(home, Path()).pid
    api = ValidatorApi(home.base_url)
    try:
        peers = len(api.peers())
        stake = PChain(api, 0).validation_of(certificate_node_id(home.keys))
    except (UnavailableEngineError, InvalidCallError):
        words = "does not answer: is it started?"
        return ValidatorState(home.folder.name, pid, None, 0, "—", False, words)
    health = ExternalEngine(home.rpc_url, 0).health()
    end = "—" if stake is None else time.strftime("%Y-%m-%d", time.gmtime(stake.end))
    is_well, words = True, "well"
    if stake is None:
        is_well, words = False, "has no stake: carbon-node network stake"
    elif peers < home.needed_peers:
        is_well, words = False, f"needs {home.needed_peers} others for blocks"
    return ValidatorState(
        home.folder.name, pid, health.height, peers, end, is_well, words
    )
