"""Put the watch of a node together, and run it while the node runs."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.ledger import Ledger
from node.config import Settings
from node.engine.ports import ChainEngine
from node.errors import InvalidConfigError
from node.operations.desk import OperationsDesk
from node.operations.metrics import latency_histogram, node_registry
from node.operations.observe import ArrivalSource, Observed, Observer
from node.operations.peers import MemberPoll
from node.operations.watch import Watch
from node.store.database import Database
from oracle.config import load_settings as load_member_settings
from oracle.errors import OracleError
from oracle.member.transport import tls_context
from oracle.operations.access import OperatorAccess

__all__ = ["member_tls", "member_urls", "observed_parts", "watching"]

_STOP_S = 15.0
"""How long a look under way may take at the end. [s]"""


@contextmanager
def watching(settings: Settings, parts: Observed) -> Iterator[OperationsDesk]:
    """Watch a node until the context ends.

    Args:
        settings: The node's settings.
        parts: What is watched; its poll of the members is closed at the end.

    Yields:
        What the API needs of the watch.

    Raises:
        InvalidConfigError: If a file of the settings cannot be used.
    """
    try:
        access = OperatorAccess.from_file(settings.operations.token_file)
    except OracleError as exc:
        raise InvalidConfigError(f"Setting operations.token_file: {exc}.") from exc
    observer = Observer(parts, settings.operations)
    watch = Watch(observer, parts.database, settings.operations)
    registry = node_registry(watch, parts.database)
    stop = threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,), name="watch", daemon=True)
    thread.start()
    try:
        yield OperationsDesk(access, watch, registry, latency_histogram(registry))
    finally:
        stop.set()
        thread.join(_STOP_S)
        parts.members.close()


def observed_parts(
    settings: Settings,
    chain: tuple[ChainEngine, Ledger],
    database: Database,
    arrivals: ArrivalSource | None,
    is_indexing: Callable[[], bool],
) -> Observed:
    """Name the parts of a node that are watched.

    Args:
        settings: The node's settings.
        chain: Engine and contracts.
        database: The node's database.
        arrivals: The inbox, None where the node reads none.
        is_indexing: Whether the indexer runs.

    Returns:
        The parts.

    Raises:
        InvalidConfigError: If the member's settings cannot be read.
    """
    engine, ledger = chain
    return Observed(
        engine,
        ledger,
        database,
        MemberPoll(member_urls(settings), member_tls(settings)),
        _folders(settings),
        arrivals,
        is_indexing,
    )


def member_urls(settings: Settings) -> dict[str, str]:
    """Find out where the oracle's members answer.

    Args:
        settings: The node's settings.

    Returns:
        Address of a member's key → its URL; as the settings say, or else as those of
        this organisation's member do.

    Raises:
        InvalidConfigError: If the member's settings cannot be read.
    """
    if settings.operations.members or settings.member_config is None:
        return dict(settings.operations.members)
    try:
        return dict(load_member_settings(settings.member_config).peers)
    except OracleError as exc:
        raise InvalidConfigError(f"Setting member_config: {exc}.") from exc


def member_tls(settings: Settings) -> ssl.SSLContext:
    """Give what a client of the oracle's members needs for TLS.

    Args:
        settings: The node's settings.

    Returns:
        The identity and CA of this organisation's member, or the system's CAs.

    Raises:
        InvalidConfigError: If the member's settings or files cannot be used.
    """
    if settings.member_config is None:
        return tls_context(None)
    try:
        return tls_context(load_member_settings(settings.member_config).tls)
    except OracleError as exc:
        raise InvalidConfigError(f"Setting member_config: {exc}.") from exc


def _folders(settings: Settings) -> tuple[Path, ...]:
    folders = [settings.data_dir.resolve()]
    if settings.inbox_database is not None:
        folders.append(settings.inbox_database.resolve().parent)
    return tuple(dict.fromkeys(folders))
