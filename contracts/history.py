"""What a ledger did on the chain it was moved from, before the present one began.

Block numbers of the earlier chain count backwards from the present genesis::

    earlier chain   0 … h−1   h │ 0 … present chain
    seen here  −(h+1) … −2   −1 │ 0 …

so that one order holds over both, and every number that a contract of the present chain
knows stays what it is. ``HistoricalClient`` answers for the negative numbers, and for
transactions of that time, from a file; everything else goes to the chain. The file is
only read; it is made by ``carbon-node import``.
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from contracts.chain import ChainClient
from contracts.errors import InvalidInputError

__all__ = ["SCHEMA", "HistoricalClient", "History", "open_client"]

SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE,
    parent_hash TEXT NOT NULL, timestamp INTEGER NOT NULL) STRICT;
CREATE TABLE logs (number INTEGER NOT NULL, log_index INTEGER NOT NULL,
    address TEXT NOT NULL, log TEXT NOT NULL,
    PRIMARY KEY (number, log_index)) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (address TEXT PRIMARY KEY, state TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE transactions (hash TEXT PRIMARY KEY, body TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
"""
"""Tables of the file; numbers are negative, texts hexadecimal or JSON."""

_NOT_HERE: Final = object()


class History:
    """A file of the earlier chain; thread safe.

    Args:
        path: The file.

    Raises:
        InvalidInputError: If it is absent or no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # One connection serves all threads: SQLite serialises its calls.
        try:
            self._file = sqlite3.connect(
                f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self.facts = dict(self._file.execute("SELECT name, value FROM facts"))
        except sqlite3.Error as exc:
            message = (
                f"expected the history of a moved ledger at {path}, found none ({exc}):"
                " give the file that carbon-node import wrote"
            )
            raise InvalidInputError(message) from exc

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def block(self, number: int) -> dict[str, Any] | None:
        """Give a block's header as JSON-RPC does, None where there is none."""
        row = self._row(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE number = ?",
            number,
        )
        if row is None:
            return None
        return {
            "number": hex(row[0]),
            "hash": row[1],
            "parentHash": row[2],
            "timestamp": hex(row[3]),
            "transactions": [],
        }

    def number_of(self, block_hash: bytes) -> int | None:
        """Find a block by its hash.

        Args:
            block_hash: 32 bytes.

        Returns:
            Its negative number, None where it is not of this history.
        """
        query = "SELECT number FROM blocks WHERE hash = ?"
        row = self._row(query, f"0x{block_hash.hex()}")
        return None if row is None else int(row[0])

    def transaction(self, tx_hash: str) -> dict[str, Any] | None:
        """Give a transaction as JSON-RPC does, None where there is none."""
        row = self._row("SELECT body FROM transactions WHERE hash = ?", tx_hash.lower())
        return None if row is None else json.loads(row[0])

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Give the state that the present chain began with, as a genesis file does."""
        rows = self._file.execute("SELECT address, state FROM accounts")
        return {address: json.loads(state) for address, state in rows}

    def logs(
        self, first: int, last: int, addresses: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Give raw logs in the order of the chain.

        Args:
            first: First block, negative.
            last: Last block, included.
            addresses: Whose logs; none asks for everybody's.
        """
        wanted = {address.lower() for address in addresses}
        rows = self._file.execute(
            "SELECT address, log FROM logs WHERE number BETWEEN ? AND ? "
            "ORDER BY number, log_index",
            (first, last),
        )
        return [
            json.loads(log) for by, log in rows if not wanted or by.lower() in wanted
        ]

    def _row(self, query: str, value: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._file.execute(query, (value,)).fetchone()
        return row


class HistoricalClient(ChainClient):
    """A chain together with what came before it.

    Args:
        url: The chain's RPC address.
        history: What came before; closed with the client.
        timeout_s: How long one request may take. [s]
    """

    def __init__(self, url: str, history: History, timeout_s: float = 10.0) -> None:
        super().__init__(url, timeout_s)
        self.history = history

    def close(self) -> None:
        """Close connections and file."""
        super().close()
        self.history.close()

    def request(self, method: str, *params: Any) -> Any:
        """Send one request, or answer it from the history."""
        if method == "eth_getLogs":
            return self._logs(params[0])
        found = self._past(method, params)
        return super().request(method, *params) if found is _NOT_HERE else found

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Send several requests, those that the history answers left out."""
        found = [self._past(method, params) for method, params in calls]
        rest = [
            call
            for call, answer in zip(calls, found, strict=True)
            if answer is _NOT_HERE
        ]
        answers = iter(super().batch(rest))
        return [next(answers) if one is _NOT_HERE else one for one in found]

    def place_of(self, number: int, block_hash: bytes) -> int:
        """Place a block, that a report refers to, in the one order of both chains."""
        earlier = self.history.number_of(block_hash)
        return number if earlier is None else earlier

    def _past(self, method: str, params: Sequence[Any]) -> Any:
        if method == "eth_getBlockByNumber" and str(params[0]).startswith("-"):
            return self.history.block(int(params[0], 16))
        if method == "eth_getTransactionByHash":
            found = self.history.transaction(str(params[0]))
            return _NOT_HERE if found is None else found
        return _NOT_HERE

    def _logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = wanted.get("fromBlock", "0x0"), wanted.get("toBlock", "latest")
        if not str(first).startswith("-"):
            found: list[dict[str, Any]] = super().request("eth_getLogs", wanted)
            return found
        is_past = str(last).startswith("-")
        end = int(last, 16) if is_past else -1
        past = self.history.logs(int(first, 16), end, wanted.get("address", ()))
        if is_past:
            return past
        present = super().request("eth_getLogs", {**wanted, "fromBlock": "0x0"})
        return [*past, *present]


def open_client(url: str, history: Path | None = None) -> ChainClient:
    """Connect to a chain, and to its history where the ledger was moved.

    Args:
        url: The chain's RPC address.
        history: File of the earlier chain; None has none.

    Returns:
        The client; whoever opened it closes it.

    Raises:
        InvalidInputError: If the file is no history.
    """
    return (
        ChainClient(url) if history is None else HistoricalClient(url, History(history))
    )
