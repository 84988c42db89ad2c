"""Validators in the background on this machine: start, stop, look."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.engine.external import ExternalEngine
from node.errors import (
    ConflictPermissionsError,
    InvalidAccessError,
    InvalidCallError,
    InvalidConfigError,
    UnavailableEngineError,
)
from node.network.apis import ValidatorApi
from node.network.binary import find_avalanchego
from node.network.home import ValidatorHome
from node.network.keys import certificate_node_id
from node.network.local import LocalNetwork
from node.network.permitted import objection_to, permissions_in, require_permitted
from node.network.process import ValidatorProcess
from node.network.staking import PChain, Validation

__all__ = ["ValidatorState", "homes_in", "intruders", "start", "status", "stop"]

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
        InvalidAccessError: If one may not validate; those that may are started.
        InvalidConfigError: If the permissions of one cannot be used; none is started.
        UnavailableEngineError: If one does not come up; the others run on.
    """
    refusals = {home: _refusal(home) for home in homes}
    permitted = [home for home in homes if refusals[home] is None]
    network = LocalNetwork(permitted, find_avalanchego())
    for process in network.processes:
        if process.pid is None:
            process.start(leashed=False)
    network.wait_ready(timeout_s=_START_TIMEOUT_S)
    for refusal in refusals.values():
        if refusal is not None:
            raise refusal
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
    pid, forbidden = ValidatorProcess(home, Path()).pid, ""
    if _objection(home):
        forbidden = "may not validate: carbon-node network permitted"
    api = ValidatorApi(home.base_url)
    try:
        peers = len(api.peers())
        stake = PChain(api, 0).validation_of(certificate_node_id(home.keys))
    except (UnavailableEngineError, InvalidCallError):
        words = forbidden or "does not answer: is it started?"
        return ValidatorState(home.folder.name, pid, None, 0, "—", False, words)
    health = ExternalEngine(home.rpc_url, 0).health()
    end = "—" if stake is None else day(stake.end)
    words = forbidden
    if not words and stake is None:
        words = "has no stake: carbon-node network stake"
    elif not words and peers < home.needed_peers:
        words = f"needs {home.needed_peers} others for blocks"
    name, height = home.folder.name, health.height
    return ValidatorState(name, pid, height, peers, end, not words, words or "well")


def intruders(home: ValidatorHome) -> list[Validation]:
    """Find stakes of validators that the folder's permissions do not let validate.

    Args:
        home: The folder; its validator may be down, which gives none.

    Returns:
        Their stakes, the one that ends first in front.

    Raises:
        InvalidConfigError: If the permissions cannot be used.
        ConflictPermissionsError: If they are older than those that were in force.
    """
    permissions = permissions_in(home.folder)
    try:
        stakes = PChain(ValidatorApi(home.base_url), 0).validations()
    except (UnavailableEngineError, InvalidCallError):
        return []
    return [one for one in stakes if objection_to(permissions, one.node_id)]


def day(at: int) -> str:
    """Write the day of a moment in unix seconds."""
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def _refusal(home: ValidatorHome) -> InvalidAccessError | None:
    name = home.folder.resolve().name
    try:
        require_permitted(home.folder, certificate_node_id(home.keys), name)
    except InvalidAccessError as exc:
        return exc
    return None


def _objection(home: ValidatorHome) -> str:
    """Say why the validator of a folder may not validate; never raises."""
    try:
        permissions = permissions_in(home.folder)
    except (InvalidConfigError, ConflictPermissionsError) as exc:
        return str(exc)
    return objection_to(permissions, certificate_node_id(home.keys))
