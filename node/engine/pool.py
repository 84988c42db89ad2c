"""Accepted transactions that wait for a block, in memory.

Keeps the promise behind an acknowledgement: what it admits will be executed. A
transaction is admitted only with an unused nonce and with a balance that covers
the sender's whole queue; nobody but the sender can lower either, so the engine
has no reason left to refuse it. The journal holds the same set on disk.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.engine.transactions import SignedTransaction
from node.errors import InvalidTransactionError, UnavailableEngineError

MAX_NONCE_GAP = 256
"""How far ahead of the account a nonce may be."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the newest block says of an account."""

    nonce: int
    balance: int
    """Balance. [wei]"""


class Pool:
    """Waiting transactions of one chain.

    Args:
        account_state: Reads an account (20 bytes) at the newest block.
        block_gas_limit: Most gas that one block's transactions may ask for. [gas]
        capacity: Most transactions that may wait.
    """

    def __init__(
        self,
        account_state: Callable[[bytes], AccountState],
        block_gas_limit: int,
        capacity: int,
    ) -> None:
        self._account_state = account_state
        self._block_gas_limit = block_gas_limit
        self._capacity = capacity
        self._waiting: dict[bytes, SignedTransaction] = {}
        self._by_nonce: dict[tuple[bytes, int], bytes] = {}
        self._next_nonce: dict[bytes, int] = {}
        self._queued_cost: dict[bytes, int] = {}

    def __len__(self) -> int:
        """Return how many transactions wait."""
        return len(self._waiting)

    def find(self, digest: bytes) -> SignedTransaction | None:
        """Return a waiting transaction by its hash."""
        return self._waiting.get(digest)

    def admit(self, transaction: SignedTransaction) -> None:
        """Add a transaction, or raise and change nothing.

        Raises:
            InvalidTransactionError: If it could not be executed.
            UnavailableEngineError: If too many wait already.
        """
        if len(self._waiting) >= self._capacity:
            raise UnavailableEngineError(
                f"txpool is full: {self._capacity} transactions wait; send again later"
            )
        self._check_nonce(transaction)
        self._check_funds(transaction)
        self.restore(transaction)

    def restore(self, transaction: SignedTransaction) -> None:
        """Add a transaction that the journal already holds, unchecked."""
        sender = transaction.sender
        self._waiting[transaction.hash] = transaction
        self._by_nonce[sender, transaction.nonce] = transaction.hash
        queued = self._queued_cost.get(sender, 0)
        self._queued_cost[sender] = queued + transaction.max_cost

    def remove(self, digest: bytes) -> None:
        """Take out a transaction that was mined, rejected or not journaled."""
        transaction = self._waiting.pop(digest, None)
        if transaction is None:
            return
        sender = transaction.sender
        del self._by_nonce[sender, transaction.nonce]
        queued = self._queued_cost.pop(sender, 0) - transaction.max_cost
        if queued:
            self._queued_cost[sender] = queued

    def saw_mined(self, digest: bytes) -> None:
        """Take out a mined transaction and move its account's nonce on."""
        transaction = self._waiting.get(digest)
        if transaction is not None:
            self._next_nonce[transaction.sender] = transaction.nonce + 1
            self.remove(digest)

    def next_nonce(self, sender: bytes) -> int:
        """Return the nonce of an account at the newest block."""
        if sender not in self._next_nonce:
            self._next_nonce[sender] = self._account_state(sender).nonce
        return self._next_nonce[sender]

    def pending_nonce(self, sender: bytes, mined: int) -> int:
        """Return the first nonce from ``mined`` on that no transaction uses."""
        while (sender, mined) in self._by_nonce:
            mined += 1
        return mined

    def choose(self) -> list[SignedTransaction]:
        """Choose the next block's transactions: oldest first, nonces in order.

        The sum of their gas limits fits one block, so none can be left out for
        want of gas.
        """
        chosen: list[SignedTransaction] = []
        due: dict[bytes, int] = {}
        passed: set[bytes] = set()
        gas_left = self._block_gas_limit
        for arrived in self._waiting.values():
            for each in self._now_due(arrived, due, passed):
                if each.gas_limit > gas_left:
                    return chosen
                gas_left -= each.gas_limit
                chosen.append(each)
        return chosen

    def _now_due(
        self, arrived: SignedTransaction, due: dict[bytes, int], passed: set[bytes]
    ) -> list[SignedTransaction]:
        """Return ``arrived``, if its nonce is due, and earlier ones it unblocks."""
        sender, nonce = arrived.sender, arrived.nonce
        if nonce != due.get(sender, self.next_nonce(sender)):
            passed.add(arrived.hash)
            return []
        run = [arrived]
        while (digest := self._by_nonce.get((sender, nonce + 1))) in passed:
            run.append(self._waiting[digest])
            nonce += 1
        due[sender] = nonce + 1
        return run

    def _check_nonce(self, transaction: SignedTransaction) -> None:
        expected = self.next_nonce(transaction.sender)
        given = transaction.nonce
        if given < expected:
            raise InvalidTransactionError(
                f"nonce too low: next nonce {expected}, tx nonce {given}"
            )
        if given > expected + MAX_NONCE_GAP:
            raise InvalidTransactionError(
                f"nonce too high: next nonce {expected}, tx nonce {given}, "
                f"at most {MAX_NONCE_GAP} ahead"
            )
        if (transaction.sender, given) in self._by_nonce:
            raise InvalidTransactionError(
                f"replacement transaction underpriced: nonce {given} is taken by an "
                "accepted transaction, and those are never replaced"
            )

    def _check_funds(self, transaction: SignedTransaction) -> None:
        if not transaction.max_cost:
            return
        queued = self._queued_cost.get(transaction.sender, 0)
        balance = self._account_state(transaction.sender).balance
        if balance < queued + transaction.max_cost:
            raise InvalidTransactionError(
                "insufficient funds for gas * price + value: balance "
                f"{balance} wei, queued {queued}, tx cost {transaction.max_cost}; "
                "gas is free on this chain, so send with a gas price of 0"
            )
