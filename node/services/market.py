"""Quota, cash and trades as the chain has them. Tonnes are whole, money is fen."""

from sqlalchemy import Connection, func, or_, select

from node.store.facts import (
    CashMovement,
    Halt,
    PaidPayout,
    Payout,
    QuotaMovement,
    QuotaOperation,
    ReferencePrice,
    Trade,
)
from node.store.read import Page, Row, latest, newest_first, rows

__all__ = [
    "cash_balances",
    "list_trades",
    "payouts",
    "prices",
    "quota_balances",
    "quota_operations",
    "quota_supply",
]

Scope = frozenset[str] | None


def quota_balances(connection: Connection, scope: Scope) -> list[Row]:
    """Give every holding by account and vintage, in tonnes."""
    table = QuotaMovement
    tonnes = func.sum(table.delta_tonnes).label("tonnes")
    query = (
        select(table.account, table.vintage, tonnes)
        .group_by(table.account, table.vintage)
        .having(tonnes != 0)
        .order_by(table.account, table.vintage)
    )
    if scope is not None:
        query = query.where(table.account.in_(scope))
    return rows(connection, query)


def quota_supply(connection: Connection) -> list[Row]:
    """Give issued, held, surrendered and cancelled quota by vintage, in tonnes."""
    totals: dict[int, dict[str, int]] = {}
    operations = select(
        QuotaOperation.vintage,
        QuotaOperation.operation,
        func.sum(QuotaOperation.tonnes),
    ).group_by(QuotaOperation.vintage, QuotaOperation.operation)
    for vintage, operation, tonnes in connection.execute(operations):
        totals.setdefault(vintage, {})[operation] = int(tonnes)
    held = select(QuotaMovement.vintage, func.sum(QuotaMovement.delta_tonnes)).group_by(
        QuotaMovement.vintage
    )
    holdings = {vintage: int(tonnes) for vintage, tonnes in connection.execute(held)}
    return [
        {
            "vintage": vintage,
            "issued_tonnes": parts.get("issue", 0),
            "held_tonnes": holdings.get(vintage, 0),
            "surrendered_tonnes": parts.get("surrender", 0),
            "cancelled_tonnes": parts.get("cancel", 0),
        }
        for vintage, parts in sorted(totals.items())
    ]


def quota_operations(
    connection: Connection, scope: Scope, cursor: str | None, limit: int
) -> Page:
    """List issues, allocations, surrenders and cancellations, the newest first."""
    table = QuotaOperation
    query = select(table.__table__)
    if scope is not None:
        query = query.where(or_(table.account.in_(scope), table.receiver.in_(scope)))
    return newest_first(connection, query, table, cursor, limit)


def cash_balances(connection: Connection, scope: Scope) -> list[Row]:
    """Give every balance by account, in fen."""
    table = CashMovement
    fen = func.sum(table.delta_fen).label("fen")
    query = select(table.account, fen).group_by(table.account).order_by(table.account)
    if scope is not None:
        query = query.where(table.account.in_(scope))
    return rows(connection, query)


def payouts(
    connection: Connection, scope: Scope, cursor: str | None, limit: int
) -> Page:
    """List payouts, the newest first, with the bank's reference once they left."""
    query = select(
        Payout.__table__, PaidPayout.reference.label("bank_reference")
    ).outerjoin(PaidPayout, PaidPayout.payout == Payout.payout)
    if scope is not None:
        query = query.where(Payout.account.in_(scope))
    return newest_first(connection, query, Payout, cursor, limit)


def list_trades(
    connection: Connection, scope: Scope, cursor: str | None, limit: int
) -> Page:
    """List block trades, the newest first."""
    query = select(Trade.__table__)
    if scope is not None:
        query = query.where(or_(Trade.seller.in_(scope), Trade.buyer.in_(scope)))
    return newest_first(connection, query, Trade, cursor, limit)


def prices(connection: Connection) -> list[Row]:
    """Give reference price and halt of every vintage, in fen per tonne."""
    price = latest(ReferencePrice, ReferencePrice.vintage)
    halt = latest(Halt, Halt.vintage)
    whole = select(halt.c.is_halted).where(halt.c.vintage == 0).scalar_subquery()
    is_halted = func.coalesce(halt.c.is_halted, False) | func.coalesce(whole, False)
    query = (
        select(price.c.vintage, price.c.price_fen, is_halted.label("is_halted"))
        .outerjoin(halt, halt.c.vintage == price.c.vintage)
        .order_by(price.c.vintage)
    )
    return rows(connection, query)
