"""How the node is, in one look that never fails."""

from typing import Any

from contracts.errors import ContractsError
from contracts.ledger import Ledger
from node.engine.ports import ChainEngine
from node.errors import NodeError
from node.gate.permissions import Permissions
from node.ledger.cursor import position
from node.services.versions import versions_for_status
from node.store.database import Database

__all__ = ["node_status"]


def node_status(
    database: Database,
    ledger: Ledger,
    engine: ChainEngine | None,
    permissions: Permissions | None = None,
) -> dict[str, Any]:
    """Look at chain, index and engine.

    Args:
        database: The node's database.
        ledger: The chain's contracts.
        engine: The engine, None where another process runs it.
        permissions: Those in force at the gate, None where there are none.

    Returns:
        What ``StatusModel`` says; None for what cannot be known now.
    """
    block = None
    try:
        block = ledger.client.block("latest")
        answer = "ready"
    except ContractsError as exc:
        answer = f"unreachable: {exc}"
    deployment = ledger.deployment
    return {
        "chain_id": deployment.chain_id,
        "chain_block": block.number if block else None,
        "chain_time": block.timestamp if block else None,
        "indexed_block": _indexed_block(database),
        "engine": engine.health().state if engine else answer,
        "contracts": deployment.addresses,
        "mandates": deployment.mandates,
        "versions": versions_for_status(database, ledger),
        "permissions_version": permissions.version if permissions else None,
        "permissions_digest": permissions.digest if permissions else None,
    }


def _indexed_block(database: Database) -> int | None:
    try:
        with database.reading() as connection:
            at = position(connection)
    except NodeError:
        return None
    return at.number if at else None
