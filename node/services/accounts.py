"""Accounts as the chain has them: name, kind, status, representatives, number."""

from typing import Any

from sqlalchemy import Connection, func, select

from contracts.enumerations import AccountStatus, Rights
from node.errors import InvalidReferenceError
from node.store.facts import (
    Account,
    AccountStatusChange,
    AuthorisedInstruction,
    RepresentativeChange,
)
from node.store.read import Page, Row, latest, newest_first, newest_value, rows

__all__ = ["account_names", "authorised", "list_accounts", "one_account"]


def list_accounts(connection: Connection, scope: frozenset[str] | None) -> list[Row]:
    """List accounts in the order they were opened.

    Args:
        connection: The transaction.
        scope: Accounts to list, None for all.

    Returns:
        One mapping an account: account, name, kind, status, nonce.
    """
    change, instruction = AccountStatusChange, AuthorisedInstruction
    status = newest_value(change.status, change.account == Account.account)
    last = newest_value(instruction.nonce, instruction.account == Account.account)
    query = select(
        Account.account,
        Account.name,
        Account.kind,
        func.coalesce(status, AccountStatus.OPEN).label("status"),
        (func.coalesce(last, -1) + 1).label("nonce"),
    ).order_by(Account.block_number, Account.log_index)
    if scope is not None:
        query = query.where(Account.account.in_(scope))
    return rows(connection, query)


def one_account(connection: Connection, account: str) -> dict[str, Any]:
    """Describe one account with its representatives.

    Args:
        connection: The transaction.
        account: Its id.

    Returns:
        As ``list_accounts``, and ``representatives`` with key and rights.

    Raises:
        InvalidReferenceError: If there is no such account.
    """
    found = list_accounts(connection, frozenset({account}))
    if not found:
        raise InvalidReferenceError(
            f"There is no account {account}; an account is the hash of its registered "
            "name, so check the name."
        )
    rights = latest(
        RepresentativeChange,
        RepresentativeChange.key,
        where=RepresentativeChange.account == account,
    )
    query = (
        select(rights.c.key, rights.c.rights)
        .where(rights.c.rights > Rights.NONE)
        .order_by(rights.c.key)
    )
    representatives = rows(connection, query)
    return {**found[0], "representatives": representatives}


def account_names(connection: Connection) -> dict[str, str]:
    """Give every account's registered name, by id."""
    query = select(Account.account, Account.name)
    return {row.account: row.name for row in connection.execute(query)}


def authorised(
    connection: Connection, account: str, cursor: str | None, limit: int
) -> Page:
    """List the instructions the chain accepted for an account, newest first."""
    table = AuthorisedInstruction
    query = select(
        table.block_number,
        table.log_index,
        table.nonce,
        table.digest,
        table.initiator,
        table.approver,
    ).where(table.account == account)
    return newest_first(connection, query, table, cursor, limit)
