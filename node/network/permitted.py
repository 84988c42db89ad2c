"""Which validators the organisations agreed on: the signed permissions, enforced.

    FOLDER/node.toml ─ gate ─► gate's settings ─► versions ─► the one in force
    FOLDER/gate.toml ──────────────┘                              │
                                             may this node validate?

Rules it keeps:

1. Where the settings name permissions, no command starts, sponsors, stakes for or
   makes known a validator that the version in force does not let validate.
2. Permissions that cannot be used let nobody in. Neither does a folder
   ``permissions`` that no settings name: nothing says which first version was agreed.
3. Before there are permissions the founders validate, and their sponsorship decides
   about newcomers.

What it does not do: take a validator off the chain whose stake still runs. The engine
cannot, see ``docs/permissioning.md``; ``carbon-node network status`` names it.
"""

from collections.abc import Callable
from pathlib import Path

from node.config import load_settings, read_settings
from node.errors import InvalidAccessError, InvalidConfigError
from node.gate.access import no_permissions
from node.gate.open import permissions_of
from node.gate.permissions import Permissions
from node.gate.settings import GateSettings
from node.network.offer import NETWORK_FILE, read_network

__all__ = [
    "check_permitted",
    "objection_to",
    "permissions_in",
    "permissions_source",
    "require_permitted",
]

_NODE_SETTINGS, _GATE_SETTINGS = "node.toml", "gate.toml"
_FOLDER = "permissions"


def permissions_source(
    folder: Path, chain_id: int | None = None
) -> Callable[[], Permissions | None]:
    """Read the permissions of an organisation's folder now, and again on change.

    Args:
        folder: The organisation's folder.
        chain_id: The chain they must be for; None takes that of its network file.

    Returns:
        Gives those in force, None where the folder has none.

    Raises:
        InvalidConfigError: If they cannot be used, or no settings name them.
        ConflictPermissionsError: If they are older than those that were in force.
    """
    settings = _gate_settings(folder)
    if settings is None or settings.permissions is None:
        _require_none_unnamed(folder)
        return no_permissions
    _check_chain(folder, settings.chain_id, chain_id)
    return permissions_of(settings)


def permissions_in(folder: Path, chain_id: int | None = None) -> Permissions | None:
    """Give the permissions in force in a folder; arguments as ``permissions_source``.

    Raises:
        InvalidConfigError: If they cannot be used, or no settings name them.
        ConflictPermissionsError: If they are older than those that were in force.
    """
    return permissions_source(folder, chain_id)()


def require_permitted(
    folder: Path, node_id: str, name: str, chain_id: int | None = None
) -> None:
    """Refuse a validator that the permissions of a folder do not let validate.

    Args:
        folder: Folder of the organisation that acts.
        node_id: The validator.
        name: What the network calls its organisation.
        chain_id: As for ``permissions_source``.

    Raises:
        InvalidAccessError: If it may not validate.
        InvalidConfigError: If the permissions cannot be used.
        ConflictPermissionsError: If they are older than those that were in force.
    """
    check_permitted(permissions_in(folder, chain_id), node_id, name)


def check_permitted(permissions: Permissions | None, node_id: str, name: str) -> None:
    """Refuse a validator that permissions do not let validate.

    Raises:
        InvalidAccessError: If it may not; says who has to do what.
    """
    if objection := objection_to(permissions, node_id):
        raise InvalidAccessError(
            f"{name} may not validate: {objection}; let the organisations sign a "
            "version that allows it first, see carbon-node permissions."
        )


def objection_to(permissions: Permissions | None, node_id: str) -> str:
    """Say why a node may not validate.

    Args:
        permissions: Those in force, None where there are none.
        node_id: Its id.

    Returns:
        A clause; empty if it may.
    """
    if permissions is None or permissions.may_validate(node_id):
        return ""
    version = f"permissions version {permissions.version}"
    for one in permissions.organisations:
        if node_id in one.validators:
            return f"{version} gives {one.name}, whose {node_id} is, no right to it"
    return f"{version} names {node_id} with no organisation"


def _gate_settings(folder: Path) -> GateSettings | None:
    """Find the gate's settings: those that the node names, or those beside it."""
    path, named = folder / _NODE_SETTINGS, None
    if path.exists():
        named = load_settings(path).gate
    beside = folder / _GATE_SETTINGS
    if named is None and not beside.exists():
        return None
    return read_settings(named or beside, GateSettings)


def _require_none_unnamed(folder: Path) -> None:
    if any((folder / _FOLDER).glob("permissions-*.toml")):
        raise InvalidConfigError(
            f"Folder {folder / _FOLDER} holds permissions that no settings name, so "
            "nobody may validate by them: set permissions and permissions_first in "
            f"{folder / _GATE_SETTINGS}, see docs/permissioning.md."
        )


def _check_chain(folder: Path, given: int, wanted: int | None) -> None:
    network = folder / NETWORK_FILE
    if wanted is None and network.exists():
        wanted = read_network(network).chain_id
    if wanted not in {None, given}:
        raise InvalidConfigError(
            f"The gate's settings of {folder} are of chain {given}, the network is of "
            f"chain {wanted}; correct the one that is wrong."
        )
