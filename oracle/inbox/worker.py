"""A verifying process: checks 1 to 5 for chunks of messages.

Runs `main` in a process of its own: reads tasks from standard input and writes
answers to standard output, both as pickles between a parent and its own child. It
holds no file and no socket, and ends when its parent does: the pipe closes.
"""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO, NamedTuple

from oracle.errors import RefusedReadingError
from oracle.reading.checks import Domain, authenticate
from oracle.reading.registry import CarrierRegistry


class Authentic(NamedTuple):
    """A message that passed checks 1 to 5, in plain types that travel fast."""

    identifier_hash: bytes
    """32 bytes."""
    digest: bytes
    """32 bytes, keccak256 of the message."""
    link: bytes
    """16 bytes, `prev_link` of the message."""
    fields: tuple[Any, ...]
    """Fields of `Reading`, in order."""


class Refused(NamedTuple):
    """A message that one of checks 1 to 5 refused."""

    check: int
    """Number of the check."""
    name: str
    """Name of the check."""
    expected: str
    """What would have passed."""
    given: str
    """What was found."""


Outcome = Authentic | Refused


def verify_chunk(
    messages: Iterable[bytes], registry: CarrierRegistry, domain: Domain
) -> list[Outcome]:
    """Run checks 1 to 5 on messages.

    Args:
        messages: Messages as they came.
        registry: Carriers as the chain has them.
        domain: Chain and contract.

    Returns:
        One outcome a message, in order.
    """
    return [_verify(raw, registry, domain) for raw in messages]


def serve(tasks: BinaryIO, answers: BinaryIO) -> None:
    """Answer tasks until the parent closes the pipe.

    Args:
        tasks: Pickles of (registry, domain) or of a list of messages.
        answers: Takes a pickle with the outcomes of each list of messages.
    """
    registry, domain = CarrierRegistry(), Domain(0, "0x" + "00" * 20)
    while True:
        try:
            task = pickle.load(tasks)  # noqa: S301  # from our own parent process
        except EOFError:
            return
        if isinstance(task, tuple):
            registry, domain = task
            continue
        try:
            pickle.dump(verify_chunk(task, registry, domain), answers, protocol=5)
            answers.flush()
        except BrokenPipeError:  # the parent was killed: nobody waits any more
            os._exit(0)  # not through Python's own flush of the same pipe


def main() -> None:
    """Serve standard input and output; the parent decides when to end."""
    gc.freeze()
    gc.set_threshold(100_000)  # what a chunk makes has no cycles to look for
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)


def _verify(raw: bytes, registry: CarrierRegistry, domain: Domain) -> Outcome:
    try:
        one = authenticate(raw, registry, domain)
    except RefusedReadingError as exc:
        return Refused(exc.check, exc.name, exc.expected, exc.given)
    reading = one.message.reading
    fields = (
        reading.kid,
        reading.seq,
        reading.ts,
        reading.values,
        reading.prev,
        reading.step_s,
        reading.flags,
        reading.boot,
    )
    name, link = one.carrier.identifier_hash, one.neighbour.link
    return Authentic(name, one.digest, link, fields)
