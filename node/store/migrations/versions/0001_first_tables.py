"""The first tables: facts of the ledger, and the node's desk.

A column is written as its name and kind, with ``?`` where it may be null. A migration
describes the tables as they were then and is never changed.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op

from oracle.database.history import refuse_downgrade

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "big": sa.BigInteger(),
    "bytes": sa.LargeBinary(),
    "decimal": sa.String(79),
    "flag": sa.Boolean(),
    "int": sa.Integer(),
    "small": sa.SmallInteger(),
    "text": sa.Text(),
}


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: str
    key: str
    indexes: tuple[str, ...] = ()
    parent: str = ""


_TABLES = (
    _Table(
        "account_statuses",
        ("block_number big, log_index big, account text, status small, reason bytes"),
        "block_number log_index",
        ("account",),
    ),
    _Table(
        "accounts",
        ("block_number big, log_index big, account text, kind small, name text"),
        "block_number log_index",
        ("account",),
    ),
    _Table(
        "authorised_instructions",
        (
            "block_number big, log_index big, account text, nonce big, digest "
            "bytes, initiator text, approver text"
        ),
        "block_number log_index",
        ("account", "digest"),
    ),
    _Table(
        "batches",
        (
            "block_number big, log_index big, stream_id bytes, seq big, head bytes, "
            "batch_root bytes, leaf_count big, log_root bytes, first_ts big, "
            "last_ts big, gaps_digest bytes, rules_version big, signers big"
        ),
        "block_number log_index",
        ("stream_id seq",),
    ),
    _Table("blocks", ("block_number big, hash bytes, timestamp big"), "block_number"),
    _Table(
        "boundaries",
        (
            "block_number big, log_index big, boundary bytes, account text, digest "
            "bytes, content bytes"
        ),
        "block_number log_index",
        ("account", "boundary"),
    ),
    _Table(
        "carrier_keys",
        (
            "block_number big, log_index big, identifier_hash bytes, epoch big, "
            "from_seq big, suite small, public_key bytes"
        ),
        "block_number log_index",
        ("identifier_hash",),
    ),
    _Table(
        "carrier_statuses",
        (
            "block_number big, log_index big, identifier_hash bytes, status small, "
            "cutoff_seq big?"
        ),
        "block_number log_index",
        ("identifier_hash",),
    ),
    _Table(
        "carriers",
        (
            "block_number big, log_index big, identifier_hash bytes, identifier "
            "text, owner text, channel_table bytes"
        ),
        "block_number log_index",
        ("identifier_hash", "owner"),
    ),
    _Table(
        "cash_movements",
        (
            "block_number big, log_index big, part big, account text, cause text, "
            "delta_fen big, reference bytes?"
        ),
        "block_number log_index part",
        ("account delta_fen",),
    ),
    _Table(
        "certificate_revocations",
        ("block_number big, log_index big, token_id decimal, reason bytes"),
        "block_number log_index",
        ("token_id",),
    ),
    _Table(
        "certificates",
        (
            "block_number big, log_index big, token_id decimal, statement bytes, "
            "account text, grade small, level_micro big, ratio_micro big, "
            "benchmark_digest bytes, coverage_bps int, attested_bps int, expires "
            "big"
        ),
        "block_number log_index",
        ("account", "token_id"),
    ),
    _Table(
        "declared_values",
        (
            "block_number big, log_index big, boundary bytes, account text, "
            "period_start big, period_end big, value_added_fen decimal, "
            "evidence_digest bytes"
        ),
        "block_number log_index",
        ("boundary",),
    ),
    _Table(
        "directory_entries",
        ("block_number big, log_index big, name text, address text, version big"),
        "block_number log_index",
    ),
    _Table(
        "events",
        (
            "block_number big, log_index big, tx_hash bytes, contract text, name "
            "text, arguments text"
        ),
        "block_number log_index",
    ),
    _Table(
        "halts",
        ("block_number big, log_index big, vintage small, is_halted flag"),
        "block_number log_index",
    ),
    _Table(
        "ledger_cursor",
        (
            "id int, chain_id big, genesis_hash bytes, block_number big, block_hash "
            "bytes"
        ),
        "id",
    ),
    _Table(
        "login_challenges",
        ("text_hash bytes, address text, expires_at big"),
        "text_hash",
    ),
    _Table(
        "login_tokens", ("token_hash bytes, address text, expires_at big"), "token_hash"
    ),
    _Table(
        "oracle_members",
        (
            "block_number big, log_index big, part big, version big, threshold "
            "small, key text, organisation text, role small"
        ),
        "block_number log_index part",
    ),
    _Table(
        "paid_payouts",
        ("block_number big, log_index big, payout bytes, fen big, reference bytes"),
        "block_number log_index",
        ("payout",),
    ),
    _Table(
        "payouts",
        (
            "block_number big, log_index big, payout bytes, account text, fen big, "
            "destination bytes"
        ),
        "block_number log_index",
        ("payout",),
    ),
    _Table(
        "pending_instructions",
        (
            "digest bytes, kind text, document text, deadline big, created_at big, "
            "created_by text, status text, tx_hash bytes?, reason text?"
        ),
        "digest",
    ),
    _Table(
        "quota_movements",
        (
            "block_number big, log_index big, part big, account text, vintage "
            "small, delta_tonnes big"
        ),
        "block_number log_index part",
        ("account vintage delta_tonnes",),
    ),
    _Table(
        "quota_operations",
        (
            "block_number big, log_index big, operation text, account text, "
            "receiver text?, vintage small, tonnes big, reference bytes"
        ),
        "block_number log_index",
        ("account",),
    ),
    _Table(
        "reference_prices",
        ("block_number big, log_index big, vintage small, price_fen big"),
        "block_number log_index",
    ),
    _Table(
        "representatives",
        ("block_number big, log_index big, account text, key text, rights small"),
        "block_number log_index",
        ("account", "key"),
    ),
    _Table(
        "rules",
        (
            "block_number big, log_index big, name text, valid_from big, value "
            "decimal, article text, article_digest bytes"
        ),
        "block_number log_index",
    ),
    _Table(
        "statement_steps",
        (
            "block_number big, log_index big, statement bytes, status small, actor "
            "text?, opinion small?, digest bytes?"
        ),
        "block_number log_index",
        ("statement",),
    ),
    _Table(
        "statements",
        (
            "block_number big, log_index big, statement bytes, boundary bytes, "
            "period_start big, period_end big, purpose small, stream_id bytes, "
            "first_batch big, last_batch big, input_root bytes, rule_set_digest "
            "bytes, factor_set_digest bytes, boundary_digest bytes, grams big, "
            "result_digest bytes, supersedes bytes, signers big"
        ),
        "block_number log_index",
        ("boundary", "statement"),
    ),
    _Table(
        "streams",
        ("block_number big, log_index big, stream_id bytes, max_silence_s big"),
        "block_number log_index",
    ),
    _Table(
        "trades",
        (
            "block_number big, log_index big, trade_id bytes, seller text, buyer "
            "text, vintage small, tonnes big, price_fen big"
        ),
        "block_number log_index",
        ("buyer", "seller"),
    ),
    _Table(
        "pending_parties",
        ("digest bytes, account text"),
        "digest account",
        ("account",),
        parent="pending_instructions.digest",
    ),
    _Table(
        "pending_signatures",
        ("digest bytes, account text, role text, key text, signature bytes"),
        "digest account role",
        ("account",),
        parent="pending_instructions.digest",
    ),
)


def upgrade() -> None:
    """Make the tables."""
    for table in _TABLES:
        columns = [_column(words) for words in table.columns.split(", ")]
        key = table.key.split()
        constraints: list[sa.Constraint] = [sa.PrimaryKeyConstraint(*key)]
        if table.parent:
            constraints.append(sa.ForeignKeyConstraint([key[0]], [table.parent]))
        op.create_table(table.name, *columns, *constraints)
        for index in table.indexes:
            name = f"ix_{table.name}_{'_'.join(index.split())}"
            op.create_index(name, table.name, index.split())


def downgrade() -> None:
    """Refuse: what is acknowledged is never dropped."""
    refuse_downgrade(revision)


def _column(words: str) -> sa.Column[Any]:
    name, kind = words.split()
    is_nullable = kind.endswith("?")
    made = _KINDS[kind.removesuffix("?")]
    return sa.Column(name, made, nullable=is_nullable, autoincrement=False)
