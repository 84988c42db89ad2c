"""Five organisations as processes over five validators: one ledger for all.

The first organisation keeps its node and its member in PostgreSQL, the others in
files. One of them is killed whole, validator and all, and comes back.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from accounting.boundary import Boundary, Source
from contracts.enumerations import StatementStatus
from contracts.structs import IssueQuota
from contracts.typed_data import account_id, boundary_id
from oracle.inbox.results import Status, decode_results
from tests.servers.postgresql import PostgresqlServer
from tests.simulators import commands
from tests.simulators.consortium import Consortium, OrganisationSimulator
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import (
    STREAM_ID,
    Institutions,
    key_of,
    wait_until,
)
from tests.simulators.people import logged_in
from wallet.signers import KeySigner

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEPS = 8
END = START + STEPS * 900
KEPT_IN_POSTGRESQL = "Park Operator"
VICTIM = 4
VINTAGE = 2024


@pytest.fixture(scope="module")
def consortium(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgresqlServer
) -> Iterator[Consortium]:
    """All processes, answering."""
    with (
        postgresql_server.database() as node_url,
        postgresql_server.database() as member_url,
        Consortium(
            tmp_path_factory.mktemp("consortium"),
            {KEPT_IN_POSTGRESQL: (node_url, member_url)},
        ) as running,
    ):
        yield running


def deliver(to: OrganisationSimulator, raws: list[bytes]) -> None:
    """Send readings to a member's inbox; all must be acknowledged."""
    answer = httpx.post(
        f"{to.member_url}/readings/batch",
        content=b"".join(raws),
        headers={"content-type": "application/cbor-seq"},
        timeout=30,
        trust_env=False,
    )
    results = decode_results(answer.raise_for_status().content)
    assert {one.status for one in results} <= {Status.ACCEPTED, Status.REPLAYED}


def wait_for_batches(count: int, *organisations: OrganisationSimulator) -> None:
    """Wait until members have adopted so many batches and their nodes show them."""
    for one in organisations:

        def is_there(one: OrganisationSimulator = one) -> bool:
            found = one.status()
            has_all = found and found["batches"] >= count and not found["pending"]
            return bool(has_all) and len(one.get("/batches")["items"]) >= count

        wait_until(is_there, 120, 0.2)


def views(one: OrganisationSimulator) -> str:
    """What a node shows to the auditor, in one form."""
    paths = ("/batches", "/statements", "/carriers", "/quota/supply")
    auditor = KeySigner(key_of("Auditor first").secret)
    with logged_in(one.node_url, auditor) as http:
        answers = {path: http.get(path).raise_for_status().json() for path in paths}
    return json.dumps(answers, sort_keys=True)


def wait_for_one_view(consortium: Consortium) -> None:
    def is_one() -> bool:
        return len({views(one) for one in consortium.organisations}) == 1

    wait_until(is_one, 60, 0.5)


def enrol(people: Institutions) -> DeviceSimulator:
    """Enrol a carrier of Steel, alone in its boundary."""
    device = people.device("m1")
    sources = (Source(device.identifier, 1, "electricity_in"),)
    boundary = Boundary("works", "Steel", "厂", "Works", "steel", "浙江", sources)
    where = boundary_id("works"), account_id("Steel")
    call = people.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    people.govern("Regulator", call)
    return device


def ask_for_statement(one: OrganisationSimulator) -> bytes:
    period = ("--start", START, "--end", END, "--purpose", "total_with_indirect")
    words = ("statement", "--config", one.member_file, "--boundary", "works", *period)
    done = commands.run("carbon-oracle", *words, timeout_s=180)
    assert done.code == 0, done.err
    return bytes.fromhex(done.out.strip())


def tables_of(url: str) -> set[str]:
    """Names of the tables in a PostgreSQL database."""
    address = url.replace("postgresql+psycopg://", "postgresql://")
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    with psycopg.connect(address) as connection:
        return {name for (name,) in connection.execute(query)}


class TestFiveOrganisations:
    def test_share_one_ledger_while_one_of_them_is_away(self, consortium: Consortium):
        people = consortium.people()
        device = enrol(people)
        raws = [device.next(ts=START + step * 900) for step in range(STEPS + 1)]
        organisations = consortium.organisations
        deliver(organisations[0], raws[:4])
        wait_for_batches(1, *organisations)
        wait_for_one_view(consortium)

        consortium.network.kill(VICTIM)
        organisations[VICTIM].kill()
        present = organisations[:VICTIM]
        deliver(organisations[1], raws[4:])
        wait_for_batches(2, *present)
        statement = ask_for_statement(organisations[2])
        found = people.ledger.emissions.statement_of(statement)
        assert (found.status, found.grams > 0) == (StatementStatus.RECORDED, True)
        given = {"vintage": VINTAGE, "tonnes": 1000, "document": bytes(32)}
        people.instruct("Regulator", IssueQuota, people.ledger.quota.issue, **given)

        consortium.network.start([VICTIM])
        consortium.network.wait_ready([VICTIM])
        organisations[VICTIM].start()
        organisations[VICTIM].wait()
        wait_for_batches(people.ledger.anchor.head(STREAM_ID).seq, *organisations)
        wait_for_one_view(consortium)
        assert ask_for_statement(organisations[VICTIM]) == statement
        self.agree_on_blocks(consortium)

    def agree_on_blocks(self, consortium: Consortium) -> None:
        """Every validator has the same block at every height."""
        chains: list[list[Any]] = []
        lowest = min(consortium.network.height(at) or 0 for at in range(5))
        for at in range(5):
            client = consortium.people(at).client
            calls = [("eth_getBlockByNumber", [hex(n), False]) for n in range(lowest)]
            chains.append([block["hash"] for block in client.batch(calls)])
            client.close()
        assert len(chains[0]) > 0
        assert all(one == chains[0] for one in chains)

    def test_stop_when_asked_and_hold_what_a_fresh_index_holds(
        self, consortium: Consortium
    ):
        for one in consortium.organisations:
            assert one.stop() == [0, 0]
        for one in consortium.organisations:
            done = commands.run("carbon-node", "fsck", "--config", one.node_file)
            assert (done.code, "equal a fresh index" in done.out) == (0, True), done.err
        first = consortium.organisations[0]
        assert not list(Path(first.folder).rglob("*.sqlite"))
        node_tables, member_tables = map(tables_of, first.database_urls)
        assert "batches" in member_tables
        assert node_tables
