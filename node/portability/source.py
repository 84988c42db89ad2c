"""Where an export reads: a still chain, whether the node runs or not.

The embedded chain is read from a copy of its journal, replayed in an engine of its own,
so the running node is not stopped and the copy cannot move. A chain elsewhere is read
up to the block that was its newest at the beginning.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.chain import Block, ChainClient
from contracts.history import HistoricalClient
from contracts.ledger import Ledger
from node import run
from node.backup.databases import copy_sqlite
from node.backup.sources import CHAIN_FOLDER, JOURNAL
from node.config import Settings
from node.engine.chain import Chain
from node.engine.salvage import rebuild_witness
from node.engine.settings import EngineSettings
from node.errors import UnavailableEngineError
from node.network.home import ValidatorHome
from node.portability.states import (
    States,
    hold_against,
    read_alloc,
    read_dump,
    trace_states,
    without_strangers,
)

__all__ = ["Source", "open_source"]


@dataclass(frozen=True, slots=True)
class Source:
    """A ledger that stands still."""

    ledger: Ledger
    head: Block
    """The last block of the export."""
    states: Callable[[Callable[[int], None]], States]
    """Gives every account after that block; told of progress."""


@contextmanager
def open_source(settings: Settings, rpc_url: str | None) -> Iterator[Source]:
    """Open the ledger of a node for reading.

    Args:
        settings: The node's settings.
        rpc_url: An engine's own RPC that traces blocks; None takes the node's.

    Yields:
        The ledger.

    Raises:
        NodeError: If the chain cannot be read.
    """
    where = rpc_url or settings.rpc_url
    if not where and settings.validator is not None:
        where = ValidatorHome(settings.validator).rpc_url
    if where:
        with run.open_ledger(settings, where) as ledger:
            yield _elsewhere(ledger)
        return
    with (
        tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".export-") as work,
        _copied_chain(settings, Path(work)) as chain,
        run.open_ledger(settings, chain.engine.rpc.url) as ledger,
    ):
        rpc = chain.engine.rpc
        yield Source(
            ledger,
            _newest(ledger.client),
            lambda _: without_strangers(read_dump(rpc.call("anvil_dumpState"))),
        )


@contextmanager
def _copied_chain(settings: Settings, work: Path) -> Iterator[Chain]:
    copy_sqlite(settings.data_dir / CHAIN_FOLDER / JOURNAL, work / JOURNAL)
    rebuild_witness(work)
    chain = Chain(
        EngineSettings(work, settings.chain_id, anvil_path=settings.anvil_path)
    )
    try:
        yield chain
    finally:
        chain.close()


def _elsewhere(ledger: Ledger) -> Source:
    head = _newest(ledger.client)

    def states(report: Callable[[int], None]) -> States:
        base = earlier_states(ledger.client)
        made = trace_states(ledger.client, base, head.number, report)
        found = without_strangers(made)
        hold_against(ledger.client, found, head.number)
        return found

    return Source(ledger, head, states)


def earlier_states(client: ChainClient) -> States:
    """Give the accounts of block 0: those that were moved there, else none."""
    if not isinstance(client, HistoricalClient):
        return {}
    return read_alloc(client.history.accounts())


def _newest(client: ChainClient) -> Block:
    head = client.block("latest")
    if head is None:
        raise UnavailableEngineError(f"The chain at {client.url} has no block yet.")
    return head
