import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from contracts import errors, typed_data
from contracts.bindings.quota import Supply
from contracts.calls import UnsignedCall
from contracts.enumerations import Purpose
from contracts.events import BlockTraded, CashMoved, PayoutRequested, QuotaSurrendered
from contracts.rules import LOCAL
from contracts.structs import (
    AllocateQuota,
    BlockTrade,
    CancelQuota,
    CreditReceipt,
    IssueQuota,
    PayoutReceipt,
    PayoutRequest,
    SurrenderQuota,
)

PAPER = b"\x06" * 32
VINTAGE = 2021
TRADE = 100_000


class TestQuota:
    def test_is_issued_and_allocated(self, park: Any):
        quota, before = park.ledger.quota, park.ledger.quota.supply_of(2018)
        park.give_quota("Glass", 2018, 500)
        assert quota.balance_of(park.account("Glass"), 2018) == 500
        after = quota.supply_of(2018)
        assert after == replace(
            before, issued=before.issued + 500, held=before.held + 500
        )

    def test_is_issued_by_the_regulator_alone(self, park: Any):
        order = park.order("Glass", IssueQuota, 2018, 1, PAPER)
        with pytest.raises(errors.AccountsKindMismatchError, match="kind regulator"):
            park.send(park.ledger.quota.issue(*order))

    def test_needs_a_vintage_of_this_time(self, park: Any):
        order = park.order("Regulator", IssueQuota, 1999, 1, PAPER)
        with pytest.raises(errors.QuotaVintageInvalidError, match="got 1999"):
            park.send(park.ledger.quota.issue(*order))

    def test_is_allocated_to_enterprises_alone(self, park: Any):
        order = park.order(
            "Regulator", AllocateQuota, park.account("Bank"), 2018, 1, PAPER
        )
        with pytest.raises(errors.QuotaReceiverInvalidError, match="open enterprise"):
            park.send(park.ledger.quota.allocate(*order))

    def test_is_allocated_from_what_was_issued(self, park: Any):
        order = park.order(
            "Regulator", AllocateQuota, park.account("Glass"), 2017, 1, PAPER
        )
        with pytest.raises(errors.ERC1155InsufficientBalanceError, match="holds 0 t"):
            park.send(park.ledger.quota.allocate(*order))

    def test_is_cancelled_by_its_holder(self, park: Any):
        park.give_quota("Glass", 2016, 10)
        order = park.order("Glass", CancelQuota, 2016, 4, PAPER)
        park.send(park.ledger.quota.cancel(*order))
        assert park.ledger.quota.supply_of(2016) == Supply(10, 6, 0, 4)

    def test_is_not_cancelled_by_the_tonne_of_zero(self, park: Any):
        order = park.order("Glass", CancelQuota, 2018, 0, PAPER)
        with pytest.raises(errors.QuotaAmountZeroError, match="at least 1 t"):
            park.send(park.ledger.quota.cancel(*order))

    def test_is_settled_by_the_market_alone(self, park: Any):
        call = park.ledger.quota.set_market(park.account("Glass"))
        with pytest.raises(errors.AccessManagedUnauthorizedError, match="no right"):
            park.govern("Bank", call)


@pytest.fixture(scope="module")
def statement(park: Any) -> bytes:
    """3.2 t, so 4 t are due."""
    park.give_quota("Chemicals", VINTAGE, 50)
    found: bytes = park.confirmed("Chemicals", Purpose.ETS_DIRECT, 3_200_000)
    return found


class TestSurrender:
    def surrender(self, park: Any, name: str, statement: bytes, tonnes: int) -> Any:
        order = park.order(name, SurrenderQuota, statement, VINTAGE, tonnes)
        return park.send(park.ledger.quota.surrender(*order))

    def test_meets_the_obligation(self, park: Any, statement: bytes):
        quota = park.ledger.quota
        assert quota.obligation_of(statement) == 4
        receipt = self.surrender(park, "Chemicals", statement, 3)
        assert quota.surrendered_for(statement) == 3
        event = next(e for e in park.events(receipt) if isinstance(e, QuotaSurrendered))
        assert (event.tonnes, event.vintage) == (3, VINTAGE)

    def test_ends_at_what_is_due(self, park: Any, statement: bytes):
        with pytest.raises(errors.QuotaBeyondObligationError, match="due are 4 t"):
            self.surrender(park, "Chemicals", statement, 5)

    def test_is_the_owner_s_to_do(self, park: Any, statement: bytes):
        with pytest.raises(errors.QuotaNotOwnerError, match="its owner"):
            self.surrender(park, "Glass", statement, 1)

    def test_needs_a_confirmed_statement(self, park: Any):
        with pytest.raises(errors.QuotaStatementNotConfirmedError, match="confirmed"):
            self.surrender(park, "Chemicals", b"\x01" * 32, 1)

    def test_needs_a_statement_that_obliges(self, park: Any):
        other = park.confirmed("Chemicals", Purpose.TOTAL_WITH_INDIRECT, 5_000_000)
        with pytest.raises(errors.QuotaPurposeMismatchError, match="has purpose 2"):
            self.surrender(park, "Chemicals", other, 1)


class TestCash:
    def test_is_credited_by_the_bank(self, park: Any):
        before = park.ledger.cash.totals()
        balance = park.ledger.cash.balance_of(park.account("Glass"))
        park.give_cash("Glass", 500)
        assert park.ledger.cash.balance_of(park.account("Glass")) == balance + 500
        assert park.ledger.cash.totals().credited == before.credited + 500

    def test_is_not_credited_by_others(self, park: Any):
        order = park.order(
            "Glass", CreditReceipt, park.account("Glass"), 5, b"\x21" * 32
        )
        with pytest.raises(errors.AccountsKindMismatchError, match="kind bank"):
            park.send(park.ledger.cash.credit(*order))

    def test_is_credited_once_a_receipt(self, park: Any):
        arguments = (park.account("Glass"), 5, b"\x22" * 32)
        order = park.order("Bank", CreditReceipt, *arguments)
        park.send(park.ledger.cash.credit(*order))
        order = park.order("Bank", CreditReceipt, *arguments)
        with pytest.raises(errors.CashReferenceUsedError, match="used before"):
            park.send(park.ledger.cash.credit(*order))

    def test_is_not_credited_to_nobody(self, park: Any):
        order = park.order(
            "Bank", CreditReceipt, park.account("Nobody"), 5, b"\x23" * 32
        )
        with pytest.raises(errors.CashReceiverInvalidError, match="cannot receive"):
            park.send(park.ledger.cash.credit(*order))

    def test_is_paid_out_through_the_bank(self, park: Any):
        cash = park.ledger.cash
        park.give_cash("Glass", 300)
        order = park.order("Glass", PayoutRequest, 200, b"\x24" * 32)
        receipt = park.send(cash.request_payout(*order))
        event = next(e for e in park.events(receipt) if isinstance(e, PayoutRequested))
        assert cash.payout_of(event.payout).fen == 200
        order = park.order("Bank", PayoutReceipt, event.payout, b"\x25" * 32)
        park.send(cash.pay_out(*order))
        totals = cash.totals()
        assert (totals.paid_out, totals.pending) == (200, 0)

    def test_is_not_paid_out_beyond_the_balance(self, park: Any):
        order = park.order("Steel", PayoutRequest, 10**30, b"\x26" * 32)
        with pytest.raises(errors.CashInsufficientError, match="needed are"):
            park.send(park.ledger.cash.request_payout(*order))

    def test_is_not_paid_out_unasked(self, park: Any):
        order = park.order("Bank", PayoutReceipt, b"\x01" * 32, b"\x27" * 32)
        with pytest.raises(errors.CashPayoutUnknownError, match="not pending"):
            park.send(park.ledger.cash.pay_out(*order))

    def test_needs_an_amount(self, park: Any):
        order = park.order("Glass", PayoutRequest, 0, b"\x28" * 32)
        with pytest.raises(errors.CashAmountZeroError, match="at least 1 fen"):
            park.send(park.ledger.cash.request_payout(*order))

    def test_has_a_market_that_the_administrator_names(self, park: Any):
        call = park.ledger.cash.set_market(park.ledger.market.address)
        assert park.govern_later("Regulator", call).succeeded
        with pytest.raises(errors.AccessManagedUnauthorizedError, match="no right"):
            park.govern("Bank", call)


@pytest.fixture(scope="module")
def session(park: Any) -> None:
    """Seller with quota, buyer with cash, a reference price, and an open session."""
    park.give_quota("Steel", VINTAGE, 10 * TRADE)
    park.give_cash("Glass", 10 * TRADE * 5_000)
    market = park.ledger.market
    park.govern("Regulator", market.set_reference_price(VINTAGE, 5_000))
    move_to(park, 13, 30)


def move_to(park: Any, hour: int, minute: int) -> None:
    """Set the sandbox clock to the next Wednesday's local time."""
    now = dt.datetime.fromtimestamp(park.now(), LOCAL)
    day = now + dt.timedelta(days=(2 - now.weekday()) % 7 or 7)
    then = day.replace(hour=hour, minute=minute, second=0)
    park.engine.set_time(int(then.timestamp()))
    park.engine.mine()


@pytest.mark.usefixtures("session")
class TestBlockTrade:
    def trade(self, park: Any, **changed: Any) -> BlockTrade:
        trade = BlockTrade(
            park.account("Steel"),
            park.account("Glass"),
            VINTAGE,
            TRADE,
            5_500,
            park.nonce("Steel"),
            park.nonce("Glass"),
            park.deadline(),
        )
        return replace(trade, **changed)

    def call(self, park: Any, trade: BlockTrade) -> UnsignedCall:
        seller, buyer = park.sign("Steel", trade), park.sign("Glass", trade)
        call: UnsignedCall = park.ledger.market.trade_block(trade, seller, buyer)
        return call

    def test_delivers_against_payment(self, park: Any):
        quota, cash = park.ledger.quota, park.ledger.cash
        steel, glass = park.account("Steel"), park.account("Glass")
        before = (quota.balance_of(steel, VINTAGE), cash.balance_of(glass))
        trade = self.trade(park)
        receipt = park.send(self.call(park, trade))
        assert quota.balance_of(steel, VINTAGE) == before[0] - TRADE
        assert cash.balance_of(glass) == before[1] - TRADE * 5_500
        events = park.events(receipt)
        traded = next(e for e in events if isinstance(e, BlockTraded))
        assert traded.trade_id == typed_data.digest(trade, park.domain(trade))
        moved = next(e for e in events if isinstance(e, CashMoved))
        assert (moved.from_, moved.to, moved.fen) == (glass, steel, TRADE * 5_500)

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"tonnes": TRADE - 1}, errors.MarketBlockTooSmallError),
            ({"price_fen": 6_501}, errors.MarketPriceOutsideBandError),
            ({"price_fen": 3_499}, errors.MarketPriceOutsideBandError),
            ({"vintage": 2015}, errors.MarketNoReferencePriceError),
            (
                {"tonnes": 20 * TRADE, "price_fen": 3_500},
                errors.ERC1155InsufficientBalanceError,
            ),
            ({"seller_nonce": 999}, errors.AccountsNonceMismatchError),
            ({"deadline": 1}, errors.AccountsDeadlinePassedError),
        ],
    )
    def test_refuses_what_breaks_a_rule(
        self,
        park: Any,
        changed: dict[str, Any],
        error: type[Exception],
    ):
        call = self.call(park, self.trade(park, **changed))
        with pytest.raises(error, match=r"needs|expected|needed|price|expects|valid"):
            park.send(call)

    def test_takes_the_price_at_the_edge_of_the_band(self, park: Any):
        for price_fen in (3_500, 6_500):
            trade = self.trade(park, price_fen=price_fen)
            assert park.send(self.call(park, trade)).succeeded

    def test_refuses_a_trade_with_oneself(self, park: Any):
        trade = self.trade(park, buyer=park.account("Steel"))
        with pytest.raises(errors.MarketSelfTradeError, match="buyer and seller"):
            park.send(self.call(park, trade))

    def test_refuses_a_trade_beyond_the_buyer_s_cash(self, park: Any):
        park.give_quota("Chemicals", VINTAGE, TRADE)
        trade = self.trade(
            park,
            buyer=park.account("Chemicals"),
            buyer_nonce=park.nonce("Chemicals"),
        )
        seller, buyer = park.sign("Steel", trade), park.sign("Chemicals", trade)
        with pytest.raises(errors.CashInsufficientError, match="holds 0 fen"):
            park.send(park.ledger.market.trade_block(trade, seller, buyer))

    def test_needs_the_buyer_s_signatures(self, park: Any):
        trade = self.trade(park)
        seller = park.sign("Steel", trade)
        with pytest.raises(errors.AccountsRightMissingError, match="has rights"):
            park.send(park.ledger.market.trade_block(trade, seller, seller))

    def test_is_halted_by_the_regulator(self, park: Any):
        market = park.ledger.market
        for vintage in (0, VINTAGE):
            park.govern("Regulator", market.halt(vintage, True))
            with pytest.raises(errors.MarketHaltedError, match="is halted"):
                park.send(self.call(park, self.trade(park)))
            park.govern("Regulator", market.halt(vintage, False))
        assert park.send(self.call(park, self.trade(park))).succeeded

    def test_needs_a_reference_price_of_a_fen(self, park: Any):
        market = park.ledger.market
        assert market.reference_price(VINTAGE) == 5_000
        with pytest.raises(errors.MarketReferencePriceInvalidError, match="got 0"):
            park.govern("Regulator", market.set_reference_price(VINTAGE, 0))

    def test_waits_for_session_and_working_day(self, park: Any):
        move_to(park, 15, 0)
        with pytest.raises(errors.MarketSessionClosedError, match="from second 46800"):
            park.send(self.call(park, self.trade(park)))
        saturday = park.now() + 3 * 86_400 - 3_600
        park.engine.set_time(saturday)
        park.engine.mine()
        with pytest.raises(errors.MarketNotWorkingDayError, match="no working day"):
            park.send(self.call(park, self.trade(park)))
        move_to(park, 13, 30)
        assert park.send(self.call(park, self.trade(park))).succeeded
