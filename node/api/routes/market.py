"""Quota, cash and trades."""

from typing import Any

from fastapi import APIRouter

from node.api.access import Known, Paging, Transaction
from node.api.market_models import (
    CashModel,
    HoldingModel,
    PayoutModel,
    PriceModel,
    QuotaOperationModel,
    SupplyModel,
    TradeModel,
)
from node.api.models import PageModel
from node.services import market

router = APIRouter(tags=["quota"])
trades_router = APIRouter(tags=["trades"])


@router.get("/quota/balances", response_model=list[HoldingModel])
def get_holdings(connection: Transaction, caller: Known) -> Any:
    """List holdings by account and vintage."""
    return market.quota_balances(connection, caller.scope)


@router.get("/quota/supply", response_model=list[SupplyModel])
def get_supply(connection: Transaction, caller: Known) -> Any:
    """Say where the quota of every vintage is."""
    del caller
    return market.quota_supply(connection)


@router.get("/quota/operations", response_model=PageModel[QuotaOperationModel])
def get_operations(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List issues, allocations, surrenders and cancellations."""
    return market.quota_operations(connection, caller.scope, page.cursor, page.limit)


@trades_router.get("/trades", response_model=PageModel[TradeModel])
def get_trades(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List block trades."""
    return market.list_trades(connection, caller.scope, page.cursor, page.limit)


@trades_router.get("/trades/prices", response_model=list[PriceModel])
def get_prices(connection: Transaction, caller: Known) -> Any:
    """List reference prices and halts."""
    del caller
    return market.prices(connection)


@trades_router.get("/cash/balances", response_model=list[CashModel])
def get_cash(connection: Transaction, caller: Known) -> Any:
    """List balances of money."""
    return market.cash_balances(connection, caller.scope)


@trades_router.get("/cash/payouts", response_model=PageModel[PayoutModel])
def get_payouts(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List payouts."""
    return market.payouts(connection, caller.scope, page.cursor, page.limit)
