// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {ICash} from "../../src/interfaces/ICash.sol";
import {IMarket} from "../../src/interfaces/IMarket.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";

/// @dev Does at random what organisations do, keeps its own books beside, and tries what must be refused.
contract TradeHandler is LedgerTest {
    uint16[2] private vintages = [uint16(2023), uint16(2024)];
    string[2] private names = ["alpha", "beta"];
    bytes32 private statement;
    bytes32[] private payouts;
    uint256 private references;

    /// @notice What every account must hold by the handler's own books.
    mapping(address account => mapping(uint16 vintage => uint256 tonnes)) public quotaOf;
    mapping(address account => uint256 fen) public cashOf;

    /// @notice Number of forbidden acts that went through.
    uint256 public forbidden;

    /// @notice Number of acts that moved something.
    uint256 public acts;

    function setUp() public override {
        super.setUp();
        rulebook.set("block.min_tonnes", NOW, 1, "Art. 17", "digest");
        market.setReferencePrice(2023, PRICE);
        statement = _confirmed(1);
    }

    function _vintage(uint256 seed) private view returns (uint16) {
        return vintages[seed % 2];
    }

    function _name(uint256 seed) private view returns (string memory) {
        return names[seed % 2];
    }

    /* WHAT IS ALLOWED */

    function issue(uint256 seed, uint256 tonnes) public {
        uint16 vintage = _vintage(seed);
        tonnes = bound(tonnes, 1, 1e9);
        _issue(vintage, uint128(tonnes));
        quotaOf[regulator][vintage] += tonnes;
        ++acts;
    }

    function allocate(uint256 seed, uint256 to, uint256 tonnes) public {
        uint16 vintage = _vintage(seed);
        address receiver = _id(_name(to));
        uint256 holding = quotaOf[regulator][vintage];
        if (holding == 0) return;
        tonnes = bound(tonnes, 1, holding);
        _allocate(receiver, vintage, uint128(tonnes));
        quotaOf[regulator][vintage] -= tonnes;
        quotaOf[receiver][vintage] += tonnes;
        ++acts;
    }

    function cancel(uint256 seed, uint256 who, uint256 tonnes) public {
        uint16 vintage = _vintage(seed);
        address account = _id(_name(who));
        uint256 holding = quotaOf[account][vintage];
        if (holding == 0) return;
        tonnes = bound(tonnes, 1, holding);
        IQuota.CancelQuota memory i =
            IQuota.CancelQuota(account, vintage, uint128(tonnes), "reason", _nonce(account), DEADLINE);
        quota.cancel(i, _sign(_name(who), address(quota), hasher.hashCancel(i)));
        quotaOf[account][vintage] -= tonnes;
        ++acts;
    }

    function surrender(uint256 seed, uint256 tonnes) public {
        uint16 vintage = _vintage(seed);
        uint256 open = quota.obligationOf(statement) - quota.surrenderedFor(statement);
        uint256 greatest = quotaOf[alpha][vintage] < open ? quotaOf[alpha][vintage] : open;
        if (greatest == 0) return;
        tonnes = bound(tonnes, 1, greatest);
        IQuota.SurrenderQuota memory i =
            IQuota.SurrenderQuota(alpha, statement, vintage, uint128(tonnes), _nonce(alpha), DEADLINE);
        quota.surrender(i, _sign("alpha", address(quota), hasher.hash(i)));
        quotaOf[alpha][vintage] -= tonnes;
        ++acts;
    }

    function credit(uint256 who, uint256 fen) public {
        address account = _id(_name(who));
        fen = bound(fen, 1, 1e15);
        _credit(account, uint128(fen), bytes32(++references));
        cashOf[account] += fen;
        ++acts;
    }

    function requestPayout(uint256 who, uint256 fen) public {
        address account = _id(_name(who));
        if (cashOf[account] == 0) return;
        fen = bound(fen, 1, cashOf[account]);
        ICash.PayoutRequest memory i =
            ICash.PayoutRequest(account, uint128(fen), "destination", _nonce(account), DEADLINE);
        bytes32 structHash = hasher.hash(i);
        cash.requestPayout(i, _sign(_name(who), address(cash), structHash));
        payouts.push(_digest(address(cash), structHash));
        cashOf[account] -= fen;
        ++acts;
    }

    function payOut() public {
        if (payouts.length == 0) return;
        bytes32 payout = payouts[payouts.length - 1];
        payouts.pop();
        ICash.PayoutReceipt memory i =
            ICash.PayoutReceipt(bank, payout, bytes32(++references), _nonce(bank), DEADLINE);
        cash.payOut(i, _sign("bank", address(cash), hasher.hash(i)));
        ++acts;
    }

    function trade(uint256 seed, uint256 direction, uint256 tonnes, uint256 price) public {
        IMarket.BlockTrade memory t = _bounded(seed, direction, tonnes, price);
        if (t.tonnes == 0) return;
        bytes32 structHash = hasher.hash(t);
        market.tradeBlock(
            t,
            _sign(_name(direction), address(market), structHash),
            _sign(_name(direction % 2 + 1), address(market), structHash)
        );
        quotaOf[t.seller][t.vintage] -= t.tonnes;
        quotaOf[t.buyer][t.vintage] += t.tonnes;
        cashOf[t.buyer] -= uint256(t.tonnes) * t.priceFen;
        cashOf[t.seller] += uint256(t.tonnes) * t.priceFen;
        ++acts;
    }

    /// @dev A trade that both sides can settle; zero tonnes where there is none.
    function _bounded(uint256 seed, uint256 direction, uint256 tonnes, uint256 price)
        private
        view
        returns (IMarket.BlockTrade memory t)
    {
        direction %= 2;
        (t.seller, t.buyer) = direction == 0 ? (alpha, beta) : (beta, alpha);
        t.vintage = _vintage(seed);
        t.priceFen = uint128(bound(price, 5600, 10_400));
        uint256 affordable = cashOf[t.buyer] / t.priceFen;
        uint256 holding = quotaOf[t.seller][t.vintage];
        uint256 greatest = affordable < holding ? affordable : holding;
        t.tonnes = greatest == 0 ? 0 : uint128(bound(tonnes, 1, greatest));
        (t.sellerNonce, t.buyerNonce, t.deadline) = (_nonce(t.seller), _nonce(t.buyer), DEADLINE);
    }

    /* WHAT IS REFUSED */

    /// @dev A cancellation with one signature twice, with two of one side's rights, or with a stranger's.
    function cancelAlone(uint256 seed, uint256 who, uint256 way) public {
        string memory name = _name(who);
        IQuota.CancelQuota memory i =
            IQuota.CancelQuota(_id(name), _vintage(seed), 1, "reason", _nonce(_id(name)), DEADLINE);
        bytes32 digest = _digest(address(quota), hasher.hashCancel(i));
        uint256 initiator = _key(name, " initiator");
        uint256 second = way % 3 == 0 ? initiator : way % 3 == 1 ? keyOf("stranger") : _key("bank", " approver");
        Signatures memory s = _pair(initiator, second, digest);
        try quota.cancel(i, s) {
            ++forbidden;
        } catch {}
    }

    /// @dev A trade that only the seller signed.
    function tradeAlone(uint256 seed, uint256 direction, uint256 tonnes, uint256 price) public {
        IMarket.BlockTrade memory t = _bounded(seed, direction, tonnes, price);
        Signatures memory s = _sign(_name(direction), address(market), hasher.hash(t));
        try market.tradeBlock(t, s, s) {
            ++forbidden;
        } catch {}
    }

    /// @dev A settlement without the market, a transfer past the rules.
    function moveDirectly(uint256 seed, uint256 who) public {
        address from = _id(_name(who));
        address to = _id(_name(who % 2 + 1));
        try quota.settle(from, to, _vintage(seed), 1) {
            ++forbidden;
        } catch {}
        try cash.settle(from, to, 1) {
            ++forbidden;
        } catch {}
        try IERC1155(address(quota)).safeTransferFrom(from, to, _vintage(seed), 1, "") {
            ++forbidden;
        } catch {}
    }

    /* BOOKS AND LEDGER */

    /// @notice Fails unless ledger and books agree and every law holds.
    function check() external view {
        for (uint256 v = 0; v < 2; ++v) {
            _checkVintage(vintages[v]);
        }
        (uint256 credited, uint256 paidOut, uint256 pending) = cash.totals();
        assertEq(cash.balanceOf(alpha), cashOf[alpha]);
        assertEq(cash.balanceOf(beta), cashOf[beta]);
        assertEq(credited - paidOut, cashOf[alpha] + cashOf[beta] + pending);
        assertTrue(quota.surrenderedFor(statement) <= quota.obligationOf(statement));
        assertEq(forbidden, 0);
    }

    function _checkVintage(uint16 vintage) private view {
        address[3] memory holders = [regulator, alpha, beta];
        uint256 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 holding = IERC1155(address(quota)).balanceOf(holders[i], vintage);
            assertEq(holding, quotaOf[holders[i]][vintage]);
            sum += holding;
        }
        (uint256 issued, uint256 held, uint256 surrendered, uint256 cancelled) = quota.supplyOf(vintage);
        assertEq(held, sum);
        assertEq(issued, held + surrendered + cancelled);
    }
}
