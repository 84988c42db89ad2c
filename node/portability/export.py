"""Write a whole ledger into one open file, the same bytes for the same ledger.

deployment.json      contracts and chain id
chain/*.jsonl        blocks, logs, transactions        what happened
state/accounts.jsonl code, nonces, storage             what it came to
tables/*.jsonl       accounts, rulebook, statements …  the same, for people
evidence/*.jsonl     readings, batches, statements     what it rests on (with a member)
manifest.json        length and SHA-256 of each part
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from contracts.ledger import Ledger
from contracts.typed_data import stream_id
from node import run
from node.config import Settings
from node.portability.bundle import BundleWriter
from node.portability.chain_rows import block_rows, log_rows, transaction_rows
from node.portability.evidence_rows import batch_rows, reading_rows, statement_rows
from node.portability.source import Source, open_source
from node.portability.states import States
from node.store.database import Database, open_database
from node.store.facts import FACT_TABLES
from oracle.config import load_settings as load_member_settings
from oracle.inbox.store import open_engine
from oracle.member.setup import database_of

__all__ = ["export_ledger"]

_LARGEST_PLAIN = 2**53
"""Whole numbers from here on are written as text: JSON readers round them."""


def export_ledger(
    settings: Settings, out: Path, rpc_url: str | None, report: Callable[[int], None]
) -> dict[str, Any]:
    """Export the ledger of a node.

    Args:
        settings: The node's settings.
        out: File to make; must not exist.
        rpc_url: An engine's own RPC that traces blocks; None takes the node's.
        report: Told of progress.

    Returns:
        Facts about the export, ``sha256`` among them.

    Raises:
        NodeError: If the ledger cannot be read or the file not written.
    """
    with (
        open_source(settings, rpc_url) as source,
        tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as work,
    ):
        writer = BundleWriter(out, Path(work))
        try:
            facts = _write(settings, source, writer, Path(work), report)
            return {**facts, "sha256": writer.finish(facts)}
        except BaseException:
            writer.abandon()
            raise


def _write(
    settings: Settings,
    source: Source,
    writer: BundleWriter,
    work: Path,
    report: Callable[[int], None],
) -> dict[str, Any]:
    ledger, head = source.ledger, source.head
    writer.document("deployment.json", ledger.deployment.to_json() + "\n")
    states = source.states(report)
    _write_chain(ledger, head.number, writer)
    writer.rows("state/accounts.jsonl", _state_rows(states))
    fresh = open_database(f"sqlite:///{work / 'fresh.sqlite'}")
    try:
        run.indexer_of(ledger, fresh).catch_up()
        for table in FACT_TABLES:
            writer.rows(
                f"tables/{table.name}.jsonl", _table_rows(fresh, table, head.number)
            )
    finally:
        fresh.close()
    _write_evidence(settings, ledger, writer)
    return {
        "chain_id": ledger.deployment.chain_id,
        "height": head.number,
        "block_hash": f"0x{head.hash.hex()}",
        "timestamp": head.timestamp,
        "first_block": ledger.deployment.genesis_block - 1,
    }


def _write_chain(ledger: Ledger, last: int, writer: BundleWriter) -> None:
    first = ledger.deployment.genesis_block - 1
    writer.rows("chain/blocks.jsonl", block_rows(ledger.client, first, last))
    hashes: dict[str, None] = {}

    def logs() -> Iterator[dict[str, Any]]:
        for row in log_rows(ledger.client, first, last):
            hashes.setdefault(row["transaction_hash"])
            yield row

    writer.rows("chain/logs.jsonl", logs())
    writer.rows(
        "chain/transactions.jsonl", transaction_rows(ledger.client, list(hashes))
    )


def _state_rows(states: States) -> Iterator[dict[str, Any]]:
    for address, state in states.items():
        yield {
            "address": address,
            **state.to_json(),
            "code_hash": f"0x{state.code_hash().hex()}",
            "storage_root": f"0x{state.storage_root().hex()}",
        }


def _table_rows(
    database: Database, table: Table, last: int
) -> Iterator[dict[str, Any]]:
    query = (
        select(table)
        .where(table.c.block_number <= last)
        .order_by(*table.primary_key.columns)
    )
    with database.reading() as connection:
        for row in connection.execute(query):
            values = row._mapping  # noqa: SLF001  # the documented way to the names
            yield {column.name: _plain(values[column]) for column in table.columns}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if abs(value) < _LARGEST_PLAIN else str(int(value))
    return value


def _write_evidence(settings: Settings, ledger: Ledger, writer: BundleWriter) -> None:
    """Write what the organisation's member holds, where it has one."""
    if settings.member_config is None:
        return
    member = load_member_settings(settings.member_config)
    count = ledger.anchor.head(stream_id(member.stream)).seq
    engine = open_engine(database_of(member))
    try:
        writer.rows("evidence/batches.jsonl", batch_rows(engine, count))
        writer.rows("evidence/readings.jsonl", reading_rows(engine, count))
        writer.rows("evidence/statements.jsonl", statement_rows(engine))
    finally:
        engine.dispose()
