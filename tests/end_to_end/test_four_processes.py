"""Four `carbon-oracle run` processes: with one stopped, then killed, work goes on."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from accounting.boundary import Boundary, Source
from contracts.enumerations import StatementStatus
from contracts.typed_data import account_id, boundary_id
from node.engine import EngineSettings
from oracle.inbox.results import Status, decode_results
from tests.servers.chain import open_engine
from tests.simulators import commands
from tests.simulators.commands import Done
from tests.simulators.device import DeviceSimulator
from tests.simulators.oracle_park import CHAIN_ID, MEMBERS, OraclePark, wait_until

START = 1_672_502_400  # 2023-01-01 00:00 at UTC+8
STEPS = 8
END = START + STEPS * 900
VICTIM = 3
YEAR_WITHOUT_FACTORS = 1_704_038_400  # 2024-01-01 00:00 at UTC+8
Processes = dict[int, "subprocess.Popen[bytes]"]


@pytest.fixture
def park(tmp_path: Path) -> Iterator[OraclePark]:
    """A ledger whose clock stands behind the period."""
    now = {"clock_mode": "virtual", "genesis_time": YEAR_WITHOUT_FACTORS + 3600}
    chain = EngineSettings(tmp_path / "chain", CHAIN_ID, **now)
    with open_engine(chain) as engine, OraclePark(engine, tmp_path) as fresh:
        yield fresh


@pytest.fixture
def device(park: OraclePark) -> DeviceSimulator:
    """A carrier, enrolled, alone in its boundary."""
    made = park.device("m1")
    sources = (Source(made.identifier, 1, "electricity_in"),)
    boundary = Boundary("works", "Steel", "厂", "Works", "steel", "浙江", sources)
    where = boundary_id("works"), account_id("Steel")
    call = park.ledger.emissions.register_boundary(*where, boundary.to_bytes())
    park.govern("Regulator", call)
    return made


@pytest.fixture
def processes(park: OraclePark, device: DeviceSimulator) -> Iterator[Processes]:
    """All members, answering; they know the device from their start."""
    assert device.seq == 0
    running: Processes = {}
    try:
        for index in range(len(MEMBERS)):
            running[index] = park.process(index, clock="chain")
        for index in running:
            wait_until(lambda index=index: park.status(index), 60)
        yield running
    finally:
        for process in running.values():
            process.kill()
            process.wait(10)


def deliver(park: OraclePark, member: int, raws: list[bytes]) -> None:
    url = f"http://127.0.0.1:{park.ports[member]}/readings/batch"
    headers = {"content-type": "application/cbor-seq"}
    body = b"".join(raws)
    answer = httpx.post(url, content=body, headers=headers, timeout=20, trust_env=False)
    results = decode_results(answer.content)
    assert {one.status for one in results} <= {Status.ACCEPTED, Status.REPLAYED}


def wait_for_batches(park: OraclePark, count: int, *members: int) -> None:
    """Wait until members have adopted so many batches and nothing waits."""
    for member in members:

        def is_there(member: int = member) -> bool:
            found = park.status(member)
            return bool(found and found["batches"] >= count and not found["pending"])

        wait_until(is_there, 45)


def ask(park: OraclePark, member: int, boundary: str, start: int, end: int) -> Done:
    """Ask a member for a statement, as its operator does."""
    config = park.folder / f"member-{member}.toml"
    period = ("--start", start, "--end", end, "--purpose", "total_with_indirect")
    words = ("statement", "--config", config, "--boundary", boundary, *period)
    return commands.run("carbon-oracle", *words)


def ask_for_statement(park: OraclePark, member: int) -> bytes:
    done = ask(park, member, "works", START, END)
    assert done.code == 0, done.err
    return bytes.fromhex(done.out.strip())


class TestOneMemberAway:
    def test_batches_and_a_statement_go_through_and_it_catches_up(
        self, park: OraclePark, device: DeviceSimulator, processes: Processes
    ):
        raws = [device.next(ts=START + step * 900) for step in range(STEPS + 1)]
        raws += [device.next(ts=YEAR_WITHOUT_FACTORS + step * 900) for step in (0, 1)]
        deliver(park, 0, raws[:3])
        wait_for_batches(park, 1, 0, 1, 2, 3)
        processes[VICTIM].send_signal(signal.SIGSTOP)
        deliver(park, 1, raws[3:6])
        wait_for_batches(park, 2, 0, 1, 2)
        processes[VICTIM].kill()
        processes[VICTIM].wait(10)
        deliver(park, 2, raws[6:])
        wait_for_batches(park, 3, 0, 1, 2)
        statement = ask_for_statement(park, 0)
        found = park.ledger.emissions.statement_of(statement)
        assert found.status is StatementStatus.RECORDED
        assert found.grams > 0
        self.refuse_the_rest(park)
        processes[VICTIM] = park.process(VICTIM, clock="chain")
        wait_for_batches(park, park.anchored(), VICTIM)
        assert ask_for_statement(park, VICTIM) == statement

    def refuse_the_rest(self, park: OraclePark) -> None:
        """Bad requests get a sentence, and nothing comes to the chain."""
        block = park.client.block_number()
        cases = {
            ("nowhere", START, END): "boundary that is registered",
            ("works", END, START): "expected",
            ("works", START - 86_400, START - 900): "readings that touch the period",
            (
                "works",
                YEAR_WITHOUT_FACTORS,
                YEAR_WITHOUT_FACTORS + 900,
            ): "no value in force",
        }
        for case, words in cases.items():
            done = ask(park, 0, *case)
            assert (done.code, words in done.err, done.out) == (1, True, ""), done.err
        assert park.client.block_number() == block
