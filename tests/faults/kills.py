"""`kill -9` again and again: of an inbox, of an embedded chain, of its engine.

Each run starts a program, lets clients work, kills it at a random moment, and so on;
at the end everything that was acknowledged in all cycles is looked for. Now and then
the file that the kill could have cut short is cut short.
"""

import os
import random
import signal
import socket
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path

import httpx

from tests.faults.book import Book, Item, read
from tests.faults.checker import Verdict, check_forks, check_items
from tests.faults.clients import Carriers, Crowd, Payer, Watcher, pause
from tests.faults.findings import Rpc, blocks, stored_readings, transaction_item
from tests.faults.hosts import Host, wait_for
from tests.faults.tally import Tally
from tests.simulators.device import DOMAIN, DeviceSimulator

DEVICES = 4
PAYERS = 3
LONGEST_RUN_S = 0.15
Progress = Callable[[], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_inbox(folder: Path, cycles: int, seed: int, progress: Progress) -> Tally:
    """Kill an inbox that acknowledges readings."""
    chance, tally = random.Random(seed), Tally()
    folder.mkdir(parents=True, exist_ok=True)
    database, port = folder / "inbox.db", free_port()
    book = Book(folder / "acknowledged")
    devices = [DeviceSimulator(f"meter-{n}") for n in range(DEVICES)]
    carriers = Carriers(devices, book, lambda: f"http://127.0.0.1:{port}")
    host = Host("inbox", folder, database, port, DEVICES, 0)
    with Crowd([carriers]) as crowd:
        try:
            for _ in range(cycles):
                with tally.recovery():
                    host.start()
                    crowd.wait_for_more()
                pause(chance, LONGEST_RUN_S)
                host.kill()
                tally.fault("kill inbox", kills=1)
                progress()
        finally:
            host.end()
    book.close()
    tally.judge(check_items(read(book.path), stored_readings(database)))
    return tally


def kill_chain(folder: Path, cycles: int, seed: int, progress: Progress) -> Tally:
    """Kill an embedded chain's process, every third time its engine alone."""
    chance, tally, port = random.Random(seed), Tally(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    book, data = Book(folder / "acknowledged"), folder / "chain"
    address = f"http://127.0.0.1:{port}"
    host = _chain_host(folder, data, port)
    payers = [
        Payer(number, book, lambda: address, (DOMAIN.chain_id, 0))
        for number in range(1, PAYERS + 1)
    ]
    with Crowd([*payers, Watcher(book, lambda: address)]) as crowd:
        try:
            host.start()
            crowd.wait_for_more()
            for cycle in range(cycles):
                pause(chance, LONGEST_RUN_S)
                _strike_chain(host, data, cycle, tally)
                with tally.recovery():
                    if not host.is_alive():
                        host.start()
                    crowd.wait_for_more()
                progress()
        finally:
            crowd.__exit__()
            book.close()
            tally.judge(_verdict_of_chain(host, address, book.path, payers))
            host.end()
    return tally


def _chain_host(folder: Path, data: Path, port: int) -> Host:
    options = ("--snapshot-every", 40, "--clock", "virtual")
    where = ("--data-dir", data, "--port", port, "--chain-id", DOMAIN.chain_id)
    return Host("chain", folder, *where, *options)


def _strike_chain(host: Host, data: Path, cycle: int, tally: Tally) -> None:
    """Kill host or engine; every fifth time cut the newest snapshot short."""
    engine = _engine_pid(data)
    if cycle % 3 == 2:
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: _is_gone(engine))
        tally.fault("kill engine", kills=1)
        return
    host.kill()
    wait_for(lambda: _is_gone(engine))
    tally.fault("kill chain", kills=1)
    snapshots = sorted(data.rglob("*.snapshot"))
    if cycle % 5 == 4 and snapshots:
        os.truncate(snapshots[-1], snapshots[-1].stat().st_size // 2)
        tally.fault("truncate snapshot")


def _engine_pid(data: Path) -> int:
    return wait_for(lambda: _read_pid(data / "anvil.pid"))


def _read_pid(path: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        pid = int(path.read_text().split()[0])
        return None if _is_gone(pid) else pid
    return None


def _is_gone(pid: int) -> bool:
    """A process that waits to be reaped is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def _verdict_of_chain(
    host: Host, address: str, book: Path, payers: Iterable[Payer]
) -> Verdict:
    """Look at the chain after one more start, when nobody sends any more."""
    if not host.is_alive():
        host.start()
    wait_for(lambda: _answers(address))
    acknowledged = list(read(book))
    found: list[Item] = []
    with closing(Rpc(address)) as rpc:
        for block in blocks(rpc):
            found.append(Item("block", str(int(block["number"], 16)), block["hash"]))
            found += [transaction_item(one) for one in block["transactions"]]
        counts = [
            int(rpc.call("eth_getTransactionCount", one.account, "latest"), 16)
            for one in payers
        ]
    surplus = [
        f"transactions of {one.account}"
        for one, count in zip(payers, counts, strict=True)
        if not 0 <= count - one.count <= (one.unanswered is not None)
    ]
    sightings = [one for one in acknowledged if one.kind == "block"]
    return (
        check_items(acknowledged, found)
        + check_forks(sightings)
        + Verdict(doubled=tuple(surplus))
    )


def _answers(address: str) -> bool:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    try:
        answer = httpx.post(address, json=body, timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return "result" in answer.json()
