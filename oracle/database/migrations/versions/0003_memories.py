"""Where a member's memory of its votes begins."""

import sqlalchemy as sa
from alembic import op

from oracle.database.history import refuse_downgrade

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table; a member of before it decides at its next look at the chain."""
    op.create_table(
        "memories",
        sa.Column("stream_id", sa.LargeBinary(32), primary_key=True),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("rules_version", _ROW, nullable=False),
    )


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)
