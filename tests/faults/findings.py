"""What chain, database and log hold, read past the product wherever that is possible.

Databases are read with plain SQL, digests are computed anew from the bytes, the chain
is asked over plain JSON-RPC. Only what is defined by the product alone (names of
events, the batch tree) is read with its code.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from contracts.chain import ChainClient
from contracts.events import decode
from contracts.hashing import keccak256
from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from contracts.structs import BatchReport
from tests.faults.book import Item
from tests.faults.checker import Verdict, check_forks, check_log, check_numbers

PAGE_BLOCKS = 2_000


@dataclass(frozen=True, slots=True)
class Anchored:
    """A batch as the chain has it."""

    seq: int
    head: bytes
    report: BatchReport


def stored_readings(database: Path) -> Iterator[Item]:
    """Every reading in an inbox, with the digest of its bytes as they are there."""
    query = (
        "SELECT c.identifier_hash, r.seq, r.raw FROM readings r "
        "JOIN carriers c ON c.id = r.carrier_id"
    )
    for name, seq, raw in _rows(database, query):
        yield reading_item(name, seq, raw)


def reading_item(identifier_hash: bytes, seq: int, raw: bytes) -> Item:
    return Item("reading", f"{identifier_hash.hex()}:{seq}", keccak256(raw).hex())


def signed_reports(database: Path, member: int) -> Iterator[Item]:
    """What a member signed, by number and configuration: one report each."""
    query = "SELECT seq, rules_version, report_hash FROM signed_reports"
    for seq, version, report_hash in _rows(database, query):
        key = f"{member}:{seq}:{version}"
        yield Item("signature", key, report_hash.hex())


def anchored_batches(client: ChainClient, anchor: str, stream: bytes) -> list[Anchored]:
    """Batches on the chain, in its order."""
    found = []
    last = client.block_number()
    for start in range(0, last + 1, PAGE_BLOCKS):
        end = min(start + PAGE_BLOCKS - 1, last)
        for log in client.logs(start, end, [anchor]):
            event = decode(log)
            if type(event).__name__ == "BatchAnchored" and event.stream_id == stream:
                found.append(Anchored(event.seq, event.head, event.report))
    return found


def batched_readings(database: Path, batch: Anchored) -> tuple[list[Item], bool]:
    """Readings of a batch in a member's database, and whether they make its root."""
    query = (
        "SELECT c.identifier_hash, r.seq, r.raw FROM readings r "
        "JOIN carriers c ON c.id = r.carrier_id "
        "WHERE r.batch_seq = ? ORDER BY r.batch_index"
    )
    rows = list(_rows(database, query, batch.seq))
    stream = batch.report.stream_id
    leaves = [
        leaf_hash(BatchLeaf(stream, batch.seq, index, name, seq, keccak256(raw)))
        for index, (name, seq, raw) in enumerate(rows)
    ]
    root = BatchTree(leaves).root if leaves else bytes(32)
    return [reading_item(*row) for row in rows], root == batch.report.batch_root


def check_member(database: Path, batches: list[Anchored]) -> tuple[list[Item], Verdict]:
    """Hold a member's database against the chain's batches.

    Returns:
        The readings in its batches, and what is wrong with them.
    """
    found: list[Item] = []
    altered = []
    for batch in batches:
        items, makes_root = batched_readings(database, batch)
        found += items
        if not makes_root:
            altered.append(f"batch {batch.seq} in {database.parent.name}")
    return found, Verdict(altered=tuple(altered))


def check_chain(batches: list[Anchored]) -> Verdict:
    """Numbers without gaps, one head a number, and a log that adds up."""
    heads = [Item("batch", str(one.seq), one.head.hex()) for one in batches]
    ordered = sorted(batches, key=lambda one: one.seq)
    return (
        check_numbers("batch", [one.seq for one in batches])
        + check_forks(heads)
        + check_log(
            [one.head for one in ordered], [one.report.log_root for one in ordered]
        )
    )


class Rpc:
    """Plain JSON-RPC."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(timeout=20, trust_env=False)

    def call(self, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.post(self.url, json=body).json()
        if "result" not in answer:
            raise RuntimeError(f"{method}: {answer}")
        return answer["result"]

    def close(self) -> None:
        self._http.close()


def blocks(rpc: Rpc, first: int = 0) -> Iterator[dict[str, Any]]:
    """All blocks from a height on, with their transactions."""
    for number in range(first, int(rpc.call("eth_blockNumber"), 16) + 1):
        yield rpc.call("eth_getBlockByNumber", hex(number), True)


def transaction_item(found: dict[str, Any]) -> Item:
    """A transaction by its hash, with a digest of what it says."""
    said = (found["from"].lower(), int(found["nonce"], 16), found["input"])
    digest = hashlib.sha256(repr(said).encode()).hexdigest()
    return Item("transaction", found["hash"], digest)


def _rows(database: Path, query: str, *values: object) -> Iterator[Any]:
    uri = f"file:{database}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        yield from connection.execute(query, values)
