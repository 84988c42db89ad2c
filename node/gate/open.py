"""Put a gate together from its settings: permissions, callers, TLS, limits.

    engine's RPC ◄── PassingBackend ◄── Gate ◄── GateServer ◄── callers
                                         ▲            ▲
                                    AccessRules   Known | Anybody
                                         ▲            ▲
                               PermissionFolder   callers file, read again on change

Everything that could leave it open is checked before it listens.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import InvalidConfigError
from node.gate.access import AccessRules, no_permissions
from node.gate.ballots import PermissionFolder
from node.gate.callers import Callers, read_callers
from node.gate.figures import GateFigures
from node.gate.gate import Gate
from node.gate.identify import Anybody, Identify, Known
from node.gate.limits import CallLimits
from node.gate.passing import PassingBackend
from node.gate.permissions import Permissions
from node.gate.server import GateServer, Serving, listen
from node.gate.settings import GateSettings
from node.gate.watched import Watched
from oracle.connection import server_context
from oracle.errors import InvalidSettingsError

__all__ = ["OpenGate", "folder_of", "open_gate", "permissions_of"]


@dataclass(frozen=True, slots=True)
class OpenGate:
    """A gate that answers."""

    url: str
    """Its address."""
    permissions: Callable[[], Permissions | None]
    """Gives the permissions in force, None where there are none."""
    figures: GateFigures
    """Its requests and refusals, counted."""


@contextmanager
def open_gate(
    settings: GateSettings,
    rpc_url: str,
    permissions: Callable[[], Permissions | None] | None = None,
) -> Iterator[OpenGate]:
    """Serve a gate until the context ends.

    Args:
        settings: The gate's settings.
        rpc_url: JSON-RPC address of the engine behind it.
        permissions: Gives the permissions in force; None reads those of the settings.

    Yields:
        The gate, answering.

    Raises:
        InvalidConfigError: If a file of the settings cannot be used.
        UnavailableStorageError: If the address is taken.
    """
    current = permissions or permissions_of(settings)
    identify, serving = _identify(settings), _serving(settings)
    backend = PassingBackend(
        rpc_url,
        settings.chain_id,
        settings.request_timeout_ms / 1000,
        settings.max_answer_bytes,
    )
    limits = CallLimits(
        settings.max_batch,
        settings.request_timeout_ms / 1000,
        settings.max_log_blocks,
    )
    gate = Gate(backend, AccessRules(current), limits)
    listener = listen(settings.host, settings.port)
    server = GateServer(gate, listener, serving, identify)
    try:
        server.start()
        scheme = "http" if serving.tls is None else "https"
        yield OpenGate(
            f"{scheme}://{settings.host}:{server.port}", current, gate.figures
        )
    finally:
        server.stop()


def folder_of(settings: GateSettings) -> PermissionFolder | None:
    """Give the folder of permissions of a gate, None where it has none."""
    if settings.permissions is None:
        return None
    first = bytes.fromhex(settings.permissions_first.removeprefix("0x"))
    return PermissionFolder(settings.permissions, first, settings.chain_id)


def permissions_of(settings: GateSettings) -> Callable[[], Permissions | None]:
    """Read the permissions of a gate now, and again whenever their files change.

    Raises:
        InvalidConfigError: If they cannot be used.
        ConflictPermissionsError: If they are older than those that were in force.
    """
    folder = folder_of(settings)
    if folder is None:
        return no_permissions
    where = folder.folder
    return Watched(folder.in_force, lambda: where.glob("permissions-*"))


def _identify(settings: GateSettings) -> Identify:
    path = settings.callers
    if path is None:
        return Anybody()
    is_grouped = settings.permissions is not None
    return Known(Watched(lambda: _callers(path, is_grouped=is_grouped), lambda: [path]))


def _callers(path: Path, *, is_grouped: bool) -> Callers:
    """Read the callers; where organisations have rights, each belongs to one."""
    callers = read_callers(path)
    alone = [
        one.caller.name for one in callers.entries if one.caller.organisation is None
    ]
    if is_grouped and alone:
        raise InvalidConfigError(
            f"Callers file {path}: {', '.join(alone)} without organisation, which the "
            "permissions file gives rights to; add it."
        )
    return callers


def _serving(settings: GateSettings) -> Serving:
    files = settings.tls
    try:
        tls = None if files is None else server_context(files, is_mutual=False)
    except InvalidSettingsError as exc:
        raise InvalidConfigError(str(exc)) from exc
    return Serving(
        settings.max_request_bytes,
        settings.head_timeout_ms / 1000,
        settings.body_timeout_ms / 1000,
        max(1, settings.idle_timeout_ms // 1000),
        settings.max_connections,
        tls,
    )
