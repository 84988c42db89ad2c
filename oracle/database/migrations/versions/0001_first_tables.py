"""The first tables of inbox and member.

Databases older than this history have these tables already and are taken over after
their columns were compared. A migration describes the tables as they were then and is
never changed.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from oracle.database.history import refuse_downgrade
from oracle.errors import ConflictDatabaseError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BYTES = sa.LargeBinary()
_HASH = sa.LargeBinary(32)


def _needed(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _inbox_tables(metadata: sa.MetaData) -> None:
    sa.Table(
        "carriers",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identifier_hash", _HASH, nullable=False, unique=True),
        sa.Column("identifier", sa.String(255), nullable=False, unique=True),
        sa.Column("quarantined_at", _BIG),
    )
    sa.Table(
        "receipts",
        metadata,
        sa.Column("id", _ROW, primary_key=True),
        _needed("message", _BYTES),
    )
    readings = sa.Table(
        "readings",
        metadata,
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("carrier_id", sa.ForeignKey("carriers.id"), nullable=False),
        *(_needed("seq", _BIG), _needed("raw", _BYTES), _needed("digest", _HASH)),
        *(_needed("ts", _BIG), _needed("received_at", _BIG)),
        sa.Column("facts", _BYTES),
        _needed("receipt_id", _ROW),
        sa.Column("batch_stream", _HASH),
        sa.Column("batch_seq", _BIG),
        sa.Column("batch_index", sa.Integer),
        sa.UniqueConstraint("carrier_id", "seq"),
    )
    sa.Index("readings_batch", readings.c.batch_seq)
    sa.Table(
        "dead_letters",
        metadata,
        sa.Column("id", _ROW, primary_key=True),
        *(_needed("received_at", _BIG), _needed("check_number", sa.Integer())),
        *(_needed("name", sa.String(64)), _needed("expected", sa.Text())),
        *(_needed("given", sa.Text()), _needed("raw", _BYTES)),
    )
    sa.Table(
        "equivocations",
        metadata,
        sa.Column("id", _ROW, primary_key=True),
        sa.Column("carrier_id", sa.ForeignKey("carriers.id"), nullable=False),
        *(_needed("seq", _BIG), _needed("received_at", _BIG)),
        sa.Column("stored_digest", _HASH, nullable=False, index=True),
        _needed("stored_raw", _BYTES),
        sa.Column("digest", _HASH, nullable=False, index=True),
        _needed("raw", _BYTES),
        sa.UniqueConstraint("carrier_id", "seq", "digest"),
    )


def _member_tables(metadata: sa.MetaData) -> None:
    def subject() -> list[sa.Column[Any]]:
        return [
            sa.Column("stream_id", _HASH, primary_key=True),
            sa.Column("seq", _BIG, primary_key=True, autoincrement=False),
            sa.Column("rules_version", _ROW, primary_key=True, autoincrement=False),
        ]

    sa.Table(
        "ballots",
        metadata,
        *subject(),
        *(_needed("voted_round", _ROW), _needed("voted_hash", _HASH)),
        sa.Column("locked", _BYTES),
    )
    sa.Table("signed_reports", metadata, *subject(), _needed("report_hash", _HASH))
    sa.Table(
        "proposals",
        metadata,
        sa.Column("report_hash", _HASH, primary_key=True),
        sa.Column("seq", _BIG, nullable=False, index=True),
        *(_needed("voted_round", _BIG), _needed("report", _BYTES)),
        _needed("refs", _BYTES),
    )
    sa.Table(
        "batches",
        metadata,
        sa.Column("seq", _BIG, primary_key=True, autoincrement=False),
        *(_needed("report_hash", _HASH), _needed("report", _BYTES)),
        *(_needed("refs", _BYTES), _needed("tx_hash", _HASH)),
    )
    sa.Table(
        "carrier_states",
        metadata,
        sa.Column("identifier_hash", _HASH, primary_key=True),
        _needed("state", _BYTES),
    )
    sa.Table(
        "statements",
        metadata,
        sa.Column("statement", _HASH, primary_key=True),
        *(_needed("report", _BYTES), _needed("document", _BYTES)),
    )


def upgrade() -> None:
    """Make the tables that are absent, after a look at those that are there."""
    metadata = sa.MetaData()
    _inbox_tables(metadata)
    _member_tables(metadata)
    inspector = sa.inspect(op.get_bind())
    present = set(inspector.get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in present:
            continue
        found = {column["name"] for column in inspector.get_columns(table.name)}
        wanted = set(table.columns.keys())
        if found != wanted:
            message = (
                f"the database has a foreign table {table.name}: expected the columns "
                f"{', '.join(sorted(wanted))}, found {', '.join(sorted(found))}; give "
                "the member a database of its own"
            )
            raise ConflictDatabaseError(message)
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)
