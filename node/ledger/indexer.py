"""Follow the chain into the tables; step back when the chain does.

    cursor ──► page of logs ──► rows ──┐
      ▲                                ├── one commit
      └──────── new cursor ────────────┘

Rules: rows and cursor commit together; the same page twice makes the same rows; when
the cursor's block is no longer on the chain, every row above the last common block
goes in one commit. So after any reorganisation and any kill the tables equal an index
made afresh. It sends nothing to the chain.
"""

import logging
import threading

from sqlalchemy import select

from contracts.chain import ChainClient
from contracts.errors import ContractsError, RefusedRequestError, UnavailableError
from contracts.events import decode
from node.errors import (
    ConflictLedgerError,
    UnavailableEngineError,
    UnavailableStorageError,
)
from node.ledger import cursor as cursors
from node.ledger.cursor import Position
from node.ledger.editions import OfficePages
from node.ledger.fetch import Header, LogFetcher, Page, fetch_headers
from node.ledger.project import rows_of
from node.store import facts
from node.store.database import Database
from node.store.schema import table_of
from node.store.write import insert_new

__all__ = ["Indexer"]

logger = logging.getLogger(__name__)

_BLOCKS_A_LOOK = 256
_RETRY_S = 1.0


class Indexer:
    """Keeps one database in step with one deployment on one chain.

    Args:
        client: The chain.
        addresses: The contracts that the ledger began with.
        first_block: First block in which they can have spoken.
        database: Where the rows go.
        directory: The one of them that names those that came later.
        is_final: Whether the chain never takes a block back, so that one that is gone
            means lost data and no reorganisation.
    """

    def __init__(
        self,
        client: ChainClient,
        addresses: tuple[str, ...],
        first_block: int,
        database: Database,
        directory: str = "",
        *,
        is_final: bool = False,
    ) -> None:
        self._client = client
        fetcher = LogFetcher(client, addresses)
        self._pages = OfficePages(fetcher, addresses, directory, database)
        self._first_block = first_block
        self._database = database
        self._is_final = is_final
        self._genesis: tuple[int, bytes] | None = None

    def step(self) -> bool:
        """Take in one page, or step back once.

        Returns:
            Whether there may be more to do at once.

        Raises:
            UnavailableEngineError: If the chain does not answer.
            UnavailableStorageError: If the database cannot be used now.
            ConflictLedgerError: If the database belongs to another chain.
        """
        try:
            return self._step()
        except (UnavailableError, RefusedRequestError) as exc:
            raise UnavailableEngineError(str(exc)) from exc
        except ContractsError as exc:
            raise ConflictLedgerError(str(exc)) from exc

    def catch_up(self) -> None:
        """Take in everything up to the present head."""
        while self.step():
            pass

    def run(self, stop: threading.Event, poll_interval_s: float = 0.25) -> None:
        """Follow the chain until told to stop; outages are waited out.

        Args:
            stop: Set by whoever wants the end.
            poll_interval_s: Pause when there is nothing new. [s]

        Raises:
            ConflictLedgerError: If the database belongs to another chain.
        """
        while not stop.is_set():
            try:
                if not self.step():
                    stop.wait(poll_interval_s)
            except (UnavailableEngineError, UnavailableStorageError) as exc:
                logger.warning("indexer waits reason=%r", str(exc))
                stop.wait(_RETRY_S)

    def _step(self) -> bool:
        at = self._position()
        head = self._client.block("latest")
        if head is None:
            raise UnavailableError("the chain has no block yet: try again")
        if not self._is_on_chain(at, head.number):
            self._rewind(at)
            return True
        if head.number <= at.number:
            return False
        page = self._pages.page(at.number + 1, head, at.hash)
        if page is not None:
            self._commit(at, page)
        return True

    def _position(self) -> Position:
        if self._genesis is None:
            self._genesis = (self._client.chain_id(), self._header(0).hash)
        with self._database.reading() as connection:
            at = cursors.position(connection)
        if at is None:
            at = self._before_first()
            with self._database.begin() as connection:
                cursors.start(connection, at)
        if (at.chain_id, at.genesis_hash) != self._genesis:
            chain_id, genesis_hash = self._genesis
            raise ConflictLedgerError(
                f"The database was made from chain {at.chain_id} with genesis "
                f"0x{at.genesis_hash.hex()}, the engine runs chain {chain_id} with "
                f"genesis 0x{genesis_hash.hex()}; give the right database_url, or "
                "rebuild it with: carbon-node reindex"
            )
        return at

    def _before_first(self) -> Position:
        before = self._first_block - 1
        # A moved ledger's first block lies before block 0, which is its last before.
        header = self._header(before if self._first_block < 0 else max(0, before))
        chain_id, genesis_hash = self._genesis or (0, b"")
        return Position(header.number, header.hash, chain_id, genesis_hash)

    def _header(self, number: int) -> Header:
        found = fetch_headers(self._client, [number])
        if not found:
            raise UnavailableError(f"the chain does not have block {number} yet")
        return found[0]

    def _is_on_chain(self, at: Position, height: int) -> bool:
        found = fetch_headers(self._client, [at.number])
        if not found and at.number <= height:
            raise UnavailableError(
                f"the chain has block {height}, but gives none for {at.number}: try "
                "again"
            )
        return bool(found) and found[0].hash == at.hash

    def _commit(self, at: Position, page: Page) -> None:
        decoded = map(decode, page.logs)
        rows = rows_of(event for event in decoded if event is not None)
        rows[table_of(facts.Block)] = [
            {"block_number": h.number, "hash": h.hash, "timestamp": h.timestamp}
            for h in page.headers
        ]
        with self._database.begin() as connection:
            if not cursors.move(connection, at, page.tip.number, page.tip.hash):
                return
            for table, values in rows.items():
                if values:
                    connection.execute(insert_new(connection, table), values)
        logger.debug("indexed block=%s logs=%s", page.tip.number, len(page.logs))

    def _rewind(self, at: Position) -> None:
        if self._is_final:
            raise ConflictLedgerError(
                f"The tables end at block {at.number} with hash 0x{at.hash.hex()}, "
                "which the chain does not have, though it never takes a block back: "
                "an older copy of its folder was put back, or another one; put the "
                "newest back or restore a backup; only to accept the loss knowingly "
                "run: carbon-node reindex"
            )
        ancestor = self._last_common(at)
        with self._database.begin() as connection:
            if cursors.move(connection, at, ancestor.number, ancestor.hash):
                cursors.drop_above(connection, ancestor.number)
        logger.warning("rewound from_block=%s to_block=%s", at.number, ancestor.number)

    def _last_common(self, at: Position) -> Header:
        """Find the newest block of the tables that the chain still has."""
        below = at.number + 1
        table = facts.Block
        while True:
            look = (
                select(table.block_number, table.hash)
                .where(table.block_number < below)
                .order_by(table.block_number.desc())
                .limit(_BLOCKS_A_LOOK)
            )
            with self._database.reading() as connection:
                known = connection.execute(look).all()
            if not known:
                before = self._before_first()
                return Header(before.number, before.hash, 0)
            found = fetch_headers(self._client, [row.block_number for row in known])
            on_chain = {header.number: header for header in found}
            for row in known:
                header = on_chain.get(row.block_number)
                if header is not None and header.hash == row.hash:
                    return header
            below = known[-1].block_number
