"""Forced inclusions, and the alarms with their notices."""

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text

from oracle.database.history import refuse_downgrade

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    for name, last in (("forced_inclusions", "due"), ("settled_inclusions", "seq")):
        op.create_table(
            name,
            _key("block_number", BigInteger()),
            _key("log_index", BigInteger()),
            Column("stream_id", LargeBinary(), nullable=False),
            Column("digest", LargeBinary(), nullable=False),
            Column(last, BigInteger(), nullable=False),
        )
        op.create_index(f"ix_{name}_digest", name, ["digest"])
    op.create_table(
        "alarms",
        _key("kind", Text()),
        _key("subject", Text()),
        Column("raised_at", BigInteger(), nullable=False),
        Column("figures", Text(), nullable=False),
    )
    op.create_table(
        "alarm_notices",
        _key("id", BigInteger()),
        Column("kind", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("change", Text(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("figures", Text(), nullable=False),
        Column("delivered_at", BigInteger()),
    )
    op.create_index("ix_alarm_notices_delivered_at", "alarm_notices", ["delivered_at"])


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)


def _key(name: str, kind: BigInteger | Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)
