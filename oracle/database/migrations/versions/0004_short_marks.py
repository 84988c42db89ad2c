"""Name a reading's stream by a small number, which saves 32 bytes a reading."""

import sqlalchemy as sa
from alembic import op

from oracle.database.history import refuse_downgrade

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the streams of all readings into a table of their own."""
    op.create_table(
        "streams",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("stream_id", sa.LargeBinary(32), nullable=False, unique=True),
    )
    op.execute(
        "INSERT INTO streams (stream_id) SELECT DISTINCT batch_stream FROM readings "
        "WHERE batch_stream IS NOT NULL"
    )
    op.add_column("readings", sa.Column("stream_row", sa.Integer()))
    op.execute(
        "UPDATE readings SET stream_row = (SELECT id FROM streams "
        "WHERE stream_id = batch_stream) WHERE batch_stream IS NOT NULL"
    )
    op.drop_column("readings", "batch_stream")


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)
