"""A node asked to stop answers what is under way, loses nothing and ends with 0."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.commands import Program, leaves_nothing, running
from tests.simulators.half_request import HalfRequest
from wallet.signers import KeySigner

BODY = json.dumps({"address": KeySigner(b"\x05" * 32).address}).encode()
LATE = "timeout graceful shutdown exceeded"


@pytest.fixture
def node(embedded_home: Path) -> Iterator[tuple[Program, str]]:
    """A node with its own chain as a process, and its address."""
    words = ("run", "--config", embedded_home)
    log = embedded_home.parent / "node.log"
    with running("carbon-node", *words, log=log) as program:
        found = program.wait_for(r"^http://\S+$", 90)
        yield program, found[0]


def ask_to_stop(program: Program, number: signal.Signals, words: str) -> None:
    program.process.send_signal(number)
    program.wait_for(words)


class TestStop:
    def test_answers_what_is_under_way_and_leaves_nothing(
        self, node: tuple[Program, str], embedded_home: Path
    ):
        program, url = node
        given = (f"{url}/login/challenge", BODY, "application/json")
        with HalfRequest(*given) as request:
            ask_to_stop(program, signal.SIGTERM, "event=stopping")
            status, answer = request.finish()
        assert (status, "message" in json.loads(answer)) == (200, True)
        assert program.process.wait(90) == 0
        assert leaves_nothing(embedded_home.parent)
        assert "Traceback" not in program.output

    def test_is_hastened_by_a_second_signal(
        self, node: tuple[Program, str], embedded_home: Path
    ):
        program, url = node
        given = (f"{url}/login/challenge", BODY, "application/json")
        with HalfRequest(*given) as request:
            ask_to_stop(program, signal.SIGTERM, "event=stopping")
            ask_to_stop(program, signal.SIGINT, 'event="stop hastened"')
            assert b" 200 " not in request.answer()
        assert program.process.wait(90) == 0
        assert LATE not in program.output
        assert leaves_nothing(embedded_home.parent)
