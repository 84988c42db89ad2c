"""`carbon-oracle`: one step, the dry run, requests to a running member, its errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.engine import EngineSettings
from oracle.__main__ import main
from tests.servers.chain import Chain, open_engine
from tests.simulators.oracle_park import (
    CHAIN_ID,
    OraclePark,
    free_port,
    member_key,
    settings_toml,
)


def config(park: OraclePark, index: int = 0, **changes: Any) -> str:
    path = park.folder / f"member-{index}.toml"
    path.write_text(settings_toml(park.settings(index, **changes)))
    return str(path)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain of its own: one that many tests share runs ahead of the clock."""
    folder = tmp_path_factory.mktemp("engine")
    with open_engine(EngineSettings(folder, CHAIN_ID)) as running:
        yield running


class TestCheck:
    def test_is_content_with_a_running_park(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        with park.running((1, 2, 3)):
            assert main(["check", "--config", config(park)]) == 0
        shown = capsys.readouterr().out
        assert "member 0 of 4" in shown
        assert "FAIL" not in shown

    def test_names_the_peers_that_do_not_answer(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        with park.running((1, 2)):
            assert main(["check", "--config", config(park)]) == 1
        failed = [x for x in capsys.readouterr().out.splitlines() if "FAIL" in x]
        assert len(failed) == 1
        assert member_key(3).address in failed[0]

    @pytest.mark.parametrize(
        ("changes", "match"),
        [
            ({"stream": "nowhere"}, "stream nowhere is not open"),
            ({"heartbeat_s": 10**6}, "longer than the stream's"),
            ({"rpc_url": "http://127.0.0.1:1"}, "does not answer"),
            ({"deployment_file": Path("/absent")}, "deployment file /absent"),
            ({"peers": {}}, r"[peers] lacks"),
        ],
    )
    def test_names_what_is_wrong(
        self,
        park: OraclePark,
        capsys: pytest.CaptureFixture[str],
        changes: dict[str, Any],
        match: str,
    ):
        assert main(["check", "--config", config(park, **changes)]) == 1
        assert match in capsys.readouterr().out


class TestRun:
    def test_runs_one_step(self, park: OraclePark, capsys: pytest.CaptureFixture[str]):
        with park.running((1, 2, 3)):
            assert main(["run", "--once", "--config", config(park)]) == 0
        assert "'cycles': 1" in capsys.readouterr().out

    def test_says_that_the_port_is_taken(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        with park.running((1,)):
            taken = config(park, port=park.ports[1])
            assert main(["run", "--config", taken]) == 1
        assert "choose another port" in capsys.readouterr().err

    def test_says_that_the_passphrase_is_wrong(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        path = config(park)
        (park.folder / "member-0" / "passphrase").write_text("another")
        assert main(["run", "--once", "--config", path]) == 1
        assert "does not open with the passphrase" in capsys.readouterr().err


class TestRequests:
    def test_say_that_the_member_does_not_run(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        path = config(park, port=free_port())
        given = ["--boundary", "works", "--start", "0", "--end", "900"]
        purpose = ["--purpose", "total_with_indirect"]
        assert main(["statement", "--config", path, *given, *purpose]) == 1
        assert member_key(0).address in capsys.readouterr().err

    def test_bring_the_members_reason(
        self, park: OraclePark, capsys: pytest.CaptureFixture[str]
    ):
        with park.running((0,)):
            path = config(park)
            code = ["code", "--config", path, "--statement", "00" * 32]
            assert main(code) == 1
        said = capsys.readouterr().err
        assert "a confirmed one, given none" in said
        assert "{" not in said  # words, no JSON
