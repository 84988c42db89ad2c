"""The version registry: every contract in office and before, beside what is shipped."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from contracts.editions import follow, is_as_shipped, registry
from contracts.errors import ContractsError
from contracts.ledger import Ledger
from node.errors import NodeError
from node.store.database import Database
from node.store.facts import DirectoryEntry

__all__ = ["ContractVersion", "contract_versions", "versions_for_status"]


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version of one contract."""

    name: str
    version: int
    """From 1."""
    address: str
    since_block: int
    code_digest: str
    """keccak256 of the code that governance decided on, ``0x…``."""
    is_current: bool
    is_as_shipped: bool | None
    """Whether its code is that of this release; None for one no longer in office."""


def contract_versions(ledger: Ledger) -> list[ContractVersion]:
    """Read the registry and hold what is in office against this release.

    Args:
        ledger: The contracts.

    Returns:
        By contract in the order of their creation, oldest first.

    Raises:
        ContractsError: The chain does not answer.
    """
    client = ledger.client
    present = follow(client, ledger.deployment)
    return [
        ContractVersion(
            held.name,
            held.version,
            held.address,
            held.since_block,
            f"0x{held.code_digest.hex()}",
            held.is_current,
            is_as_shipped(held, client, present) if held.is_current else None,
        )
        for held in registry(client, present)
    ]


def versions_for_status(
    database: Database, ledger: Ledger
) -> list[dict[str, Any]] | None:
    """Give the registry for a page that is asked for often; None when unknown now.

    It is read anew from the chain when the index has seen the directory change.
    """
    newest = select(func.max(DirectoryEntry.block_number))
    try:
        with database.reading() as connection:
            seen = connection.execute(newest).scalar()
        return [asdict(one) for one in _remembered(ledger, seen)]
    except (ContractsError, NodeError):
        return None


@lru_cache(maxsize=4)
def _remembered(ledger: Ledger, _seen: int | None) -> list[ContractVersion]:
    return contract_versions(ledger)
