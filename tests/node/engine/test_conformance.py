"""The embedded engine passes every check, and a lying engine fails them."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from node.engine import EmbeddedEngine, EngineSettings
from node.engine.conformance import CHECKS, Probe, run_check, run_conformance
from node.engine.conformance.__main__ import main

REPORTING = {
    "client_version_is_named",
    "finality_tags_reported",
    "p256_precompile_reported",
    "price_zero_reported",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory):
    settings = EngineSettings(tmp_path_factory.mktemp("conformance"), 20260)
    with EmbeddedEngine(settings) as engine:
        yield engine


@pytest.fixture(scope="module")
def probe(running: EmbeddedEngine):
    probe = Probe(running.rpc_url)
    yield probe
    probe.close()


@pytest.fixture
def liar(running: EmbeddedEngine):
    """Start a proxy that changes the answers to one method."""
    servers = []

    def start(method: str, change: Callable[[Any], Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the library's name
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {"content-type": "application/json"}
                answer = httpx.post(running.rpc_url, content=body, headers=headers)
                result = answer.json()
                if json.loads(body).get("method") == method and "result" in result:
                    result["result"] = change(result["result"])
                content = json.dumps(result).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


class TestEmbeddedEngine:
    @pytest.mark.parametrize("name", CHECKS)
    def test_conforms(self, probe: Probe, name: str):
        result = run_check(name, probe)
        expected = "reported" if name in REPORTING else "passed"
        assert (result.status, result.detail or "-") == (
            expected,
            result.detail if name in REPORTING else "-",
        )

    def test_there_are_at_least_twenty_five_checks(self):
        assert len(CHECKS) >= 25


class TestLyingEngine:
    @pytest.mark.parametrize(
        ("name", "method", "change"),
        [
            ("parents_are_linked", "eth_getBlockByNumber",
             lambda block: block | {"parentHash": "0x" + 32 * "11"}),
            ("logs_bloom_holds_the_events", "eth_getBlockByNumber",
             lambda block: block | {"logsBloom": "0x0"}),
            ("receipt_tells_the_outcome", "eth_getTransactionReceipt",
             lambda receipt: receipt and receipt | {"gasUsed": "0x1"}),
            ("events_are_in_order", "eth_getTransactionReceipt",
             lambda receipt: receipt and receipt | {"logs": receipt["logs"][::-1]}),
            ("logs_by_topics", "eth_getLogs", lambda _logs: []),
            ("unknown_things_are_null", "eth_getTransactionReceipt", lambda _none: {}),
            ("chain_id_equals_net_version", "net_version", lambda _version: "1"),
            ("mcopy_works", "eth_call", lambda _word: "0x" + 32 * "00"),
            ("count_rises_with_each_transaction", "eth_getTransactionCount",
             lambda count: count and "0x0"),
            ("timestamps_never_fall", "eth_getBlockByNumber", lambda _block: None),
        ],
    )  # fmt: skip
    def test_fails_the_check(
        self,
        liar: Callable[..., str],
        name: str,
        method: str,
        change: Callable[[Any], Any],
    ):
        probe = Probe(liar(method, change))
        assert run_check(name, probe).status == "failed"
        probe.close()

    def test_an_absent_engine_fails_every_check(self, free_port: int):
        results = run_conformance(f"http://127.0.0.1:{free_port}")
        assert {each.status for each in results} == {"failed"}
        assert "start it, or correct the address" in results[0].detail


class TestCommand:
    def test_an_operator_reads_one_line_a_check(
        self, running: EmbeddedEngine, capsys: pytest.CaptureFixture[str]
    ):
        assert main([running.rpc_url]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1] == f"{len(CHECKS)} checks, 0 failed"
        assert "passed    parents are linked" in lines

    def test_a_failure_is_exit_code_one(
        self, liar: Callable[..., str], capsys: pytest.CaptureFixture[str]
    ):
        assert main([liar("net_version", lambda _version: "1")]) == 1
        assert "expected '20260', got '1'" in capsys.readouterr().out

    def test_uses_the_funded_account_of_a_file(
        self, running: EmbeddedEngine, tmp_path: Path
    ):
        (tmp_path / "key").write_text("0x" + 32 * "07" + "\n")
        assert main([running.rpc_url, "--key-file", str(tmp_path / "key")]) == 0
        probe = Probe(running.rpc_url, 32 * b"\7")
        assert probe.nonce() > 0
        probe.close()
