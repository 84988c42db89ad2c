"""A loopback proxy between a chain and its reader that does what networks do.

It forwards JSON-RPC over HTTP to a real engine and, now and then, refuses, cuts off,
doubles or delays an answer, gives the answer of an earlier question of the same kind,
leaves results out, or doubles and reverses pages of logs. ``interrupt`` runs once
between two requests, so that a chain can change in the middle of a page.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

FAULTS = ("refuse", "cut", "twice", "late", "stale", "nothing", "shuffle")


class FlakyRpc:
    """The proxy; a context manager that listens on a free loopback port.

    Args:
        upstream: Address of the real engine.
        dice: Decides which answer suffers what.
    """

    def __init__(self, upstream: str, dice: random.Random) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.rate = 0.0
        """Share of answers that suffer."""
        self.counts: Counter[str] = Counter()
        self.dice = dice
        self._interrupt: Callable[[], object] | None = None
        self._requests_left = 0
        self._earlier: dict[str, bytes] = {}
        flaky = self

        class Handler(_Handler):
            proxy = flaky

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def interrupt(self, action: Callable[[], object], after: int) -> None:
        """Run an action before one of the next requests."""
        self._interrupt, self._requests_left = action, after

    def calm(self) -> None:
        """Be a good line for a while."""
        self.rate = 0
        self._interrupt = None

    def before_request(self) -> str:
        """Run what is due; choose what the answer suffers, if anything."""
        if self._interrupt is not None:
            self._requests_left -= 1
            if self._requests_left < 0:
                action, self._interrupt = self._interrupt, None
                self.counts["interrupt"] += 1
                action()
        if self.dice.random() >= self.rate:
            return ""
        fault = self.dice.choice(FAULTS)
        self.counts[fault] += 1
        return fault

    def alter(self, fault: str, question: bytes, answer: bytes) -> bytes:
        """Spoil an answer's content."""
        asked = json.loads(question)
        batch = asked if isinstance(asked, list) else [asked]
        kind = f"{batch[0]['method']} {len(batch)} {isinstance(asked, list)}"
        earlier = self._earlier.get(kind, answer)
        self._earlier[kind] = answer
        if fault not in ("stale", "nothing", "shuffle"):
            return answer
        told = json.loads(earlier if fault == "stale" else answer)
        answers = told if isinstance(told, list) else [told]
        for one, call in zip(answers, batch, strict=True):
            one["id"] = call["id"]
            if fault != "stale" and "result" in one:
                one["result"] = _spoilt(fault, call["method"], one["result"])
        return json.dumps(told).encode()


def _spoilt(fault: str, method: str, result: Any) -> Any:
    is_logs = method == "eth_getLogs"
    if fault == "nothing":
        return [] if is_logs else None
    return [*reversed(result), *result] if is_logs else result


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of callers that went away, as a fault or a kill makes them."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: FlakyRpc
    _engine: http.client.HTTPConnection | None = None

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["content-length"]))
        fault = self.proxy.before_request()
        if fault == "refuse":
            self.close_connection = True
            return
        if fault == "late":
            time.sleep(0.01)
        answer = self.proxy.alter(fault, question, self._forward(question))
        head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        whole = f"{head}content-length: {len(answer)}\r\n\r\n".encode() + answer
        if fault == "cut":
            whole = whole[: len(whole) - len(answer) // 2 - 1]
            self.close_connection = True
        self.wfile.write(whole * 2 if fault == "twice" else whole)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _forward(self, question: bytes) -> bytes:
        if self._engine is None:
            self._engine = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        headers = {"content-type": "application/json"}
        self._engine.request("POST", "/", question, headers)
        return self._engine.getresponse().read()

    def finish(self) -> None:
        if self._engine is not None:
            self._engine.close()
        super().finish()
