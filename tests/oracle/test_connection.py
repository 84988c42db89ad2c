"""What a server of ours does with who sends on behind its refusal."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from oracle.member.server import HttpServer
from tests.simulators.endless_body import ANNOUNCED, send_without_end

MOST_GROWTH_KB = 64_000


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    server = HttpServer(app, "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading a byte."""
    await PlainTextResponse("too long", 413)(scope, receive, send)


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer when the body is whole."""
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse("thanks")(scope, receive, send)


class TestRefusal:
    def test_is_the_last_answer_of_who_sends_on(self):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with served(refuse) as url:
            sent, answer = send_without_end(url)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert sent < ANNOUNCED
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in answer
        assert grown < MOST_GROWTH_KB

    def test_is_seen_by_who_waits_and_sends_slowly(self):
        def slowly() -> Iterator[bytes]:
            for _ in range(5):
                yield b" " * 100
                time.sleep(0.05)

        with served(refuse) as url:
            answer = httpx.post(url, content=slowly(), trust_env=False)
        assert answer.text == "too long"

    def test_of_a_request_without_body_keeps_the_connection(self):
        with served(refuse) as url, httpx.Client(trust_env=False) as client:
            answer = client.get(url)
        assert "connection" not in answer.headers


class TestAnswer:
    @pytest.mark.parametrize("size", [0, 1, 300_000])
    def test_to_a_whole_body_keeps_the_connection(self, size: int):
        with served(read_all) as url, httpx.Client(trust_env=False) as client:
            answers = [client.post(url, content=bytes(size)) for _ in "ab"]
        lines = {id(one.extensions["network_stream"]) for one in answers}
        assert [one.text for one in answers] == ["thanks"] * 2
        assert len(lines) == 1
