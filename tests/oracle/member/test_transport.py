"""What peers may do to each other over HTTP: nothing that hurts."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from coincurve import PrivateKey
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.hashing import keccak256
from contracts.typed_data import address_of
from oracle.errors import InvalidProposalError, UnavailableMemberError
from oracle.member import transport
from oracle.member.envelope import Mailroom
from oracle.member.refs import ReadingRef, join_refs, split_refs
from oracle.member.server import HttpServer
from oracle.member.transport import HttpPeers
from oracle.member.wire import one_line, read_array

KEY = PrivateKey(keccak256(b"alice"))
PEER = address_of(PrivateKey(keccak256(b"bob")).public_key)


class RudePeer:
    """Answers every request with the same bytes, and then slowly with more."""

    def __init__(self, answer: bytes, drip: bytes = b"") -> None:
        self._answer, self._drip = answer, drip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self._stop.set()
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)
                while self._drip and not self._stop.wait(0.05):
                    connection.sendall(self._drip)
        except OSError:
            return


class TestClosing:
    def test_leaves_nobody_waiting(self):
        mailroom = Mailroom(KEY, bytes(32), time.time)
        peers = HttpPeers(mailroom, {PEER: "http://127.0.0.1:9"}, 1.0)
        peers.close()
        assert list(peers.ask_all("ballot", b"")) == []
        peers.tell_all("round", b"")
        with pytest.raises(UnavailableMemberError, match="closed"):
            peers.ask(PEER, "ballot", b"")


def head(length: int, *more: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"Content-Length: {length}", *more, "", "")
    return "\r\n".join(lines).encode()


@pytest.fixture
def rude(request: pytest.FixtureRequest) -> Iterator[RudePeer]:
    peer = RudePeer(*request.param)
    yield peer
    peer.stop()


def ask(peer: RudePeer, timeout_s: float = 2.0) -> bytes:
    room = Mailroom(KEY, b"\x01" * 32, time.time)
    peers = HttpPeers(room, {PEER: peer.url}, timeout_s)
    try:
        return peers.ask(PEER, "batch", b"")
    finally:
        peers.close()


class TestRudePeer:
    @pytest.mark.parametrize("rude", [(head(10**6), b"x")], indirect=True)
    def test_that_drips_its_answer_holds_nobody_up(self, rude: RudePeer):
        started = time.monotonic()
        with pytest.raises(UnavailableMemberError, match=r"within 0\.5 s"):
            ask(rude, timeout_s=0.5)
        assert time.monotonic() - started < 2

    @pytest.mark.parametrize("rude", [(head(10**9) + b"x" * 5000,)], indirect=True)
    def test_that_answers_without_end_is_cut_off(
        self, rude: RudePeer, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 4000)
        with pytest.raises(UnavailableMemberError, match="at most 4000 bytes"):
            ask(rude)

    BOMB = gzip.compress(bytes(10_000_000))

    @pytest.mark.parametrize(
        "rude", [(head(len(BOMB), "Content-Encoding: gzip") + BOMB,)], indirect=True
    )
    def test_that_sends_packed_bytes_gets_them_read_as_they_are(self, rude: RudePeer):
        assert ask(rude) == self.BOMB


class TestWords:
    def test_of_a_peer_make_no_second_line_of_the_log(self):
        assert one_line("no\nINFO\x1b[0m all is well") == "no INFO [0m all is well"
        assert one_line(b"\xff" + b"a" * 500) == "\ufffd" + "a" * 199


class TestNumbers:
    def test_that_no_database_holds_are_refused(self):
        with pytest.raises(InvalidProposalError, match="64-bit"):
            read_array(b"\x81\x1b" + b"\xff" * 8, int)
        ref = ReadingRef(bytes(32), 1 << 63, bytes(32))
        with pytest.raises(InvalidProposalError, match="sequence numbers below"):
            split_refs(join_refs([ref]))


class TestBodies:
    """Read by the application itself, without a network."""

    def test_that_are_too_long_or_too_many_are_refused_before_they_are_opened(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1000)
        monkeypatch.setattr(transport, "MAX_BODIES_BYTES", 1500)
        room = Mailroom(KEY, b"\x01" * 32, time.time)
        app = transport.create_app(room, {"gossip": opened}, list, dict, app_of_nobody)
        with served(app) as url:
            assert status_of(url, b"x" * 1001) == 413
            for _ in range(3):  # what was refused does not count for ever
                assert status_of(url, b"x" * 999) == 403

    def test_that_come_too_slowly_are_given_up(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(transport, "BODY_TIMEOUT_S", 0.2)
        room = Mailroom(KEY, b"\x01" * 32, time.time)
        app = transport.create_app(room, {"gossip": opened}, list, dict, app_of_nobody)
        with served(app) as url:
            where = ("127.0.0.1", int(url.rpartition(":")[2]))
            with socket.create_connection(where, 5) as slow:
                slow.sendall(b"POST /gossip HTTP/1.1\r\nHost: a\r\n")
                slow.sendall(b"Content-Length: 100\r\n\r\nx")
                assert slow.recv(100).startswith(b"HTTP/1.1 408")


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    server = HttpServer(app, "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def status_of(url: str, body: bytes) -> int:
    answer = httpx.post(f"{url}/gossip", content=body, trust_env=False)
    return answer.status_code


def opened(_sender: str, _body: bytes) -> bytes:
    raise AssertionError("nothing here may be opened")


async def app_of_nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stand where the carriers' application would."""
