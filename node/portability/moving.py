"""Begin a fresh chain with the state of an exported ledger.

The contracts stand at block 0 of the new chain with their code, nonces and storage, at
their addresses and under the same chain id. So every balance, statement, certificate,
rule and nonce is what it was; every domain that a signature was made for is the same,
and the heads of streams go on. What happened before is kept in a file (``history``)
that indexer and members read first (ADR 0009).

1. the export is verified: every part, every storage root, every code hash
2. ``history.sqlite``: blocks, logs, transactions, with numbers below 0
3. ``contracts.json``: what the new genesis holds; ``deployment.json``, ``node.toml``
4. embedded: the chain is made, and its state read back and compared; another engine:
   its network is made with ``contracts.json``, and ``carbon-node fsck`` compares
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from contracts.directory import Deployment
from contracts.errors import ContractsError
from contracts.history import SCHEMA
from node.backup.settings_files import to_toml
from node.engine.chain import Chain
from node.engine.settings import EngineSettings
from node.errors import (
    ConflictArchiveError,
    InvalidArchiveError,
    UnavailableStorageError,
)
from node.portability.bundle import Bundle, open_bundle
from node.portability.states import States, read_alloc, read_dump, without_strangers

__all__ = ["CONTRACTS_FILE", "HISTORY_FILE", "import_ledger"]

HISTORY_FILE = "history.sqlite"
CONTRACTS_FILE = "contracts.json"
"""Accounts of the new genesis: ``carbon-node network create --contracts``."""


def import_ledger(
    archive: Path,
    target: Path,
    rpc_url: str | None,
    report: Callable[[int], None],
) -> Path:
    """Make a folder with everything that a node on a fresh chain needs.

    Args:
        archive: File made by ``carbon-node export``.
        target: Folder to make.
        rpc_url: Where the fresh chain of another engine will answer; None makes an
            embedded chain.
        report: Told of progress.

    Returns:
        The settings file of the node.

    Raises:
        NodeError: If the export is not sound; nothing is left then.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictArchiveError(
            f"Folder {target} is not empty and an import overwrites nothing; name a "
            "new folder."
        )
    target = target.absolute()
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    try:
        with open_bundle(archive) as bundle:
            _fill(bundle, partial, rpc_url, report)
        if target.exists():
            target.rmdir()
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return target / "node.toml"


def _fill(
    bundle: Bundle, folder: Path, rpc_url: str | None, report: Callable[[int], None]
) -> None:
    states = _checked_states(bundle, report)
    shift = int(bundle.manifest["height"]) + 1
    _write_history(bundle, folder / HISTORY_FILE, states, shift, report)
    contracts = {address: state.to_json() for address, state in states.items()}
    (folder / CONTRACTS_FILE).write_text(json.dumps(contracts, indent=1), "utf-8")
    deployment = _moved(bundle, shift)
    (folder / "deployment.json").write_text(deployment.to_json(), "utf-8")
    entries = {
        "data_dir": "data",
        "deployment": "deployment.json",
        "history": HISTORY_FILE,
        "chain_id": deployment.chain_id,
        "public_url": "http://127.0.0.1:8620",
    }
    if rpc_url is not None:
        entries["rpc_url"] = rpc_url
    (folder / "node.toml").write_text(to_toml(entries), "utf-8")
    if rpc_url is None:
        _make_embedded(folder, deployment.chain_id, bundle, states)


def _checked_states(bundle: Bundle, report: Callable[[int], None]) -> States:
    """Read the accounts and compute every root again (step 1)."""
    states: States = {}
    for row in bundle.rows("state/accounts.jsonl"):
        (state,) = read_alloc({row["address"]: row}).values()
        root, code = state.storage_root().hex(), state.code_hash().hex()
        given = (row["storage_root"], row["code_hash"])
        if (f"0x{root}", f"0x{code}") != given:
            raise ConflictArchiveError(
                f"Account {row['address']} of the export has storage root 0x{root} and "
                f"code hash 0x{code}, it says {given}; take another copy."
            )
        states[row["address"]] = state
        report(1)
    return states


def _moved(bundle: Bundle, shift: int) -> Deployment:
    try:
        deployment = Deployment.from_json(bundle.document("deployment.json"))
    except ContractsError as exc:
        raise InvalidArchiveError(f"The export's deployment: {exc}.") from exc
    return replace(deployment, genesis_block=deployment.genesis_block - shift)


# --- history -------------------------------------------------------------------------


def _write_history(
    bundle: Bundle,
    path: Path,
    states: States,
    shift: int,
    report: Callable[[int], None],
) -> None:
    """Write the file of the earlier chain, its numbers counted back from block 0."""
    facts = [
        (name, json.dumps(bundle.manifest[name]))
        for name in ("chain_id", "height", "block_hash", "timestamp")
    ]
    accounts = ((a, json.dumps(one.to_json())) for a, one in states.items())
    with _written(path), closing(sqlite3.connect(path)) as file, file:
        file.executescript(SCHEMA)
        file.executemany("INSERT INTO facts VALUES (?, ?)", facts)
        file.executemany("INSERT INTO accounts VALUES (?, ?)", accounts)
        file.executemany(
            "INSERT INTO blocks VALUES (?, ?, ?, ?)", _blocks(bundle, shift)
        )
        file.executemany(
            "INSERT INTO logs VALUES (?, ?, ?, ?)", _logs(bundle, shift, report)
        )
        file.executemany(
            "INSERT INTO transactions VALUES (?, ?)", _transactions(bundle)
        )


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except (
        sqlite3.IntegrityError,
        sqlite3.InterfaceError,
        sqlite3.ProgrammingError,
    ) as exc:
        raise InvalidArchiveError(
            f"The export's chain is not one chain ({exc}); take another copy."
        ) from exc
    except sqlite3.Error as exc:
        raise UnavailableStorageError(
            f"{path} cannot be written ({exc}); free some space and import again."
        ) from exc


def _blocks(bundle: Bundle, shift: int) -> Iterator[tuple[Any, ...]]:
    for row in bundle.rows("chain/blocks.jsonl"):
        number = row["number"] - shift
        yield number, row["hash"], row["parent_hash"], row["timestamp"]


def _logs(
    bundle: Bundle, shift: int, report: Callable[[int], None]
) -> Iterator[tuple[Any, ...]]:
    for row in bundle.rows("chain/logs.jsonl"):
        number = row["block_number"] - shift
        log = {
            "blockNumber": hex(number),
            "blockHash": row["block_hash"],
            "transactionHash": row["transaction_hash"],
            "transactionIndex": hex(row["transaction_index"]),
            "logIndex": hex(row["log_index"]),
            "address": row["address"],
            "topics": row["topics"],
            "data": row["data"],
            "removed": False,
        }
        yield number, row["log_index"], row["address"], json.dumps(log)
        report(1)


def _transactions(bundle: Bundle) -> Iterator[tuple[str, str]]:
    for row in bundle.rows("chain/transactions.jsonl"):
        body = {**row, "nonce": hex(row["nonce"])}
        yield row["hash"].lower(), json.dumps(body)


# --- the embedded chain --------------------------------------------------------------


def _make_embedded(folder: Path, chain_id: int, bundle: Bundle, states: States) -> None:
    """Make the chain, and compare what its engine holds (step 4)."""
    contracts = {address: state.to_json() for address, state in states.items()}
    settings = EngineSettings(
        folder / "data" / "chain",
        chain_id,
        genesis_time=int(bundle.manifest["timestamp"]),
        genesis_contracts=contracts,
    )
    chain = Chain(settings)
    try:
        found = without_strangers(read_dump(chain.engine.rpc.call("anvil_dumpState")))
    finally:
        chain.close()
    if found != states:
        differing = sorted(
            address
            for address in found.keys() | states.keys()
            if found.get(address) != states.get(address)
        )
        raise ConflictArchiveError(
            f"The new chain holds another state of {', '.join(differing)}; another "
            "engine version is used, install the one of package.json."
        )
