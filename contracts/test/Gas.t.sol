// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMarket} from "../src/interfaces/IMarket.sol";
import {IReadingAnchor} from "../src/interfaces/IReadingAnchor.sol";
import {Attestation, Signatures} from "../src/interfaces/Types.sol";
import {Naive} from "./Naive.sol";
import {PlainToken} from "./PlainToken.sol";
import {ReadingTest} from "./ReadingTest.sol";
import {VM} from "./Vm.sol";

/// @dev Gas of whole transactions, intrinsic gas included: every outer call runs as a transaction of its own.
contract GasTest is ReadingTest {
    event Measured(string what, uint256 gas);

    /// forge-config: default.isolate = true
    function test_anchoring_a_batch_costs_less_than_a_six_thousandth_of_naive_readings() public {
        bytes32 head = _anchor(0, 0);
        IReadingAnchor.BatchReport memory report = _batch(1, head);
        Attestation memory attestation = _attest(address(anchor), hasher.hash(report), 13);

        anchor.submit(report, attestation);

        _assertGas("submit", 62_800);
    }

    /// forge-config: default.isolate = true
    function test_a_block_trade_costs_less_than_one_and_a_half_pairs_of_transfers() public {
        _fund();
        IMarket.BlockTrade memory trade = _trade();
        bytes32 structHash = hasher.hash(trade);
        Signatures memory seller = _sign("alpha", address(market), structHash);
        Signatures memory buyer = _sign("beta", address(market), structHash);

        market.tradeBlock(trade, seller, buyer);

        _assertGas("tradeBlock", 127_900);
    }

    /// forge-config: default.isolate = true
    function test_checking_a_reading_on_chain_stays_below_four_hundred_thousand() public {
        _register();
        bytes memory message = _message(CARRIER_KEY, hex"05");
        IReadingAnchor.ReadingProof memory proof = _anchorReading(0, 0, 5, message);

        anchor.verifyReading(message, proof);

        _assertGas("verifyReading", 400_000);
    }

    /// forge-config: default.isolate = true
    function test_the_number_of_readings_does_not_matter() public {
        bytes32 head = _anchor(0, 0);
        uint32[3] memory counts = [uint32(64), 1024, 4096];
        for (uint64 i = 0; i < 3; ++i) {
            IReadingAnchor.BatchReport memory report = _batch(i + 1, head);
            report.leafCount = counts[i];
            head = hasher.hash(report);
            anchor.submit(report, _attest(address(anchor), head, 13));
            _assertGas(string.concat("submit ", VM.toString(counts[i])), 62_800);
        }
    }

    /// forge-config: default.isolate = true
    function test_baselines() public {
        Naive naive = Naive(_create("bench/Naive", ""));
        naive.store(keccak256("id"), 1, NOW, 123_456_789, keccak256("message"));
        _assertGas("naive storage", 150_000);
        naive.log(keccak256("id"), 1, NOW, 123_456_789, keccak256("message"));
        _assertGas("naive event", 150_000);

        PlainToken token = PlainToken(_create("bench/PlainToken", ""));
        address from = addressOf("from");
        token.mint(from, VINTAGE, 10 * BLOCK);
        token.mint(alpha, VINTAGE, BLOCK);
        VM.prank(from);
        token.safeTransferFrom(from, alpha, VINTAGE, BLOCK, "");
        _assertGas("plain transfer", 150_000);
    }

    function _assertGas(string memory what, uint256 limit) private {
        uint256 gas = VM.lastCallGas().gasTotalUsed;
        emit Measured(what, gas);
        assertAtMost(gas, limit);
    }
}
