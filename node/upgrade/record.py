"""What an upgrade remembers: its file, and the contracts that it creates.

The chain says how far an upgrade is. The file only keeps what the chain cannot tell:
which edition is meant, who deploys it, and what was in office before. Written once, by
a rename, before the first transaction. It holds no secret; people who sign get a copy.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.chain import ChainClient
from contracts.creation import PREDECESSOR, creation_code
from contracts.directory import Artifact, Deployment
from contracts.editions import expected_code
from contracts.hashing import keccak256
from contracts.succession import Change
from contracts.transactions import contract_address
from node.errors import ConflictLedgerError, InvalidConfigError

__all__ = ["Creation", "UpgradeRecord", "check_code", "creations", "keep_record"]

_FILE = "upgrade.json"
_BLOCKS_A_LOOK = 100


@dataclass(frozen=True, slots=True)
class UpgradeRecord:
    """What one upgrade is about."""

    contract: str
    chain_id: int
    deployer: str
    """Address whose first transactions create the contracts."""
    old: dict[str, str]
    """Name → address in office before, in the order of creation."""
    editions: dict[str, str]
    """Name → digest of the creation code, hexadecimal."""
    first_block: int
    """Newest block before the upgrade began."""


@dataclass(frozen=True, slots=True)
class Creation:
    """One contract that the upgrade creates."""

    change: Change
    code: bytes
    """What it must have on the chain."""
    data: bytes
    """What the transaction that creates it must carry."""


def keep_record(folder: Path, record: UpgradeRecord) -> UpgradeRecord:
    """Write the record of a new upgrade, or read that of one under way.

    Args:
        folder: The upgrade's folder.
        record: What a new upgrade would be; one under way must be about the same.

    Returns:
        The record that counts.

    Raises:
        InvalidConfigError: The file cannot be read.
        ConflictLedgerError: The folder is another upgrade's.
    """
    path = folder / _FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(record), indent=1) + "\n", "utf-8")
        draft.replace(path)
        return record
    try:
        found = UpgradeRecord(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as exc:
        raise InvalidConfigError(
            f"The upgrade's file {path} cannot be read ({exc}); take a copy from who "
            "prepared the upgrade, or begin in an empty folder."
        ) from exc
    for name in ("contract", "chain_id", "editions"):
        if getattr(found, name) != getattr(record, name):
            raise ConflictLedgerError(
                f"Folder {folder} holds an upgrade whose {name} is "
                f"{getattr(found, name)}, this one's is {getattr(record, name)}; use "
                "the release and the options that it was begun with, or another folder."
            )
    return found


def creations(
    record: UpgradeRecord, deployment: Deployment, editions: Mapping[str, Artifact]
) -> list[Creation]:
    """Work out every contract of an upgrade: address, code, creating transaction.

    Args:
        record: What the upgrade is about.
        deployment: The contracts, before or after it.
        editions: Name → compiled contract.

    Returns:
        In the order of the deployer's transactions.
    """
    made = []
    addresses = deployment.addresses | record.old
    for nonce, (name, old) in enumerate(record.old.items()):
        where = contract_address(record.deployer, nonce)
        given = addresses | {PREDECESSOR: old}
        compiled = editions[name]
        code = expected_code(compiled, record.chain_id, where, given)
        change = Change(name, old, where, keccak256(code))
        made.append(Creation(change, code, creation_code(compiled, given)))
        addresses = addresses | {name: where}
    return made


def check_code(client: ChainClient, record: UpgradeRecord, made: Creation) -> None:
    """Hold a created contract against its edition: code, and how it was created.

    Equal code may still stand on altered storage; what created it tells.

    Args:
        client: The chain.
        record: What the upgrade is about.
        made: The contract, on the chain.

    Raises:
        ConflictLedgerError: It is another contract.
    """
    name, where = made.change.name, made.change.new
    if client.code(where) != made.code:
        raise ConflictLedgerError(
            f"{name} at {where} has code of digest "
            f"0x{keccak256(client.code(where)).hex()}, expected "
            f"0x{made.change.code_digest.hex()}; sign nothing, and find out who "
            "deployed it."
        )
    if _creating_data(client, record, where) != made.data:
        raise ConflictLedgerError(
            f"{name} at {where} was created by another transaction than its edition "
            "asks for; sign nothing, and find out who deployed it."
        )


def _creating_data(client: ChainClient, record: UpgradeRecord, where: str) -> bytes:
    """Find what the transaction that created a contract carried, empty if none did."""
    last = client.block_number()
    for start in range(record.first_block, last + 1, _BLOCKS_A_LOOK):
        numbers = range(start, min(start + _BLOCKS_A_LOOK, last + 1))
        calls = [("eth_getBlockByNumber", [hex(number), True]) for number in numbers]
        for block in client.batch(calls):
            for sent in (block or {}).get("transactions", ()):
                is_ours = sent["from"].lower() == record.deployer.lower()
                nonce = int(sent["nonce"], 16)
                if is_ours and contract_address(record.deployer, nonce) == where:
                    return bytes.fromhex(sent["input"][2:])
    return b""
