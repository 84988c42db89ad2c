"""Notices reach a web address or a program at least once, in order, without secrets."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from node.errors import InvalidConfigError
from node.operations.alarms import KINDS
from node.operations.catalogue import LANGUAGES, catalogue, choose_language
from node.operations.health import _LIGHTS
from node.operations.notices import Delivery, history
from node.operations.settings import OperationsSettings
from node.store.alarms import AlarmNotice
from node.store.database import Database, open_database

SECRET = b"a secret of this test"


class Listener:
    """A web server that takes notices, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.signatures: list[str] = []
        self.is_refusing = False
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(503 if listener.is_refusing else 204)
                self.end_headers()
                if not listener.is_refusing:
                    listener.taken.append(json.loads(body))
                    made = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
                    assert self.headers["x-notice-signature"] == f"sha256={made}"

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alarms"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_bytes(SECRET + b"\n")
    return path


def note(database: Database, number: int, change: str = "raised") -> None:
    figures = {"free_mb": "3", "needed_mb": "9", "free_inodes_percent": "50"}
    row = {
        "id": number,
        "kind": "disk_low",
        "subject": "/var/ledger",
        "change": change,
        "at": int(time.time()),
        "figures": json.dumps(figures),
        "delivered_at": None,
    }
    with database.begin() as connection:
        connection.execute(insert(AlarmNotice), [row])


def waiting(database: Database) -> list[int]:
    found = history(database, 100)
    return [one["id"] for one in reversed(found) if one["delivered_at"] is None]


class TestWebhook:
    def test_gets_every_notice_once_it_takes_them(
        self, database: Database, listener: Listener, secret: Path
    ):
        settings = OperationsSettings(webhook=listener.url, webhook_secret_file=secret)
        delivery = Delivery(database, settings)
        listener.is_refusing = True
        note(database, 1)
        note(database, 2, "cleared")
        delivery.deliver()
        assert (listener.taken, waiting(database)) == ([], [1, 2])
        listener.is_refusing = False
        Delivery(database, settings).deliver()  # as after a restart
        assert [one["id"] for one in listener.taken] == [1, 2]
        assert waiting(database) == []
        assert "3 MB" in listener.taken[0]["sentence"]["en"]
        assert "已恢复" in listener.taken[1]["sentence"]["zh"]

    def test_that_is_not_there_keeps_them_waiting(
        self, database: Database, free_port: int
    ):
        settings = OperationsSettings(webhook=f"http://127.0.0.1:{free_port}/")
        note(database, 1)
        Delivery(database, settings).deliver()
        assert waiting(database) == [1]

    def test_that_is_no_address_keeps_them_waiting(self, database: Database):
        note(database, 1)
        Delivery(database, OperationsSettings(webhook="http://[::1/")).deliver()
        assert waiting(database) == [1]

    def test_needs_a_secret_that_others_cannot_read(
        self, database: Database, secret: Path
    ):
        secret.chmod(0o644)
        settings = OperationsSettings(webhook="http://x", webhook_secret_file=secret)
        with pytest.raises(InvalidConfigError, match="chmod 600"):
            Delivery(database, settings)


class TestCommand:
    def test_is_given_the_notice_as_json(self, database: Database, tmp_path: Path):
        out, command = tmp_path / "out", tmp_path / "tell"
        command.write_text(f"#!/bin/sh\ncat >> {out}\n")
        command.chmod(0o700)
        note(database, 1)
        Delivery(database, OperationsSettings(command=command)).deliver()
        assert json.loads(out.read_text())["subject"] == "/var/ledger"
        assert waiting(database) == []

    def test_that_fails_is_asked_again(self, database: Database, tmp_path: Path):
        command = tmp_path / "tell"
        command.write_text("#!/bin/sh\nexit 3\n")
        command.chmod(0o700)
        note(database, 1)
        Delivery(database, OperationsSettings(command=command)).deliver()
        assert waiting(database) == [1]


class TestCatalogue:
    def test_languages_have_the_same_messages_and_figures(self):
        english, chinese = (catalogue(one) for one in LANGUAGES)
        assert english.keys() == chinese.keys()
        for key, text in english.items():
            assert _placeholders(text) == _placeholders(chinese[key]), key

    def test_every_alarm_and_light_has_words(self):
        words = catalogue("en")
        parts = [key.removeprefix("part.") for key in words if key.startswith("part.")]
        assert all(f"alarm.{kind}" in words for kind in KINDS)
        assert all(f"health.{part}.{one}" in words for part in parts for one in _LIGHTS)
        assert all(f"advice.{part}" in words for part in parts)

    def test_follows_the_address_then_the_browser(self):
        assert choose_language("zh", "en") == "zh"
        assert choose_language(None, "fr, zh-CN;q=0.8, en;q=0.5") == "zh"
        assert choose_language(None, None) == "en"


def _placeholders(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}
