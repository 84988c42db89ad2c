// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ICarbonCodes} from "../../src/interfaces/ICarbonCodes.sol";
import {CodeTest} from "../CodeTest.sol";
import {VM} from "../Vm.sol";

contract CodesSuccessionTest is CodeTest {
    ICarbonCodes private next;
    uint256[] private ids;

    function setUp() public override {
        super.setUp();
        ids.push(_issueCode(_report()));
        codes.revoke(ids[0], "reason");
        ICarbonCodes.CodeReport memory report = _report();
        report.grade = 4;
        ids.push(_issueCode(report));
        next = ICarbonCodes(_create("editions/CarbonCodes", abi.encode(manager, accounts, anchor, ledger, codes)));
    }

    /* HANDING OVER */

    function test_a_retired_contract_names_its_successor() public {
        VM.expectEmit();
        emit ICarbonCodes.CodesRetired(next, 2);
        codes.retire(next);

        assertEq(address(codes.successor()), address(next));
        assertEq(codes.total(), 2);
    }

    function test_a_retired_contract_does_nothing_any_more() public {
        codes.retire(next);
        bytes memory refusal = abi.encodeWithSelector(ICarbonCodes.CodesOutOfOffice.selector, next);
        ICarbonCodes.CodeReport memory report = _report();
        report.grade = 5;
        bytes32 hash = hasher.hash(report);

        VM.expectRevert(refusal);
        codes.issue(report, _attest(address(codes), hash, 13));
        VM.expectRevert(refusal);
        codes.revoke(ids[1], "reason");
        VM.expectRevert(refusal);
        codes.retire(next);
    }

    function test_refuses_a_successor_that_does_not_name_it() public {
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesNotSuccessor.selector, codes, codes));
        codes.retire(codes);
    }

    function test_refuses_a_stranger() public {
        _expectUnauthorized();
        codes.retire(next);
    }

    /* TAKING OVER */

    function test_takes_every_code_over_as_it_was() public {
        codes.retire(next);
        VM.expectEmit();
        emit ICarbonCodes.CodeAdopted(ids[0], statement, alpha);
        next.adopt(ids);

        assertTrue(next.isComplete());
        assertEq(next.total(), 2);
        assertEq(next.liveCode(statement), ids[1]);
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(keccak256(abi.encode(next.codeOf(ids[i]))), keccak256(abi.encode(codes.codeOf(ids[i]))));
            assertEq(IERC721(address(next)).ownerOf(ids[i]), alpha);
        }
        assertFalse(next.isValid(ids[0]));
        assertTrue(next.isValid(ids[1]));
    }

    function test_goes_on_where_it_stopped_and_opens_with_the_last_code() public {
        codes.retire(next);
        uint256[] memory one = new uint256[](1);
        one[0] = ids[1];
        next.adopt(one);
        next.adopt(one);
        assertFalse(next.isComplete());
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesNotComplete.selector, 1));
        next.revoke(ids[1], "reason");

        next.adopt(ids);
        next.revoke(ids[1], "reason");
        assertFalse(next.isValid(ids[1]));
    }

    function test_the_retired_contract_gives_the_answer_of_the_successor() public {
        codes.retire(next);
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesUnknown.selector, ids[1]));
        codes.isValid(ids[1]);
        next.adopt(ids);
        assertTrue(codes.isValid(ids[1]));

        next.revoke(ids[1], "reason");
        assertFalse(codes.isValid(ids[1]));
    }

    function test_refuses_to_take_over_from_one_in_office() public {
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesNotSuccessor.selector, next, codes));
        next.adopt(ids);
    }

    function test_refuses_more_when_all_are_here() public {
        codes.retire(next);
        next.adopt(ids);
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesNothingToAdopt.selector, 2));
        next.adopt(ids);
    }

    function test_refuses_too_many_in_one_step() public {
        codes.retire(next);
        VM.expectRevert(abi.encodeWithSelector(ICarbonCodes.CodesTooMany.selector, 33, 32));
        next.adopt(new uint256[](33));
    }
}
