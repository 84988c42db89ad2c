"""What a visitor cannot use up: bodies, time, streams, challenges, waiting rows."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from node.api import limits
from node.run import RunningNode
from node.services import login as logins
from node.services import pending
from node.services.login import Login
from node.store.database import open_database
from wallet.signers import KeySigner, sign_instruction

PROBLEM = "application/problem+json"
SIGNER = KeySigner(bytes(31) + b"\x09")


def rows(path: Path, table: str) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        count = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # our own names
    return int(count[0])


class TestBodies:
    def test_that_are_too_long_are_refused_while_they_come(self, visit: Any):
        endless = (b" " * 100_000 for _ in range(10**6))
        headers = {"content-type": "application/json"}
        answer = visit().http.post("/login/challenge", content=endless, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == PROBLEM
        assert next(endless, None) is not None  # the line was cut, the body not read

    def test_that_come_too_slowly_are_given_up(
        self, node: RunningNode, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.3)
        where = ("127.0.0.1", int(node.url.rpartition(":")[2]))
        with socket.create_connection(where, 5) as slow:
            slow.sendall(b"POST /login/challenge HTTP/1.1\r\nHost: a\r\n")
            slow.sendall(b"Content-Type: application/json\r\n")
            slow.sendall(b"Content-Length: 100\r\n\r\n{")
            assert slow.recv(100).startswith(b"HTTP/1.1 408")

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
    def test_that_are_nested_without_end_are_a_problem(self, visit: Any, text: str):
        for path in ("/login/challenge", "/login/answer"):
            answer = visit().http.post(
                path, content=text, headers={"content-type": "application/json"}
            )
            assert answer.status_code in {400, 422}
            assert answer.headers["content-type"] == PROBLEM


class TestStreams:
    def test_of_the_anonymous_are_counted(
        self, visit: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(limits, "ANONYMOUS_STREAMS", 1)
        visitor = visit()
        with visitor.http.stream("GET", "/events") as one:
            lines = one.iter_lines()  # kept: a forgotten iterator ends the stream
            next(lines)
            answer = visitor.get("/events")
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "5"
            with visit("steel-first").http.stream("GET", "/events") as other:
                assert other.status_code == 200
            next(lines)


@contextmanager
def login_at(path: Path) -> Iterator[Login]:
    database = open_database(f"sqlite:///{path}")
    yield Login(database, "https://node.example", 20260, 900, lambda: 1_700_000_000)
    database.close()


class TestLogin:
    def test_keeps_the_latest_challenges_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(logins, "MOST_CHALLENGES", 5)
        path = tmp_path / "node.sqlite"
        with login_at(path) as login:
            for _ in range(20):
                last = login.challenge(SIGNER.address).message
            assert rows(path, "login_challenges") <= 5
            login.answer(last, SIGNER.sign_text(last))

    def test_keeps_the_latest_tokens_of_a_key_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(logins, "TOKENS_OF_A_KEY", 3)
        path = tmp_path / "node.sqlite"
        with login_at(path) as login:
            for _ in range(8):
                asked = login.challenge(SIGNER.address).message
                token = login.answer(asked, SIGNER.sign_text(asked)).token
            assert rows(path, "login_tokens") == 3
            assert login.caller(token).address == SIGNER.address


class TestInstructions:
    def test_of_one_key_that_wait_are_counted(
        self, visit: Any, park: Any, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(pending, "MOST_OPEN", 2)
        visitor, first = visit("steel-first"), park.pair("steel")[0]
        codes = []
        for tonnes in (1, 2, 3):
            made = park.quota("CancelQuota", "steel", **cancel(tonnes))
            signed = sign_instruction(made, park.account("steel"), "initiate", first)
            codes.append(visitor.bring(signed).status_code)
        assert codes == [201, 201, 429]
        assert visit("glass-first").get("/instructions").json() == []

    def test_that_are_long_past_are_forgotten(self, park: Any, tmp_path: Path):
        path = tmp_path / "node.sqlite"
        database = open_database(f"sqlite:///{path}")
        made = park.quota("CancelQuota", "steel", **cancel(9))
        now = made.deadline + pending.KEPT_BEHIND_DEADLINE_S
        with database.begin() as connection:
            pending.keep(connection, made, "0x00", park.now())
            pending.make_room(connection, "0x00", now)
        assert rows(path, "pending_instructions") == 1
        with database.begin() as connection:
            pending.make_room(connection, "0x00", now + 1)
        assert rows(path, "pending_instructions") == 0
        assert rows(path, "pending_parties") == 0
        database.close()


def cancel(tonnes: int) -> dict[str, Any]:
    return {"vintage": 2024, "tonnes": tonnes, "reason": "decision"}
