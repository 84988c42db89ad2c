// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "./Types.sol";

/// @title The market: block trades, delivery against payment
/// @notice A block trade is one agreement that two representatives of each side signed. Both legs settle in one
/// transaction or not at all. Every refusal names its rule with the value given and the value needed.
interface IMarket {
    /// @notice Thrown when buyer and seller are one account (rule: no self-trade).
    /// @param account The account.
    error MarketSelfTrade(address account);

    /// @notice Thrown when a block is too small (rule block.min_tonnes).
    /// @param given Quantity (t).
    /// @param needed Least quantity (t).
    error MarketBlockTooSmall(uint128 given, uint128 needed);

    /// @notice Thrown when a price is too far from the reference price (rule block.band_bps).
    /// @param given Price (fen/t).
    /// @param low Least price (fen/t).
    /// @param high Greatest price (fen/t).
    error MarketPriceOutsideBand(uint128 given, uint128 low, uint128 high);

    /// @notice Thrown when a vintage has no reference price.
    /// @param vintage Vintage year.
    error MarketNoReferencePrice(uint16 vintage);

    /// @notice Thrown when a vintage is not a year of 2000 … 2199.
    /// @param given Vintage of the call.
    error MarketVintageInvalid(uint16 given);

    /// @notice Thrown when a reference price is zero or too large.
    /// @param given Price (fen/t).
    /// @param needed Greatest price (fen/t); the least is 1.
    error MarketReferencePriceInvalid(uint128 given, uint128 needed);

    /// @notice Thrown outside the session (rules block.open_s, block.close_s).
    /// @param given Time of the local day (s).
    /// @param open Start of the session (s).
    /// @param close End of the session, not included (s).
    error MarketSessionClosed(uint24 given, uint24 open, uint24 close);

    /// @notice Thrown on a day that is no working day (calendar of the rulebook).
    /// @param time Time of the block (unix s).
    error MarketNotWorkingDay(uint64 time);

    /// @notice Thrown while the market or a vintage is halted (rule: the regulator halts).
    /// @param vintage Vintage year; 0 where the whole market is halted.
    error MarketHalted(uint16 vintage);

    /// @notice Thrown when the amount of a trade does not fit its 128 bits.
    /// @param given Amount (fen).
    error MarketAmountTooLarge(uint256 given);

    /// @notice Emitted when a block trade is settled.
    /// @param seller Seller's account.
    /// @param buyer Buyer's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param priceFen Price (fen/t).
    /// @param tradeId EIP-712 digest of the agreement.
    event BlockTraded(
        address indexed seller,
        address indexed buyer,
        uint16 indexed vintage,
        uint128 tonnes,
        uint128 priceFen,
        bytes32 tradeId
    );

    /// @notice Emitted when a reference price is set.
    /// @param vintage Vintage year.
    /// @param fen Price (fen/t).
    event ReferencePriceSet(uint16 indexed vintage, uint128 fen);

    /// @notice Emitted when a vintage, or the whole market (0), is halted or runs again.
    /// @param vintage Vintage year; 0 for all.
    /// @param halted Whether it is halted from now on.
    event Halted(uint16 indexed vintage, bool halted);

    /// @notice Agreement of two enterprises, signed by two representatives of each.
    /// @param seller Seller's account.
    /// @param buyer Buyer's account.
    /// @param vintage Vintage year.
    /// @param tonnes Quantity (t).
    /// @param priceFen Price (fen/t).
    /// @param sellerNonce Next nonce of the seller's account.
    /// @param buyerNonce Next nonce of the buyer's account.
    /// @param deadline Last second at which the agreement is valid (unix s).
    struct BlockTrade {
        address seller;
        address buyer;
        uint16 vintage;
        uint128 tonnes;
        uint128 priceFen;
        uint64 sellerNonce;
        uint64 buyerNonce;
        uint64 deadline;
    }

    /// @notice Settles a block trade. Anyone may carry it.
    /// @param trade The agreement.
    /// @param sellerSignatures Signatures of the seller's representatives.
    /// @param buyerSignatures Signatures of the buyer's representatives.
    function tradeBlock(
        BlockTrade calldata trade,
        Signatures calldata sellerSignatures,
        Signatures calldata buyerSignatures
    ) external;

    /// @notice Sets the reference price of a vintage, the middle of its price band.
    /// @param vintage Vintage year.
    /// @param fen Price (fen/t).
    function setReferencePrice(uint16 vintage, uint128 fen) external;

    /// @notice Halts a vintage or the whole market, or lets it run again.
    /// @param vintage Vintage year; 0 for all.
    /// @param halted Whether it is halted from now on.
    function halt(uint16 vintage, bool halted) external;

    /// @notice Reference price of a vintage (fen/t); 0 where none is set.
    /// @param vintage Vintage year.
    function referencePrice(uint16 vintage) external view returns (uint128);

    /// @notice Whether a vintage, or with 0 the whole market, is halted.
    /// @param vintage Vintage year; 0 for the whole market.
    function isHalted(uint16 vintage) external view returns (bool);
}
