"""The inbox of one member: verify, store, commit, and only then answer.

    submit ─► bounded queue ─► worker processes (checks 1–5) ─► writer (6–10, commit)
                   │ full: UnavailableInboxError                      └► results

Rules kept: what a result acknowledges is on disk; requests are stored in the order
in which they came, however fast their parts were verified; requests that wait
together are committed together; a full queue refuses at once instead of growing.
"""

import logging
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from contracts.hashing import keccak256
from oracle.database.address import Address
from oracle.database.claim import claim_writer
from oracle.errors import UnavailableInboxError
from oracle.inbox.pool import VerifierPool
from oracle.inbox.reader import Reader
from oracle.inbox.results import Result, Status
from oracle.inbox.store import close_engine, open_engine, translated
from oracle.inbox.worker import Outcome, verify_chunk
from oracle.inbox.writer import Job, Receiver, Writer
from oracle.reading.checks import CheckRules, Domain
from oracle.reading.registry import CarrierRegistry
from oracle.reading.suites import Signer

logger = logging.getLogger(__name__)

GROUP_MESSAGES = 4096
"""Most messages of one transaction, unless one request alone has more."""


@dataclass(frozen=True, slots=True)
class InboxSettings:
    """How an inbox runs."""

    database: Address
    """File of the database, whose folder exists, or URL of a PostgreSQL database."""
    domain: Domain
    """Chain and contract that signatures are bound to."""
    rules: CheckRules = field(default_factory=CheckRules)
    """Limits of checks 8 to 10."""
    workers: int | None = None
    """Verifying processes; None: one more than cores; 0: none, verify in place."""
    chunk_messages: int = 256
    """Messages that one worker takes at a time."""
    queue_messages: int = 50_000
    """Most messages that wait for their commit."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A request on its way through the inbox."""

    messages: Sequence[bytes]
    parts: list["Future[list[Outcome]]"]
    answer: "Future[list[Result]]"


class Inbox:
    """Durable inbox; safe to use from many threads.

    Args:
        settings: How it runs.
        registry: Carriers as the chain has them.
        signer: Key of the member, for receipts.
        clock: Time of arrival. [unix s]

    Raises:
        UnavailableInboxError: The database cannot be opened.
        ConflictDatabaseError: It is damaged, or another inbox writes to it.
    """

    def __init__(
        self,
        settings: InboxSettings,
        registry: CarrierRegistry,
        signer: Signer,
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self.engine = open_engine(settings.database)
        with translated(settings.database):
            self._claim = claim_writer(self.engine, settings.database)
        self.stored = Reader(self.engine, settings.database)
        receiver = Receiver(signer, settings.domain, settings.rules, clock)
        self._writer = Writer(self.engine, settings.database, receiver)
        workers = settings.workers
        if workers is None:
            workers = (os.cpu_count() or 1) + 1
        self._pool = VerifierPool(registry, settings.domain, workers)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._waiting = 0
        self.tallies: Counter[Status] = Counter()
        """Answers since the start, by status; written by one thread."""
        self._lock = threading.Lock()
        self._commits, self._committed = 0, threading.Condition()
        self._is_open = True
        self._thread = threading.Thread(target=self._run, name="inbox-writer")
        self._thread.daemon = True
        self._thread.start()

    def submit(
        self, messages: Sequence[bytes], registry: CarrierRegistry | None = None
    ) -> list[Result]:
        """Verify and store messages, and wait for the commit.

        Args:
            messages: Messages as they came.
            registry: An earlier registry of the same chain, which counts for messages
                that were batched under it; None takes the latest.

        Returns:
            One result a message, in order. What is accepted or replayed is on disk.

        Raises:
            UnavailableInboxError: Nothing of the request was stored; try again later.
        """
        return self.enqueue(messages, registry).result()

    def enqueue(
        self, messages: Sequence[bytes], registry: CarrierRegistry | None = None
    ) -> "Future[list[Result]]":
        """Take a request into the queue without waiting.

        Args:
            messages: Messages as they came.
            registry: As for `submit`; such messages are verified in this thread.

        Returns:
            Future of what `submit` returns.

        Raises:
            UnavailableInboxError: The queue is full or the inbox is closed.
        """
        verified = self._verified(messages, registry) if registry else None
        with self._lock:
            self._admit(len(messages))
            size = self._settings.chunk_messages
            starts = range(0, len(messages), size)
            parts = (
                [verified]
                if verified
                else [self._pool.submit(messages[at : at + size]) for at in starts]
            )
            request = _Request(messages, parts, Future())
            # Who waits may give up, but the writer's answer must find its place.
            request.answer.set_running_or_notify_cancel()
            self._requests.put(request)
        return request.answer

    @property
    def waiting(self) -> int:
        """Messages that wait for their commit."""
        return self._waiting

    def await_commit(self, seen: int, timeout_s: float) -> int:
        """Wait until more was stored.

        Args:
            seen: What the last call returned; -1 returns at once.
            timeout_s: Longest wait. [s]

        Returns:
            Number of commits since the start.
        """
        with self._committed:
            self._committed.wait_for(lambda: self._commits > seen, timeout_s)
            return self._commits

    def set_registry(self, registry: CarrierRegistry) -> None:
        """Verify what comes from now on under another registry."""
        self._registry = registry
        self._pool.set_registry(registry)

    def release(self, identifier: str) -> None:
        """End the quarantine of a carrier, once the identity platform has decided."""
        self.stored.release(identifier)
        self.forget(keccak256(identifier.encode()))

    def forget(self, identifier_hash: bytes) -> None:
        """Load a carrier anew at its next reading, because its rows have changed."""
        self._writer.forget(identifier_hash)

    def close(self) -> None:
        """Finish what was taken in, then stop."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
        self._requests.put(None)
        self._thread.join()
        self._pool.close()
        close_engine(self.engine)
        self._claim.release()

    def __enter__(self) -> Self:
        """Return the running inbox."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the inbox."""
        self.close()

    def _verified(
        self, messages: Sequence[bytes], registry: CarrierRegistry
    ) -> "Future[list[Outcome]]":
        """Run checks 1 to 5 here, under another registry than the workers have."""
        part: Future[list[Outcome]] = Future()
        part.set_result(verify_chunk(messages, registry, self._settings.domain))
        return part

    def _admit(self, count: int) -> None:
        """Refuse what does not fit into the queue."""
        if not self._is_open:
            message = "the inbox is stopping: send again after its start"
            raise UnavailableInboxError(message, retry_after_s=10, is_overload=False)
        limit = self._settings.queue_messages
        if self._waiting and self._waiting + count > limit:
            message = (
                f"the inbox is full: expected at most {limit} waiting messages, given "
                f"{self._waiting} and {count} more; send again later"
            )
            raise UnavailableInboxError(message, retry_after_s=1, is_overload=True)
        self._waiting += count

    def _run(self) -> None:
        """Store requests in the order of their arrival, until closed."""
        request = self._requests.get()
        while request is not None:
            group, request = self._group(request)
            self._store(group)
            request = request or self._requests.get()

    def _group(self, first: _Request) -> tuple[list[_Request], _Request | None]:
        """Add the requests that are verified when the first is.

        One that is not ends the group and comes next: waiting for it here would let
        the workers run dry while this thread waits, then writes.
        """
        wait(first.parts)
        group, size = [first], len(first.messages)
        while size < GROUP_MESSAGES and not self._requests.empty():
            request = self._requests.get()
            if request is None:
                self._requests.put(None)  # the end is for the loop
                break
            if not all(part.done() for part in request.parts):
                return group, request
            group.append(request)
            size += len(request.messages)
        return group, None

    def _store(self, group: Sequence[_Request]) -> None:
        """Commit a group and answer it."""
        jobs: list[tuple[_Request, Job]] = []
        try:
            for request in group:
                outcomes = [one for part in request.parts for one in part.result()]
                jobs.append((request, Job(request.messages, outcomes)))
            self._writer.write([job for _, job in jobs], self._registry)
        except Exception as exc:
            logger.exception("stored nothing of requests=%d", len(group))
            self._finish(group)
            for request in group:
                request.answer.set_exception(exc)
            return
        self._finish(group)
        with self._committed:
            self._commits += 1
            self._committed.notify_all()
        for request, job in jobs:
            self.tallies.update([result.status for result in job.results])
            request.answer.set_result(job.results)

    def _finish(self, group: Sequence[_Request]) -> None:
        with self._lock:
            self._waiting -= sum(len(request.messages) for request in group)
