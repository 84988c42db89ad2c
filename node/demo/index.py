"""The demo's node: its settings, and its tables held against the chain."""

import tempfile
from pathlib import Path

from node.config import Settings
from node.demo.ledger import SandboxLedger
from node.demo.people import MEMBERS
from node.demo.stage import Told
from node.run import indexer_of, open_store
from node.services.fsck import check_ledger
from node.store.database import open_database


def node_settings(folder: Path, ledger: SandboxLedger, port: int = 0) -> Settings:
    """Return the settings of a node over a demo's chain, oracle and packages.

    Args:
        folder: The demo's folder.
        ledger: Its chain.
        port: Port of the API; 0 takes a free one.
    """
    return Settings(
        data_dir=folder / "node",
        deployment=folder / "deployment.json",
        chain_id=ledger.deployment.chain_id,
        public_url=f"http://127.0.0.1:{port}",
        port=port,
        rpc_url=ledger.engine.rpc_url,
        clock_mode="virtual",
        inbox_database=folder / "members" / MEMBERS[0] / "member.db",
        proof_folder=folder / "proofs",
    )


def index(ledger: SandboxLedger, settings: Settings) -> Told:
    """Index the chain into the node's tables and compare every row and balance.

    Args:
        ledger: The sandbox chain.
        settings: The node's settings.
    """
    with open_store(settings) as database, tempfile.TemporaryDirectory() as folder:
        indexer_of(ledger.ledger, database).catch_up()
        fresh = open_database(f"sqlite:///{folder}/fresh.sqlite")
        indexer_of(ledger.ledger, fresh).catch_up()
        report = check_ledger(ledger.ledger, database, fresh)
        fresh.close()
    return Told(
        "Chain indexed; every row and balance held against the contracts",
        {
            "block": report.block_number,
            "rows": report.rows,
            "balances equal": report.balances,
        },
    )
