"""The member's part of an export: what is anchored, as every member holds it alike.

Anchored readings in the order of their batches, batches, and recomputed statements.
What differs from member to member (time of receipt, receipts, what is not anchored yet)
is left out: two members export the same bytes.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from oracle.inbox.tables import carriers, readings
from oracle.member.store import BatchRow, StatementRow

__all__ = ["batch_rows", "reading_rows", "statement_rows"]

_AT_ONCE = 1_000


def reading_rows(engine: sa.Engine, batches: int) -> Iterator[dict[str, Any]]:
    """Give every anchored reading, with the message its carrier signed.

    Args:
        engine: The member's database.
        batches: How many batches the chain has.
    """
    query = (
        sa.select(
            readings.c.batch_seq,
            readings.c.batch_index,
            carriers.c.identifier,
            readings.c.seq,
            readings.c.raw,
        )
        .join(carriers, carriers.c.id == readings.c.carrier_id)
        .where(readings.c.batch_seq < batches)
        .order_by(readings.c.batch_seq, readings.c.batch_index)
    )
    for row in _rows(engine, query):
        yield {
            "batch": row.batch_seq,
            "index": row.batch_index,
            "identifier": row.identifier,
            "seq": row.seq,
            "message": row.raw.hex(),
        }


def batch_rows(engine: sa.Engine, batches: int) -> Iterator[dict[str, Any]]:
    """Give every adopted batch: its report's hash and bytes, and its transaction."""
    query = sa.select(
        BatchRow.seq, BatchRow.report_hash, BatchRow.report, BatchRow.tx_hash
    )
    for row in _rows(
        engine, query.where(BatchRow.seq < batches).order_by(BatchRow.seq)
    ):
        yield {
            "seq": row.seq,
            "report_hash": row.report_hash.hex(),
            "report": row.report.hex(),
            "transaction_hash": f"0x{row.tx_hash.hex()}",
        }


def statement_rows(engine: sa.Engine) -> Iterator[dict[str, Any]]:
    """Give every statement that the member recomputed, with its document."""
    query = sa.select(StatementRow.statement, StatementRow.document)
    for row in _rows(engine, query.order_by(StatementRow.statement)):
        yield {
            "statement": f"0x{row.statement.hex()}",
            "document": row.document.decode(),
        }


def _rows(engine: sa.Engine, query: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
    with engine.connect() as connection:
        options = connection.execution_options(yield_per=_AT_ONCE)
        yield from options.execute(query)
