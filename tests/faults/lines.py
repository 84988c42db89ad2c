"""Lines between two programs that break, lag, repeat and reorder.

    caller ─► port of the line ─► whole requests, one by one ─► target
                                  answers as they come     ◄──

A line is a loopback proxy for HTTP/1.1 with lengths in its heads, which is what
members, carriers and chains speak to each other. Cut, it swallows nothing: bytes wait
as on a network that will retransmit, and come late. Repeated, a request arrives twice,
the second time on a connection of its own. Delays are drawn for each request, so that
requests of several connections overtake each other.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Self

LONGEST_HEAD = 65_536
_HOST = "127.0.0.1"
_Writer = asyncio.StreamWriter


@dataclass
class Mood:
    """How a line behaves; change it while it runs."""

    is_cut: bool = False
    delay_s: float = 0.0
    """Longest wait of a request; each draws its own. [s]"""
    repeats: float = 0.0
    """Share of the requests that arrive twice."""


class Line:
    """One way from a caller to a target."""

    def __init__(self, target_port: int, seed: int) -> None:
        self.mood = Mood()
        self.port = 0
        self.carried = self.repeated = 0
        self._target_port = target_port
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, _HOST, 0, limit=LONGEST_HEAD
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: _Writer) -> None:
        """Carry one connection until a side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: _Writer) -> None:
        await self._passable()
        answers, target = await asyncio.open_connection(_HOST, self._target_port)
        back = asyncio.ensure_future(self._bring_back(answers, writer))
        try:
            while request := await _read_request(reader):
                await self._passable()
                await asyncio.sleep(self._chance.uniform(0, self.mood.delay_s))
                target.write(request)
                await target.drain()
                self.carried += 1
                if self._chance.random() < self.mood.repeats:
                    await self._repeat(request)
        finally:
            back.cancel()
            target.close()
            await asyncio.gather(back, return_exceptions=True)

    async def _bring_back(self, answers: asyncio.StreamReader, writer: _Writer) -> None:
        while part := await answers.read(LONGEST_HEAD):
            await self._passable()
            writer.write(part)
            await writer.drain()
        writer.close()

    async def _repeat(self, request: bytes) -> None:
        """Let a request arrive again; nobody waits for its answer but to be in time."""
        answers, target = await asyncio.open_connection(_HOST, self._target_port)
        target.write(request)
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(answers.read(1), 5)
        target.close()
        self.repeated += 1

    async def _passable(self) -> None:
        while self.mood.is_cut:  # noqa: ASYNC110  a plain flag that any thread sets
            await asyncio.sleep(0.02)


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a head and as much body as it announces; nothing at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


class Lines:
    """Runs lines in a thread; a context manager that closes them at its end."""

    def __init__(self, seed: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lines: list[Line] = []
        self._seed = seed

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            self._wait_for(line.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def to(self, target_port: int) -> Line:
        """Open a line to a port."""
        line = Line(target_port, self._seed + len(self._lines))
        self._wait_for(line.open())
        self._lines.append(line)
        return line

    def _wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
