"""A member asked to stop acknowledges what is under way, and has it afterwards."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from oracle.inbox.results import Status, decode_results
from tests.simulators.commands import Program
from tests.simulators.half_request import HalfRequest
from tests.simulators.oracle_park import OraclePark, settings_toml

SEQUENCE = "application/cbor-seq"


@contextmanager
def member(park: OraclePark) -> Iterator[Program]:
    """A member as a process that says what happens."""
    path = park.folder / "member-0.toml"
    path.write_text(settings_toml(park.settings(0)))
    words = ("--verbose", "run", "--config", path)
    program = Program("carbon-oracle", *words, log=Path(f"{path}.log"))
    try:
        program.wait_for(r"^member .* at http", 90)
        yield program
    finally:
        program.process.kill()
        program.process.wait(10)


class TestStop:
    def test_acknowledges_what_is_under_way_and_keeps_it(self, park: OraclePark):
        raw = park.device("under way").next(ts=int(time.time()) - 60)
        url = f"http://127.0.0.1:{park.ports[0]}/readings/batch"
        with member(park) as program, HalfRequest(url, raw, SEQUENCE) as request:
            program.process.send_signal(signal.SIGTERM)
            program.wait_for("event=stopping")
            status, answer = request.finish()
            [result] = decode_results(answer)
            assert (status, result.status) == (200, Status.ACCEPTED)
            assert program.process.wait(90) == 0
        with member(park):
            again = httpx.post(
                url, content=raw, headers={"content-type": SEQUENCE}, trust_env=False
            )
            [known] = decode_results(again.content)
        assert (known.status, known.receipt) == (Status.REPLAYED, result.receipt)

    def test_is_hastened_by_a_second_signal(self, park: OraclePark):
        url = f"http://127.0.0.1:{park.ports[0]}/readings/batch"
        with member(park) as program, HalfRequest(url, b"\x84" * 9, SEQUENCE) as half:
            program.process.send_signal(signal.SIGTERM)
            program.wait_for("event=stopping")
            program.process.send_signal(signal.SIGTERM)
            program.wait_for('event="stop hastened"')
            assert b" 200 " not in half.answer()
            assert program.process.wait(90) == 0
            assert "timeout graceful shutdown exceeded" not in program.output
