// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {InstructionTaker} from "./InstructionTaker.sol";
import {IAccounts} from "./interfaces/IAccounts.sol";
import {ICash} from "./interfaces/ICash.sol";
import {IMarket} from "./interfaces/IMarket.sol";
import {IQuota} from "./interfaces/IQuota.sol";
import {IRulebook} from "./interfaces/IRulebook.sol";
import {Signatures} from "./interfaces/Types.sol";
import {Calendar} from "./libraries/Calendar.sol";
import {SettlementHash} from "./libraries/SettlementHash.sol";

/// @title Market
contract Market is IMarket, AccessManaged, InstructionTaker {
    /// @dev One slot, all that a trade reads here; `marketHalted` is the same in every vintage.
    struct Vintage {
        uint112 referencePrice;
        bool halted;
        bool marketHalted;
    }

    /// @dev First vintage that may have a price.
    uint16 private constant FIRST_VINTAGE = 2000;

    /// @dev Last vintage that may have a price.
    uint16 private constant LAST_VINTAGE = 2199;

    /// @dev The whole, in 1/10,000.
    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice Rules of the market.
    IRulebook public immutable RULEBOOK;

    /// @notice Quota that is delivered.
    IQuota public immutable QUOTA;

    /// @notice Cash that is paid.
    ICash public immutable CASH;

    bool private _halted;
    uint16[] private _priced;
    mapping(uint16 vintage => Vintage state) private _vintages;

    constructor(address authority, IAccounts accounts, IRulebook rulebook, IQuota quota, ICash cash)
        AccessManaged(authority)
        InstructionTaker(accounts)
    {
        RULEBOOK = rulebook;
        QUOTA = quota;
        CASH = cash;
    }

    /* BLOCK TRADE */

    /// @inheritdoc IMarket
    function tradeBlock(
        BlockTrade calldata trade,
        Signatures calldata sellerSignatures,
        Signatures calldata buyerSignatures
    ) external {
        if (trade.seller == trade.buyer) revert MarketSelfTrade(trade.seller);
        _requireRules(trade);
        uint256 amount = uint256(trade.tonnes) * trade.priceFen;
        if (amount > type(uint128).max) revert MarketAmountTooLarge(amount);
        // The agreement is static and the first argument: its words stand right behind the selector.
        bytes32 tradeId = _hashTypedDataV4(
            SettlementHash.hashTradeWords(msg.data[4:4 + SettlementHash.BLOCK_TRADE_BYTES])
        );

        emit BlockTraded(trade.seller, trade.buyer, trade.vintage, trade.tonnes, trade.priceFen, tradeId);

        ACCOUNTS.authorisePair(
            trade.seller,
            trade.sellerNonce,
            trade.buyer,
            trade.buyerNonce,
            trade.deadline,
            tradeId,
            sellerSignatures,
            buyerSignatures
        );
        QUOTA.settle(trade.seller, trade.buyer, trade.vintage, trade.tonnes);
        CASH.settle(trade.buyer, trade.seller, uint128(amount));
    }

    function _requireRules(BlockTrade calldata trade) private view {
        uint64 time = uint64(block.timestamp);
        IRulebook.BlockRules memory rules = RULEBOOK.blockRules(time);
        uint24 second = Calendar.secondOfDay(time);
        if (!rules.workingDay) revert MarketNotWorkingDay(time);
        if (second < rules.openS || second >= rules.closeS) {
            revert MarketSessionClosed(second, rules.openS, rules.closeS);
        }
        if (trade.tonnes < rules.minTonnes) revert MarketBlockTooSmall(trade.tonnes, rules.minTonnes);
        _requirePrice(trade.vintage, trade.priceFen, rules.bandBps);
    }

    /// @dev The band is rounded inward: no price outside the exact band passes.
    function _requirePrice(uint16 vintage, uint128 priceFen, uint256 bandBps) private view {
        Vintage memory state = _vintages[vintage];
        if (state.marketHalted) revert MarketHalted(0);
        if (state.halted) revert MarketHalted(vintage);
        if (state.referencePrice == 0) revert MarketNoReferencePrice(vintage);
        uint256 middle = state.referencePrice;
        uint128 low = uint128((middle * (WHOLE_BPS - bandBps) + WHOLE_BPS - 1) / WHOLE_BPS);
        uint128 high = uint128(middle * (WHOLE_BPS + bandBps) / WHOLE_BPS);
        if (priceFen < low || priceFen > high) revert MarketPriceOutsideBand(priceFen, low, high);
    }

    /* SUPERVISION */

    /// @inheritdoc IMarket
    function setReferencePrice(uint16 vintage, uint128 fen) external restricted {
        if (vintage < FIRST_VINTAGE || vintage > LAST_VINTAGE) revert MarketVintageInvalid(vintage);
        if (fen == 0 || fen > type(uint112).max) revert MarketReferencePriceInvalid(fen, type(uint112).max);

        Vintage storage state = _vintages[vintage];
        if (state.referencePrice == 0) {
            _priced.push(vintage);
            state.marketHalted = _halted;
        }
        state.referencePrice = uint112(fen);

        emit ReferencePriceSet(vintage, fen);
    }

    /// @inheritdoc IMarket
    function halt(uint16 vintage, bool halted) external restricted {
        if (vintage == 0) _haltAll(halted);
        else _vintages[vintage].halted = halted;

        emit Halted(vintage, halted);
    }

    /// @dev At most one vintage for each year that may have a price.
    function _haltAll(bool halted) private {
        _halted = halted;
        for (uint256 i = 0; i < _priced.length; ++i) {
            _vintages[_priced[i]].marketHalted = halted;
        }
    }

    /* VIEWS */

    /// @inheritdoc IMarket
    function referencePrice(uint16 vintage) external view returns (uint128) {
        return _vintages[vintage].referencePrice;
    }

    /// @inheritdoc IMarket
    function isHalted(uint16 vintage) external view returns (bool) {
        return vintage == 0 ? _halted : _vintages[vintage].halted;
    }
}
