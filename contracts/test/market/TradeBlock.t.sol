// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {ICash} from "../../src/interfaces/ICash.sol";
import {IMarket} from "../../src/interfaces/IMarket.sol";
import {AccountStatus, INITIATE, Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract MarketTradeBlockTest is LedgerTest {
    IMarket.BlockTrade private trade;

    function setUp() public override {
        super.setUp();
        _fund();
        trade = _trade();
    }

    function _expectRefusal(bytes memory reason) private {
        bytes32 structHash = hasher.hash(trade);
        Signatures memory seller = _sign("alpha", address(market), structHash);
        Signatures memory buyer = _sign("beta", address(market), structHash);
        VM.expectRevert(reason);
        market.tradeBlock(trade, seller, buyer);
    }

    function test_delivers_against_payment() public {
        uint256 quotaBefore = IERC1155(address(quota)).balanceOf(alpha, VINTAGE);
        uint256 cashBefore = cash.balanceOf(beta);
        bytes32 tradeId = _digest(address(market), hasher.hash(trade));
        Signatures memory seller = _sign("alpha", address(market), hasher.hash(trade));
        Signatures memory buyer = _sign("beta", address(market), hasher.hash(trade));
        VM.expectEmit();
        emit IMarket.BlockTraded(alpha, beta, VINTAGE, BLOCK, PRICE, tradeId);
        market.tradeBlock(trade, seller, buyer);

        assertEq(IERC1155(address(quota)).balanceOf(alpha, VINTAGE), quotaBefore - BLOCK);
        assertEq(IERC1155(address(quota)).balanceOf(beta, VINTAGE), 2 * BLOCK);
        assertEq(cash.balanceOf(beta), cashBefore - BLOCK * PRICE);
        assertEq(cash.balanceOf(alpha), 1_000_000 + BLOCK * PRICE);
    }

    function test_refuses_a_replay() public {
        _tradeBlock(trade);
        _expectRefusal(abi.encodeWithSelector(IAccounts.AccountsNonceMismatch.selector, alpha, 0, 1));
    }

    function test_refuses_a_self_trade() public {
        trade.buyer = alpha;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketSelfTrade.selector, alpha));
    }

    function test_refuses_a_block_one_tonne_too_small() public {
        trade.tonnes = BLOCK - 1;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketBlockTooSmall.selector, BLOCK - 1, BLOCK));
    }

    function test_takes_prices_at_both_ends_of_the_band() public {
        trade.priceFen = 5600;
        _tradeBlock(trade);
        trade = _trade();
        trade.priceFen = 10_400;
        _tradeBlock(trade);

        assertEq(_nonce(alpha), 2);
    }

    function test_refuses_prices_one_fen_outside_the_band() public {
        trade.priceFen = 5599;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketPriceOutsideBand.selector, 5599, 5600, 10_400));
        trade.priceFen = 10_401;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketPriceOutsideBand.selector, 10_401, 5600, 10_400));
    }

    function test_rounds_the_band_inward() public {
        market.setReferencePrice(VINTAGE, 8001);
        trade.priceFen = 1;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketPriceOutsideBand.selector, 1, 5601, 10_401));
    }

    function test_refuses_a_vintage_without_reference_price() public {
        trade.vintage = 2025;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketNoReferencePrice.selector, 2025));
    }

    function test_refuses_before_the_session() public {
        VM.warp(NOW - 3601);
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketSessionClosed.selector, 46_799, 46_800, 54_000));
    }

    function test_opens_and_closes_to_the_second() public {
        VM.warp(NOW - 3600);
        _tradeBlock(trade);
        VM.warp(NOW + 3599);
        trade = _trade();
        _tradeBlock(trade);
        VM.warp(NOW + 3600);
        trade = _trade();
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketSessionClosed.selector, 54_000, 46_800, 54_000));
    }

    function test_refuses_on_a_day_that_is_no_working_day() public {
        rulebook.setWorkingDays(2024, [uint256(0), 0]);
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketNotWorkingDay.selector, NOW));
    }

    function test_follows_the_rulebook_from_the_date_of_a_change() public {
        rulebook.set("block.min_tonnes", NOW + 60, 2 * int256(uint256(BLOCK)), "Art. 17", "digest");
        _tradeBlock(trade);
        VM.warp(NOW + 60);
        trade = _trade();
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketBlockTooSmall.selector, BLOCK, 2 * BLOCK));
    }

    function test_refuses_while_the_vintage_is_halted() public {
        market.halt(VINTAGE, true);
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketHalted.selector, VINTAGE));
    }

    function test_refuses_while_the_market_is_halted() public {
        market.halt(0, true);
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketHalted.selector, 0));
        market.halt(0, false);
        _tradeBlock(trade);
    }

    function test_refuses_an_amount_beyond_128_bits() public {
        trade.tonnes = type(uint128).max;
        uint256 amount = uint256(type(uint128).max) * PRICE;
        _expectRefusal(abi.encodeWithSelector(IMarket.MarketAmountTooLarge.selector, amount));
    }

    function test_refuses_more_quota_than_the_seller_holds() public {
        trade.tonnes = 5 * BLOCK;
        _expectRefusal(
            abi.encodeWithSelector(
                IERC1155Errors.ERC1155InsufficientBalance.selector, alpha, 4 * BLOCK, 5 * BLOCK, VINTAGE
            )
        );
    }

    function test_refuses_more_cash_than_the_buyer_holds_and_leaves_the_quota() public {
        (trade.tonnes, trade.priceFen) = (4 * BLOCK, 10_400);
        market.setReferencePrice(VINTAGE, 40_000);
        trade.priceFen = 40_000;
        _expectRefusal(
            abi.encodeWithSelector(
                ICash.CashInsufficient.selector, beta, 10 * BLOCK * PRICE, 4 * uint256(BLOCK) * 40_000
            )
        );
        assertEq(IERC1155(address(quota)).balanceOf(alpha, VINTAGE), 4 * BLOCK);
    }

    function test_refuses_a_side_that_did_not_sign() public {
        bytes32 structHash = hasher.hash(trade);
        Signatures memory seller = _sign("alpha", address(market), structHash);
        address key = VM.addr(_key("alpha", " initiator"));
        VM.expectRevert(abi.encodeWithSelector(IAccounts.AccountsRightMissing.selector, beta, key, 0, INITIATE));
        market.tradeBlock(trade, seller, seller);
    }

    function test_refuses_a_side_that_is_no_enterprise() public {
        trade.buyer = bank;
        trade.buyerNonce = _nonce(bank);
        _expectRefusal(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, bank, Kind.Bank, Kind.Enterprise)
        );
    }

    function test_refuses_a_suspended_seller() public {
        accounts.setStatus(alpha, AccountStatus.Suspended, "reason");
        _expectRefusal(
            abi.encodeWithSelector(
                IAccounts.AccountsStatusMismatch.selector, alpha, AccountStatus.Suspended, AccountStatus.Open
            )
        );
    }

    function test_refuses_after_the_deadline() public {
        trade.deadline = NOW - 1;
        _expectRefusal(abi.encodeWithSelector(IAccounts.AccountsDeadlinePassed.selector, NOW - 1, NOW));
    }

    /// @dev Whatever two parties agree on, a price outside the exact band does not pass, one inside does.
    function testFuzz_the_band_is_exact(uint64 referenceFen, uint128 priceFen, uint16 bandBps) public {
        uint256 middle = bound(referenceFen, 1, 1e9);
        uint256 band = bound(bandBps, 0, 10_000);
        uint256 price = bound(priceFen, 0, 3 * middle);
        rulebook.set("block.band_bps", NOW, int256(band), "Art. 18", "digest");
        market.setReferencePrice(VINTAGE, uint128(middle));
        trade.priceFen = uint128(price);
        uint256 distance = price > middle ? price - middle : middle - price;
        bool passes = distance * 10_000 <= middle * band && BLOCK * price <= 10 * BLOCK * PRICE;
        bytes32 structHash = hasher.hash(trade);
        Signatures memory seller = _sign("alpha", address(market), structHash);
        Signatures memory buyer = _sign("beta", address(market), structHash);
        if (!passes) VM.expectRevert();
        market.tradeBlock(trade, seller, buyer);
    }
}
