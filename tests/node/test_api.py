"""The API over HTTP: who may see what, pages, the stream, the description."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.errors import UnavailableStorageError
from node.run import RunningNode

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def node_database(request: pytest.FixtureRequest) -> str:
    """Everything here holds on both kinds of database."""
    return str(request.param)


SUBJECTS = {
    "carriers",
    "readings",
    "batches",
    "statements",
    "certificates",
    "accounts",
    "quota",
    "trades",
    "proofs",
    "status",
    "operations",
}


@pytest.fixture(scope="module")
def endowed(park: Any, node: RunningNode) -> Any:
    """Quota and money at both enterprises, taken in by the node."""
    park.endow("steel", 2024, 600, 60_000)
    park.endow("glass", 2024, 300, 30_000)
    head = park.client.block_number()
    give_up = time.monotonic() + 15
    while httpx.get(f"{node.url}/status").json()["indexed_block"] < head:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return park


class TestLogin:
    def test_binds_domain_key_chain_and_a_long_nonce(self, visit: Any, park: Any):
        first, _ = park.pair("steel")
        asked = visit().http.post("/login/challenge", json={"address": first.address})
        message = asked.json()["message"]
        assert message.startswith("node.example wants you to sign in")
        assert f"\n{first.address}\n" in message
        assert "\nChain ID: 20260\n" in message
        nonce = message.split("Nonce: ")[1].split("\n")[0]
        assert len(bytes.fromhex(nonce)) * 8 >= 128

    def test_says_whom_one_represents(self, visit: Any, park: Any):
        caller = visit("steel-first").get("/caller").json()
        assert caller["represents"] == [
            {
                "account": park.account("steel"),
                "name": "steel",
                "kind": "enterprise",
                "rights": "initiate",
            }
        ]

    def test_takes_a_challenge_once(self, visit: Any, park: Any):
        first, _ = park.pair("steel")
        visitor = visit()
        asked = visitor.http.post("/login/challenge", json={"address": first.address})
        message = asked.json()["message"]
        signature = f"0x{first.sign_text(message).hex()}"
        body = {"message": message, "signature": signature}
        assert visitor.http.post("/login/answer", json=body).status_code == 200
        again = visitor.http.post("/login/answer", json=body)
        assert (again.status_code, again.headers["content-type"]) == (401, PROBLEM)
        assert "was used" in again.json()["detail"]

    def test_refuses_another_keys_signature(self, visit: Any, park: Any):
        first, second = park.pair("steel")
        visitor = visit()
        asked = visitor.http.post("/login/challenge", json={"address": first.address})
        message = asked.json()["message"]
        body = {"message": message, "signature": f"0x{second.sign_text(message).hex()}"}
        answer = visitor.http.post("/login/answer", json=body)
        assert (answer.status_code, "is not by" in answer.text) == (401, True)

    def test_refuses_a_text_that_the_node_did_not_give(self, visit: Any, park: Any):
        first, _ = park.pair("steel")
        message = "node.example wants you to sign in with your Ethereum account:"
        body = {"message": message, "signature": f"0x{first.sign_text(message).hex()}"}
        answer = visit().http.post("/login/answer", json=body)
        assert (answer.status_code, "unknown" in answer.text) == (401, True)

    def test_refuses_an_invented_token(self, visit: Any):
        visitor = visit()
        visitor.http.headers["Authorization"] = "Bearer invented"
        answer = visitor.get("/accounts")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_keeps_no_token_in_the_database(self, visit: Any, node: RunningNode):
        token = (
            visit("steel-first").http.headers["Authorization"].removeprefix("Bearer ")
        )
        with node.database.reading() as connection:
            kept = connection.exec_driver_sql("select * from login_tokens").all()
        assert kept
        assert token not in str(kept)


class TestSight:
    def test_an_enterprise_sees_its_own_quota_only(self, endowed: Any, visit: Any):
        rows = visit("steel-first").get("/quota/balances").json()
        assert {row["account"] for row in rows} == {endowed.account("steel")}

    @pytest.mark.parametrize("label", ["auditor-first", "regulator-second"])
    def test_auditor_and_regulator_see_all(self, endowed: Any, visit: Any, label: str):
        rows = visit(label).get("/quota/balances").json()
        both = {endowed.account("steel"), endowed.account("glass")}
        assert both <= {row["account"] for row in rows}

    def test_somebody_elses_history_is_refused(self, endowed: Any, visit: Any):
        del endowed
        answer = visit("steel-first").get("/accounts/glass/instructions")
        assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM)

    def test_representatives_are_shown_to_their_own(self, endowed: Any, visit: Any):
        del endowed
        visitor = visit("steel-first")
        own = visitor.get("/accounts/steel").json()["representatives"]
        assert [one["rights"] for one in own].count("approve") == 1
        assert visitor.get("/accounts/glass").json()["representatives"] is None

    @pytest.mark.parametrize("path", ["/accounts", "/quota/balances", "/instructions"])
    def test_without_login_ledgers_are_closed(self, visit: Any, path: str):
        answer = visit().get(path)
        assert answer.status_code == 401
        assert answer.json()["type"] == "urn:ccl:problem:invalid-login"

    @pytest.mark.parametrize("path", ["/status", "/certificates", "/batches"])
    def test_without_login_public_things_are_open(self, visit: Any, path: str):
        assert visit().get(path).status_code == 200


class TestLists:
    def test_pages_hold_every_row_once(self, endowed: Any, visit: Any):
        visitor = visit("regulator-first")
        whole = visitor.get("/quota/operations").json()["items"]
        page = visitor.get("/quota/operations", limit=1).json()
        parts = page["items"]
        while page["next"] is not None:
            query = {"limit": 1, "cursor": page["next"]}
            page = visitor.get("/quota/operations", **query).json()
            parts += page["items"]
        assert parts == whole
        assert len(whole) >= 4
        assert endowed

    def test_a_wrong_cursor_is_a_problem(self, visit: Any):
        answer = visit("steel-first").get("/trades", cursor="yesterday")
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
        assert "expected the 'next' of an earlier page" in answer.json()["detail"]

    def test_a_wrong_limit_is_a_problem(self, visit: Any):
        answer = visit("steel-first").get("/trades", limit=0)
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)

    def test_supply_adds_up(self, endowed: Any, visit: Any):
        del endowed
        for row in visit("regulator-first").get("/quota/supply").json():
            held = row["held_tonnes"] + row["surrendered_tonnes"]
            assert row["issued_tonnes"] == held + row["cancelled_tonnes"]

    def test_money_is_the_contracts(self, endowed: Any, visit: Any):
        (row,) = visit("glass-first").get("/cash/balances").json()
        account = endowed.account("glass")
        assert row["fen"] == endowed.ledger.cash.balance_of(account)

    def test_what_is_not_there_is_a_problem(self, visit: Any):
        visitor = visit("regulator-first")
        for path in (
            f"/statements/{'ab' * 32}",
            "/certificates/7",
            "/accounts/nobody",
            f"/batches/{'ab' * 32}/0",
            "/carriers/detail?identifier=88.1.2/x",
            f"/proofs/statements/{'ab' * 32}",
            "/readings/status",
            "/nothing",
        ):
            answer = visitor.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (
                404,
                PROBLEM,
            ), path
            assert {"type", "title", "status", "detail"} <= set(answer.json())

    def test_a_hash_that_is_none_is_a_problem(self, visit: Any):
        answer = visit("regulator-first").get("/statements/0x12")
        assert (answer.status_code, "32 bytes" in answer.text) == (422, True)


class TestStream:
    def _read(self, visitor: Any, count: int, last: str | None = None) -> list[Any]:
        headers = {"Last-Event-ID": last} if last else {}
        found: list[dict[str, str]] = []
        with visitor.http.stream("GET", "/events", headers=headers) as answer:
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                event |= {name: value} if value else {}
                if not line and "data" in event:
                    found.append(event)
                    event = {}
                if len(found) == count:
                    return found
        return found

    def test_goes_on_after_the_last_event_one_has(self, endowed: Any, visit: Any):
        del endowed
        visitor = visit("regulator-first")
        six = self._read(visitor, 6)
        rest = self._read(visitor, 3, last=six[2]["id"])
        assert rest == six[3:]

    def test_brings_what_happens_now(self, endowed: Any, visit: Any):
        visitor = visit("regulator-first")
        before = endowed.client.block_number()
        endowed.endow("steel", 2024, 1, 100)
        known, found = None, []
        while not found:
            events = self._read(visitor, 1, last=known)
            known = events[-1]["id"]
            data = json.loads(events[-1]["data"])
            found = [data] if data["block_number"] > before else []
        assert found[0]["event"]

    def test_shows_the_public_only_public_events(self, endowed: Any, visit: Any):
        del endowed
        names = {event["event"] for event in self._read(visit(), 20)}
        assert "QuotaAllocated" not in names
        assert "AccountOpened" in names

    def test_says_when_the_readers_block_is_gone(self, endowed: Any, visit: Any):
        del endowed
        visitor = visit("regulator-first")
        gone = f"3-0-{'0' * 16}"
        (first,) = self._read(visitor, 1, last=gone)
        assert first["event"] == "rewind"
        assert json.loads(first["data"]) == {"forget_above_block": -1}

    def test_refuses_an_id_that_is_none(self, visit: Any):
        answer = visit().http.get("/events", headers={"Last-Event-ID": "x"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)


class TestDescription:
    def test_sorts_every_route_under_a_subject(self, visit: Any):
        document = visit().get("/openapi.json").json()
        tags = {
            tag
            for path in document["paths"].values()
            for operation in path.values()
            for tag in operation["tags"]
        }
        assert tags == SUBJECTS

    def test_is_openapi_3_0_without_words_of_3_1(self, visit: Any):
        document = visit().get("/openapi.json").json()
        text = json.dumps(document)
        assert document["openapi"] == "3.0.3"
        assert '"type": "null"' not in text
        assert "prefixItems" not in text

    def test_resolves_every_reference(self, visit: Any):
        document = visit().get("/openapi.json").json()
        schemas = document["components"]["schemas"]
        text = json.dumps(document)
        parts = text.split("#/components/schemas/")[1:]
        names = {part.split('"')[0] for part in parts}
        assert names <= set(schemas)
        assert "ProblemModel" in names

    def test_gives_every_operation_its_own_id(self, visit: Any):
        document = visit().get("/openapi.json").json()
        ids = [
            operation["operationId"]
            for path in document["paths"].values()
            for operation in path.values()
        ]
        assert len(ids) == len(set(ids))

    def test_has_a_page_that_needs_no_other_server(self, visit: Any):
        visitor = visit()
        page = visitor.get("/docs").text
        assert "https://" not in page
        for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
            assert f"/docs/static/{name}" in page
            assert visitor.get(f"/docs/static/{name}").status_code == 200


class TestStop:
    def test_ends_open_streams_at_once(self, open_node: Any, tmp_path: Path):
        with open_node(tmp_path) as node, httpx.Client(timeout=30) as http:
            request = http.build_request("GET", f"{node.url}/events")
            answer = http.send(request, stream=True)
            begin = time.monotonic()
        assert time.monotonic() - begin < 8
        answer.close()


class TestPort:
    def test_that_is_taken_is_a_sentence(
        self, open_node: Any, node: RunningNode, tmp_path: Path
    ):
        port = int(node.url.rsplit(":", 1)[1])
        with (
            pytest.raises(
                UnavailableStorageError, match=r"cannot listen.*another port"
            ),
            open_node(tmp_path, port=port),
        ):
            pass
