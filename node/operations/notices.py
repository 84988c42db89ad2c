"""Telling the outside about alarms: a web address, a program, or nobody.

Rules kept: a notice is a row before it is told; it counts as told when every listener
has taken it, so it may come twice and never fails to come; notices come in their
order. No secret is sent: with a secret file the body's HMAC-SHA256 proves the sender.
"""

import hashlib
import hmac
import json
import logging
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Row, delete, func, select, update

from node.errors import InvalidConfigError
from node.operations.catalogue import LANGUAGES, say
from node.operations.settings import OperationsSettings
from node.store.alarms import Alarm, AlarmNotice
from node.store.database import Database

__all__ = ["Delivery", "history", "raised_alarms"]

logger = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_AT_ONCE = 50
_KEPT = 10_000
"""Notices that are kept as history."""


class Delivery:
    """Tells notices to whom the settings name.

    Args:
        database: Where the notices are.
        settings: Who is told.

    Raises:
        InvalidConfigError: If the secret's file cannot be used.
    """

    def __init__(self, database: Database, settings: OperationsSettings) -> None:
        self._database = database
        self._url = settings.webhook
        self._command = settings.command
        self._secret = _secret(settings.webhook_secret_file)
        self._last_fault = ""

    @property
    def has_listener(self) -> bool:
        """Whether anybody is told."""
        return bool(self._url or self._command)

    def deliver(self) -> None:
        """Tell what was not told yet, until a listener does not take it.

        Raises:
            NodeError: The database cannot be used now.
        """
        waiting = select(AlarmNotice.__table__).where(
            AlarmNotice.delivered_at.is_(None)
        )
        waiting = waiting.order_by(AlarmNotice.id).limit(_AT_ONCE)
        with self._database.reading() as connection:
            rows = connection.execute(waiting).all()
        for row in rows:
            if fault := self._tell(row):
                self._note(fault)
                return
            self._mark(row.id)
        self._last_fault = ""

    def _tell(self, row: Row[Any]) -> str:
        """Tell one notice; gives what was in the way."""
        body = json.dumps(document(row), ensure_ascii=False).encode()
        try:
            if self._url:
                self._post(body, row.id)
            if self._command:
                _run(self._command, body)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            subprocess.SubprocessError,
        ) as exc:
            return f"{type(exc).__name__}: {exc}"
        return ""

    def _post(self, body: bytes, number: int) -> None:
        headers = {"content-type": "application/json", "idempotency-key": str(number)}
        if self._secret:
            made = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers["x-notice-signature"] = f"sha256={made}"
        answer = httpx.post(
            self._url,
            content=body,
            headers=headers,
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        answer.raise_for_status()

    def _mark(self, number: int) -> None:
        told = update(AlarmNotice).where(AlarmNotice.id == number)
        newest = select(func.max(AlarmNotice.id)).scalar_subquery()
        is_old = AlarmNotice.id <= newest - _KEPT
        is_told = AlarmNotice.delivered_at.is_not(None)
        with self._database.begin() as connection:
            connection.execute(told.values(delivered_at=int(time.time())))
            connection.execute(delete(AlarmNotice).where(is_old, is_told))

    def _note(self, fault: str) -> None:
        if fault != self._last_fault:
            logger.warning("notices wait for their listener reason=%r", fault)
        self._last_fault = fault


def document(row: Any) -> dict[str, Any]:
    """Write an alarm or a notice for programs and people.

    Args:
        row: Row of ``Alarm`` or ``AlarmNotice``.

    Returns:
        Its columns, figures and sentences.
    """
    columns: dict[str, Any] = row._asdict()
    figures = json.loads(columns.pop("figures"))
    change = columns.get("change", "raised")
    key = f"alarm.{columns['kind']}" if change == "raised" else "alarm.cleared"
    names = {"subject": columns["subject"], "kind": columns["kind"]}
    sentences = {one: say(one, key, **names, **figures) for one in LANGUAGES}
    return columns | {"figures": figures, "sentence": sentences}


def raised_alarms(database: Database) -> list[dict[str, Any]]:
    """List the alarms that are raised now, the oldest first.

    Args:
        database: The node's database.

    Returns:
        One document an alarm.

    Raises:
        NodeError: The database cannot be used now.
    """
    query = select(Alarm.__table__).order_by(Alarm.raised_at, Alarm.kind)
    with database.reading() as connection:
        return [document(row) for row in connection.execute(query)]


def history(database: Database, limit: int) -> list[dict[str, Any]]:
    """List the latest notices, the newest first.

    Args:
        database: The node's database.
        limit: Most notices.

    Returns:
        One document a notice.

    Raises:
        NodeError: The database cannot be used now.
    """
    query = select(AlarmNotice.__table__).order_by(AlarmNotice.id.desc()).limit(limit)
    with database.reading() as connection:
        return [document(row) for row in connection.execute(query)]


def _run(command: Path, body: bytes) -> None:
    subprocess.run(  # noqa: S603  # the program of the operator's own settings
        [str(command)], input=body, timeout=_TIMEOUT_S, check=True, capture_output=True
    )


def _secret(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidConfigError(
                f"Secret file {path} can be read by others; run: chmod 600 {path}"
            )
        return path.read_bytes().strip()
    except OSError as exc:
        raise InvalidConfigError(
            f"Secret file {path} of setting webhook_secret_file cannot be read "
            f"({exc.strerror}); make it, or take the setting away."
        ) from exc
