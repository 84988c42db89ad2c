"""A line from a plain httpx client straight into an application, without a port."""

import asyncio
from typing import Any

import httpx


class DirectLine(httpx.BaseTransport):
    """Hands every request to the application and waits for its answer."""

    def __init__(self, app: Any) -> None:
        self._line = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        given = await self._line.handle_async_request(request)
        content = await given.aread()
        return httpx.Response(given.status_code, headers=given.headers, content=content)
