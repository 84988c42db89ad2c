"""Instructions through a node: two people, or nothing happens."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from contracts.enumerations import Kind, Rights
from contracts.typed_data import account_id
from node.errors import ConflictInstructionError
from node.services.caller import Caller, Representation
from node.services.instruction_desk import InstructionDesk
from node.services.relay import call_of
from node.store.database import open_database
from node.store.desk import PendingInstruction
from wallet.instruction_file import to_json
from wallet.signers import sign_instruction

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def node_database(request: pytest.FixtureRequest) -> str:
    """Everything here holds on both kinds of database."""
    return str(request.param)


@pytest.fixture
def allocation(park: Any) -> Any:
    """Issue quota, and build an allocation of it that is not signed."""
    quota = {"vintage": 2024, "tonnes": 500, "document": "decision 7"}
    park.act(park.quota("IssueQuota", "regulator", **quota), "regulator")
    return park.quota("AllocateQuota", "regulator", to="steel", **quota)


def _held(park: Any) -> int:
    return int(park.ledger.quota.balance_of(account_id("steel"), 2024))


def _assert_problem(answer: httpx.Response, status: int, kind: str, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert problem["type"] == f"urn:ccl:problem:{kind}"
    assert words in problem["detail"]


class TestApproval:
    def test_moves_quota_once_both_have_signed(
        self, park: Any, visit: Any, allocation: Any
    ):
        before = _held(park)
        first, second = park.pair("regulator")
        account = park.account("regulator")
        once = sign_instruction(allocation, account, "initiate", first)
        assert visit("regulator-first").bring(once).json()["status"] == "pending"
        approver = visit("regulator-second")
        (waiting,) = approver.get("/instructions").json()
        assert waiting["missing"] == [{"account": account, "role": "approve"}]
        twice = sign_instruction(once, account, "approve", second)
        approver.bring(twice)
        assert approver.submit(twice).json()["status"] in {"sent", "executed"}
        assert _held(park) == before + 500

    def test_is_followed_until_the_chain_says_executed(
        self, park: Any, visit: Any, allocation: Any
    ):
        both = park.signed(allocation, "regulator")
        visitor = visit("regulator-first")
        visitor.bring(both)
        visitor.submit(both)
        path = f"/instructions/0x{both.digest.hex()}"
        deadline = time.monotonic() + 10
        while visitor.get(path).json()["status"] != "executed":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert visitor.get("/instructions").json() == []

    def test_takes_the_same_file_twice_without_a_change(
        self, park: Any, visit: Any, allocation: Any
    ):
        first, _ = park.pair("regulator")
        account = park.account("regulator")
        once = sign_instruction(allocation, account, "initiate", first)
        visitor = visit("regulator-first")
        assert visitor.bring(once).json() == visitor.bring(once).json()


class TestStopBetweenChainAndIndex:
    def test_is_told_to_look_again_and_not_to_build_another(
        self, park: Any, allocation: Any, tmp_path: Path
    ):
        database = open_database(f"sqlite:///{tmp_path / 'desk.sqlite'}")
        desk = InstructionDesk(database, park.ledger, park.sender)
        account = park.account("regulator")
        part = Representation(account, "regulator", Kind.REGULATOR, Rights.BOTH)
        caller = Caller(park.pair("regulator")[0].address, (part,))
        both = park.signed(allocation, "regulator")
        desk.bring(caller, to_json(both))
        park.sender.send(call_of(both))
        with database.begin() as connection:
            connection.execute(update(PendingInstruction).values(status="sending"))
        before = _held(park)
        with pytest.raises(ConflictInstructionError, match="look again"):
            desk.submit(caller, both.digest)
        assert _held(park) == before
        database.close()


class TestRefusal:
    def test_of_one_signature_only(self, park: Any, visit: Any, allocation: Any):
        before = _held(park)
        first, _ = park.pair("regulator")
        account = park.account("regulator")
        once = sign_instruction(allocation, account, "initiate", first)
        visitor = visit("regulator-first")
        visitor.bring(once)
        answer = visitor.submit(once)
        _assert_problem(answer, 409, "conflict-instruction", "1 of 2 signatures")
        assert _held(park) == before

    def test_of_no_signature(self, visit: Any, allocation: Any):
        answer = visit("regulator-first").bring(allocation)
        _assert_problem(answer, 409, "conflict-instruction", "signed by nobody")

    def test_of_the_same_person_twice(self, park: Any, visit: Any, allocation: Any):
        first, _ = park.pair("regulator")
        account = park.account("regulator")
        once = sign_instruction(allocation, account, "initiate", first)
        document = to_json(once)
        again = {**document["signatures"][0], "role": "approve"}
        document["signatures"].append(again)
        visitor = visit("regulator-first")
        answer = visitor.http.post("/instructions", json=document)
        _assert_problem(answer, 409, "conflict-signature", "another person must sign")
        assert visitor.get(f"/instructions/0x{once.digest.hex()}").status_code == 404

    def test_of_a_stale_number(self, park: Any, visit: Any, allocation: Any):
        before = _held(park)
        stale = park.signed(allocation, "regulator")
        quota = {"vintage": 2024, "tonnes": 1, "document": "decision 8"}
        park.act(park.quota("IssueQuota", "regulator", **quota), "regulator")
        visitor = visit("regulator-first")
        answer = visitor.bring(stale)
        _assert_problem(answer, 409, "stale-instruction", "build it again")
        assert visitor.get(f"/instructions/0x{stale.digest.hex()}").status_code == 404
        assert _held(park) == before

    def test_of_an_expired_instruction(self, park: Any, visit: Any):
        quota = {"vintage": 2024, "tonnes": 1, "document": "late"}
        late = park.quota("IssueQuota", "regulator", deadline=park.now() - 1, **quota)
        visitor = visit("regulator-first")
        answer = visitor.bring(park.signed(late, "regulator"))
        _assert_problem(answer, 409, "stale-instruction", "later deadline")
        assert visitor.get(f"/instructions/0x{late.digest.hex()}").status_code == 404

    def test_of_a_signer_without_the_right(
        self, park: Any, visit: Any, allocation: Any
    ):
        before = _held(park)
        _, second = park.pair("regulator")
        account = park.account("regulator")
        wrong = sign_instruction(allocation, account, "initiate", second)
        answer = visit("regulator-second").bring(wrong)
        _assert_problem(answer, 403, "invalid-access", "its rights are approve")
        assert _held(park) == before

    def test_of_a_kind_that_the_account_may_not_do(self, park: Any, visit: Any):
        quota = {"vintage": 2024, "tonnes": 9, "document": "mine"}
        own = park.signed(park.quota("IssueQuota", "steel", **quota), "steel")
        visitor = visit("steel-first")
        visitor.bring(own)
        before, nonce = park.ledger.quota.supply_of(2024), park.nonce("steel")
        answer = visitor.submit(own)
        _assert_problem(answer, 422, "accounts-kind-mismatch", "expected kind")
        assert park.ledger.quota.supply_of(2024) == before
        assert park.nonce("steel") == nonce

    def test_of_a_stranger_to_the_instruction(
        self, park: Any, visit: Any, allocation: Any
    ):
        answer = visit("steel-first").bring(park.signed(allocation, "regulator"))
        _assert_problem(answer, 403, "invalid-access", "represents none of the parties")

    def test_of_another_chain(self, park: Any, visit: Any, allocation: Any):
        elsewhere = park.signed(replace(allocation, chain_id=1), "regulator")
        answer = visit("regulator-first").bring(elsewhere)
        _assert_problem(answer, 422, "invalid-request", "serves chain 20260")

    def test_of_another_contract(self, park: Any, visit: Any, allocation: Any):
        cash = park.deployment.addresses["Cash"]
        elsewhere = park.signed(replace(allocation, contract=cash), "regulator")
        answer = visit("regulator-first").bring(elsewhere)
        _assert_problem(answer, 422, "invalid-request", "expected Quota at")

    def test_of_a_body_that_is_no_instruction(self, visit: Any):
        answer = visit("regulator-first").http.post("/instructions", json={"kind": 1})
        _assert_problem(answer, 422, "invalid-instruction", "expected the members")

    @pytest.mark.parametrize(
        "field", [{"nonce": "1" * 5_000}, {"tonnes": "9" * 5_000}, {"to": "\ud800"}]
    )
    def test_of_a_field_that_nobody_could_read(
        self, visit: Any, allocation: Any, field: dict[str, str]
    ):
        document = to_json(allocation)
        document["fields"] |= field
        answer = visit("regulator-first").http.post(
            "/instructions",
            content=json.dumps(document),
            headers={"content-type": "application/json"},
        )
        _assert_problem(answer, 422, "invalid-instruction", "expected")

    def test_without_login(self, visit: Any, allocation: Any):
        answer = visit().bring(allocation)
        _assert_problem(answer, 401, "invalid-login", "needs a login")
