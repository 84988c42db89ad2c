// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IMandate} from "../../src/interfaces/IMandate.sol";
import {IMarket} from "../../src/interfaces/IMarket.sol";
import {Signatures} from "../../src/interfaces/Types.sol";
import {LedgerTest} from "../LedgerTest.sol";
import {VM} from "../Vm.sol";

contract MandateExecuteBatchTest is LedgerTest {
    IMandate private mandate;

    function setUp() public override {
        super.setUp();
        mandate = IMandate(_create("Mandate", abi.encode(accounts, regulator)));
        accounts.setAuthoriser(address(mandate), true);
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = IMarket.halt.selector;
        manager.setTargetFunctionRole(address(market), selectors, REGULATOR_ROLE);
        manager.grantRole(REGULATOR_ROLE, address(mandate), 0);
    }

    function _batch(bytes memory first, bytes memory second) private view returns (IMandate.CallBatch memory batch) {
        batch.targets = new address[](2);
        batch.data = new bytes[](2);
        (batch.targets[0], batch.targets[1]) = (address(market), address(market));
        (batch.data[0], batch.data[1]) = (first, second);
        (batch.nonce, batch.deadline) = (_nonce(regulator), DEADLINE);
    }

    function _signed(IMandate.CallBatch memory batch) private view returns (Signatures memory) {
        return _sign("regulator", address(mandate), hasher.hash(batch));
    }

    function test_does_all_calls_in_order() public {
        IMandate.CallBatch memory batch =
            _batch(abi.encodeCall(IMarket.halt, (0, true)), abi.encodeCall(IMarket.halt, (VINTAGE, true)));
        mandate.executeBatch(batch, _signed(batch));

        assertTrue(market.isHalted(0) && market.isHalted(VINTAGE));
    }

    function test_does_nothing_where_one_call_is_refused() public {
        bytes memory refused = abi.encodeCall(IMarket.setReferencePrice, (VINTAGE, 1));
        IMandate.CallBatch memory batch = _batch(abi.encodeCall(IMarket.halt, (0, true)), refused);
        Signatures memory s = _signed(batch);
        VM.expectRevert(
            abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(mandate))
        );
        mandate.executeBatch(batch, s);

        assertFalse(market.isHalted(0));
    }

    function test_refuses_targets_without_data() public {
        IMandate.CallBatch memory batch = _batch("", "");
        batch.data = new bytes[](1);
        Signatures memory s = _signed(batch);
        VM.expectRevert(abi.encodeWithSelector(IMandate.MandateBatchInvalid.selector, 2, 1, 32));
        mandate.executeBatch(batch, s);
    }

    function test_refuses_an_empty_batch() public {
        IMandate.CallBatch memory batch = IMandate.CallBatch(new address[](0), new bytes[](0), 0, DEADLINE);
        Signatures memory s = _signed(batch);
        VM.expectRevert(abi.encodeWithSelector(IMandate.MandateBatchInvalid.selector, 0, 0, 32));
        mandate.executeBatch(batch, s);
    }

    function test_refuses_more_calls_than_the_bound() public {
        IMandate.CallBatch memory batch = IMandate.CallBatch(new address[](33), new bytes[](33), 0, DEADLINE);
        Signatures memory s = _signed(batch);
        VM.expectRevert(abi.encodeWithSelector(IMandate.MandateBatchInvalid.selector, 33, 33, 32));
        mandate.executeBatch(batch, s);
    }
}
