"""Tables of the node's own desk: where its index stands, and what waits for people.

Nothing here comes from the chain; a reindex leaves everything but the cursor alone.
Secrets are kept as SHA-256 only.
"""

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from node.store.schema import Base

__all__ = [
    "Cursor",
    "LoginChallenge",
    "LoginToken",
    "PendingInstruction",
    "PendingParty",
    "PendingSignature",
]


class Cursor(Base):
    """The block up to which the ledger's tables are complete; one row."""

    __tablename__ = "ledger_cursor"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chain_id: Mapped[int]
    genesis_hash: Mapped[bytes]
    block_number: Mapped[int]
    block_hash: Mapped[bytes]


class PendingInstruction(Base):
    """An instruction handed to the node, until it is done or expired."""

    __tablename__ = "pending_instructions"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    document: Mapped[str]
    """The instruction's file without its signatures."""
    deadline: Mapped[int]
    created_at: Mapped[int]
    created_by: Mapped[str]
    status: Mapped[str]
    """``pending``, ``sending``, ``sent`` or ``refused``."""
    tx_hash: Mapped[bytes | None]
    reason: Mapped[str | None]


class PendingSignature(Base):
    """A signature under a pending instruction."""

    __tablename__ = "pending_signatures"
    digest: Mapped[bytes] = mapped_column(
        ForeignKey("pending_instructions.digest"), primary_key=True
    )
    account: Mapped[str] = mapped_column(primary_key=True, index=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    signature: Mapped[bytes]


class PendingParty(Base):
    """An account that must sign a pending instruction."""

    __tablename__ = "pending_parties"
    digest: Mapped[bytes] = mapped_column(
        ForeignKey("pending_instructions.digest"), primary_key=True
    )
    account: Mapped[str] = mapped_column(primary_key=True, index=True)


class LoginChallenge(Base):
    """A challenge that was given out and not answered, by the hash of its text."""

    __tablename__ = "login_challenges"
    text_hash: Mapped[bytes] = mapped_column(primary_key=True)
    address: Mapped[str]
    expires_at: Mapped[int]


class LoginToken(Base):
    """A bearer token in force."""

    __tablename__ = "login_tokens"
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    address: Mapped[str]
    expires_at: Mapped[int]
