"""The commands of docs/network.md "For trying", one by one, as a person types them.

A network of five validators in a new folder, a ledger on it, a node whose API answers.
What is run is read from the page, so that the page cannot promise what does not work.
"""

import json
import re
import shlex
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.simulators import commands
from tests.simulators.consortium import MEMBERS, plan_toml

PAGE = Path(__file__).parents[2] / "docs" / "network.md"
WORDS = ("create", "start", "status", "deploy", "run", "stop")
TIMEOUT_S = 300


def commands_of_the_page() -> list[list[str]]:
    """The block of commands below the heading, without the name of the program."""
    section = PAGE.read_text("utf-8").split("## For trying")[1].split("\n## ")[0]
    lines = re.findall(r"^    carbon-node (.+)$", section, re.MULTILINE)
    return [shlex.split(line) for line in lines]


class Walk:
    """Runs the page's commands in a folder, with its names filled in."""

    def __init__(self, folder: Path) -> None:
        self.network = folder / "net"
        self.names = {"NET": str(self.network), "PLAN.toml": str(folder / "plan.toml")}
        (folder / "plan.toml").write_text(plan_toml())
        self.steps = dict(zip(WORDS, commands_of_the_page(), strict=True))

    def words(self, step: str) -> list[str]:
        def filled(word: str) -> str:
            head, slash, rest = word.partition("/")
            return self.names.get(head, head) + slash + rest

        return [filled(word) for word in self.steps[step]]

    def run(self, step: str) -> str:
        done = commands.run("carbon-node", *self.words(step), timeout_s=TIMEOUT_S)
        assert done.code == 0, f"{step}: {done.out}{done.err}"
        return done.out


def take_port(settings: Path) -> None:
    """Let the API listen where nothing else does; all else stays as it was made."""
    text = settings.read_text()
    assert "port = 8620\n" in text
    settings.write_text(text.replace("port = 8620\n", "port = 0\n"))


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    made = Walk(tmp_path)
    try:
        yield made
    finally:
        with suppress(AssertionError):
            made.run("stop")


class TestPage:
    def test_names_the_steps_in_order(self) -> None:
        told = [words[words[0] == "network"] for words in commands_of_the_page()]
        assert tuple(told) == WORDS


class TestWalk:
    def test_ends_at_an_api_that_tells_the_chain(self, walk: Walk) -> None:
        assert "5 validators, genesis" in walk.run("create")
        walk.names["URL"] = walk.run("start").split()[-1]
        assert walk.run("status").count("well") == len(MEMBERS)
        assert "11 contracts deployed" in walk.run("deploy")

        log, home = walk.network.parent / "node.log", walk.network / "organisation-1"
        take_port(home / "node.toml")
        with commands.running("carbon-node", *walk.words("run"), log=log) as node:
            url = node.wait_for(r"^http://127\.0\.0\.1:\d+$", TIMEOUT_S)[0]
            status = httpx.get(f"{url}/status", timeout=30, trust_env=False).json()
            assert node.stop(signal.SIGTERM) == 0
        deployed = json.loads((home / "deployment.json").read_text())
        assert status["engine"] == "ready"
        assert status["chain_id"] == deployed["chain_id"]
        assert status["chain_block"] > deployed["genesis_block"]
        assert walk.run("stop") == "5 validators stopped\n"
