// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract CodesDeclareValueAddedTest is LedgerTest {
    function _declaration(address account) private view returns (ICarbonCodes.DeclareValueAdded memory) {
        return ICarbonCodes.DeclareValueAdded(
            account, BOUNDARY, NOW - 1 days, NOW, 123_456, "evidence", _nonce(account), DEADLINE
        );
    }

    function test_the_owner_of_the_boundary_declares() public {
        ICarbonCodes.DeclareValueAdded memory i = _declaration(alpha);
        Signatures memory s = _sign("alpha", address(codes), hasher.hash(i));
        VM.expectEmit();
        emit ICarbonCodes.ValueAddedDeclared(BOUNDARY, alpha, NOW - 1 days, NOW, 123_456, "evidence");
        codes.declareValueAdded(i, s);

        assertEq(_nonce(alpha), 1);
    }

    function test_refuses_another_account() public {
        ICarbonCodes.DeclareValueAdded memory i = _declaration(beta);
        Signatures memory s = _sign("beta", address(codes), hasher.hash(i));
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesNotOwner.selector, beta, alpha));
        codes.declareValueAdded(i, s);
    }

    function test_refuses_an_empty_period() public {
        ICarbonCodes.DeclareValueAdded memory i = _declaration(alpha);
        i.periodStart = NOW;
        Signatures memory s = _sign("alpha", address(codes), hasher.hash(i));
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesPeriodInvalid.selector, NOW, NOW));
        codes.declareValueAdded(i, s);
    }
}
