"""The first tables: facts of the ledger, and the node's desk."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger()
_SMALL = sa.SmallInteger()
_INT = sa.Integer()
_TEXT = sa.Text()
_BYTES = sa.LargeBinary()
_FLAG = sa.Boolean()
_DECIMAL = sa.String(79)

_TABLES = (
    "pending_signatures",
    "pending_parties",
    "trades",
    "streams",
    "statements",
    "statement_steps",
    "rules",
    "representatives",
    "reference_prices",
    "quota_operations",
    "quota_movements",
    "pending_instructions",
    "payouts",
    "paid_payouts",
    "oracle_members",
    "login_tokens",
    "login_challenges",
    "ledger_cursor",
    "halts",
    "events",
    "directory_entries",
    "declared_values",
    "certificates",
    "certificate_revocations",
    "cash_movements",
    "carriers",
    "carrier_statuses",
    "carrier_keys",
    "boundaries",
    "blocks",
    "batches",
    "authorised_instructions",
    "accounts",
    "account_statuses",
)


def upgrade() -> None:
    """Make the tables."""
    _make_accounts()
    _make_evidence()
    _make_market()
    _make_desk()


def downgrade() -> None:
    """Drop the tables."""
    for name in _TABLES:
        op.drop_table(name)


def _column(
    name: str, kind: sa.types.TypeEngine[Any], *, nullable: bool = False
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, autoincrement=False)


def _fact_table(name: str, *columns: sa.Column[Any]) -> None:
    stamp = (_column("block_number", _BIG), _column("log_index", _BIG))
    key = sa.PrimaryKeyConstraint("block_number", "log_index")
    op.create_table(name, *stamp, *columns, key)


def _part_table(name: str, *columns: sa.Column[Any]) -> None:
    stamp = (_column("block_number", _BIG), _column("log_index", _BIG))
    key = sa.PrimaryKeyConstraint("block_number", "log_index", "part")
    op.create_table(name, *stamp, _column("part", _BIG), *columns, key)


def _make_accounts() -> None:
    _fact_table(
        "account_statuses",
        _column("account", _TEXT),
        _column("status", _SMALL),
        _column("reason", _BYTES),
    )
    op.create_index("ix_account_statuses_account", "account_statuses", ["account"])
    _fact_table(
        "accounts",
        _column("account", _TEXT),
        _column("kind", _SMALL),
        _column("name", _TEXT),
    )
    op.create_index("ix_accounts_account", "accounts", ["account"])
    _fact_table(
        "authorised_instructions",
        _column("account", _TEXT),
        _column("nonce", _BIG),
        _column("digest", _BYTES),
        _column("initiator", _TEXT),
        _column("approver", _TEXT),
    )
    op.create_index(
        "ix_authorised_instructions_account", "authorised_instructions", ["account"]
    )
    op.create_index(
        "ix_authorised_instructions_digest", "authorised_instructions", ["digest"]
    )
    op.create_table(
        "blocks",
        _column("block_number", _BIG),
        _column("hash", _BYTES),
        _column("timestamp", _BIG),
        sa.PrimaryKeyConstraint("block_number"),
    )
    _fact_table(
        "directory_entries",
        _column("name", _TEXT),
        _column("address", _TEXT),
        _column("version", _BIG),
    )
    _fact_table(
        "events",
        _column("tx_hash", _BYTES),
        _column("contract", _TEXT),
        _column("name", _TEXT),
        _column("arguments", _TEXT),
    )
    _fact_table(
        "representatives",
        _column("account", _TEXT),
        _column("key", _TEXT),
        _column("rights", _SMALL),
    )
    op.create_index("ix_representatives_account", "representatives", ["account"])
    op.create_index("ix_representatives_key", "representatives", ["key"])
    _fact_table(
        "rules",
        _column("name", _TEXT),
        _column("valid_from", _BIG),
        _column("value", _DECIMAL),
        _column("article", _TEXT),
        _column("article_digest", _BYTES),
    )


def _make_evidence() -> None:
    _fact_table(
        "batches",
        _column("stream_id", _BYTES),
        _column("seq", _BIG),
        _column("head", _BYTES),
        _column("batch_root", _BYTES),
        _column("leaf_count", _BIG),
        _column("log_root", _BYTES),
        _column("first_ts", _BIG),
        _column("last_ts", _BIG),
        _column("gaps_digest", _BYTES),
        _column("rules_version", _BIG),
        _column("signers", _BIG),
    )
    op.create_index("ix_batches_stream_seq", "batches", ["stream_id", "seq"])
    _fact_table(
        "boundaries",
        _column("boundary", _BYTES),
        _column("account", _TEXT),
        _column("digest", _BYTES),
        _column("content", _BYTES),
    )
    op.create_index("ix_boundaries_account", "boundaries", ["account"])
    op.create_index("ix_boundaries_boundary", "boundaries", ["boundary"])
    _fact_table(
        "carrier_keys",
        _column("identifier_hash", _BYTES),
        _column("epoch", _BIG),
        _column("from_seq", _BIG),
        _column("suite", _SMALL),
        _column("public_key", _BYTES),
    )
    op.create_index(
        "ix_carrier_keys_identifier_hash", "carrier_keys", ["identifier_hash"]
    )
    _fact_table(
        "carrier_statuses",
        _column("identifier_hash", _BYTES),
        _column("status", _SMALL),
        _column("cutoff_seq", _BIG, nullable=True),
    )
    op.create_index(
        "ix_carrier_statuses_identifier_hash", "carrier_statuses", ["identifier_hash"]
    )
    _fact_table(
        "carriers",
        _column("identifier_hash", _BYTES),
        _column("identifier", _TEXT),
        _column("owner", _TEXT),
        _column("channel_table", _BYTES),
    )
    op.create_index("ix_carriers_identifier_hash", "carriers", ["identifier_hash"])
    op.create_index("ix_carriers_owner", "carriers", ["owner"])
    _fact_table(
        "certificate_revocations",
        _column("token_id", _DECIMAL),
        _column("reason", _BYTES),
    )
    op.create_index(
        "ix_certificate_revocations_token_id", "certificate_revocations", ["token_id"]
    )
    _fact_table(
        "certificates",
        _column("token_id", _DECIMAL),
        _column("statement", _BYTES),
        _column("account", _TEXT),
        _column("grade", _SMALL),
        _column("level_micro", _BIG),
        _column("ratio_micro", _BIG),
        _column("benchmark_digest", _BYTES),
        _column("coverage_bps", _INT),
        _column("attested_bps", _INT),
        _column("expires", _BIG),
    )
    op.create_index("ix_certificates_account", "certificates", ["account"])
    op.create_index("ix_certificates_token_id", "certificates", ["token_id"])
    _fact_table(
        "declared_values",
        _column("boundary", _BYTES),
        _column("account", _TEXT),
        _column("period_start", _BIG),
        _column("period_end", _BIG),
        _column("value_added_fen", _DECIMAL),
        _column("evidence_digest", _BYTES),
    )
    op.create_index("ix_declared_values_boundary", "declared_values", ["boundary"])
    _part_table(
        "oracle_members",
        _column("version", _BIG),
        _column("threshold", _SMALL),
        _column("key", _TEXT),
        _column("organisation", _TEXT),
        _column("role", _SMALL),
    )
    _fact_table(
        "statement_steps",
        _column("statement", _BYTES),
        _column("status", _SMALL),
        _column("actor", _TEXT, nullable=True),
        _column("opinion", _SMALL, nullable=True),
        _column("digest", _BYTES, nullable=True),
    )
    op.create_index("ix_statement_steps_statement", "statement_steps", ["statement"])
    _fact_table(
        "statements",
        _column("statement", _BYTES),
        _column("boundary", _BYTES),
        _column("period_start", _BIG),
        _column("period_end", _BIG),
        _column("purpose", _SMALL),
        _column("stream_id", _BYTES),
        _column("first_batch", _BIG),
        _column("last_batch", _BIG),
        _column("input_root", _BYTES),
        _column("rule_set_digest", _BYTES),
        _column("factor_set_digest", _BYTES),
        _column("boundary_digest", _BYTES),
        _column("grams", _BIG),
        _column("result_digest", _BYTES),
        _column("supersedes", _BYTES),
        _column("signers", _BIG),
    )
    op.create_index("ix_statements_boundary", "statements", ["boundary"])
    op.create_index("ix_statements_statement", "statements", ["statement"])
    _fact_table("streams", _column("stream_id", _BYTES), _column("max_silence_s", _BIG))


def _make_market() -> None:
    _part_table(
        "cash_movements",
        _column("account", _TEXT),
        _column("cause", _TEXT),
        _column("delta_fen", _BIG),
        _column("reference", _BYTES, nullable=True),
    )
    op.create_index(
        "ix_cash_movements_account", "cash_movements", ["account", "delta_fen"]
    )
    _fact_table("halts", _column("vintage", _SMALL), _column("is_halted", _FLAG))
    _fact_table(
        "paid_payouts",
        _column("payout", _BYTES),
        _column("fen", _BIG),
        _column("reference", _BYTES),
    )
    op.create_index("ix_paid_payouts_payout", "paid_payouts", ["payout"])
    _fact_table(
        "payouts",
        _column("payout", _BYTES),
        _column("account", _TEXT),
        _column("fen", _BIG),
        _column("destination", _BYTES),
    )
    op.create_index("ix_payouts_payout", "payouts", ["payout"])
    _part_table(
        "quota_movements",
        _column("account", _TEXT),
        _column("vintage", _SMALL),
        _column("delta_tonnes", _BIG),
    )
    op.create_index(
        "ix_quota_movements_account",
        "quota_movements",
        ["account", "vintage", "delta_tonnes"],
    )
    _fact_table(
        "quota_operations",
        _column("operation", _TEXT),
        _column("account", _TEXT),
        _column("receiver", _TEXT, nullable=True),
        _column("vintage", _SMALL),
        _column("tonnes", _BIG),
        _column("reference", _BYTES),
    )
    op.create_index("ix_quota_operations_account", "quota_operations", ["account"])
    _fact_table(
        "reference_prices", _column("vintage", _SMALL), _column("price_fen", _BIG)
    )
    _fact_table(
        "trades",
        _column("trade_id", _BYTES),
        _column("seller", _TEXT),
        _column("buyer", _TEXT),
        _column("vintage", _SMALL),
        _column("tonnes", _BIG),
        _column("price_fen", _BIG),
    )
    op.create_index("ix_trades_buyer", "trades", ["buyer"])
    op.create_index("ix_trades_seller", "trades", ["seller"])


def _make_desk() -> None:
    op.create_table(
        "ledger_cursor",
        _column("id", _INT),
        _column("chain_id", _BIG),
        _column("genesis_hash", _BYTES),
        _column("block_number", _BIG),
        _column("block_hash", _BYTES),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "login_challenges",
        _column("text_hash", _BYTES),
        _column("address", _TEXT),
        _column("expires_at", _BIG),
        sa.PrimaryKeyConstraint("text_hash"),
    )
    op.create_table(
        "login_tokens",
        _column("token_hash", _BYTES),
        _column("address", _TEXT),
        _column("expires_at", _BIG),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_table(
        "pending_instructions",
        _column("digest", _BYTES),
        _column("kind", _TEXT),
        _column("document", _TEXT),
        _column("deadline", _BIG),
        _column("created_at", _BIG),
        _column("created_by", _TEXT),
        _column("status", _TEXT),
        _column("tx_hash", _BYTES, nullable=True),
        _column("reason", _TEXT, nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "pending_parties",
        _column("digest", _BYTES),
        _column("account", _TEXT),
        sa.ForeignKeyConstraint(["digest"], ["pending_instructions.digest"]),
        sa.PrimaryKeyConstraint("digest", "account"),
    )
    op.create_index("ix_pending_parties_account", "pending_parties", ["account"])
    op.create_table(
        "pending_signatures",
        _column("digest", _BYTES),
        _column("account", _TEXT),
        _column("role", _TEXT),
        _column("key", _TEXT),
        _column("signature", _BYTES),
        sa.ForeignKeyConstraint(["digest"], ["pending_instructions.digest"]),
        sa.PrimaryKeyConstraint("digest", "account", "role"),
    )
    op.create_index("ix_pending_signatures_account", "pending_signatures", ["account"])
