// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccounts} from "../../src/interfaces/IAccounts.sol";
import {IEmissionLedger} from "../../src/interfaces/IEmissionLedger.sol";
import {Kind, Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract LedgerConfirmTest is LedgerTest {
    bytes32 private statement;

    function setUp() public override {
        super.setUp();
        _anchor(0, 0);
        statement = _record(_statement(1));
        _submit(statement);
    }

    function test_the_regulator_confirms_a_verified_statement() public {
        _verify(statement, 1);
        VM.expectEmit();
        emit IEmissionLedger.StatementConfirmed(statement, regulator);
        _confirm(statement);

        (IEmissionLedger.StatementStatus status,,,,,,) = ledger.statementOf(statement);
        assertTrue(status == IEmissionLedger.StatementStatus.Confirmed);
    }

    function test_refuses_a_statement_that_is_not_verified() public {
        _verify(statement, 3);
        IEmissionLedger.ConfirmStatement memory i =
            IEmissionLedger.ConfirmStatement(regulator, statement, 0, DEADLINE);
        Signatures memory s = _sign("regulator", address(ledger), hasher.hashConfirm(i));
        VM.expectRevert(
            abi.encodeWithSelector(
                IEmissionLedger.LedgerStatusMismatch.selector,
                statement,
                IEmissionLedger.StatementStatus.Submitted,
                IEmissionLedger.StatementStatus.Verified
            )
        );
        ledger.confirm(i, s);
    }

    function test_refuses_the_enterprise_itself() public {
        _verify(statement, 1);
        IEmissionLedger.ConfirmStatement memory i = IEmissionLedger.ConfirmStatement(alpha, statement, 1, DEADLINE);
        Signatures memory s = _sign("alpha", address(ledger), hasher.hashConfirm(i));
        VM.expectRevert(
            abi.encodeWithSelector(
                IAccounts.AccountsKindMismatch.selector, alpha, Kind.Enterprise, Kind.Regulator
            )
        );
        ledger.confirm(i, s);
    }
}
