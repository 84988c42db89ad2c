"""Whose logs count, block by block: contracts that came into office later included.

A contract speaks for the ledger from the block in which the directory first named it;
what it logged before that counts for nothing. Later contracts are known from the tables
and from the very page that is read, never from a look at the present chain: so an index
made afresh, one that was running, and one that a reorganisation took back come to the
same rows. What left office stays: its past logs are history.
"""

from dataclasses import replace

from sqlalchemy import func, select

from contracts.chain import Block
from contracts.event_types import DirectorySet
from contracts.events import decode
from node.ledger.fetch import LogFetcher, Page
from node.store import facts
from node.store.database import Database

__all__ = ["OfficePages"]


class OfficePages:
    """Reads pages in which exactly the logs of contracts in office stand.

    Args:
        fetcher: Reads raw logs.
        founding: Contracts that the ledger began with; they always count.
        directory: The contract that names the others; empty where none does.
        database: Tables of the index.
    """

    def __init__(
        self,
        fetcher: LogFetcher,
        founding: tuple[str, ...],
        directory: str,
        database: Database,
    ) -> None:
        self._fetcher = fetcher
        self._founding = {address.lower() for address in founding}
        self._directory = directory.lower()
        self._database = database

    def page(
        self, from_block: int, head: Block, parent: bytes | None = None
    ) -> Page | None:
        """Read the next page.

        Args:
            from_block: First block.
            head: Newest block of the chain, at or after ``from_block``.
            parent: Hash of the block before the first, 32 bytes; None accepts any.

        Returns:
            The page, or None when the chain changed meanwhile.

        Raises:
            UnavailableEngineError: If even one block's logs are not answered.
        """
        late = self._late()
        while True:
            self._fetcher.addresses = sorted(self._founding | {*late})
            page = self._fetcher.page(from_block, head, parent)
            if page is None:
                return None
            named = self._named(page)
            if named.keys() <= late.keys():
                return _in_office(page, late)
            late = named | late

    def _late(self) -> dict[str, int]:
        """Read address → first block in office of the contracts that came later."""
        entry = facts.DirectoryEntry
        first = select(entry.address, func.min(entry.block_number)).group_by(
            entry.address
        )
        with self._database.reading() as connection:
            found = connection.execute(first).all()
        late = {address.lower(): block for address, block in found}
        return {a: block for a, block in late.items() if a not in self._founding}

    def _named(self, page: Page) -> dict[str, int]:
        """Find the contracts that this page brings into office."""
        named: dict[str, int] = {}
        for log in page.logs:
            if str(log["address"]).lower() != self._directory:
                continue
            event = decode(log)
            if isinstance(event, DirectorySet):
                named.setdefault(event.where.lower(), event.block_number)
        return {a: block for a, block in named.items() if a not in self._founding}


def _in_office(page: Page, late: dict[str, int]) -> Page:
    """Leave out what a contract logged before it came into office."""
    if not late:
        return page
    logs = [
        log
        for log in page.logs
        if (since := late.get(str(log["address"]).lower())) is None
        or int(log["blockNumber"], 16) >= since
    ]
    blocks = {int(log["blockNumber"], 16) for log in logs}
    headers = [header for header in page.headers if header.number in blocks]
    return replace(page, logs=logs, headers=headers)
