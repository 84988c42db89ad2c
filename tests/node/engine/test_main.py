import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class TestMain:
    def test_prints_its_address_and_stops_cleanly(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        make_rpc: Callable[[str], Any],
        signer: Any,
        runs: Callable[[int], bool],
    ):
        host = start_host(tmp_path / "chain", "--clock", "virtual")
        assert make_rpc(host.url).send(signer.sign())["status"] == "0x1"
        anvil = host.anvil_pid
        assert runs(anvil)
        assert host.signal(signal.SIGTERM) == 0
        assert not runs(anvil)
        again = start_host(tmp_path / "chain", "--clock", "virtual")
        assert make_rpc(again.url).call("eth_blockNumber") == "0x1"

    def test_a_taken_port_is_a_sentence_and_exit_code_one(
        self, tmp_path: Path, start_host: Callable[..., Any]
    ):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            host = start_host(tmp_path / "chain", "--port", port)
            assert host.process.wait(20) == 1
            assert "choose another one" in host.process.stderr.read()

    def test_another_chain_id_is_exit_code_three(
        self, tmp_path: Path, start_host: Callable[..., Any]
    ):
        start_host(tmp_path / "chain").end()
        host = start_host(tmp_path / "chain", "--chain-id", "9")
        assert host.process.wait(20) == 3
        assert "belongs to chain id 20260" in host.process.stderr.read()

    def test_options_reach_the_chain(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        make_rpc: Callable[[str], Any],
        signer: Any,
    ):
        host = start_host(
            tmp_path / "chain",
            *("--clock", "virtual", "--genesis-time", "1700000000"),
            *("--alloc", f"{signer.address}=77", "--permit", signer.address),
        )
        rpc = make_rpc(host.url)
        block = rpc.call("eth_getBlockByNumber", "0x0", False)
        assert int(block["timestamp"], 16) == 1_700_000_000
        assert rpc.call("eth_getBalance", signer.address, "latest") == hex(77)

    def test_an_orphaned_engine_is_ended_at_the_next_start(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        runs: Callable[[int], bool],
    ):
        host = start_host(tmp_path / "chain")
        orphan = host.anvil_pid
        record = (tmp_path / "chain" / "anvil.pid").read_text()
        host.process.send_signal(signal.SIGSTOP)
        (tmp_path / "chain" / "lock").unlink()
        start_host(tmp_path / "chain")
        assert record.split()[0] == str(orphan)
        deadline = time.monotonic() + 3
        while runs(orphan) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not runs(orphan)
        host.signal(signal.SIGKILL)

    def test_a_disk_that_fills_up_loses_nothing_acknowledged(
        self,
        tmp_path: Path,
        start_host: Callable[..., Any],
        make_rpc: Callable[[str], Any],
        signer: Any,
    ):
        folder = tmp_path / "chain"
        host = start_host(folder, "--clock", "virtual", file_limit_kb=300)
        rpc = make_rpc(host.url)
        acknowledged = []
        for _ in range(60):
            raw = signer.sign(data=20_000 * b"\1", gas=1_000_000)
            answer = rpc.answer("eth_sendRawTransaction", raw)
            if "error" in answer:
                break
            acknowledged.append(answer["result"])
        assert answer["error"]["code"] == -32002
        assert "free disk space" in answer["error"]["message"]
        host.signal(signal.SIGKILL)
        again = make_rpc(start_host(folder, "--clock", "virtual").url)
        for digest in acknowledged:
            assert again.call("eth_getTransactionReceipt", digest)["status"] == "0x1"
        count = again.call("eth_getTransactionCount", signer.address, "latest")
        assert int(count, 16) - len(acknowledged) in {0, 1}
        assert acknowledged
