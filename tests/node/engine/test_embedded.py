import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.engine import ChainEngine, EmbeddedEngine, EngineSettings
from node.engine.external import ExternalEngine
from node.errors import (
    InvalidConfigError,
    UnavailableEngineError,
    UnavailableStorageError,
)

GENESIS_TIME = 1_700_000_000


def wait_until(condition: Callable[[], bool], timeout_s: float = 10):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestEmbeddedEngine:
    def test_is_a_chain_engine(self, engine: EmbeddedEngine):
        as_port: ChainEngine = engine
        assert as_port.chain_id == 20260
        assert as_port.health().state == "ready"
        assert as_port.clock.now() == GENESIS_TIME

    def test_answers_a_sent_transaction_with_its_receipt_at_once(
        self, rpc: Any, signer: Any
    ):
        receipt = rpc.send(signer.sign())
        assert receipt["status"] == "0x1"

    def test_keeps_the_chain_over_a_restart(
        self, engine: EmbeddedEngine, make_rpc: Callable[[str], Any], signer: Any
    ):
        rpc = make_rpc(engine.rpc_url)
        receipts = [rpc.send(signer.sign()) for _ in range(3)]
        engine.stop()
        engine.start()
        rpc = make_rpc(engine.rpc_url)
        for each in receipts:
            digest = each["transactionHash"]
            assert rpc.call("eth_getTransactionReceipt", digest) == each

    def test_an_old_state_is_refused_in_words(
        self, engine: EmbeddedEngine, make_rpc: Callable[[str], Any], signer: Any
    ):
        rpc = make_rpc(engine.rpc_url)
        receipts = [rpc.send(signer.sign()) for _ in range(3)]
        engine.stop()
        engine.start()
        rpc = make_rpc(engine.rpc_url)
        error = rpc.error("eth_getBalance", signer.address, "0x1")
        assert "the state of block 1 is not kept" in error["message"]
        assert "ask at the newest block" in error["message"]
        assert "out of range" in rpc.error("eth_getBalance", signer.address, "0x9")[
            "message"
        ].lower().replace("outofrange", "out of range")
        digest = receipts[0]["transactionHash"]
        assert rpc.call("eth_getTransactionReceipt", digest) == receipts[0]

    def test_stopping_twice_does_nothing(self, engine: EmbeddedEngine):
        engine.stop()
        engine.stop()
        assert engine.health().state == "stopped"

    def test_replaces_a_killed_engine_and_answers_meanwhile(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any, kill: Callable[[int], None]
    ):
        receipt = rpc.send(signer.sign())
        pid = engine._chain.engine.pid
        kill(pid)
        digest = receipt["transactionHash"]
        assert rpc.call("eth_getTransactionReceipt", digest) == receipt
        assert rpc.send(signer.sign())["blockNumber"] == "0x2"
        assert engine._chain.engine.pid != pid

    def test_replaces_an_engine_that_hangs(
        self,
        make_settings: Callable[..., EngineSettings],
        make_rpc: Callable[[str], Any],
        signer: Any,
    ):
        with EmbeddedEngine(make_settings(call_timeout_s=0.5)) as engine:
            rpc = make_rpc(engine.rpc_url)
            rpc.send(signer.sign())
            os.kill(engine._chain.engine.pid, signal.SIGSTOP)
            assert rpc.send(signer.sign())["blockNumber"] == "0x2"

    def test_stops_for_good_when_its_records_contradict_each_other(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any, kill: Callable[[int], None]
    ):
        rpc.send(signer.sign())
        change = "UPDATE blocks SET hash = zeroblob(32)"
        engine._worker.run(lambda chain: chain.journal._db.execute(change)).result()
        kill(engine._chain.engine.pid)
        wait_until(lambda: engine.health().state == "failed")
        assert "block 1 came out as" in engine.health().message
        error = rpc.error("eth_sendRawTransaction", signer.sign())
        assert "restore a backup" in error["message"]

    def test_storage_trouble_is_told_and_passes(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any
    ):
        database = engine._chain.journal._db
        run = engine._worker.run
        (pages,) = run(
            lambda _: database.execute("PRAGMA page_count").fetchone()
        ).result()
        run(lambda _: database.execute(f"PRAGMA max_page_count = {pages}")).result()
        raw = signer.sign(data=30_000 * b"\1", gas=2_000_000)
        error = rpc.error("eth_sendRawTransaction", raw)
        assert error["code"] == -32002
        assert "free disk space" in error["message"]
        run(lambda _: database.execute("PRAGMA max_page_count = 99999")).result()
        assert rpc.send(raw)["status"] == "0x1"

    def test_a_cancelled_order_disturbs_nothing(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any
    ):
        engine._worker.submit(signer.transaction(nonce=0)).cancel()
        assert rpc.send(signer.sign(nonce=0))["status"] == "0x1"

    def test_trouble_with_a_block_is_told_until_it_is_over(
        self,
        engine: EmbeddedEngine,
        rpc: Any,
        signer: Any,
        monkeypatch: pytest.MonkeyPatch,
    ):
        def fail(_block: object) -> None:
            raise UnavailableStorageError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(engine._chain.journal, "seal", fail)
            digest = rpc.call("eth_sendRawTransaction", signer.sign())
            assert engine.health().message == "the disk is full"
        wait_until(lambda: engine.health().message == "the chain is ready")
        assert rpc.call("eth_getTransactionReceipt", digest)["status"] == "0x1"
        assert engine._worker.run(lambda chain: chain.journal.head().height).result()

    def test_a_damaged_journal_stops_the_chain(
        self, engine: EmbeddedEngine, rpc: Any, signer: Any
    ):
        drop = "DROP TABLE transactions"
        engine._worker.run(lambda chain: chain.journal._db.execute(drop)).result()
        error = rpc.error("eth_sendRawTransaction", signer.sign())
        assert "is damaged" in error["message"]
        assert engine.health().state == "failed"

    def test_refuses_a_taken_port(self, make_settings: Callable[..., EngineSettings]):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            engine = EmbeddedEngine(make_settings(port=port))
            with pytest.raises(
                UnavailableStorageError, match=f"{port}.*choose another"
            ):
                engine.start()

    def test_leaves_no_process_when_it_cannot_start(
        self, make_settings: Callable[..., EngineSettings], tmp_path: Path
    ):
        engine = EmbeddedEngine(make_settings(anvil_path=tmp_path / "absent"))
        with pytest.raises(UnavailableEngineError, match="needs the program anvil"):
            engine.start()
        assert engine.health().state == "failed"

    def test_refuses_orders_after_the_stop(self, engine: EmbeddedEngine):
        engine.stop()
        with pytest.raises(UnavailableEngineError, match="stopped"):
            engine.mine()


class TestClock:
    def test_a_block_carries_the_virtual_time(self, engine: EmbeddedEngine):
        engine.set_time(GENESIS_TIME + 86_400)
        assert engine.mine().timestamp == GENESIS_TIME + 86_400

    def test_advances_by_seconds(self, engine: EmbeddedEngine):
        assert engine.advance(900) == GENESIS_TIME + 900
        assert engine.mine().timestamp == GENESIS_TIME + 900

    def test_block_times_rise_strictly_while_the_clock_stands(
        self, engine: EmbeddedEngine
    ):
        times = [engine.mine().timestamp for _ in range(3)]
        assert times == [GENESIS_TIME + each for each in (1, 2, 3)]
        assert engine.clock.now() == times[-1]

    def test_refuses_to_go_back(self, engine: EmbeddedEngine):
        with pytest.raises(ValueError, match="only moves forward"):
            engine.set_time(GENESIS_TIME - 1)

    def test_wall_time_cannot_be_set(
        self, make_settings: Callable[..., EngineSettings]
    ):
        settings = make_settings(clock_mode="wall", genesis_time=None)
        with EmbeddedEngine(settings) as engine:
            assert abs(engine.mine().timestamp - time.time()) < 3
            with pytest.raises(ValueError, match="only the sandbox clock"):
                engine.set_time(2_000_000_000)


class TestInterval:
    def test_acknowledges_first_and_mines_when_the_block_is_due(
        self,
        make_settings: Callable[..., EngineSettings],
        make_rpc: Callable[[str], Any],
        signer: Any,
    ):
        with EmbeddedEngine(make_settings(block_interval_s=0.3)) as engine:
            rpc = make_rpc(engine.rpc_url)
            rpc.call("eth_sendRawTransaction", signer.sign())
            wait_until(lambda: engine.health().height == 1)
            digests = [
                rpc.call("eth_sendRawTransaction", signer.sign()) for _ in range(3)
            ]
            assert engine.health().height == 1
            waiting = rpc.call("eth_getTransactionByHash", digests[0])
            assert waiting["blockNumber"] is None
            count = rpc.call("eth_getTransactionCount", signer.address, "pending")
            assert count == "0x4"
            wait_until(lambda: engine.health().height == 2)
            found = rpc.call("eth_getBlockByNumber", "0x2", False)
            assert found["transactions"] == digests

    def test_waiting_transactions_survive_a_restart(
        self,
        make_settings: Callable[..., EngineSettings],
        make_rpc: Callable[[str], Any],
        signer: Any,
    ):
        settings = make_settings(block_interval_s=3600)
        with EmbeddedEngine(settings) as engine:
            rpc = make_rpc(engine.rpc_url)
            rpc.call("eth_sendRawTransaction", signer.sign())
            wait_until(lambda: engine.health().height == 1)
            digest = rpc.call("eth_sendRawTransaction", signer.sign())
        with EmbeddedEngine(settings) as engine:
            wait_until(lambda: engine.health().height == 2)
            rpc = make_rpc(engine.rpc_url)
            assert rpc.call("eth_getTransactionReceipt", digest)["status"] == "0x1"


class TestExternalEngine:
    def test_is_another_engines_address(self, engine: EmbeddedEngine):
        external = ExternalEngine(engine.rpc_url, 20260)
        external.start()
        assert external.health().height == 0
        external.stop()
        assert engine.health().state == "ready"

    def test_refuses_another_chain(self, engine: EmbeddedEngine):
        with pytest.raises(InvalidConfigError, match="chain id 20260, expected 5"):
            ExternalEngine(engine.rpc_url, 5).start()

    def test_says_when_nothing_answers(self, free_port: int):
        external = ExternalEngine(f"http://127.0.0.1:{free_port}", 20260)
        with pytest.raises(UnavailableEngineError, match="does not answer eth_chainId"):
            external.start()
        assert external.health().state == "recovering"
