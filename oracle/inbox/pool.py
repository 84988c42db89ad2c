"""The pool of verifying processes.

    submit ─► queue ─► feeder thread ─► worker process ─► feeder thread ─► future

Each feeder owns one worker and speaks to it in turns, so no pipe can fill from both
ends. A worker that dies is started again and its chunk is tried once more; a chunk
that kills twice fails alone. Workers end by themselves when this process is killed,
because their pipe closes. There are more workers than cores, so that a core has work
while another worker hands over.
"""

import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from oracle.errors import UnavailableInboxError
from oracle.inbox.worker import Outcome, verify_chunk
from oracle.reading.checks import Domain
from oracle.reading.registry import CarrierRegistry

logger = logging.getLogger(__name__)

STOP_TIMEOUT_S = 5.0

_WORKER = "from oracle.inbox.worker import main; main()"
_Task = tuple[Sequence[bytes], "Future[list[Outcome]]"]


class VerifierPool:
    """Verifies chunks of messages in worker processes.

    Args:
        registry: Carriers as the chain has them.
        domain: Chain and contract.
        workers: Number of processes; 0 verifies in the calling thread.
    """

    def __init__(self, registry: CarrierRegistry, domain: Domain, workers: int) -> None:
        self._context = (registry, domain)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._workers = [_Worker() for _ in range(workers)]
        self._feeders = [
            threading.Thread(target=self._feed, args=(worker,), daemon=True)
            for worker in self._workers
        ]
        for feeder in self._feeders:
            feeder.start()

    def set_registry(self, registry: CarrierRegistry) -> None:
        """Verify later chunks under another registry."""
        self._context = (registry, self._context[1])

    def submit(self, messages: Sequence[bytes]) -> "Future[list[Outcome]]":
        """Verify a chunk.

        Args:
            messages: Messages as they came.

        Returns:
            Future of one outcome a message; fails with `UnavailableInboxError` when
            no worker can be kept alive.
        """
        future: Future[list[Outcome]] = Future()
        if self._feeders:
            self._tasks.put((messages, future))
        else:
            future.set_result(verify_chunk(messages, *self._context))
        return future

    def close(self) -> None:
        """Finish what was submitted and end the workers."""
        for _ in self._feeders:
            self._tasks.put(None)
        for feeder in self._feeders:
            feeder.join(STOP_TIMEOUT_S)

    def _feed(self, worker: "_Worker") -> None:
        """Serve one worker until the pool closes."""
        while (task := self._tasks.get()) is not None:
            messages, future = task
            try:
                future.set_result(worker.verify(messages, self._context))
            except Exception as exc:  # noqa: BLE001  # whoever waits must hear of it
                future.set_exception(exc)
        worker.close()


class _Worker:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._context: tuple[CarrierRegistry, Domain] | None = None

    def verify(
        self, messages: Sequence[bytes], context: tuple[CarrierRegistry, Domain]
    ) -> list[Outcome]:
        """Have a chunk verified, starting the worker again if it died."""
        for _attempt in range(2):
            try:
                return self._ask(messages, context)
            except (OSError, EOFError, pickle.UnpicklingError) as exc:
                logger.warning("verifier ended unexpectedly reason=%r", exc)
                self.close()
        message = "the verifying process ended twice on one chunk: see its output"
        raise UnavailableInboxError(message, retry_after_s=5, is_overload=False)

    def close(self) -> None:
        """End the process by closing its pipe, by force if that does not help."""
        process, self._process, self._context = self._process, None, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        try:
            process.stdin.close()
        except OSError:
            logger.debug("the pipe to verifier pid=%d was broken", process.pid)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _ask(
        self, messages: Sequence[bytes], context: tuple[CarrierRegistry, Domain]
    ) -> list[Outcome]:
        process = self._process or self._start()
        tasks, answers = process.stdin, process.stdout
        if tasks is None or answers is None:
            raise EOFError("the verifier has no pipe")
        if self._context is not context:
            pickle.dump(context, tasks, protocol=5)
            self._context = context
        pickle.dump(list(messages), tasks, protocol=5)
        tasks.flush()
        outcomes: list[Outcome] = pickle.load(answers)  # noqa: S301  # our own child
        return outcomes

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _WORKER]
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no input
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return self._process
