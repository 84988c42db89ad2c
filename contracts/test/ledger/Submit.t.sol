// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract LedgerSubmitTest is LedgerTest {
    bytes32 private statement;

    function setUp() public override {
        super.setUp();
        _anchor(0, 0);
        statement = _record(_statement(1));
    }

    function test_the_enterprise_submits_its_statement() public {
        VM.expectEmit();
        emit IEmissionLedger.StatementSubmitted(statement, alpha);
        _submit(statement);

        (IEmissionLedger.StatementStatus status,,,,,,) = ledger.statementOf(statement);
        assertTrue(status == IEmissionLedger.StatementStatus.Submitted);
    }

    function test_refuses_another_enterprise() public {
        IEmissionLedger.SubmitStatement memory i = IEmissionLedger.SubmitStatement(beta, statement, 0, DEADLINE);
        Signatures memory s = _sign("beta", address(ledger), hasher.hash(i));
        VM.expectRevert(abi.encodeWithSelector(IEmissionLedger.LedgerNotOwner.selector, beta, alpha));
        ledger.submit(i, s);
    }

    function test_refuses_to_submit_twice() public {
        _submit(statement);
        IEmissionLedger.SubmitStatement memory i = IEmissionLedger.SubmitStatement(alpha, statement, 1, DEADLINE);
        Signatures memory s = _sign("alpha", address(ledger), hasher.hash(i));
        VM.expectRevert(
            abi.encodeWithSelector(
                IEmissionLedger.LedgerStatusMismatch.selector,
                statement,
                IEmissionLedger.StatementStatus.Submitted,
                IEmissionLedger.StatementStatus.Recorded
            )
        );
        ledger.submit(i, s);
    }

    function test_refuses_an_owner_that_is_no_enterprise() public {
        ledger.registerBoundary("bank", bank, CONTENT);
        IEmissionLedger.StatementReport memory report = _statement(1);
        report.boundary = "bank";
        bytes32 id = _record(report);
        IEmissionLedger.SubmitStatement memory i = IEmissionLedger.SubmitStatement(bank, id, 0, DEADLINE);
        Signatures memory s = _sign("bank", address(ledger), hasher.hash(i));
        VM.expectRevert(
            abi.encodeWithSelector(IAccounts.AccountsKindMismatch.selector, bank, Kind.Bank, Kind.Enterprise)
        );
        ledger.submit(i, s);
    }
}
