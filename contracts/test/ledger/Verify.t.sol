// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract LedgerVerifyTest is LedgerTest {
    bytes32 private statement;

    function setUp() public override {
        super.setUp();
        _anchor(0, 0);
        statement = _record(_statement(1));
    }

    function _expectStatus(IEmissionLedger.StatementStatus needed) private view {
        (IEmissionLedger.StatementStatus status,,,,,,) = ledger.statementOf(statement);
        assertTrue(status == needed);
    }

    function test_a_positive_opinion_verifies() public {
        _submit(statement);
        VM.expectEmit();
        emit IEmissionLedger.StatementVerified(statement, verifier, 1, keccak256("findings"));
        _verify(statement, 1);

        _expectStatus(IEmissionLedger.StatementStatus.Verified);
    }

    function test_a_qualified_opinion_verifies() public {
        _submit(statement);
        _verify(statement, 2);

        _expectStatus(IEmissionLedger.StatementStatus.Verified);
    }

    function test_an_adverse_opinion_leaves_the_statement_submitted() public {
        _submit(statement);
        _verify(statement, 3);

        _expectStatus(IEmissionLedger.StatementStatus.Submitted);
    }

    function _expectRefusal(uint8 opinion, string memory name, bytes memory reason) private {
        IEmissionLedger.VerifyStatement memory i = IEmissionLedger.VerifyStatement(
            _id(name), statement, opinion, keccak256("findings"), _nonce(_id(name)), DEADLINE
        );
        Signatures memory s = _sign(name, address(ledger), hasher.hash(i));
        VM.expectRevert(reason);
        ledger.verify(i, s);
    }

    function test_refuses_unknown_opinions() public {
        _submit(statement);
        _expectRefusal(0, "verifier", abi.encodeWithSelector(IEmissionLedger.LedgerOpinionUnknown.selector, 0));
        _expectRefusal(4, "verifier", abi.encodeWithSelector(IEmissionLedger.LedgerOpinionUnknown.selector, 4));
    }

    function test_refuses_a_statement_that_is_not_submitted() public {
        _expectRefusal(
            1,
            "verifier",
            abi.encodeWithSelector(
                IEmissionLedger.LedgerStatusMismatch.selector,
                statement,
                IEmissionLedger.StatementStatus.Recorded,
                IEmissionLedger.StatementStatus.Submitted
            )
        );
    }

    function test_refuses_an_account_that_is_no_verifier() public {
        _submit(statement);
        _expectRefusal(
            1,
            "alpha",
            abi.encodeWithSelector(
                IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Verifier
            )
        );
    }
}
