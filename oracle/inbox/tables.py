"""Tables of the inbox.

carriers ─┬─ readings ── receipts    what is acknowledged
          └─ equivocations           evidence against a carrier
dead_letters                         what was refused, with its reason
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

NO_RECEIPT = 0
"""Receipt number of a reading that was not acknowledged to its carrier yet."""

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Number of a row: SQLite counts in INTEGER alone, of 64 bits as well."""

carriers = sa.Table(
    "carriers",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("identifier_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("identifier", sa.String(255), nullable=False, unique=True),
    sa.Column("quarantined_at", sa.BigInteger),
)
"""Carriers that have sent something; small numbers instead of long names."""

receipts = sa.Table(
    "receipts",
    METADATA,
    sa.Column("id", ROW_NUMBER, primary_key=True),
    sa.Column("message", sa.LargeBinary, nullable=False),
)
"""Signed receipts, each for up to 64 readings."""

streams = sa.Table(
    "streams",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("stream_id", sa.LargeBinary(32), nullable=False, unique=True),
)
"""Streams of the batches; a small number beside each reading instead of 32 bytes."""

readings = sa.Table(
    "readings",
    METADATA,
    sa.Column("id", ROW_NUMBER, primary_key=True),
    sa.Column("carrier_id", sa.ForeignKey("carriers.id"), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("facts", sa.LargeBinary),
    sa.Column("receipt_id", ROW_NUMBER, nullable=False),
    sa.Column("stream_row", sa.Integer),
    sa.Column("batch_seq", sa.BigInteger),
    sa.Column("batch_index", sa.Integer),
    sa.UniqueConstraint("carrier_id", "seq"),
)
"""Readings that passed checks 1 to 6. The key id is in the raw message."""

sa.Index("readings_batch", readings.c.batch_seq)

dead_letters = sa.Table(
    "dead_letters",
    METADATA,
    sa.Column("id", ROW_NUMBER, primary_key=True),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("check_number", sa.Integer, nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("expected", sa.Text, nullable=False),
    sa.Column("given", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
)
"""Messages that checks 1 to 5 refused. Only what was truly signed is kept for ever."""

equivocations = sa.Table(
    "equivocations",
    METADATA,
    sa.Column("id", ROW_NUMBER, primary_key=True),
    sa.Column("carrier_id", sa.ForeignKey("carriers.id"), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("stored_digest", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("stored_raw", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("carrier_id", "seq", "digest"),
)
"""Two signed messages of one carrier for one seq, both whole."""
