"""Put a node together and run it: engine, indexer and API in one process.

The parts are chosen here, from settings, and stopped in the opposite order::

    engine ──► chain client ──► ledger ──► indexer ──► database ──► API
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from contracts.directory import Deployment
from contracts.editions import follow
from contracts.errors import ContractsError, UnavailableError
from contracts.history import open_client
from contracts.ledger import Ledger
from contracts.sender import Sender
from node.api.access import Parts
from node.api.app import create_app
from node.api.server import ApiServer
from node.config import Settings, read_settings
from node.engine import ChainEngine, EmbeddedEngine, EngineSettings
from node.engine.external import ExternalEngine
from node.errors import (
    ConflictLedgerError,
    InvalidConfigError,
    UnavailableEngineError,
    UnavailableStorageError,
)
from node.gate.access import AccessRules
from node.gate.figures import GateFigures, GatesCollector
from node.gate.open import OpenGate, open_gate, permissions_of
from node.gate.settings import GateSettings
from node.ledger.indexer import Indexer
from node.network.engine import AvalancheEngine
from node.operations.start import observed_parts, watching
from node.relayer import relayer_key
from node.services.instruction_desk import InstructionDesk
from node.services.login import Login
from node.services.ports import FolderProofs, MemberProofs, ProofSource, ReadingSource
from node.store.database import Database, open_database
from oracle.config import load_settings as load_member_settings
from oracle.database.aside import file_of
from oracle.database.claim import FileClaim
from oracle.errors import OracleError
from oracle.inbox.reader import Reader
from oracle.inbox.store import open_engine

__all__ = [
    "RunningNode",
    "choose_engine",
    "database_url",
    "indexer_of",
    "is_embedded",
    "open_chain",
    "open_ledger",
    "open_store",
    "run_node",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that answers."""

    url: str
    """Address of its API on this machine."""
    engine: ChainEngine
    ledger: Ledger
    database: Database
    has_failed: Callable[[], bool]
    """Whether the indexer stopped by itself."""
    hasten: Callable[[], None]
    """Waits no longer for what the API is answering, at the end."""
    gate: OpenGate | None = None
    """The gate that others reach, None where the settings name none."""


@contextmanager
def run_node(
    settings: Settings, engine: ChainEngine | None = None
) -> Iterator[RunningNode]:
    """Run a node until the context ends.

    Args:
        settings: Its settings.
        engine: A started engine to be used and left running; None starts the one of
            the settings.

    Yields:
        The running node.

    Raises:
        NodeError: If a part cannot be started; the sentence says what to do.
    """
    with ExitStack() as stack:
        used = engine or stack.enter_context(_started(choose_engine(settings)))
        ledger = stack.enter_context(open_ledger(settings, used.rpc_url))
        stack.enter_context(_held_store(settings))
        database = stack.enter_context(open_store(settings))
        following = stack.enter_context(_following(settings, ledger, database))
        gate = stack.enter_context(_gate(settings, used))
        stopping = threading.Event()
        parts = _parts(settings, ledger, database, used, stopping.is_set)
        seen = (settings, (used, ledger), database, parts.readings)
        watch = watching(settings, observed_parts(*seen, following.is_alive))
        desk = stack.enter_context(watch)
        desk.registry.register(GatesCollector(_gates(used, gate)))
        parts = replace(parts, operations=desk)
        if gate is not None:
            parts = replace(parts, permissions=gate.permissions)
        server = ApiServer(create_app(parts), settings.host, settings.port)
        stack.callback(server.stop)
        stack.callback(stopping.set)
        server.start()
        url = f"http://{settings.host}:{server.port}"
        logger.info("node answers url=%s chain=%s", url, settings.chain_id)
        has_failed = _fails(following)
        yield RunningNode(url, used, ledger, database, has_failed, server.hasten, gate)


def _fails(following: threading.Thread) -> Callable[[], bool]:
    return lambda: not following.is_alive()


def choose_engine(settings: Settings) -> ChainEngine:
    """Choose the engine that the settings name, not started."""
    if settings.rpc_url:
        return ExternalEngine(settings.rpc_url, settings.chain_id)
    if settings.validator is not None:
        named = permissions_of(_gate_settings(settings)) if settings.gate else None
        return AvalancheEngine(
            settings.validator,
            settings.chain_id,
            settings.avalanchego_path,
            permissions=named,
        )
    return EmbeddedEngine(
        EngineSettings(
            data_dir=settings.data_dir / "chain",
            chain_id=settings.chain_id,
            anvil_path=settings.anvil_path,
            port=settings.rpc_port,
            clock_mode=settings.clock_mode,
            block_interval_s=settings.block_interval_s or None,
        ),
        AccessRules(permissions_of(_gate_settings(settings))),
    )


@contextmanager
def open_ledger(settings: Settings, rpc_url: str) -> Iterator[Ledger]:
    """Connect to the contracts of the deployment file.

    Args:
        settings: The node's settings.
        rpc_url: The chain's address.

    Yields:
        The contracts.

    Raises:
        InvalidConfigError: If the deployment file is unusable.
        ConflictLedgerError: If chain, deployment and setting disagree.
        UnavailableEngineError: If the chain does not answer.
    """
    deployment = _deployment(settings)
    with open_client(rpc_url, settings.history) as client:
        try:
            client.require_chain(deployment.chain_id)
            present = follow(client, deployment)
        except UnavailableError as exc:
            raise UnavailableEngineError(str(exc)) from exc
        except ContractsError as exc:
            raise ConflictLedgerError(str(exc)) from exc
        yield Ledger(client, present)


@contextmanager
def open_chain(settings: Settings) -> Iterator[Ledger]:
    """Start the chain of the settings alone, and connect to the contracts."""
    with (
        _started(choose_engine(settings)) as engine,
        open_ledger(settings, engine.rpc_url) as ledger,
    ):
        yield ledger


def database_url(settings: Settings) -> str:
    """Give the address of the node's database."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'node.sqlite'}"


@contextmanager
def open_store(settings: Settings) -> Iterator[Database]:
    """Open the node's database, with the newest tables."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(database_url(settings))
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _held_store(settings: Settings) -> Iterator[None]:
    """Keep a second node, and a reindex that would replace the file, away."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = file_of(database_url(settings))
    if path is None:
        yield
        return
    try:
        claim = FileClaim(path)
    except OracleError as exc:
        raise UnavailableStorageError(f"Database: {exc}.") from exc
    try:
        yield
    finally:
        claim.release()


def is_embedded(settings: Settings) -> bool:
    """Tell whether the node's chain is its own, which never takes a block back."""
    return not settings.rpc_url and settings.validator is None


def indexer_of(
    ledger: Ledger, database: Database, *, is_final: bool = False
) -> Indexer:
    """Build the indexer of a deployment.

    Args:
        ledger: The contracts.
        database: Where the rows go.
        is_final: Whether the chain never takes a block back.

    Returns:
        The indexer.
    """
    deployment = ledger.deployment
    founding = deployment.founding
    return Indexer(
        ledger.client,
        (*founding.values(), *deployment.mandates.values()),
        deployment.genesis_block,
        database,
        founding["Directory"],
        is_final=is_final,
    )


@contextmanager
def _started(engine: ChainEngine) -> Iterator[ChainEngine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@contextmanager
def _gate(settings: Settings, engine: ChainEngine) -> Iterator[OpenGate | None]:
    """Open the chain to others, where the settings say so."""
    if settings.gate is None:
        yield None
        return
    with open_gate(_gate_settings(settings), engine.rpc_url) as gate:
        logger.info("gate answers url=%s", gate.url)
        yield gate


def _gates(engine: ChainEngine, gate: OpenGate | None) -> dict[str, GateFigures]:
    """Name the gates of this process: the embedded chain's own, and that of others."""
    gates = {"engine": engine.figures} if isinstance(engine, EmbeddedEngine) else {}
    return gates if gate is None else {**gates, "gate": gate.figures}


def _gate_settings(settings: Settings) -> GateSettings:
    if settings.gate is None:
        return GateSettings(settings.chain_id)
    found = read_settings(settings.gate, GateSettings)
    if found.chain_id != settings.chain_id:
        raise InvalidConfigError(
            f"The gate of {settings.gate} is of chain {found.chain_id}, the node of "
            f"chain {settings.chain_id}; correct the one that is wrong."
        )
    return found


@contextmanager
def _following(
    settings: Settings, ledger: Ledger, database: Database
) -> Iterator[threading.Thread]:
    stop = threading.Event()
    indexer = indexer_of(ledger, database, is_final=is_embedded(settings))
    pause_s = settings.poll_interval_ms / 1000
    thread = threading.Thread(target=indexer.run, args=(stop, pause_s), name="indexer")
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def _parts(
    settings: Settings,
    ledger: Ledger,
    database: Database,
    engine: ChainEngine,
    is_stopping: Callable[[], bool],
) -> Parts:
    sender = Sender(ledger.client, relayer_key(settings))
    return Parts(
        database,
        ledger,
        Login(
            database,
            settings.public_url,
            settings.chain_id,
            settings.token_life_s,
            lambda: int(time.time()),
        ),
        InstructionDesk(database, ledger, sender),
        _reading_source(settings),
        _proof_source(settings),
        engine,
        is_stopping,
    )


def _reading_source(settings: Settings) -> ReadingSource | None:
    path = settings.inbox_database
    address = settings.inbox_database_url or path
    return Reader(open_engine(address), address) if address else None


def _proof_source(settings: Settings) -> ProofSource | None:
    if settings.proof_folder is not None:
        return FolderProofs(settings.proof_folder)
    if settings.member_config is not None:
        return MemberProofs(load_member_settings(settings.member_config))
    return None


def _deployment(settings: Settings) -> Deployment:
    path = settings.deployment
    try:
        deployment = Deployment.from_json(path.read_text("utf-8"))
    except OSError as exc:
        raise InvalidConfigError(
            f"Deployment file {path} cannot be read ({exc.strerror}); deploy the "
            "contracts first, or give the right path in setting deployment."
        ) from exc
    except ContractsError as exc:
        raise InvalidConfigError(f"Deployment file {path}: {exc}.") from exc
    if deployment.chain_id != settings.chain_id:
        raise ConflictLedgerError(
            f"Deployment file {path} is of chain {deployment.chain_id}, setting "
            f"chain_id says {settings.chain_id}; correct the one that is wrong."
        )
    return deployment
