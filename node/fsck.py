"""Hold a node's index against its chain, as ``carbon-node fsck`` and a restore do.

 0. of a ledger that was moved: its chain began with the state that it was moved with
 1. to 3. as ``node.services.fsck`` says

It starts the embedded chain where that is the node's, which replays the journal, and
otherwise asks the chain that runs. It changes no table.
"""

import json
import tempfile

from contracts.history import HistoricalClient
from node import run
from node.backup.databases import sqlite_facts
from node.config import Settings
from node.errors import ConflictLedgerError
from node.portability.states import hold_against, read_alloc, without_strangers
from node.services.fsck import Report, check_ledger
from node.store.database import open_database

__all__ = ["check_node"]


def check_node(settings: Settings) -> Report:
    """Compare every table of a node with one made afresh from its chain.

    Args:
        settings: The node's settings; the node does not run its embedded chain.

    Returns:
        What was compared and found equal.

    Raises:
        NodeError: At the first difference, or where the chain cannot be asked.
    """
    with (
        run.open_chain(settings) as ledger,
        run.open_store(settings) as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        if isinstance(ledger.client, HistoricalClient):
            _check_beginning(settings, ledger.client)
        fresh = open_database(f"sqlite:///{folder}/fresh.sqlite")
        try:
            run.indexer_of(ledger, fresh).catch_up()
            return check_ledger(ledger, database, fresh)
        finally:
            fresh.close()


def _check_beginning(settings: Settings, client: HistoricalClient) -> None:
    """Hold block 0 against the state that the ledger was moved with (step 0)."""
    expected = read_alloc(client.history.accounts())
    if settings.is_embedded:
        journal = settings.data_dir / "chain" / "journal.sqlite"
        query = "SELECT value FROM meta WHERE key = 'genesis'"
        genesis = json.loads(sqlite_facts(journal, {"genesis": query})["genesis"])
        if without_strangers(read_alloc(genesis["alloc"])) != expected:
            raise ConflictLedgerError(
                f"The chain in {journal.parent} did not begin with the state in "
                f"{client.history.path}; it is another chain, import again."
            )
        return
    hold_against(client, expected, 0)
