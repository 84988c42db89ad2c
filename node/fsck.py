"""Hold a node's index against its chain, as ``carbon-node fsck`` and a restore do.

It starts the embedded chain where that is the node's, which replays the journal, and
otherwise asks the chain that runs. It changes no table.
"""

import tempfile

from node import run
from node.config import Settings
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
        fresh = open_database(f"sqlite:///{folder}/fresh.sqlite")
        try:
            run.indexer_of(ledger, fresh).catch_up()
            return check_ledger(ledger, database, fresh)
        finally:
            fresh.close()
