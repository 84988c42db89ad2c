"""Who may see what is for operators: the rule, and a member's figures behind it."""

from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.requests import Request

from oracle.errors import InvalidSettingsError
from oracle.operations.access import OperatorAccess
from oracle.operations.pages import add_metrics
from tests.simulators.asgi import DirectLine

TOKEN = "a token of this test alone"  # noqa: S105  # and of nothing else


def token_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(content)
    path.chmod(mode)
    return path


def request(client: str, host: str, **headers: str) -> Request:
    given = {"host": host, **headers}
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items()]
    return Request({"type": "http", "headers": raw, "client": (client, 4711)})


class TestRule:
    @pytest.mark.parametrize("host", ["127.0.0.1:8620", "localhost", "[::1]:8620"])
    def test_without_token_admits_this_machine(self, host: str):
        assert OperatorAccess().admits(request("127.0.0.1", host))
        assert OperatorAccess().admits(request("::1", host))

    @pytest.mark.parametrize(
        "refused",
        [
            request("10.0.0.1", "127.0.0.1"),
            request("127.0.0.1", "ledger.example"),
            request("127.0.0.1", "localhost", forwarded="for=10.0.0.1"),
            request("127.0.0.1", "localhost", x_forwarded_for="127.0.0.1"),
            request("127.0.0.1", "localhost", x_real_ip="10.0.0.1"),
            Request({"type": "http", "headers": [], "client": None}),
        ],
    )
    def test_without_token_refuses_everybody_else(self, refused: Request):
        assert not OperatorAccess().admits(refused)

    @pytest.mark.parametrize(
        "shown", ["", "Bearer", "Bearer x", "Basic !!!", "Basic eA==", f"Other {TOKEN}"]
    )
    def test_with_token_refuses_whoever_does_not_show_it(self, shown: str):
        access = OperatorAccess(TOKEN.encode())
        assert not access.admits(request("127.0.0.1", "localhost", authorization=shown))
        assert access.admits(
            request("10.0.0.1", "ledger.example", authorization=f"Bearer {TOKEN}")
        )


class TestTokenFile:
    def test_is_read_without_its_line_end(self, tmp_path: Path):
        path = token_file(tmp_path, f"{TOKEN}\n")
        assert OperatorAccess.from_file(path).token == TOKEN.encode()

    def test_that_others_can_read_is_refused(self, tmp_path: Path):
        path = token_file(tmp_path, TOKEN, 0o640)
        with pytest.raises(InvalidSettingsError, match="chmod 600"):
            OperatorAccess.from_file(path)

    def test_that_is_short_or_absent_is_refused(self, tmp_path: Path):
        with pytest.raises(InvalidSettingsError, match="at least 16 characters"):
            OperatorAccess.from_file(token_file(tmp_path, "short"))
        with pytest.raises(InvalidSettingsError, match="cannot be read"):
            OperatorAccess.from_file(tmp_path / "absent")


class TestMetricsPage:
    @pytest.mark.parametrize(("token", "refusal"), [("", 403), (TOKEN, 401)])
    def test_is_for_operators(self, token: str, refusal: int):
        registry = CollectorRegistry()
        Gauge("carbon_test", "Of this test.", registry=registry).set(7)
        app = Starlette()
        add_metrics(app, registry, OperatorAccess(token.encode()))
        line = DirectLine(app)
        client = httpx.Client(base_url="http://ledger.example", transport=line)
        assert client.get("/metrics").status_code == refusal
        if token:
            shown = {"authorization": f"Bearer {token}"}
            assert "carbon_test 7.0" in client.get("/metrics", headers=shown).text
