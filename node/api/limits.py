"""What one visitor may take of the node: bytes of a body, time for it, open streams.

Rules kept: a body is counted while it comes, before anything reads it; anonymous
readers cannot use up the streams of those who logged in. Rates are not limited here:
put a proxy before the node where the network is not trusted.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.errors import UnavailableCapacityError

__all__ = ["BodyLimit", "StreamSlots"]

MAX_BODY_BYTES = 1_000_000
"""Longest body; an instruction's file is shorter. [bytes]"""
BODY_TIMEOUT_S = 30.0
"""How long a visitor may take to send a body. [s]"""
ANONYMOUS_STREAMS = 32
"""Streams without login at a time."""
KNOWN_STREAMS = 128
"""Streams with login at a time."""


class BodyLimit:
    """Middleware that refuses bodies that are too long or come too slowly.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            receive = _counted(receive)
        await self._app(scope, receive, send)


class StreamSlots:
    """Counts the open streams of a node."""

    def __init__(self) -> None:
        self._open = {True: 0, False: 0}

    def require(self, is_known: bool) -> None:
        """Refuse a stream when all places are taken.

        Args:
            is_known: Whether its reader logged in.

        Raises:
            UnavailableCapacityError: If there is no place.
        """
        limit = KNOWN_STREAMS if is_known else ANONYMOUS_STREAMS
        if self._open[is_known] >= limit:
            who = "with login" if is_known else "without login"
            raise UnavailableCapacityError(
                f"All {limit} streams {who} are taken; try again later, or ask for "
                "pages instead."
            )

    @contextmanager
    def taken(self, is_known: bool) -> Iterator[None]:
        """Hold a place while a stream runs; entered by the event loop alone."""
        self._open[is_known] += 1
        try:
            yield
        finally:
            self._open[is_known] -= 1


def _counted(receive: Receive) -> Receive:
    """Count a body's bytes and time until it is whole."""
    size, is_whole = 0, False
    give_up = time.monotonic() + BODY_TIMEOUT_S

    async def counted() -> Message:
        nonlocal size, is_whole
        if is_whole:  # what comes now is the end of the connection, whenever it does
            return await receive()
        try:
            async with asyncio.timeout(give_up - time.monotonic()):
                message = await receive()
        except TimeoutError as exc:
            words = f"expected the whole body within {BODY_TIMEOUT_S:g} s"
            raise HTTPException(408, words) from exc
        size += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"expected at most {MAX_BODY_BYTES} bytes")
        return message

    return counted
