"""Statements and certificates as the chain has them."""

from typing import Any

from sqlalchemy import Connection, case, func, select

from contracts.enumerations import StatementStatus
from node.errors import InvalidReferenceError
from node.store.facts import (
    Boundary,
    Certificate,
    CertificateRevocation,
    DeclaredValue,
    QuotaOperation,
    Statement,
    StatementStep,
)
from node.store.read import Page, Query, newest_first, newest_value, rows

__all__ = [
    "declared_values",
    "list_certificates",
    "list_statements",
    "one_certificate",
    "one_statement",
]


def list_statements(
    connection: Connection, scope: frozenset[str] | None, cursor: str | None, limit: int
) -> Page:
    """List statements, the newest first.

    Args:
        connection: The transaction.
        scope: Accounts whose statements are listed, None for all.
        cursor: Where the page begins.
        limit: Most rows.

    Returns:
        Every statement with account and status.
    """
    query = _statements()
    if scope is not None:
        query = query.where(Boundary.account.in_(scope))
    return newest_first(connection, query, Statement, cursor, limit)


def one_statement(connection: Connection, statement: bytes) -> dict[str, Any]:
    """Describe one statement with its steps and what was surrendered against it.

    Args:
        connection: The transaction.
        statement: Its id, 32 bytes.

    Returns:
        As ``list_statements``, and ``steps`` and ``surrendered_tonnes``.

    Raises:
        InvalidReferenceError: If it is not recorded.
    """
    query = _statements().where(Statement.statement == statement)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise InvalidReferenceError(f"Statement 0x{statement.hex()} is not recorded.")
    steps = (
        select(StatementStep.__table__)
        .where(StatementStep.statement == statement)
        .order_by(StatementStep.block_number, StatementStep.log_index)
    )
    surrendered = select(func.coalesce(func.sum(QuotaOperation.tonnes), 0)).where(
        QuotaOperation.operation == "surrender", QuotaOperation.reference == statement
    )
    return {
        **found,
        "steps": rows(connection, steps),
        "surrendered_tonnes": int(connection.execute(surrendered).scalar_one()),
    }


def list_certificates(connection: Connection, cursor: str | None, limit: int) -> Page:
    """List certificates, the newest first, with whether they were revoked."""
    return newest_first(connection, _certificates(), Certificate, cursor, limit)


def one_certificate(connection: Connection, token_id: int) -> dict[str, Any]:
    """Describe one certificate.

    Args:
        connection: The transaction.
        token_id: Its number.

    Returns:
        The certificate with the period of its statement.

    Raises:
        InvalidReferenceError: If it was never issued.
    """
    query = _certificates().where(Certificate.token_id == token_id)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise InvalidReferenceError(f"Certificate {token_id} was never issued.")
    return dict(found)


def declared_values(
    connection: Connection, scope: frozenset[str] | None, cursor: str | None, limit: int
) -> Page:
    """List declared values added, the newest first."""
    query = select(DeclaredValue.__table__)
    if scope is not None:
        query = query.where(DeclaredValue.account.in_(scope))
    return newest_first(connection, query, DeclaredValue, cursor, limit)


def _statements() -> Query:
    step = newest_value(
        StatementStep.status, StatementStep.statement == Statement.statement
    )
    status = func.coalesce(step, StatementStatus.RECORDED).label("status")
    return select(Statement.__table__, Boundary.account, status).join(
        Boundary, Boundary.boundary == Statement.boundary
    )


def _certificates() -> Query:
    revocation = CertificateRevocation
    revoked = case((revocation.token_id.is_(None), False), else_=True)
    return (
        select(
            Certificate.__table__,
            Statement.boundary,
            Statement.period_start,
            Statement.period_end,
            revoked.label("is_revoked"),
        )
        .join(Statement, Statement.statement == Certificate.statement)
        .outerjoin(
            CertificateRevocation,
            CertificateRevocation.token_id == Certificate.token_id,
        )
    )
