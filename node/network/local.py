"""A whole network on one machine, for trying and for tests.

Real validators on loopback, each with a folder, keys and a process of its own, so each
can be killed, paused and brought back. What it proves about faults is true of the
software, not of machines and lines.

    with LocalNetwork.create(folder, funded=[address]) as network:
        network.wait_ready()
        network.kill(1)
        ChainClient(network.rpc_url(0))
"""

import random
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from node.errors import InvalidConfigError, UnavailableEngineError
from node.network.apis import ValidatorApi
from node.network.binary import find_avalanchego
from node.network.formats import bech32_address, short_hash
from node.network.genesis import (
    ContractState,
    GenesisSettings,
    GenesisStaker,
    network_genesis,
)
from node.network.home import Peer, ValidatorHome, ValidatorSettings
from node.network.keys import make_validator_keys
from node.network.process import ValidatorProcess
from node.relayer import transport_key

__all__ = ["FUNDS_WEI", "LocalNetwork", "LocalSettings", "free_ports"]

FUNDS_WEI = 10**24
"""What a funded address starts with: gas for longer than anybody runs this. [wei]"""
PREFIX = "custom"
"""Human-readable part of addresses on a network of one's own."""
_READY_TIMEOUT_S = 120.0
_POLL_S = 0.1
_CALL_TIMEOUT_S = 5.0
_PORTS = range(20_000, 32_000)
"""Below the range that the kernel takes for outgoing connections."""
_PORTS_PER_VALIDATOR = 2


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """What a local network starts with."""

    validators: int = 5
    funded: Sequence[str] = ()
    """Addresses on the EVM chain that can pay gas from the first block on."""
    chain_id: int = 20260
    network_id: int = 20_260_001
    contracts: Mapping[str, ContractState] = field(default_factory=dict)
    """Contracts that are there from the first block on; see ``GenesisSettings``."""
    stake_duration_s: int = 365 * 86_400
    stake_offset_s: int = 86_400


class LocalNetwork:
    """Validators on this machine; a context manager that stops them at its end.

    Args:
        homes: Their folders.
        program: avalanchego; None finds or names the cached one.
    """

    def __init__(
        self, homes: Sequence[ValidatorHome], program: Path | None = None
    ) -> None:
        found = program or find_avalanchego()
        self.homes = tuple(homes)
        self.processes = tuple(ValidatorProcess(one, found) for one in homes)

    @classmethod
    def create(
        cls,
        folder: Path,
        validators: int = 5,
        funded: Sequence[str] = (),
        *,
        program: Path | None = None,
        **settings: object,
    ) -> Self:
        """Make keys, genesis and folders of a new network; nothing runs yet.

        Args:
            folder: New or empty folder, filled with one folder a validator.
            validators: How many.
            funded: Addresses that can pay gas.
            program: avalanchego; None finds the cached one.
            settings: Further fields of ``LocalSettings``.

        Returns:
            The network.

        Raises:
            InvalidConfigError: If the folder is in use.
        """
        given = {"validators": validators, "funded": tuple(funded), **settings}
        homes = make_homes(folder, LocalSettings(**given))  # type: ignore[arg-type]  # checked by the dataclass's fields
        return cls(homes, program)

    def __enter__(self) -> Self:
        """Start every validator and wait until all answer."""
        with ExitStack() as undo:
            undo.callback(self.stop)
            self.start()
            self.wait_ready()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every validator."""
        self.stop()

    def start(self, indices: Iterable[int] | None = None) -> None:
        """Start validators that do not run, all by default."""
        for index in self._chosen(indices):
            if self.processes[index].pid is None:
                self.processes[index].start()

    def stop(self) -> None:
        """Stop every validator, paused ones as well."""
        for process in self.processes:
            process.stop()

    def kill(self, index: int) -> None:
        """Kill one validator with SIGKILL and wait until it is gone."""
        self.processes[index].kill()

    def kill_all(self) -> None:
        """Kill every validator with SIGKILL."""
        for process in self.processes:
            process.kill()

    def pause(self, index: int) -> None:
        """Let one validator stand still (SIGSTOP)."""
        self.processes[index].pause()

    def resume(self, index: int) -> None:
        """Let a paused validator go on."""
        self.processes[index].resume()

    def restart(self, index: int) -> None:
        """Stop one validator if it runs, and start it; does not wait for it."""
        self.processes[index].stop()
        self.processes[index].start()

    def pid(self, index: int) -> int | None:
        """Process id of one validator, None if it does not run."""
        return self.processes[index].pid

    def rpc_url(self, index: int = 0) -> str:
        """Address of one validator's Ethereum JSON-RPC."""
        return self.homes[index].rpc_url

    def height(self, index: int = 0) -> int | None:
        """Height of the chain as one validator sees it, None if it is silent."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
        try:
            answer = httpx.post(
                self.rpc_url(index), json=body, timeout=_CALL_TIMEOUT_S, trust_env=False
            )
            return int(answer.json()["result"], 16)
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None

    def wait_ready(
        self,
        indices: Iterable[int] | None = None,
        timeout_s: float = _READY_TIMEOUT_S,
    ) -> None:
        """Wait until validators have caught up and answer.

        Args:
            indices: Which; all by default.
            timeout_s: How long at most. [s]

        Raises:
            UnavailableEngineError: Names the first that is not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        for index in self._chosen(indices):
            api = ValidatorApi(self.homes[index].base_url)
            while not (api.is_bootstrapped() and self.height(index) is not None):
                self._check_waiting(index, deadline, timeout_s)
                time.sleep(_POLL_S)

    def _check_waiting(self, index: int, deadline: float, timeout_s: float) -> None:
        log = self.homes[index].log
        if self.processes[index].pid is None:
            raise UnavailableEngineError(
                f"Validator {index} has ended by itself; its last words are in {log}."
            )
        if time.monotonic() > deadline:
            raise UnavailableEngineError(
                f"Validator {index} is not ready within {timeout_s:g} s: too few "
                f"others run, or see {log} and the logs beside it."
            )

    def _chosen(self, indices: Iterable[int] | None) -> Iterable[int]:
        return range(len(self.homes)) if indices is None else indices


def make_homes(folder: Path, settings: LocalSettings) -> tuple[ValidatorHome, ...]:
    """Make keys, genesis and settings of a network whose keys are all here."""
    if folder.exists() and any(folder.iterdir()):
        raise InvalidConfigError(
            f"Folder {folder} is in use; give an empty or a new one."
        )
    homes = tuple(
        ValidatorHome(folder / f"validator-{number}")
        for number in range(1, settings.validators + 1)
    )
    stakers = tuple(_staker(home) for home in homes)
    genesis = network_genesis(
        GenesisSettings(
            settings.network_id,
            settings.chain_id,
            int(time.time()),
            stakers,
            dict.fromkeys(settings.funded, FUNDS_WEI),
            settings.contracts,
            stake_duration_s=settings.stake_duration_s,
            stake_offset_s=settings.stake_offset_s,
        )
    )
    ports = free_ports(_PORTS_PER_VALIDATOR * len(homes))
    peers = [
        Peer(one.identity.node_id, "127.0.0.1", ports[2 * at + 1])
        for at, one in enumerate(stakers)
    ]
    for at, home in enumerate(homes):
        others = tuple(peers[:at] + peers[at + 1 :])
        numbers = ports[2 * at], ports[2 * at + 1]
        home.write(
            ValidatorSettings(settings.network_id, len(homes), *numbers, peers=others),
            genesis,
        )
    return homes


def _staker(home: ValidatorHome) -> GenesisStaker:
    identity = make_validator_keys(home.keys)
    addresses = (
        bech32_address(PREFIX, short_hash(transport_key(path).public_key.format()))
        for path in (home.keys / "stake.key", home.keys / "reserve.key")
    )
    return GenesisStaker(identity, *addresses)


def free_ports(count: int, is_free: Callable[[int], bool] | None = None) -> list[int]:
    """Find ports that nobody listens on.

    Args:
        count: How many.
        is_free: How to tell; None tries to bind.

    Returns:
        Distinct ports on loopback.
    """
    test = is_free or _is_free
    found: list[int] = []
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            break
        if test(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
