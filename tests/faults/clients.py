"""Clients that send without end and write down what was acknowledged.

What is not answered is sent again, byte for byte, as a carrier's outbox and a wallet
do. An acknowledgement is in the book before the client goes on.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import httpx
from coincurve import PrivateKey

from contracts.hashing import keccak256
from contracts.transactions import Transaction, sign_transaction
from contracts.typed_data import address_of
from oracle.inbox.results import Status, decode_results
from oracle.reading.sequence import join_sequence
from tests.faults.book import Book, Item
from tests.faults.findings import reading_item, transaction_item
from tests.faults.hosts import LONGEST_WAIT_S, wait_for
from tests.simulators.device import DeviceSimulator

PAUSE_S = 0.02
AGO_S = 86_400
"""Readings are one a second from so long ago on, so that none is from the future."""
TIMEOUT_S = 6.0
_KEEPS_A_HASH = bytes.fromhex("4360039003405f5500")
"""Creates nothing: storage[0] = BLOCKHASH(NUMBER - 3). A chain that forgot the hashes
of its blocks makes other blocks of it."""
_GOOD = {Status.ACCEPTED, Status.REPLAYED}
Address = Callable[[], str]
"""Where to send next."""


class Client(Protocol):
    """Sends until it is told to stop."""

    count: int
    """How many items were acknowledged."""

    def run_once(self) -> None:
        """Send something, or what was not answered again."""

    def close(self) -> None:
        """Close its connections."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How much carriers send."""

    readings: int = 10
    """Readings of each device in one message."""
    pause_s: float = 0.0
    """Between two messages. [s]"""


class Carriers:
    """Devices that send batches of readings to one inbox or another."""

    def __init__(
        self,
        devices: Sequence[DeviceSimulator],
        book: Book,
        address: Address,
        rhythm: Rhythm = Rhythm(),
    ) -> None:
        self.count = self.refused = 0
        self._devices = devices
        self._book = book
        self._address = address
        self._rhythm = rhythm
        self._start = int(time.time()) - AGO_S
        self._unsent: list[tuple[DeviceSimulator, int, bytes]] = []
        self._http = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def run_once(self) -> None:
        self._unsent = self._unsent or self._new()
        body = join_sequence([raw for _, _, raw in self._unsent])
        headers = {"content-type": "application/cbor-seq"}
        url = f"{self._address()}/readings/batch"
        answer = self._http.post(url, content=body, headers=headers)
        if answer.status_code != httpx.codes.OK:
            time.sleep(PAUSE_S)  # full, or its disk is: it said that nothing was kept
            return
        results = decode_results(answer.content)
        if refused := [one for one in results if one.status not in _GOOD]:
            self.refused += len(refused)
            time.sleep(PAUSE_S)  # a member that does not know the carriers yet
            return
        self._book.note(
            reading_item(device.identifier_hash, seq, raw)
            for device, seq, raw in self._unsent
        )
        self.count += len(self._unsent)
        self._unsent = []
        time.sleep(self._rhythm.pause_s)

    def _new(self) -> list[tuple[DeviceSimulator, int, bytes]]:
        return [
            (device, device.seq, device.next(ts=self._start + device.seq))
            for device in self._devices
            for _ in range(self._rhythm.readings)
        ]

    def close(self) -> None:
        self._http.close()


class Payer:
    """An account whose transactions are counted by their nonces."""

    def __init__(
        self, number: int, book: Book, address: Address, chain: tuple[int, int]
    ) -> None:
        self.count = 0
        self.unanswered: bytes | None = None
        self._key = PrivateKey(number.to_bytes(32))
        self.account = address_of(self._key.public_key)
        self._book = book
        self._address = address
        self._chain_id, self._gas_price_wei = chain
        self._http = httpx.Client(timeout=20, trust_env=False)

    def run_once(self) -> None:
        self.unanswered = self.unanswered or self._sign(self.count)
        raw = "0x" + self.unanswered.hex()
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction"}
        answer = self._http.post(self._address(), json=body | {"params": [raw]}).json()
        if "result" not in answer:  # the engine is being replayed: not accepted
            time.sleep(PAUSE_S)
            return
        self._book.note([self._item(self.unanswered, self.count)])
        self.count += 1
        self.unanswered = None

    def _sign(self, nonce: int) -> bytes:
        transaction = Transaction(
            self._chain_id,
            nonce,
            self._gas_price_wei,
            100_000,
            None,
            _KEEPS_A_HASH + nonce.to_bytes(4),
        )
        return sign_transaction(transaction, self._key)

    def _item(self, raw: bytes, nonce: int) -> Item:
        said = {"from": self.account, "nonce": hex(nonce)}
        data = "0x" + (_KEEPS_A_HASH + nonce.to_bytes(4)).hex()
        return transaction_item(
            said | {"input": data, "hash": "0x" + keccak256(raw).hex()}
        )

    def close(self) -> None:
        self._http.close()


class Watcher:
    """Writes down every block hash it sees: a height has one hash for ever."""

    def __init__(self, book: Book, address: Address) -> None:
        self.count = 0
        self._book = book
        self._address = address
        self._http = httpx.Client(timeout=20, trust_env=False)

    def run_once(self) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber"}
        request = body | {"params": ["latest", False]}
        block = self._http.post(self._address(), json=request).json()["result"]
        self._book.note([Item("block", str(int(block["number"], 16)), block["hash"])])
        self.count += 1
        time.sleep(PAUSE_S)

    def close(self) -> None:
        self._http.close()


class Crowd:
    """Runs clients in threads; a fault of theirs is raised at the end."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self.clients = clients
        self._is_over = threading.Event()
        self._faults: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(one,), daemon=True)
            for one in clients
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread, client in zip(self._threads, self.clients, strict=True):
            thread.join(40)
            client.close()

    @property
    def count(self) -> int:
        """Everything that was acknowledged to anybody."""
        return sum(one.count for one in self.clients)

    def wait_for_more(self, timeout_s: float = LONGEST_WAIT_S) -> None:
        """Wait until every client is answered once more."""
        before = [one.count for one in self.clients]
        wait_for(
            lambda: (
                self._faults
                or all(
                    one.count > count
                    for one, count in zip(self.clients, before, strict=True)
                )
            ),
            timeout_s,
        )
        self.raise_faults()

    def raise_faults(self) -> None:
        if self._faults:
            raise self._faults[0]

    def _run(self, client: Client) -> None:
        while not self._is_over.is_set():
            try:
                client.run_once()
            except (httpx.HTTPError, ConnectionError, KeyError, ValueError):
                time.sleep(PAUSE_S)  # nobody there, or an answer cut short
            except BaseException as exc:  # noqa: BLE001  raised where it is waited for
                self._faults.append(exc)
                return


def pause(chance: random.Random, longest_s: float) -> None:
    """Let the load run for a random while."""
    time.sleep(chance.uniform(0, longest_s))
