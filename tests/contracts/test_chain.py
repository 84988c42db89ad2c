import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from contracts.calls import Function
from contracts.chain import ChainClient
from contracts.errors import (
    ConflictError,
    ContractsError,
    RefusedRequestError,
    RevertedError,
    RulebookNoValueError,
    StaleNonceError,
    UnavailableError,
)

Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that gives one answer to everything."""
    servers = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class TestRequest:
    def test_reads_the_chain(self, client: ChainClient):
        assert client.chain_id() == 20260
        genesis = client.block(0)
        assert genesis is not None
        assert (genesis.number, genesis.parent_hash) == (0, b"\x00" * 32)
        assert client.block(10**9) is None

    def test_answers_a_batch_in_order(self, client: ChainClient):
        calls = [("eth_getBlockByNumber", (hex(0), False)), ("eth_chainId", ())] * 3
        answers = client.batch(calls)
        assert [type(answer) for answer in answers] == [dict, str] * 3

    def test_answers_an_empty_batch(self, client: ChainClient):
        assert client.batch([]) == []

    def test_serves_many_threads(self, client: ChainClient):
        with ThreadPoolExecutor(8) as pool:
            hashes = list(pool.map(lambda _: client.block(0), range(64)))
        assert len(set(hashes)) == 1

    def test_raises_a_revert_as_its_own_class(self, park: Any):
        with pytest.raises(RulebookNoValueError, match=r"no value of x\.y at 7"):
            park.ledger.rulebook.value_at("x.y", 7)

    def test_raises_the_first_refusal_of_a_batch(self, client: ChainClient, park: Any):
        call = {"to": park.ledger.directory.address, "data": "0x12345678"}
        with pytest.raises(RevertedError, match="no reason"):
            client.batch([("eth_chainId", ()), ("eth_call", (call, "latest"))])

    def test_refuses_an_unknown_method(self, client: ChainClient):
        with pytest.raises(RefusedRequestError, match="refused the request"):
            client.request("eth_noSuchMethod")

    def test_says_when_another_chain_answers(self, client: ChainClient):
        client.require_chain(20260)
        with pytest.raises(ConflictError, match=r"expected chain 1 at .* got chain"):
            client.require_chain(1)

    def test_says_when_nothing_runs(self, free_port: int):
        with (
            ChainClient(f"http://127.0.0.1:{free_port}", timeout_s=1) as client,
            pytest.raises(UnavailableError, match="is its engine running"),
        ):
            client.chain_id()

    @pytest.mark.parametrize("method", ["request", "batch"])
    def test_says_when_something_else_answers(self, serve: Serve, method: str):
        with ChainClient(serve(502, b"<html>bad gateway</html>")) as client:
            ask = {
                "request": lambda: client.request("eth_chainId"),
                "batch": lambda: client.batch([("eth_chainId", ())]),
            }[method]
            with pytest.raises(UnavailableError, match="got HTTP status 502"):
                ask()

    def test_says_when_the_answer_is_no_rpc(self, serve: Serve):
        with (
            ChainClient(serve(200, b'{"hello": 1}')) as client,
            pytest.raises(UnavailableError, match="got something else"),
        ):
            client.chain_id()

    def test_says_when_answers_are_missing(self, serve: Serve):
        with (
            ChainClient(serve(200, b"[]")) as client,
            pytest.raises(UnavailableError, match="1 are missing"),
        ):
            client.batch([("eth_chainId", ())])

    @pytest.mark.parametrize(
        "body",
        [
            b'{"id": 1, "result": null}',
            b'{"id": 1, "result": {"no": "text"}}',
            b'{"id": 1, "result": "0xzz"}',
            b'{"id": 1, "error": "busy"}',
        ],
    )
    @pytest.mark.parametrize(
        "ask",
        [
            lambda client: client.transaction_count("0x" + "00" * 20),
            lambda client: client.call("0x" + "00" * 20, b""),
            lambda client: client.logs(0, 1, []),
            lambda client: client.send_raw(b"\x00"),
            lambda client: client.estimate(None, b"", "0x" + "00" * 20),
        ],
    )
    def test_says_when_the_result_has_another_shape(
        self, serve: Serve, body: bytes, ask: Callable[[ChainClient], Any]
    ):
        with (
            ChainClient(serve(200, body)) as client,
            pytest.raises(UnavailableError, match=r"expected .* from the chain"),
        ):
            ask(client)

    def test_says_when_the_receipt_has_another_shape(self, serve: Serve):
        body = b'{"id": 1, "result": {"status": "0x1"}}'
        with (
            ChainClient(serve(200, body)) as client,
            pytest.raises(UnavailableError, match="expected a receipt"),
        ):
            client.receipt(b"\x01" * 32)

    def test_says_when_the_answers_of_a_batch_are_none(self, serve: Serve):
        with (
            ChainClient(serve(200, b'[7, {"id": [1], "result": "0x1"}]')) as client,
            pytest.raises(UnavailableError, match="1 are missing"),
        ):
            client.batch([("eth_chainId", ())])

    def test_reads_a_refusal_with_malformed_revert_data(self, serve: Serve):
        error = {"code": 3, "message": "execution reverted", "data": "0xabc"}
        body = json.dumps({"id": 1, "error": error}).encode()
        with (
            ChainClient(serve(200, body)) as client,
            pytest.raises(RevertedError, match="no reason"),
        ):
            client.chain_id()

    def test_says_when_the_address_is_none(self):
        with (
            ChainClient("http://127.0.0.1:99999") as client,
            pytest.raises(UnavailableError, match="does not answer"),
        ):
            client.chain_id()

    @pytest.mark.parametrize(
        ("code", "text", "expected"),
        [
            (-32000, "nonce too low: next nonce 4, tx nonce 3", StaleNonceError),
            (-32000, "replacement underpriced: nonce 3 is taken", StaleNonceError),
            (-32002, "the engine is recovering", UnavailableError),
            (-32000, "insufficient funds", RefusedRequestError),
            (3, "execution reverted", RevertedError),
        ],
    )
    def test_tells_refusals_apart(
        self, serve: Serve, code: int, text: str, expected: type[ContractsError]
    ):
        body = json.dumps({"id": 1, "error": {"code": code, "message": text}})
        with ChainClient(serve(200, body.encode())) as client:
            with pytest.raises(ContractsError, match=r"the (chain|contract)") as caught:
                client.send_raw(b"\x00")
            assert type(caught.value) is expected


class TestWaitReceipt:
    def test_says_when_there_is_no_block(self, client: ChainClient):
        with pytest.raises(UnavailableError, match=r"in no block after 0\.05 s"):
            client.wait_receipt(b"\x01" * 32, timeout_s=0.05)


class TestReads:
    def test_say_when_there_is_no_contract(self, park: Any, client: ChainClient):
        empty = type(park.ledger.quota)(client, "0x" + "00" * 19 + "77")
        with pytest.raises(ConflictError, match="expected the contract Quota at"):
            empty.supply_of(2022)

    def test_say_when_it_is_another_contract(self):
        with pytest.raises(ConflictError, match="is this the contract"):
            Function("x", returns=bytes).decode(b"\x00" * 31)

    def test_see_the_state_of_an_earlier_block(self, park: Any, client: ChainClient):
        ledger = type(park.ledger)(client, park.deployment, client.block_number())
        assert ledger.anchor.configuration() == park.ledger.anchor.configuration()
        genesis = type(park.ledger)(client, park.deployment, 0)
        with pytest.raises(ConflictError, match="found no code"):
            genesis.anchor.configuration()

    def test_read_logs_of_chosen_contracts(self, park: Any, client: ChainClient):
        where = park.ledger.accounts.address
        logs = client.logs(0, client.block_number(), [where])
        assert {log["address"] for log in logs} == {where.lower()}
