"""One validator of an Avalanche network as a ``ChainEngine``.

    carbon-node run ─► AvalancheEngine ─► avalanchego ◄─► the other organisations'
                            │                 │
                            └── watches ──────┘ starts it again when it falls

The chain and its durability are the network's own. A validator that runs already, by
a service unit or ``network start``, is used and left running. A validator that the
signed permissions do not let validate is not started, nor brought back when it falls;
one that runs when a version takes the right from it runs on, and its health says so.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from node.engine.clock import WallClock
from node.engine.external import ExternalEngine
from node.engine.ports import EngineHealth
from node.errors import InvalidAccessError, InvalidCallError, UnavailableEngineError
from node.gate.access import no_permissions
from node.gate.permissions import Permissions
from node.network.apis import ValidatorApi
from node.network.binary import find_avalanchego
from node.network.home import ValidatorHome
from node.network.keys import certificate_node_id
from node.network.permitted import (
    check_permitted,
    objection_to,
    permissions_source,
)
from node.network.process import ValidatorProcess

__all__ = ["AvalancheEngine"]

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 300.0
"""How long the other validators are waited for. [s]"""
_POLL_S = 0.1
_WATCH_S = 0.5
_LONGEST_PAUSE_S = 30.0


class AvalancheEngine:
    """A ``ChainEngine`` over one validator's folder.

    Args:
        folder: The organisation's folder, see ``ValidatorHome``.
        chain_id: EIP-155 chain id that must answer.
        program: avalanchego; None finds the cached one.
        start_timeout_s: How long ``start`` waits for the network. [s]
        permissions: Gives those in force; None takes those of the folder.
    """

    def __init__(
        self,
        folder: Path,
        chain_id: int,
        program: Path | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        permissions: Callable[[], Permissions | None] | None = None,
    ) -> None:
        self._home = ValidatorHome(folder)
        self._chain_id = chain_id
        self._api = ValidatorApi(self._home.base_url)
        self._process = ValidatorProcess(self._home, find_avalanchego(program))
        self._start_timeout_s = start_timeout_s
        self._rpc = ExternalEngine(self._home.rpc_url, chain_id)
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._falls = 0
        self._given = permissions
        self._permissions: Callable[[], Permissions | None] = no_permissions

    @property
    def rpc_url(self) -> str:
        """HTTP address of the validator's JSON-RPC service, on loopback."""
        return self._home.rpc_url

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self._chain_id

    @property
    def clock(self) -> WallClock:
        """The wall clock, which the validators follow."""
        return self._rpc.clock

    def start(self) -> None:
        """Start the validator where it does not run, and wait until it has caught up.

        Raises:
            UnavailableEngineError: If it ends by itself, or the network is not there
                in time.
            InvalidConfigError: If it is another chain, or permissions cannot be used.
            InvalidAccessError: If the permissions do not let it validate.
        """
        self.require_permitted()
        self._stopping.clear()
        is_ours = self._process.pid is None and not self._runs_elsewhere()
        if is_ours:
            self._process.start()
        try:
            self._wait_ready(is_ours=is_ours)
            self._rpc.start()
        except BaseException:
            if is_ours:
                self._process.stop()
            raise
        if is_ours:
            self._watcher = threading.Thread(target=self._watch, name="validator")
            self._watcher.start()

    def require_permitted(self) -> None:
        """Read the permissions, and refuse a validator that may not validate.

        Raises:
            InvalidConfigError: If the permissions cannot be used.
            ConflictPermissionsError: If they are older than those that were in force.
            InvalidAccessError: If they do not let it validate.
        """
        self._permissions = self._given or permissions_source(self._home.folder)
        self._check_permitted()

    def stop(self) -> None:
        """Stop the validator if ``start`` started it."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
            self._process.stop()

    def health(self) -> EngineHealth:
        """Report height and neighbours; never raises."""
        found = self._rpc.health()
        if self._stopping.is_set():
            return EngineHealth("stopped", None, None, "the validator is stopped")
        try:
            peers = len(self._api.peers())
        except (UnavailableEngineError, InvalidCallError):
            peers = 0
        needed = self._home.needed_peers
        if found.state == "ready" and peers < needed:
            message = (
                f"the validator sees {peers} others and needs {needed}: blocks wait "
                "until more validators run"
            )
            return EngineHealth("recovering", found.height, None, message)
        falls = f", started again {self._falls} times" if self._falls else ""
        message = f"{found.message}; connected with {peers} others{falls}"
        if against := objection_to(self._permissions(), self._node_id()):
            message += f"; may not validate: {against}: carbon-node network remove"
        return EngineHealth(found.state, found.height, None, message)

    def _node_id(self) -> str:
        return certificate_node_id(self._home.keys)

    def _check_permitted(self) -> None:
        name = self._home.folder.resolve().name
        check_permitted(self._permissions(), self._node_id(), name)

    def _runs_elsewhere(self) -> bool:
        """Tell whether a service unit runs this validator already."""
        try:
            return self._api.node_id() == self._node_id()
        except (UnavailableEngineError, InvalidCallError):
            return False

    def _wait_ready(self, *, is_ours: bool) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while not self._api.is_bootstrapped():
            if is_ours and self._process.pid is None:
                raise UnavailableEngineError(
                    "The validator has ended by itself; its last words are in "
                    f"{self._home.log} and {self._home.folder / 'logs'}."
                )
            if time.monotonic() > deadline:
                raise UnavailableEngineError(
                    f"The validator has not caught up within {self._start_timeout_s:g} "
                    "s: do enough of the other organisations' validators run, and do "
                    "their addresses and ports answer?"
                )
            time.sleep(_POLL_S)

    def _watch(self) -> None:
        """Start the validator again when it falls, each time after a longer pause."""
        pause_s = _WATCH_S
        while not self._stopping.wait(pause_s):
            if self._process.pid is not None:
                pause_s = _WATCH_S
                continue
            logger.error("validator fell folder=%s; starting again", self._home.folder)
            try:
                self._check_permitted()
                self._process.start()
                self._falls += 1
            except UnavailableEngineError:
                logger.exception("validator cannot be started")
            except InvalidAccessError as exc:
                logger.error("validator stays down: %s", exc)  # noqa: TRY400  # its sentence says all
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
