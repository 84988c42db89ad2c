"""Every route for every role: one table, and nothing outside of it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.enumerations import Purpose
from contracts.typed_data import stream_id
from node.run import RunningNode
from wallet.signers import KeySigner

PROBLEM = "application/problem+json"
IDENTIFIER = "88.118.1/steel-meter-1"
ROLES = (None, "steel", "glass", "auditor", "regulator", "bank")
PUBLIC = (200, 200, 200, 200, 200, 200)
KNOWN = (401, 200, 200, 200, 200, 200)
STEEL = (401, 200, 403, 200, 200, 403)
"""Details of steel: for itself, auditors and the regulator."""
PARTY = (401, 422, 422, 422, 422, 422)
"""An empty instruction is refused as such; what is not one's own, as absent."""
ABSENT = (401, 404, 404, 404, 404, 404)

TABLE = {
    "GET /status": PUBLIC,
    "GET /health": PUBLIC,
    "GET /alarms": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /events": PUBLIC,
    "GET /caller": PUBLIC,
    "GET /batches": PUBLIC,
    "GET /batches/{stream_id}/{seq}": PUBLIC,
    "GET /certificates": PUBLIC,
    "GET /certificates/{token_id}": PUBLIC,
    "GET /readings/status": PUBLIC,
    "POST /login/challenge": PUBLIC,
    "POST /login/answer": (401,) * 6,
    "GET /accounts": KNOWN,
    "GET /accounts/{account}": KNOWN,
    "GET /accounts/{account}/instructions": STEEL,
    "GET /instructions": KNOWN,
    "POST /instructions": PARTY,
    "GET /instructions/{digest}": ABSENT,
    "POST /instructions/{digest}/submit": ABSENT,
    "GET /carriers": KNOWN,
    "GET /carriers/detail": STEEL,
    "GET /readings": STEEL,
    "GET /statements": KNOWN,
    "GET /statements/{statement}": STEEL,
    "GET /declared-values": KNOWN,
    "GET /proofs/statements/{statement}": STEEL,
    "GET /quota/balances": KNOWN,
    "GET /quota/supply": KNOWN,
    "GET /quota/operations": KNOWN,
    "GET /trades": KNOWN,
    "GET /trades/prices": KNOWN,
    "GET /cash/balances": KNOWN,
    "GET /cash/payouts": KNOWN,
}
QUERIES = {
    "GET /carriers/detail": {"identifier": IDENTIFIER},
    "GET /readings": {"identifier": IDENTIFIER, "from_ts": 0, "to_ts": 900},
}
BODIES = {
    "POST /login/challenge": {"address": f"0x{'11' * 20}"},
    "POST /login/answer": {"message": "none", "signature": f"0x{'00' * 64}"},
    "POST /instructions": {},
}


@pytest.fixture(scope="module")
def names(park: Any) -> dict[str, str]:
    """What stands in the paths: things of steel, on a chain that has them."""
    park.heartbeat()
    park.register_carrier(IDENTIFIER, "steel")
    statement = park.record_statement("steel", Purpose.TOTAL_WITH_INDIRECT, 9_000_000)
    park.confirm_statement("steel", statement)
    park.issue_certificate(statement)
    park.endow("steel", 2024, 10, 100)
    park.endow("glass", 2024, 10, 100)
    return {
        "account": "steel",
        "statement": statement.hex(),
        "digest": "ab" * 32,
        "stream_id": stream_id("park").hex(),
        "seq": "0",
    }


@pytest.fixture(scope="module")
def node(
    open_node: Any,
    tmp_path_factory: pytest.TempPathFactory,
    names: dict[str, str],
    park: Any,
) -> Iterator[RunningNode]:
    folder: Path = tmp_path_factory.mktemp("node")
    (folder / f"{names['statement']}.cclp").write_bytes(b"\xa0")
    inbox = folder / "inbox.sqlite"
    with open_node(folder, proof_folder=folder, inbox_database=inbox) as running:
        head = park.client.block_number()
        give_up = time.monotonic() + 15
        while httpx.get(f"{running.url}/status").json()["indexed_block"] < head:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        row = httpx.get(f"{running.url}/certificates").json()["items"][0]
        names["token_id"] = str(row["token_id"])
        yield running


@pytest.fixture(scope="module")
def tokens(node: RunningNode) -> dict[str | None, str]:
    """A token of each role's first representative."""
    return {role: _token(node.url, role) for role in ROLES if role}


def _token(url: str, role: str) -> str:
    label = f"{role}-first"
    signer = KeySigner(int.from_bytes(label.encode()).to_bytes(32))
    asked = httpx.post(f"{url}/login/challenge", json={"address": signer.address})
    message = asked.json()["message"]
    body = {"message": message, "signature": f"0x{signer.sign_text(message).hex()}"}
    return str(httpx.post(f"{url}/login/answer", json=body).json()["token"])


def ask(
    node: RunningNode, route: str, names: dict[str, str], token: str | None
) -> tuple[int, str]:
    method, _, path = route.partition(" ")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with (
        httpx.Client(base_url=node.url, headers=headers, timeout=30) as http,
        http.stream(
            method,
            path.format_map(names),
            params=QUERIES.get(route),
            json=BODIES.get(route),
        ) as answer,
    ):
        return answer.status_code, answer.headers["content-type"]


class TestRoutes:
    def test_are_all_in_the_table(self, node: RunningNode):
        paths = httpx.get(f"{node.url}/openapi.json").json()["paths"]
        routes = {
            f"{method.upper()} {path}"
            for path, operations in paths.items()
            for method in operations
        }
        assert routes == set(TABLE)

    @pytest.mark.parametrize("route", TABLE)
    def test_answer_each_role_as_the_table_says(
        self,
        node: RunningNode,
        names: dict[str, str],
        tokens: dict[str | None, str],
        route: str,
    ):
        found = [ask(node, route, names, tokens.get(role)) for role in ROLES]
        assert tuple(status for status, _ in found) == TABLE[route]
        bad = {kind for status, kind in found if status >= 400}
        assert bad <= {PROBLEM}


class TestLists:
    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("/carriers", "owner"),
            ("/statements", "account"),
            ("/quota/balances", "account"),
            ("/cash/balances", "account"),
        ],
    )
    def test_hold_nothing_of_others(
        self,
        node: RunningNode,
        park: Any,
        tokens: dict[str | None, str],
        path: str,
        field: str,
    ):
        for role in ("steel", "glass", "bank"):
            headers = {"Authorization": f"Bearer {tokens[role]}"}
            content = httpx.get(f"{node.url}{path}", headers=headers).json()
            rows = content["items"] if isinstance(content, dict) else content
            assert {row[field] for row in rows} <= {park.account(role)}


class TestNumbers:
    @pytest.mark.parametrize("number", [-1, 2**63, 2**64, 2**256, 10**80])
    def test_that_are_too_large_find_nothing(
        self,
        node: RunningNode,
        names: dict[str, str],
        tokens: dict[str | None, str],
        number: int,
    ):
        headers = {"Authorization": f"Bearer {tokens['regulator']}"}
        for path in (
            f"/batches/{names['stream_id']}/{number}",
            f"/certificates/{number}",
            f"/trades?cursor={number}-{number}",
            f"/readings?identifier={IDENTIFIER}&from_ts={number}&to_ts={number + 9}",
            f"/trades?limit={number}",
        ):
            answer = httpx.get(f"{node.url}{path}", headers=headers)
            assert answer.status_code in {200, 404, 422}, (path, answer.text)
            assert answer.status_code == 200 or (
                answer.headers["content-type"] == PROBLEM
            )

    @pytest.mark.parametrize(
        "name", ["..%2F..%2Fetc%2Fpasswd", "%00", "' OR 1=1 --", "\u2028", "a" * 5000]
    )
    def test_and_names_that_are_none_are_problems(
        self, node: RunningNode, tokens: dict[str | None, str], name: str
    ):
        headers = {"Authorization": f"Bearer {tokens['regulator']}"}
        for path in (
            "/proofs/statements/{}",
            "/accounts/{}",
            "/carriers/detail?identifier={}",
            "/instructions/{}",
            "/batches/{}/0",
        ):
            answer = httpx.get(f"{node.url}{path.format(name)}", headers=headers)
            assert answer.status_code in {404, 422}, (path, answer.text)
            assert answer.headers["content-type"] == PROBLEM
