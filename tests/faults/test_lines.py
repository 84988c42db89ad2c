"""Lines break, lag, repeat and reorder, and carry everything when they are well."""

import http.server
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.lines import Line, Lines


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the body, and remembers the order in which bodies came."""

    protocol_version = "HTTP/1.1"
    heard: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(body)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def line(heard: list[bytes]) -> Iterator[Line]:
    handler = type("Handler", (Echo,), {"heard": heard})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Lines(seed=7) as lines:
            yield lines.to(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(line: Line, body: bytes, timeout_s: float = 10) -> bytes:
    answer = httpx.post(line.url, content=body, timeout=timeout_s, trust_env=False)
    return answer.content


class TestLine:
    def test_carries_long_bodies_on_one_connection(self, line: Line):
        with httpx.Client(trust_env=False) as client:
            for size in (0, 1, 300_000):
                body = bytes(size)
                assert client.post(line.url, content=body).content == body
        assert line.carried == 3

    def test_cut_it_carries_nothing_and_brings_it_late(
        self, line: Line, heard: list[bytes]
    ):
        line.mood.is_cut = True
        with pytest.raises(httpx.ReadTimeout):
            send(line, b"late", 0.3)
        assert heard == []
        line.mood.is_cut = False
        assert send(line, b"on time") == b"on time"

    def test_that_repeats_brings_a_request_twice(self, line: Line, heard: list[bytes]):
        line.mood.repeats = 1.0
        assert send(line, b"once") == b"once"
        deadline = time.monotonic() + 5
        while len(heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard == [b"once", b"once"]

    def test_that_lags_lets_requests_overtake_each_other(
        self, line: Line, heard: list[bytes]
    ):
        line.mood.delay_s = 0.3
        bodies = [bytes([number]) for number in range(12)]
        with ThreadPoolExecutor(len(bodies)) as pool:
            assert list(pool.map(lambda body: send(line, body), bodies)) == bodies
        assert sorted(heard) == bodies
        assert heard != bodies
