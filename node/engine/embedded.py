"""The embedded engine: a durable chain inside the node's process.

    client ─► gate (HTTP) ─► worker thread ─► journal (SQLite) ─► acknowledged
                  │                │
                  └── reads ──► anvil ◄── plans, mined one block at a time

The chain is in the journal; anvil is a calculator that is replaced when it fails.
"""

import asyncio
import socket
import sys
from types import TracebackType
from typing import Any, Self

from node.engine.chain import Chain
from node.engine.clock import EngineClock, VirtualClock
from node.engine.journal import PlannedBlock
from node.engine.ports import EngineHealth
from node.engine.settings import EngineSettings
from node.engine.transactions import SignedTransaction, decode_transaction
from node.engine.worker import ChainWorker
from node.errors import UnavailableEngineError
from node.gate.access import AccessRules, local_caller
from node.gate.figures import GateFigures
from node.gate.gate import Gate
from node.gate.identify import Anybody
from node.gate.journalled import JournalledBackend
from node.gate.server import GateServer, Serving, listen

_SWITCH_INTERVAL_S = 0.0005


class EmbeddedEngine:
    """A ``ChainEngine`` that keeps its chain in a folder.

    A context manager: entering starts it, leaving stops it.

    Args:
        settings: The chain's settings.
        rules: Who may send and deploy; None leaves it to the settings' senders.
    """

    def __init__(
        self, settings: EngineSettings, rules: AccessRules | None = None
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._worker = ChainWorker(settings)
        self._server: GateServer | None = None
        self._rpc_url = ""
        self.figures = GateFigures()
        """Requests and refusals of its gate, counted."""

    def __enter__(self) -> Self:
        """Start the engine."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the engine."""
        self.stop()

    @property
    def rpc_url(self) -> str:
        """HTTP address of the RPC gate, valid once started."""
        return self._rpc_url

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self._settings.chain_id

    @property
    def clock(self) -> EngineClock:
        """The clock of the running chain."""
        return self._chain.clock

    def start(self) -> None:
        """Restore the chain from its journal and open the gate.

        Raises:
            UnavailableEngineError: If anvil is missing or does not come up.
            UnavailableStorageError: If folder, journal or port cannot be used.
            ConflictJournalError: If the replay differs from the journal.
        """
        if self._server is not None:
            return
        # The chain's thread waits for sockets and disk hundreds of times a second;
        # with the usual 5 ms to get the interpreter back, a busy gate halves its rate.
        sys.setswitchinterval(min(_SWITCH_INTERVAL_S, sys.getswitchinterval()))
        listener = listen(self._settings.host, self._settings.port)
        try:
            self._worker = ChainWorker(self._settings)
            self._worker.start()
        except BaseException:
            listener.close()
            raise
        try:
            self._open_gate(listener)
        except BaseException:
            self.stop()
            self._worker.stop()
            listener.close()
            raise

    def _open_gate(self, listener: socket.socket) -> None:
        settings = self._settings
        desk = _Desk(self._worker, settings)
        backend = JournalledBackend(desk, settings.chain_id, settings.call_timeout_s)
        self._server = GateServer(
            Gate(backend, self._rules, figures=self.figures),
            listener,
            Serving(settings.max_request_bytes),
            Anybody(local_caller(settings.permitted_senders)),
        )
        self._server.start()
        self._rpc_url = f"http://{settings.host}:{self._server.port}"

    def stop(self) -> None:
        """Close the gate, write a snapshot and end anvil."""
        if self._server is None:
            return
        self._server.stop()
        self._server = None
        self._worker.stop()

    def health(self) -> EngineHealth:
        """Report the chain's state."""
        return self._worker.health()

    def mine(self) -> PlannedBlock:
        """Make one block now, empty or not, and return it."""
        block: PlannedBlock = self._run(lambda chain: chain.produce(allow_empty=True))
        return block

    def set_time(self, timestamp: int) -> None:
        """Move the sandbox clock; the next block carries its time.

        Args:
            timestamp: The new time. [unix s]

        Raises:
            ValueError: If the clock is the wall's, or shows a later time.
        """
        self._run(lambda chain: _virtual(chain).set(timestamp))

    def advance(self, seconds: int) -> int:
        """Move the sandbox clock forward and return its new time in unix seconds.

        Args:
            seconds: How far. [s]

        Raises:
            ValueError: If the clock is the wall's, or ``seconds`` is negative.
        """

        def move(chain: Chain) -> int:
            clock = _virtual(chain)
            clock.set(clock.now() + seconds)
            return clock.now()

        now: int = self._run(move)
        return now

    def snapshot(self) -> None:
        """Write a snapshot of the newest block now."""
        self._run(lambda chain: chain.snapshot())

    @property
    def _chain(self) -> Chain:
        if self._worker.chain is None:
            raise UnavailableEngineError("the chain is not running; start it first")
        return self._worker.chain

    def _run(self, action: Any) -> Any:
        return self._worker.run(action).result()


class _Desk:
    """The worker as the gate sees it, from the gate's event loop."""

    def __init__(self, worker: ChainWorker, settings: EngineSettings) -> None:
        self._worker = worker
        self._settings = settings
        self.upstream_url = worker.upstream_url

    def decode(self, raw: bytes) -> SignedTransaction:
        settings = self._settings
        return decode_transaction(raw, settings.chain_id, settings.block_gas_limit)

    def waiting(self, digest: bytes) -> SignedTransaction | None:
        chain = self._worker.chain
        return chain.pool.find(digest) if chain else None

    def pending_nonce(self, sender: bytes, mined: int) -> int:
        chain = self._worker.chain
        return chain.pool.pending_nonce(sender, mined) if chain else mined

    async def submit(self, transaction: SignedTransaction) -> None:
        await asyncio.wrap_future(self._worker.submit(transaction))


def _virtual(chain: Chain) -> VirtualClock:
    if not isinstance(chain.clock, VirtualClock):
        raise ValueError(  # noqa: TRY004  # a wrong setting, not a wrong type
            "only the sandbox clock can be set: this engine runs on wall time "
            "(clock_mode 'wall')"
        )
    return chain.clock
