"""The thread that owns the chain: takes orders from a queue and makes blocks.

One turn: collect what arrived, commit it, make the block that is due, answer.
A failed engine is replaced and replayed within the turn; orders wait meanwhile.
When the records contradict each other it stops making blocks and answers every
order with the reason.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from node.engine.chain import Chain
from node.engine.ports import EngineHealth, EngineState
from node.engine.settings import EngineSettings
from node.engine.transactions import SignedTransaction
from node.errors import (
    ConflictJournalError,
    NodeError,
    UnavailableEngineError,
    UnavailableStorageError,
)

logger = logging.getLogger(__name__)

_SUPERVISION_S = 0.2
_RETRY_S = 0.5
_MAX_ORDERS_A_TURN = 2_000


@dataclass(frozen=True, slots=True)
class _Submission:
    """A transaction to accept; answered with None once it is on disk."""

    transaction: SignedTransaction
    answer: Future[None]


@dataclass(frozen=True, slots=True)
class _Task:
    """Something else to do with the chain, between two blocks."""

    action: Callable[[Chain], Any]
    answer: Future[Any]


_Order = _Submission | _Task


class ChainWorker:
    """Runs a chain in its own thread.

    Args:
        settings: The chain's settings.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._booted: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="chain", daemon=True)
        self._state: EngineState = "stopped"
        self._message = "the chain is not started"
        on_demand = settings.block_interval_s is None
        self._next_block_at = None if on_demand else time.monotonic()
        self._retry_at = 0.0
        self.chain: Chain | None = None

    def start(self) -> None:
        """Start the thread and wait until the chain is restored.

        Raises:
            NodeError: Why it could not be.
        """
        self._state, self._message = "starting", "the chain is being restored"
        self._thread.start()
        self._booted.result()

    def stop(self) -> None:
        """Finish the present turn, end the engine process, end the thread."""
        if self._thread.is_alive():
            self._orders.put(None)
            self._thread.join()

    def submit(self, transaction: SignedTransaction) -> Future[None]:
        """Order a transaction to be accepted; the answer may be a NodeError."""
        answer: Future[None] = Future()
        self._order(_Submission(transaction, answer))
        return answer

    def run(self, action: Callable[[Chain], Any]) -> Future[Any]:
        """Order something to be done with the chain between two blocks."""
        answer: Future[Any] = Future()
        self._order(_Task(action, answer))
        return answer

    def upstream_url(self) -> str | None:
        """Return the engine process's address, or None while it is restored."""
        chain = self.chain
        if chain is None or self._state != "ready":
            return None
        try:
            return chain.engine.rpc.url
        except UnavailableEngineError:
            return None

    def health(self) -> EngineHealth:
        """Report the chain's state."""
        chain = self.chain
        if chain is None:
            return EngineHealth(self._state, None, None, self._message)
        height, pending = chain.head.height, len(chain.pool)
        return EngineHealth(self._state, height, pending, self._message)

    def _order(self, order: _Order) -> None:
        if self._thread.is_alive():
            self._orders.put(order)
        else:
            _refuse(order, "the chain is stopped; start the node again")

    def _run(self) -> None:
        try:
            self.chain = chain = Chain(self._settings)
        except Exception as exc:  # noqa: BLE001  # handed to the starter as it is
            self._state, self._message = "failed", str(exc)
            self._booted.set_exception(exc)
            return
        try:
            self._work(chain)
            self._state, self._message = "stopped", "the chain is stopped"
        except BaseException as exc:
            logger.exception("the chain's thread failed")
            self._state, self._message = "failed", "the chain's thread failed; see log"
            if not self._booted.done():
                self._booted.set_exception(exc)
            raise
        finally:
            self.chain = None
            chain.close()
            self._refuse_rest()

    def _work(self, chain: Chain) -> None:
        self._set_ready()
        self._make_blocks(chain)  # what waited over the restart comes first
        self._booted.set_result(None)
        while self._turn(chain):
            pass
        self._last_snapshot(chain)

    def _last_snapshot(self, chain: Chain) -> None:
        """Write a snapshot for a quick next start, unless none is wanted."""
        if self._state != "ready" or not self._settings.snapshot_interval_blocks:
            return
        try:
            chain.snapshot()
        except NodeError as exc:
            logger.warning("no snapshot at the stop: %s", exc)

    def _turn(self, chain: Chain) -> bool:
        collected = self._collect()
        orders = [each for each in collected if each is not None and _take(each)]
        try:
            self._serve(chain, orders)
        finally:
            for order in orders:
                if not order.answer.done():
                    order.answer.set_exception(
                        UnavailableEngineError("the chain's thread failed; see the log")
                    )
        return None not in collected

    def _serve(self, chain: Chain, orders: list[_Order]) -> None:
        self._supervise(chain)
        accepted = self._accept(
            chain, [each for each in orders if isinstance(each, _Submission)]
        )
        self._make_blocks(chain)
        for each in accepted:
            each.answer.set_result(None)
        for order in orders:
            if isinstance(order, _Task):
                self._perform(chain, order)

    def _collect(self) -> list[_Order | None]:
        """Wait for orders; a first submission waits a moment for company."""
        try:
            orders = [self._orders.get(timeout=self._patience_s())]
        except queue.Empty:
            return []
        closing = time.monotonic() + self._settings.coalesce_s
        while len(orders) < _MAX_ORDERS_A_TURN and isinstance(orders[-1], _Submission):
            try:
                left = max(0.0, closing - time.monotonic())
                orders.append(self._orders.get(timeout=left))
            except queue.Empty:
                break
        return orders

    def _patience_s(self) -> float:
        """Return how long to wait for orders before looking around again."""
        if self._next_block_at is None or self.chain is None:
            return _SUPERVISION_S
        if not len(self.chain.pool):
            return _SUPERVISION_S
        due_s = self._next_block_at - time.monotonic()
        return min(_SUPERVISION_S, max(0.0, due_s))

    def _accept(
        self, chain: Chain, submissions: list[_Submission]
    ) -> list[_Submission]:
        """Commit submissions; return those to acknowledge after the next block."""
        if not submissions:
            return []
        try:
            self._refuse_if_failed()
            answers = chain.submit([each.transaction for each in submissions])
        except NodeError as exc:
            answers = [exc] * len(submissions)
        accepted = []
        for submission, refusal in zip(submissions, answers, strict=True):
            if isinstance(refusal, ConflictJournalError):
                self._handle(chain, refusal)
            if refusal is not None:
                submission.answer.set_exception(refusal)
            elif self._settings.block_interval_s is None:
                accepted.append(submission)
            else:
                submission.answer.set_result(None)
        return accepted

    def _make_blocks(self, chain: Chain) -> None:
        """Make the blocks that are due; on trouble recover, retry or stop."""
        now = time.monotonic()
        if self._state != "ready" or now < self._retry_at:
            return
        if self._next_block_at is not None and now < self._next_block_at:
            return
        try:
            while chain.produce(allow_empty=False) is not None:
                if self._settings.block_interval_s is not None:
                    self._next_block_at = now + self._settings.block_interval_s
                    break
        except NodeError as exc:
            self._handle(chain, exc)
        else:
            self._set_ready()

    def _perform(self, chain: Chain, task: _Task) -> None:
        try:
            self._refuse_if_failed()
            task.answer.set_result(task.action(chain))
        except NodeError as exc:
            self._handle(chain, exc)
            task.answer.set_exception(exc)
        except Exception as exc:  # noqa: BLE001  # a wrong argument goes to its caller
            task.answer.set_exception(exc)

    def _supervise(self, chain: Chain) -> None:
        """Replace the engine process if it is gone."""
        if self._state in ("ready", "recovering") and not chain.is_alive():
            self._recover(chain)

    def _handle(self, chain: Chain, trouble: NodeError) -> None:
        """Do what an error of the chain asks for."""
        if self._state == "failed":
            return
        logger.warning("chain trouble: %s", trouble)
        if isinstance(trouble, ConflictJournalError):
            self._state, self._message = "failed", str(trouble)
        elif isinstance(trouble, UnavailableStorageError):
            self._message = str(trouble)
            self._retry_at = time.monotonic() + _RETRY_S
        else:
            self._recover(chain)

    def _recover(self, chain: Chain) -> None:
        if time.monotonic() < self._retry_at:
            return
        self._state, self._message = "recovering", "the engine is being replayed"
        try:
            chain.recover()
        except ConflictJournalError as exc:
            logger.exception("the chain cannot be restored")
            self._state, self._message = "failed", str(exc)
        except NodeError as exc:
            logger.warning("the chain is not restored yet: %s", exc)
            self._message = str(exc)
            self._retry_at = time.monotonic() + _RETRY_S
        else:
            self._set_ready()

    def _set_ready(self) -> None:
        self._state, self._message = "ready", "the chain is ready"

    def _refuse_if_failed(self) -> None:
        if self._state == "failed":
            raise ConflictJournalError(self._message)

    def _refuse_rest(self) -> None:
        """Answer orders that came too late."""
        while True:
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            if order is not None:
                _refuse(order, "the chain is stopped; start the node again")


def _take(order: _Order) -> bool:
    """Begin an order, after which it cannot be cancelled; tell if it still stands."""
    return order.answer.set_running_or_notify_cancel()


def _refuse(order: _Order, reason: str) -> None:
    if _take(order):
        order.answer.set_exception(UnavailableEngineError(reason))
