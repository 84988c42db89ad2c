// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract MarketSetReferencePriceTest is LedgerTest {
    function test_sets_the_price() public {
        VM.expectEmit();
        emit IMarket.ReferencePriceSet(2025, 9000);
        market.setReferencePrice(2025, 9000);

        assertEq(market.referencePrice(2025), 9000);
    }

    function test_a_vintage_that_gets_its_price_while_the_market_is_halted_is_halted() public {
        market.halt(0, true);
        market.setReferencePrice(2025, PRICE);
        _issue(2025, BLOCK);
        _allocate(alpha, 2025, BLOCK);
        IMarket.BlockTrade memory trade = _trade();
        trade.vintage = 2025;
        bytes32 structHash = hasher.hash(trade);
        Signatures memory seller = _sign("alpha", address(market), structHash);
        Signatures memory buyer = _sign("beta", address(market), structHash);
        VM.expectRevert(abi.encodeWithSelector(IMarket.MarketHalted.selector, 0));
        market.tradeBlock(trade, seller, buyer);
    }

    function test_refuses_the_price_zero() public {
        VM.expectRevert(
            abi.encodeWithSelector(IMarket.MarketReferencePriceInvalid.selector, 0, type(uint112).max)
        );
        market.setReferencePrice(VINTAGE, 0);
    }

    function test_refuses_a_price_beyond_112_bits() public {
        uint128 price = uint128(type(uint112).max) + 1;
        VM.expectRevert(
            abi.encodeWithSelector(IMarket.MarketReferencePriceInvalid.selector, price, type(uint112).max)
        );
        market.setReferencePrice(VINTAGE, price);
    }

    function test_refuses_vintages_outside_the_calendar() public {
        VM.expectRevert(abi.encodeWithSelector(IMarket.MarketVintageInvalid.selector, 0));
        market.setReferencePrice(0, 1);
        VM.expectRevert(abi.encodeWithSelector(IMarket.MarketVintageInvalid.selector, 2200));
        market.setReferencePrice(2200, 1);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        market.setReferencePrice(VINTAGE, 1);
    }
}
