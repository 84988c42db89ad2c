"""Logs of a process, configured in one place: one line an event, logfmt or JSON.

    time=2026-01-02T03:04:05.678Z level=info logger=node.run event="node answers" url=…

A message is written in the code as words and then ``name=value`` pairs; the words
become ``event``, the pairs fields of their own. What has another shape stays whole.
While a request is answered its id is part of every line. Keys, tokens and signatures
are never handed to a logger, so nothing is masked here.
"""

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TextIO, get_args

__all__ = ["LOG_FORMATS", "LogFormat", "configure_logs", "new_request_id", "request"]

LogFormat = Literal["logfmt", "json"]
"""How a line is written."""
LOG_FORMATS: tuple[LogFormat, ...] = get_args(LogFormat)
"""Every format, the default first."""

_CHATTY = ("alembic", "asyncio", "httpx", "uvicorn")
"""Libraries whose everyday events are of no use to an operator."""
_REQUEST: ContextVar[str] = ContextVar("request", default="")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PAIR = r"[A-Za-z_][\w.]*=(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S*)"
_MESSAGE = re.compile(
    rf"(?P<event>[^=]*?)(?P<pairs>(?:(?:^|\s+){_PAIR})*)\s*", re.DOTALL
)
_FIELD = re.compile(_PAIR)
_BARE = re.compile(r"[^\s\"'=\\]+")
_QUOTES = "'\""


def configure_logs(
    form: LogFormat = "logfmt",
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """Send every logger of the process to one stream.

    Args:
        form: How a line is written.
        level: Least level that is written.
        stream: Where to; None is standard error.
    """
    handler = _Handler(stream)
    handler.setFormatter(_Formatter(form))
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def new_request_id(given: str | None = None) -> str:
    """Take the caller's id of a request where it has the form of one, or make one.

    Args:
        given: What the caller sent.

    Returns:
        At most 64 letters, digits, dots, dashes and underscores.
    """
    if given and _GIVEN_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)


@contextmanager
def request(request_id: str) -> Iterator[None]:
    """Name the request that is answered, for every line until the context ends."""
    token = _REQUEST.set(request_id)
    try:
        yield
    finally:
        _REQUEST.reset(token)


class _Handler(logging.Handler):
    """Writes lines to a stream, or to whatever standard error is at the moment."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a broken stream stops nobody."""
        stream = self._stream or sys.stderr
        try:
            stream.write(f"{self.format(record)}\n")
            stream.flush()
        except (OSError, ValueError):
            self.handleError(record)


class _Formatter(logging.Formatter):
    """Writes a record as one line."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        fields = _fields(record)
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        if self._form == "json":
            return json.dumps(fields, ensure_ascii=False)
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _fields(record: logging.LogRecord) -> dict[str, str]:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    fields = {
        "time": f"{stamp}.{int(record.msecs):03d}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    if request_id := _REQUEST.get():
        fields["request"] = request_id
    fields |= _split(record.getMessage(), taken=set(fields))
    return fields


def _split(message: str, taken: set[str]) -> dict[str, str]:
    """Part a message into its words and its pairs."""
    found = _MESSAGE.fullmatch(message)
    if found is None:
        return {"event": message}
    pairs = dict(one.split("=", 1) for one in _FIELD.findall(found["pairs"] or ""))
    if taken & pairs.keys() or "event" in pairs:
        return {"event": message}
    fields = {"event": found["event"].strip()} if found["event"].strip() else {}
    return fields | {name: _plain(value) for name, value in pairs.items()}


def _plain(value: str) -> str:
    """Take the quotes off a value."""
    if len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]:
        return value[1:-1]
    return value


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
