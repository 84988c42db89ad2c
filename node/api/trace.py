"""Every request gets an id, a line in the log when it goes wrong, and its time counted.

The caller's ``X-Request-Id`` is kept where it has the form of one; it comes back with
the answer and stands in every line of the log that the request causes.
"""

import logging
import time
from typing import Any

from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oracle.operations.logs import new_request_id, request

__all__ = ["RequestTrace"]

logger = logging.getLogger(__name__)

_HEADER = "x-request-id"
_FAULT = 500


class RequestTrace:
    """Middleware that names and times requests.

    Args:
        app: The application behind it.
        latency: Where times to the begin of answers go; None counts none.
    """

    def __init__(self, app: ASGIApp, latency: Histogram | None = None) -> None:
        self._app = app
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_request_id(Headers(scope=scope).get(_HEADER))
        started = time.monotonic()

        async def traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_HEADER] = request_id
                self._note(scope, message["status"], time.monotonic() - started)
            await send(message)

        with request(request_id):
            await self._app(scope, receive, traced)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        method, route = scope["method"], _route(scope)
        if self._latency is not None:
            self._latency.labels(method, route, f"{status // 100}xx").observe(took_s)
        level = logging.WARNING if status >= _FAULT else logging.DEBUG
        text = "answered method=%s route=%s status=%s duration_ms=%.1f"
        logger.log(level, text, method, route, status, 1000 * took_s)


def _route(scope: Scope) -> str:
    """Give the route's pattern, so that ids in paths make no new series."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unmatched"
