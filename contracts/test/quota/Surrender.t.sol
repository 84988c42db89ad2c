// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {IQuota} from "../../src/interfaces/IQuota.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract QuotaSurrenderTest is LedgerTest {
    /// @dev 150,000.5 t, so that 150,001 t are due.
    uint128 private constant DUE = 150_001;

    bytes32 private statement;

    function setUp() public override {
        super.setUp();
        _issue(VINTAGE, 10 * BLOCK);
        _allocate(alpha, VINTAGE, 2 * BLOCK);
        _allocate(beta, VINTAGE, BLOCK);
        statement = _confirmed(1);
    }

    function _instruction(string memory name, bytes32 id, uint128 tonnes)
        private
        view
        returns (IQuota.SurrenderQuota memory i, Signatures memory s)
    {
        i = IQuota.SurrenderQuota(_id(name), id, VINTAGE, tonnes, _nonce(_id(name)), DEADLINE);
        s = _sign(name, address(quota), hasher.hash(i));
    }

    function _surrender(bytes32 id, uint128 tonnes) private {
        (IQuota.SurrenderQuota memory i, Signatures memory s) = _instruction("alpha", id, tonnes);
        quota.surrender(i, s);
    }

    function _expectRefusal(string memory name, bytes32 id, uint128 tonnes, bytes memory reason) private {
        (IQuota.SurrenderQuota memory i, Signatures memory s) = _instruction(name, id, tonnes);
        VM.expectRevert(reason);
        quota.surrender(i, s);
    }

    function test_counts_for_statements_of_direct_emissions_alone() public {
        _surrender(statement, 100);
        bytes32 another = _confirmed(2);

        assertEq(quota.surrenderedFor(another), 0);
    }

    function test_meets_the_obligation_in_parts() public {
        (IQuota.SurrenderQuota memory i, Signatures memory s) = _instruction("alpha", statement, 100_000);
        VM.expectEmit();
        emit IQuota.QuotaSurrendered(alpha, statement, VINTAGE, 100_000);
        quota.surrender(i, s);
        _surrender(statement, 50_001);

        assertEq(quota.obligationOf(statement), DUE);
        assertEq(quota.surrenderedFor(statement), DUE);
        assertEq(IERC1155(address(quota)).balanceOf(alpha, VINTAGE), 2 * BLOCK - DUE);
        (uint256 issued, uint256 held, uint256 surrendered,) = quota.supplyOf(VINTAGE);
        assertEq(surrendered, DUE);
        assertEq(held, issued - DUE);
    }

    function test_refuses_more_than_is_due() public {
        _surrender(statement, DUE);
        _expectRefusal(
            "alpha",
            statement,
            1,
            abi.encodeWithSelector(IQuota.QuotaBeyondObligation.selector, DUE + 1, DUE)
        );
    }

    function test_a_restatement_keeps_what_was_surrendered() public {
        _surrender(statement, 100_000);
        IEmissionLedger.StatementReport memory report = _statement(1);
        (report.grams, report.supersedes) = (120_000_000_000, statement);
        bytes32 fresh = _record(report);
        _submit(fresh);
        _verify(fresh, 1);
        _confirm(fresh);

        assertEq(quota.surrenderedFor(fresh), 100_000);
        _expectRefusal(
            "alpha",
            fresh,
            20_001,
            abi.encodeWithSelector(IQuota.QuotaBeyondObligation.selector, 120_001, 120_000)
        );
        _expectRefusal(
            "alpha", statement, 1, abi.encodeWithSelector(IQuota.QuotaStatementNotConfirmed.selector, statement)
        );
        _surrender(fresh, 20_000);
    }

    function test_refuses_a_statement_that_is_not_confirmed() public {
        _expectRefusal(
            "alpha",
            "other",
            1,
            abi.encodeWithSelector(IQuota.QuotaStatementNotConfirmed.selector, bytes32("other"))
        );
    }

    function test_refuses_a_statement_of_another_purpose() public {
        bytes32 other = _confirmed(2);
        _expectRefusal("alpha", other, 1, abi.encodeWithSelector(IQuota.QuotaPurposeMismatch.selector, 2, 1));
        VM.expectRevert(abi.encodeWithSelector(IQuota.QuotaPurposeMismatch.selector, 2, 1));
        quota.obligationOf(other);
    }

    function test_refuses_another_account() public {
        _expectRefusal(
            "beta", statement, 1, abi.encodeWithSelector(IQuota.QuotaNotOwner.selector, beta, alpha)
        );
    }

    function test_refuses_more_than_is_held() public {
        IQuota.CancelQuota memory i = IQuota.CancelQuota(
            alpha, VINTAGE, 2 * BLOCK - 10, "reason", _nonce(alpha), DEADLINE
        );
        quota.cancel(i, _sign("alpha", address(quota), hasher.hashCancel(i)));
        _expectRefusal(
            "alpha",
            statement,
            11,
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, alpha, 10, 11, VINTAGE)
        );
    }

    function test_refuses_nothing() public {
        _expectRefusal("alpha", statement, 0, abi.encodeWithSelector(IQuota.QuotaAmountZero.selector));
    }

    /// @dev Whole tonnes, rounded up; removals owe nothing.
    function testFuzz_the_obligation_covers_the_grams_and_no_tonne_more(int128 grams) public {
        IEmissionLedger.StatementReport memory report = _statement(1);
        (report.grams, report.supersedes) = (grams, statement);
        bytes32 fresh = _record(report);
        _submit(fresh);
        _verify(fresh, 1);
        _confirm(fresh);

        int256 due = int256(quota.obligationOf(fresh));
        assertTrue(due * 1e6 >= grams);
        assertTrue(due == 0 || (due - 1) * 1e6 < grams);
    }
}
