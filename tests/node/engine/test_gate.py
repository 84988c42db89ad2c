import contextlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from node.engine import EmbeddedEngine, EngineSettings

ENGINE_CONTROL = ["anvil_mine", "anvil_setBalance", "evm_mine", "evm_revert",
                  "hardhat_reset", "debug_traceTransaction", "txpool_content",
                  "ots_getApiLevel", "admin_nodeInfo"]  # fmt: skip
SIGNING = ["eth_accounts", "eth_sendTransaction", "eth_sign", "eth_signTypedData_v4"]
UNKNOWN = ["eth_sendRawTransactionSync", "eth_noSuchMethod", "eth_resend", "net_peers"]


class TestMethods:
    @pytest.mark.parametrize("method", ENGINE_CONTROL)
    def test_refuses_control_of_the_engine(self, shared_rpc: Any, method: str):
        error = shared_rpc.error(method)
        assert error["code"] == -32601
        assert "control of the engine does not" in error["message"]

    @pytest.mark.parametrize("method", SIGNING)
    def test_refuses_to_sign_for_its_callers(self, shared_rpc: Any, method: str):
        error = shared_rpc.error(method)
        assert error["code"] == -32601
        assert "sign the transaction yourself" in error["message"]

    @pytest.mark.parametrize("method", UNKNOWN)
    def test_knows_no_other_methods(self, shared_rpc: Any, method: str):
        assert shared_rpc.error(method)["message"] == f"method {method} not found"

    def test_refused_in_a_batch_too(self, shared_rpc: Any):
        batch = [
            {"jsonrpc": "2.0", "id": ident, "method": method, "params": []}
            for ident, method in enumerate(["eth_chainId", "evm_mine"])
        ]
        good, bad = shared_rpc.post(batch)
        assert good["result"] == hex(20260)
        assert bad["error"]["code"] == -32601
        assert shared_rpc.call("eth_blockNumber") == "0x0"

    def test_gas_is_free(self, shared_rpc: Any):
        assert shared_rpc.call("eth_gasPrice") == "0x0"
        assert shared_rpc.call("eth_maxPriorityFeePerGas") == "0x0"

    def test_pending_means_latest(self, shared_rpc: Any):
        latest = shared_rpc.call("eth_getBlockByNumber", "latest", False)
        assert shared_rpc.call("eth_getBlockByNumber", "pending", False) == latest


class TestRequests:
    @pytest.mark.parametrize(
        "request_body",
        [
            7,
            {"jsonrpc": "2.0", "method": "eth_chainId"},
            {"jsonrpc": "2.0", "id": [1], "method": "eth_chainId"},
            {"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"},
            {"jsonrpc": "2.0", "id": 1, "method": 5},
            [],
            [{}] * 1_001,
        ],
    )
    def test_refuses_what_is_no_request(self, shared_rpc: Any, request_body: Any):
        answer = shared_rpc.post(request_body)
        assert answer["error"]["code"] == -32600

    def test_refuses_named_parameters(self, shared_rpc: Any):
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": {}}
        assert shared_rpc.post(request)["error"]["code"] == -32602

    def test_refuses_get(self, shared_rpc: Any):
        answer = httpx.get(shared_rpc.url)
        assert answer.status_code == 405
        assert "POST" in answer.json()["error"]["message"]

    def test_refuses_what_a_foreign_page_could_send(self, shared_rpc: Any):
        answer = httpx.post(
            shared_rpc.url, content=b"{}", headers={"content-type": "text/plain"}
        )
        assert answer.status_code == 415

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8545", "", "[::2]"])
    def test_refuses_a_page_whose_host_name_leads_here(
        self, shared_rpc: Any, host: str
    ):
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
        url = shared_rpc.url
        answer = httpx.post(url, json=body, headers={"host": host}, trust_env=False)
        assert answer.status_code == 401
        assert "its own machine" in answer.json()["error"]["message"]
        for good in ("localhost:1", "127.0.0.1", "[::1]:8545", "[::1]"):
            headers = {"host": good}
            answer = httpx.post(url, json=body, headers=headers, trust_env=False)
            assert answer.json()["result"] == hex(20260)

    def test_refuses_numbers_that_json_does_not_have(self, shared_rpc: Any):
        answer = httpx.post(
            shared_rpc.url,
            content=b'{"jsonrpc": "2.0", "id": NaN, "method": "eth_chainId"}',
            headers={"content-type": "application/json"},
            trust_env=False,
        )
        assert answer.json()["error"]["code"] == -32700

    def test_refuses_a_body_above_the_limit(
        self,
        make_settings: Callable[..., EngineSettings],
        make_rpc: Callable[[str], Any],
    ):
        with EmbeddedEngine(make_settings(max_request_bytes=500)) as engine:
            rpc = make_rpc(engine.rpc_url)
            answer = rpc.http.post(
                rpc.url,
                content=b"[" + 600 * b" " + b"]",
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == 413
            assert "at most 500 bytes" in answer.json()["error"]["message"]
            assert rpc.call("eth_chainId") == hex(20260)


class TestSendRawTransaction:
    def test_refuses_senders_that_are_not_permitted(
        self,
        make_settings: Callable[..., EngineSettings],
        make_rpc: Callable[[str], Any],
        make_signer: Callable[[int], Any],
    ):
        member, stranger = make_signer(1), make_signer(2)
        permitted = frozenset({member.address})
        with EmbeddedEngine(make_settings(permitted_senders=permitted)) as engine:
            rpc = make_rpc(engine.rpc_url)
            assert rpc.send(member.sign())["status"] == "0x1"
            error = rpc.error("eth_sendRawTransaction", stranger.sign())
            assert "ask the node's operator" in error["message"]
            assert engine.health().height == 1

    def test_answers_the_same_bytes_with_the_same_hash(self, rpc: Any, signer: Any):
        raw = signer.sign()
        first = rpc.send(raw)
        assert rpc.send(raw) == first
        assert rpc.call("eth_blockNumber") == "0x1"

    def test_clients_that_hang_up_disturb_nobody(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any
    ):
        for _ in range(20):
            request = {"jsonrpc": "2.0", "id": 1, "params": [signer.sign(nonce=0)]}
            request["method"] = "eth_sendRawTransaction"
            with contextlib.suppress(httpx.TimeoutException):
                httpx.post(engine.rpc_url, json=request, timeout=0.002)
        assert rpc.send(signer.sign(nonce=0))["status"] == "0x1"
        assert rpc.send(signer.sign(nonce=1))["status"] == "0x1"

    def test_takes_a_batch_in_its_order(self, rpc: Any, signer: Any):
        batch = [
            {"jsonrpc": "2.0", "id": ident, "method": "eth_sendRawTransaction",
             "params": [signer.sign(data=bytes([ident]))]}
            for ident in range(20)
        ]  # fmt: skip
        digests = [each["result"] for each in rpc.post(batch)]
        receipts = [rpc.call("eth_getTransactionReceipt", each) for each in digests]
        places = [
            (int(each["blockNumber"], 16), int(each["transactionIndex"], 16))
            for each in receipts
        ]
        assert places == sorted(places)

    def test_reads_of_a_batch_are_answered_as_if_asked_singly(
        self, rpc: Any, signer: Any
    ):
        receipt = rpc.send(signer.sign())
        asked = [
            ("eth_getBlockByNumber", ["0x1", False]),
            ("eth_getBlockByNumber", ["0x1", True]),
            ("eth_getTransactionReceipt", [receipt["transactionHash"]]),
            ("eth_chainId", []),
            ("eth_getBlockByNumber", ["0x99", False]),
            ("eth_getBlockByNumber", ["nonsense", False]),
            ("eth_getBlockByNumber", ["pending", False]),
            ("evm_mine", []),
            ("eth_getBlockByHash", [receipt["blockHash"], False]),
        ]
        for ids in (range(len(asked)), ["a", 7] * 4 + [7]):
            batch = [
                {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}
                for ident, (method, params) in zip(ids, asked, strict=True)
            ]
            assert rpc.post(batch) == [rpc.post(one) for one in batch]

    def test_a_batch_waits_out_the_restart_of_the_engine(
        self, start_host: Any, make_rpc: Any, tmp_path: Any, kill: Any, signer: Any
    ):
        host = start_host(tmp_path / "chain")
        rpc = make_rpc(host.url)
        block = rpc.send(signer.sign())["blockNumber"]
        kill(host.anvil_pid)
        call = {"method": "eth_getBlockByNumber", "params": [block, False]}
        batch = [{"jsonrpc": "2.0", "id": ident, **call} for ident in range(150)]
        answers = rpc.post(batch)
        assert [one["id"] for one in answers] == list(range(150))
        assert {one["result"]["number"] for one in answers} == {block}

    @pytest.mark.parametrize("raw", ["", "zz", "0xzz", 5, None, ["0x"]])
    def test_refuses_what_is_no_transaction(self, rpc: Any, raw: Any):
        assert rpc.error("eth_sendRawTransaction", raw)["code"] in {-32602, -32000}
        assert rpc.error("eth_sendRawTransaction")["code"] == -32602

    def test_a_refusal_leaves_no_trace(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any
    ):
        rpc.error("eth_sendRawTransaction", signer.sign(value=10**30))
        assert engine.health().pending == 0
        assert rpc.call("eth_getTransactionCount", signer.address, "pending") == "0x0"

    def test_unpaid_gas_price_names_the_way_out(
        self, rpc: Any, make_signer: Callable[[int], Any]
    ):
        raw = make_signer(9).sign(gasPrice=10**9)
        message = rpc.error("eth_sendRawTransaction", raw)["message"]
        assert "insufficient funds" in message
        assert "gas price of 0" in message
