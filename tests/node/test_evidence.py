"""Carriers, batches, statements, certificates and proofs through the API."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.enumerations import Purpose
from contracts.typed_data import stream_id
from node.run import RunningNode, indexer_of
from node.services.fsck import check_ledger
from node.store.database import open_database

IDENTIFIER = "88.118.1/steel-meter-1"


@pytest.fixture(scope="module")
def statements(park: Any) -> dict[str, bytes]:
    """A confirmed statement of each purpose for steel, a recorded one for glass."""
    park.heartbeat()
    park.register_carrier(IDENTIFIER, "steel")
    direct = park.record_statement("steel", Purpose.ETS_DIRECT, 4_200_000)
    total = park.record_statement("steel", Purpose.TOTAL_WITH_INDIRECT, 9_000_000)
    other = park.record_statement("glass", Purpose.ETS_DIRECT, 1_000_001)
    for statement in (direct, total):
        park.confirm_statement("steel", statement)
    park.issue_certificate(total)
    park.endow("steel", 2024, 10, 100)
    surrender = {"statement": f"0x{direct.hex()}", "vintage": 2024, "tonnes": 5}
    park.act(park.quota("SurrenderQuota", "steel", **surrender), "steel")
    return {"direct": direct, "total": total, "other": other}


@pytest.fixture(scope="module")
def proofs(
    tmp_path_factory: pytest.TempPathFactory, statements: dict[str, bytes]
) -> Path:
    folder = tmp_path_factory.mktemp("proofs")
    (folder / f"{statements['direct'].hex()}.cclp").write_bytes(b"\xa0")
    return folder


@pytest.fixture(scope="module")
def node(
    open_node: Any,
    tmp_path_factory: pytest.TempPathFactory,
    proofs: Path,
    park: Any,
) -> Iterator[RunningNode]:
    with open_node(tmp_path_factory.mktemp("node"), proof_folder=proofs) as running:
        head = park.client.block_number()
        give_up = time.monotonic() + 15
        while httpx.get(f"{running.url}/status").json()["indexed_block"] != head:
            assert time.monotonic() < give_up
            time.sleep(0.02)
        yield running


class TestStatements:
    def test_carry_status_steps_and_what_was_surrendered(
        self, visit: Any, statements: dict[str, bytes]
    ):
        path = f"/statements/0x{statements['direct'].hex()}"
        found = visit("steel-first").get(path).json()
        assert (found["status"], found["grams"]) == ("confirmed", 4_200_000)
        steps = [step["status"] for step in found["steps"]]
        assert steps == ["submitted", "verified", "confirmed"]
        assert found["steps"][1]["opinion"] == "positive"
        assert found["surrendered_tonnes"] == 5

    def test_are_listed_to_their_owner_only(self, visit: Any, park: Any):
        rows = visit("glass-first").get("/statements").json()["items"]
        assert [row["account"] for row in rows] == [park.account("glass")]
        assert rows[0]["status"] == "recorded"

    def test_of_others_are_refused(self, visit: Any, statements: dict[str, bytes]):
        path = f"/statements/0x{statements['direct'].hex()}"
        assert visit("glass-first").get(path).status_code == 403

    def test_are_all_listed_to_the_auditor(self, visit: Any):
        assert len(visit("auditor-first").get("/statements").json()["items"]) == 3


class TestCertificates:
    def test_are_public(self, visit: Any, statements: dict[str, bytes]):
        (row,) = visit().get("/certificates").json()["items"]
        assert row["statement"] == f"0x{statements['total'].hex()}"
        assert (row["grade"], row["is_revoked"]) == (2, False)
        assert visit().get(f"/certificates/{row['token_id']}").json() == row


class TestCarriersAndBatches:
    def test_a_carrier_has_key_channels_and_status(self, visit: Any):
        visitor = visit("steel-first")
        found = visitor.get("/carriers/detail", identifier=IDENTIFIER).json()
        assert (found["status"], found["cutoff_seq"]) == ("active", None)
        assert [key["epoch"] for key in found["keys"]] == [0]
        assert IDENTIFIER in found["channel_table"]

    def test_a_carrier_of_others_is_refused(self, visit: Any):
        visitor = visit("glass-first")
        answer = visitor.get("/carriers/detail", identifier=IDENTIFIER)
        assert answer.status_code == 403
        assert visitor.get("/carriers").json()["items"] == []

    def test_a_batch_is_found_by_stream_and_number(self, visit: Any):
        stream = f"0x{stream_id('park').hex()}"
        found = visit().get(f"/batches/{stream}/0").json()
        assert (found["leaf_count"], found["seq"]) == (0, 0)
        listed = visit().get("/batches", stream_id=stream).json()["items"]
        assert listed == [found]

    def test_readings_are_refused_to_others_before_they_are_looked_up(self, visit: Any):
        question = {"identifier": IDENTIFIER, "from_ts": 0, "to_ts": 10}
        answer = visit("glass-first").get("/readings", **question)
        assert answer.status_code == 403


class TestProofs:
    def test_are_given_to_the_owner(self, visit: Any, statements: dict[str, bytes]):
        path = f"/proofs/statements/{statements['direct'].hex()}"
        answer = visit("steel-first").get(path)
        assert (answer.content, answer.headers["content-type"]) == (
            b"\xa0",
            "application/cbor",
        )

    def test_are_refused_to_others(self, visit: Any, statements: dict[str, bytes]):
        path = f"/proofs/statements/{statements['direct'].hex()}"
        assert visit("glass-first").get(path).status_code == 403

    def test_that_are_not_there_are_said_to(
        self, visit: Any, statements: dict[str, bytes]
    ):
        path = f"/proofs/statements/{statements['total'].hex()}"
        answer = visit("steel-first").get(path)
        assert (answer.status_code, "no proof package" in answer.text) == (404, True)


class TestFsck:
    def test_agrees_with_a_fresh_index_and_the_contracts(
        self, node: RunningNode, tmp_path: Path
    ):
        fresh = open_database(f"sqlite:///{tmp_path}/fresh.sqlite")
        indexer_of(node.ledger, fresh).catch_up()
        report = check_ledger(node.ledger, node.database, fresh)
        fresh.close()
        assert report.rows > 100
        assert report.balances > 0
