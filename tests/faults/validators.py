"""Five validators on one machine, killed and paused: one, two, all of them.

One down, the others go on. Two down, no block is made and none is contradicted. All
down, everything that had a receipt is still in its block. Accounts send to whichever
validator answers; a receipt is an acknowledgement, and so is every block that anybody
showed.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import httpx
from coincurve import PrivateKey

from contracts.hashing import keccak256
from contracts.transactions import Transaction, sign_transaction
from contracts.typed_data import address_of
from node.network.local import LocalNetwork
from tests.faults.book import Book, Item, read
from tests.faults.checker import Verdict, check_forks, check_items
from tests.faults.clients import PAUSE_S, Address, Crowd, Watcher
from tests.faults.findings import Rpc, blocks, transaction_item
from tests.faults.hosts import wait_for
from tests.faults.tally import Tally

CHAIN_ID = 20260
GAS_PRICE_WEI = 100 * 25 * 10**9
"""A hundred times the first base fee: a lone transaction gets its block at once."""
ACCOUNTS = 2
RECEIPT_S = 3.0
"""How long a receipt is waited for before the transaction is sent again. [s]"""
SETTLE_S = 2.0
"""A block that was under way may still come. [s]"""
HALT_S = 3.0
"""How long a halted chain is watched. [s]"""
HEAL_S = 30.0
"""Within what time validators that were started again must be at work. [s]"""
_SOMEBODY = "0x" + 20 * "22"


class Account:
    """Sends transactions and waits for each one's receipt."""

    def __init__(self, number: int, book: Book, address: Address) -> None:
        self.count = 0
        self._key = PrivateKey(keccak256(b"validators" + bytes([number])))
        self.account = address_of(self._key.public_key)
        self._book = book
        self._address = address
        self._http = httpx.Client(timeout=5, trust_env=False)
        self._waiting: bytes | None = None

    def run_once(self) -> None:
        self._waiting = self._waiting or self._sign()
        name = "0x" + keccak256(self._waiting).hex()
        self._ask("eth_sendRawTransaction", "0x" + self._waiting.hex())
        deadline = time.monotonic() + RECEIPT_S
        while time.monotonic() < deadline:
            receipt = self._ask("eth_getTransactionReceipt", name)
            if receipt:
                self._book.note(self._items(name, receipt["blockHash"]))
                self.count += 1
                self._waiting = None
                return
            time.sleep(PAUSE_S)

    def _items(self, name: str, block_hash: str) -> list[Item]:
        said = {"from": self.account, "nonce": hex(self.count), "hash": name}
        data = "0x" + self.count.to_bytes(4).hex()
        whole = transaction_item(said | {"input": data})
        return [whole, Item("mined", name, block_hash)]

    def _sign(self) -> bytes:
        data = self.count.to_bytes(4)
        fields = (CHAIN_ID, self.count, GAS_PRICE_WEI, 100_000, _SOMEBODY, data)
        return sign_transaction(Transaction(*fields), self._key)

    def _ask(self, method: str, *params: object) -> dict[str, str] | None:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.post(self._address(), json=body).json()
        result: dict[str, str] | None = answer.get("result")
        return result

    def close(self) -> None:
        self._http.close()


class Validators:
    """The network under load; a context manager that leaves nothing behind."""

    def __init__(self, folder: Path, seed: int, tally: Tally) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.chance = random.Random(seed)
        self.tally = tally
        self._book = Book(folder / "acknowledged")
        self._up = set(range(5))
        self.accounts = [
            Account(number, self._book, self._some_address)
            for number in range(ACCOUNTS)
        ]
        funded = [one.account for one in self.accounts]
        self.network = LocalNetwork.create(folder / "network", funded=funded)
        self.crowd = Crowd(self.accounts)
        self.watching = Crowd([Watcher(self._book, self._some_address)])

    def __enter__(self) -> Self:
        try:
            self.network.start()
            self.network.wait_ready()
            self.watching.__enter__()
            self.crowd.__enter__()
            self.crowd.wait_for_more()
        except BaseException:
            self.network.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.watching.__exit__()
        self.crowd.__exit__()
        self.network.stop()
        self._book.close()

    def _some_address(self) -> str:
        """A validator that is up; while none is, one that is not."""
        up = sorted(self._up) or [0]
        return self.network.rpc_url(self.chance.choice(up))

    # ----------------------------------------------------------------- the faults

    def one_down(self) -> None:
        """The others go on."""
        with_down = self.chance.sample(range(5), 1)
        self._strike("kill one of five", with_down)
        self.crowd.wait_for_more(HEAL_S)
        self._bring_back(with_down)

    def two_down(self) -> None:
        """No block, and none contradicted; healed within half a minute."""
        with_down = self.chance.sample(range(5), 2)
        self._strike("kill two of five", with_down)
        self._watch_halt()
        self._bring_back(with_down)

    def all_down(self) -> None:
        """Nothing that had a receipt is lost."""
        self._strike("kill all five", range(5))
        self._bring_back(range(5))

    def one_paused(self) -> None:
        (index,) = self.chance.sample(range(5), 1)
        self._up.discard(index)
        self.network.pause(index)
        self.tally.fault("pause one of five")
        try:
            self.crowd.wait_for_more(HEAL_S)
        finally:
            self.network.resume(index)
        with self.tally.recovery():
            self.network.wait_ready([index], HEAL_S)
        self._up.add(index)

    def _strike(self, name: str, indices: Sequence[int]) -> None:
        self._up -= set(indices)
        for index in indices:
            self.network.kill(index)
        self.tally.fault(name, kills=1)

    def _bring_back(self, indices: Sequence[int]) -> None:
        with self.tally.recovery():
            self.network.start(indices)
            self.network.wait_ready(indices, HEAL_S)
            self._up |= set(indices)
            self.crowd.wait_for_more(HEAL_S)

    def _watch_halt(self) -> None:
        time.sleep(SETTLE_S)
        before = {index: self.network.height(index) for index in self._up}
        time.sleep(HALT_S)
        after = {index: self.network.height(index) for index in self._up}
        if before != after:
            self.tally.judge(Verdict(gaps=(f"no halt: {before} then {after}",)))

    # ---------------------------------------------------------------- the verdict

    def judge(self) -> None:
        """Ask every validator for every block, once nobody sends any more.

        All catch up first, while blocks still come: on a chain that stands idle a
        validator that was paused may stay behind until the next block.
        """
        newest = max(self.network.height(one) for one in range(5))
        wait_for(lambda: min(self.network.height(one) for one in range(5)) >= newest)
        self.watching.__exit__()
        self.crowd.__exit__()
        wait_for(lambda: len({self.network.height(one) for one in range(5)}) == 1)
        acknowledged = list(read(self._book.path))
        sightings = [one for one in acknowledged if one.kind == "block"]
        for index in range(5):
            found = self._found(index)
            verdict = check_items(acknowledged, found)
            sightings += [one for one in found if one.kind == "block"]
            counted = verdict.checked if index == 0 else 0  # each item once
            self.tally.judge(
                Verdict(verdict.lost, verdict.doubled, verdict.altered, checked=counted)
            )
        self.tally.judge(check_forks(sightings))

    def _found(self, index: int) -> list[Item]:
        found = []
        with closing(Rpc(self.network.rpc_url(index))) as rpc:
            for block in blocks(rpc):
                height = str(int(block["number"], 16))
                found.append(Item("block", height, block["hash"]))
                for one in block["transactions"]:
                    found.append(transaction_item(one))
                    found.append(Item("mined", one["hash"], block["hash"]))
        return found


def strike_validators(
    folder: Path, cycles: int, seed: int, progress: Callable[[], None]
) -> Tally:
    """Go through the faults of a network of five, again and again."""
    tally = Tally()
    with Validators(folder, seed, tally) as five:
        faults = (five.one_down, five.two_down, five.all_down, five.one_paused)
        for cycle in range(cycles):
            faults[cycle % len(faults)]()
            progress()
        five.judge()
    return tally
