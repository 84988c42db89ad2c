"""A gate before an engine that it knows by its RPC address alone."""

import hashlib
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.engine.conformance import CHECKS, Probe, run_check
from node.errors import InvalidConfigError
from node.gate.open import OpenGate
from oracle.connection import TlsFiles, client_context
from tests.servers.chain import FAUCET
from tests.simulators.endless_body import ANNOUNCED, send_without_end
from tests.simulators.private_ca import PrivateCa

Serve = Callable[..., OpenGate]
Visit = Callable[..., Any]
CREATION = {"to": None, "data": bytes.fromhex("600160005260206000f3"), "gas": 200_000}


class TestPassing:
    def test_conforms_as_the_engine_does(self, serve: Serve):
        probe = Probe(serve(max_batch=1000).url, FAUCET.secret)
        failed = {
            name: result.detail
            for name in CHECKS
            if (result := run_check(name, probe)).status == "failed"
        }
        probe.close()
        assert not failed

    def test_the_same_bytes_again_are_answered_with_the_same_hash(
        self, serve: Serve, visit: Visit, account: Any
    ):
        client, raw = visit(serve().url), account(1).sign()
        assert client.send(raw) == client.send(raw)

    def test_what_the_engine_refuses_is_refused_in_its_words(
        self, serve: Serve, visit: Visit, account: Any
    ):
        raw = account(2).sign(value=10**30)
        error = visit(serve().url).error("eth_sendRawTransaction", raw)
        assert "insufficient funds" in error["message"]

    def test_a_transaction_for_another_chain_never_reaches_the_engine(
        self, serve: Serve, visit: Visit, free_port: int, account: Any
    ):
        client = visit(serve(f"http://127.0.0.1:{free_port}").url)
        error = client.error("eth_sendRawTransaction", account(1).sign(chainId=1))
        assert "expected 20260, got 1" in error["message"]

    def test_control_of_the_engine_does_not_pass(self, serve: Serve, visit: Visit):
        error = visit(serve().url).error("evm_mine")
        assert error["code"] == -32601

    def test_an_absent_engine_is_said_for_a_transaction_at_once(
        self, serve: Serve, visit: Visit, free_port: int, account: Any
    ):
        client = visit(serve(f"http://127.0.0.1:{free_port}").url)
        error = client.error("eth_sendRawTransaction", account(1).sign())
        assert error["code"] == -32002
        assert "see the engine's log" in error["message"]


class TestCallers:
    def test_nobody_is_refused_before_the_body_is_read(
        self, serve: Serve, visit: Visit, callers: Any
    ):
        callers.add("reader", 'rights = ["read"]')
        url = serve(callers=callers.path).url
        for client in (visit(url), visit(url, "guessed")):
            answer = client.post({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "no caller of this gate" in answer.json()["error"]["message"]

    def test_a_reader_reads_and_does_not_send(
        self, serve: Serve, visit: Visit, callers: Any, account: Any
    ):
        token = callers.add("reader", 'rights = ["read"]')
        client = visit(serve(callers=callers.path).url, token)
        assert client.call("eth_chainId") == hex(20260)
        error = client.error("eth_sendRawTransaction", account(3).sign())
        assert (error["code"], "no right to send" in error["message"]) == (-32043, True)

    def test_who_sends_cannot_read_or_create_without_the_right(
        self, serve: Serve, visit: Visit, callers: Any, account: Any
    ):
        token = callers.add("sender", 'rights = ["send"]')
        client = visit(serve(callers=callers.path).url, token)
        assert client.call("eth_sendRawTransaction", account(4).sign())
        assert client.error("eth_chainId")["code"] == -32043
        error = client.error("eth_sendRawTransaction", account(4).sign(1, **CREATION))
        assert "may not create contracts here" in error["message"]

    def test_a_deployer_creates(
        self, serve: Serve, visit: Visit, callers: Any, account: Any
    ):
        token = callers.add("deployer", 'rights = ["read", "send", "deploy"]')
        client = visit(serve(callers=callers.path).url, token)
        assert client.send(account(5).sign(**CREATION))["contractAddress"]

    def test_methods_and_senders_of_an_entry_are_all_there_is(
        self, serve: Serve, visit: Visit, callers: Any, account: Any
    ):
        rights = 'rights = ["read", "send"]'
        methods = 'methods = ["eth_chainId", "eth_sendRawTransaction"]'
        senders = f'senders = ["{account(6).address}"]'
        token = callers.add("narrow", rights, methods, senders)
        client = visit(serve(callers=callers.path).url, token)
        assert client.call("eth_sendRawTransaction", account(6).sign())
        assert "may not call eth_blockNumber" in str(client.error("eth_blockNumber"))
        error = client.error("eth_sendRawTransaction", account(7).sign())
        assert "may not send transactions here" in error["message"]

    def test_a_batch_is_refused_call_by_call(
        self, serve: Serve, visit: Visit, callers: Any
    ):
        token = callers.add("reader", 'rights = ["read"]', 'methods = ["eth_chainId"]')
        client = visit(serve(callers=callers.path).url, token)
        block = ("eth_getBlockByNumber", ["0x0", False])
        asked = [("eth_chainId", []), ("eth_blockNumber", []), block, block]
        batch = [
            {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}
            for ident, (method, params) in enumerate(asked)
        ]
        good, *bad = client.post(batch).json()
        assert good["result"] == hex(20260)
        assert {one["error"]["code"] for one in bad} == {-32043}

    def test_a_removed_caller_is_nobody_soon(
        self, serve: Serve, visit: Visit, callers: Any
    ):
        token = callers.add("reader", 'rights = ["read"]')
        client = visit(serve(callers=callers.path).url, token)
        assert client.call("eth_chainId")
        callers.path.write_text("")
        wanted = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        deadline = time.monotonic() + 20
        while client.post(wanted).status_code != 401:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_a_slip_in_the_file_leaves_the_callers_as_they_were(
        self, serve: Serve, visit: Visit, callers: Any, caplog: Any
    ):
        token = callers.add("reader", 'rights = ["read"]')
        client = visit(serve(callers=callers.path).url, token)
        callers.path.write_text("no toml")
        deadline = time.monotonic() + 20
        while "kept as they were" not in caplog.text:
            assert client.call("eth_chainId")
            assert time.monotonic() < deadline
            time.sleep(0.1)


class TestTls:
    @pytest.fixture
    def ca(self, tmp_path: Path) -> PrivateCa:
        return PrivateCa(tmp_path)

    @pytest.fixture
    def url(self, serve: Serve, callers: Any, ca: PrivateCa) -> str:
        own = ca.identity("gate")
        rights = 'rights = ["read"]'
        callers.add_table("steel", 'certificate_name = "steel.example"', rights)
        return serve(
            callers=callers.path,
            certificate=own.certificate,
            key=own.key,
            client_ca=ca.file,
        ).url

    def context(self, ca: PrivateCa, identity: Any) -> ssl.SSLContext:
        return client_context(TlsFiles(identity.certificate, identity.key, ca.file))

    def test_a_registered_certificate_is_its_caller(
        self, url: str, visit: Visit, ca: PrivateCa
    ):
        steel = self.context(ca, ca.identity("steel.example"))
        assert url.startswith("https://")
        assert visit(url, verify=steel).call("eth_chainId") == hex(20260)

    def test_one_of_the_ca_that_is_not_registered_is_nobody(
        self, url: str, visit: Visit, ca: PrivateCa
    ):
        glass = self.context(ca, ca.identity("glass.example"))
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        assert visit(url, verify=glass).post(request).status_code == 401

    def test_one_of_another_ca_gets_no_connection(
        self, url: str, visit: Visit, ca: PrivateCa, tmp_path: Path
    ):
        (tmp_path / "other").mkdir()
        forged = PrivateCa(tmp_path / "other").identity("steel.example")
        client = visit(url, verify=self.context(ca, forged))
        with pytest.raises(httpx.TransportError):
            client.call("eth_chainId")

    def test_a_fingerprint_names_one_certificate(
        self, serve: Serve, visit: Visit, callers: Any, ca: PrivateCa
    ):
        own, steel = ca.identity("gate"), ca.identity("steel.example")
        der = ssl.PEM_cert_to_DER_cert(steel.certificate.read_text())
        digest = hashlib.sha256(der).hexdigest()
        callers.add_table("s", f'certificate_sha256 = "{digest}"', 'rights = ["read"]')
        options = {"certificate": own.certificate, "key": own.key}
        url = serve(callers=callers.path, client_ca=ca.file, **options).url
        client = visit(url, verify=self.context(ca, steel))
        assert client.call("eth_chainId") == hex(20260)
        again = visit(url, verify=self.context(ca, ca.identity("steel.example")))
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        assert again.post(request).status_code == 401

    def test_old_tls_is_refused(self, url: str, ca: PrivateCa):
        context = self.context(ca, ca.identity("steel.example"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with httpx.Client(verify=context) as http, pytest.raises(httpx.ConnectError):
            http.post(url, json={})


class TestLimits:
    def test_who_asks_too_fast_is_told_when_to_come_back(
        self, serve: Serve, visit: Visit, callers: Any
    ):
        limits = ("requests_per_s = 1", "burst = 3")
        token = callers.add("quick", 'rights = ["read"]', *limits)
        other = callers.add("calm", 'rights = ["read"]')
        url = serve(callers=callers.path).url
        client, request = visit(url, token), {"jsonrpc": "2.0", "id": 1, "params": []}
        request["method"] = "eth_chainId"
        answers = [client.post(request) for _ in range(20)]
        fast = [one for one in answers if one.status_code == 429]
        assert fast
        assert int(fast[0].headers["retry-after"]) >= 1
        assert fast[0].json()["error"]["code"] == -32005
        assert visit(url, other).call("eth_chainId")

    def test_a_batch_counts_call_by_call_and_is_refused_whole(
        self, serve: Serve, visit: Visit, callers: Any
    ):
        limits = ("requests_per_s = 1", "burst = 3")
        token = callers.add("quick", 'rights = ["read"]', *limits)
        client = visit(serve(callers=callers.path).url, token)
        one = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        answer = client.post([one] * 4).json()
        assert "may make 3 calls at once" in answer["error"]["message"]
        assert len(client.post([one] * 3).json()) == 3

    def test_sizes_and_spans(self, serve: Serve, visit: Visit, account: Any):
        limits = {"max_request_bytes": 900, "max_batch": 2, "max_log_blocks": 2}
        client = visit(serve(**limits).url)
        one = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        assert client.post([one] * 3).json()["error"]["code"] == -32600
        assert client.post({"x": 900 * "x"}).status_code == 413
        for nonce in range(3):
            client.send(account(8).sign(nonce))
        error = client.error("eth_getLogs", {"fromBlock": "0x0"})
        assert "at most 2 are served at a time" in error["message"]
        assert error == client.error("eth_getLogs", {"fromBlock": "earliest"})
        assert client.error("eth_newFilter", {"fromBlock": "0x0"})["code"] == -32005
        assert client.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x1"}) == []
        assert client.call("eth_getLogs", {}) == []

    def test_a_body_without_end_is_cut_off(self, serve: Serve):
        url = serve(max_request_bytes=900).url
        sent, answer = send_without_end(url, "content-type: application/json")
        assert sent < ANNOUNCED
        assert answer.startswith(b"HTTP/1.1 413")

    @pytest.mark.parametrize(
        "query",
        [
            None,
            [],
            {"fromBlock": ["0x0"]},
            {"fromBlock": "0"},
            {"fromBlock": 0},
            {"toBlock": "0x" + 20 * "f"},
            {"blockHash": "0x" + 64 * "0", "fromBlock": "0x0"},
        ],
    )
    def test_a_span_that_cannot_be_counted_does_not_pass(
        self, serve: Serve, visit: Visit, query: Any
    ):
        error = visit(serve().url).error("eth_getLogs", query)
        assert error["code"] == -32602

    def test_an_answer_that_is_too_large_is_not_passed(
        self, serve: Serve, visit: Visit
    ):
        client = visit(serve(max_answer_bytes=100).url)
        error = client.error("eth_getBlockByNumber", "latest", False)
        assert "larger than 100 bytes" in error["message"]

    def test_a_stuck_engine_is_not_waited_for_long(self, serve: Serve, visit: Visit):
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen()
            url = f"http://127.0.0.1:{mute.getsockname()[1]}"
            client = visit(serve(url, request_timeout_ms=300).url)
            error = client.error("eth_chainId")
        assert "no answer within 0.3 s" in error["message"]

    def test_slow_heads_and_bodies_and_idle_connections_are_ended(self, serve: Serve):
        gate = serve(head_timeout_ms=200, body_timeout_ms=200, idle_timeout_ms=1000)
        address = ("127.0.0.1", int(gate.url.rpartition(":")[2]))
        head = (
            b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        )
        body = b'{"jsonrpc":"2.0","id":1,"method":"net_version"}'
        whole = head + b"content-length: %d\r\n\r\n" % len(body) + body
        begun = [b"", b"POST / HT", head, head + b"content-length: 9\r\n\r\n{", whole]

        def read_to_the_end(sent: bytes) -> bytes:
            with socket.create_connection(address, 20) as connection:
                connection.sendall(sent)
                received = b""
                while part := connection.recv(65536):
                    received += part
                return received

        with ThreadPoolExecutor(len(begun)) as pool:
            silent, cut, endless, slow, idle = pool.map(read_to_the_end, begun)
        assert (silent, cut, endless) == (b"", b"", b"")
        assert slow.startswith(b"HTTP/1.1 408")
        assert idle.startswith(b"HTTP/1.1 200")

    def test_connections_are_counted(self, serve: Serve, visit: Visit):
        gate = serve(max_connections=3)
        address = ("127.0.0.1", int(gate.url.rpartition(":")[2]))
        open_ones = [socket.create_connection(address) for _ in range(3)]
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        try:
            assert visit(gate.url).post(request).status_code == 503
        finally:
            for one in open_ones:
                one.close()


class TestFailsClosed:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gate.example"])  # noqa: S104  # refused
    def test_other_addresses_need_callers_and_tls(
        self, serve: Serve, host: str, callers: Any
    ):
        for options in ({}, {"callers": callers.path}):
            with pytest.raises(InvalidConfigError, match="needs a callers file and"):
                serve(host=host, **options)

    def test_a_callers_file_that_others_can_read_is_refused(
        self, serve: Serve, callers: Any
    ):
        callers.path.chmod(0o640)
        with pytest.raises(InvalidConfigError, match="chmod 600"):
            serve(callers=callers.path)

    def test_a_key_that_others_can_read_is_refused(self, serve: Serve, tmp_path: Path):
        own = PrivateCa(tmp_path).identity("gate")
        own.key.chmod(0o644)
        with pytest.raises(InvalidConfigError, match="chmod 600"):
            serve(certificate=own.certificate, key=own.key)

    def test_a_certificate_without_key_is_refused(self, serve: Serve, tmp_path: Path):
        with pytest.raises(InvalidConfigError, match="both certificate and key"):
            serve(certificate=tmp_path / "gate.crt")

    def test_permissions_need_the_digest_of_the_first(
        self, serve: Serve, tmp_path: Path
    ):
        with pytest.raises(InvalidConfigError, match="belong together"):
            serve(permissions=tmp_path)
