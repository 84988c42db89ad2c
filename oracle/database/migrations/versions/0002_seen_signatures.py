"""Signatures of members as others saw them, for proofs of double signatures."""

import sqlalchemy as sa
from alembic import op

from oracle.database.history import refuse_downgrade

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seen_signatures",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("rules_version", _ROW, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("report_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)
