"""Calls that the gate passes on to an engine over HTTP."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import httpx

from node.errors import (
    InvalidCallError,
    UnavailableCapacityError,
    UnavailableEngineError,
)
from node.gate.jsonrpc import Call, Json, dump

__all__ = ["MAX_ANSWER_BYTES", "Upstream"]

MAX_ANSWER_BYTES = 268_435_456
"""Largest answer that is taken from an engine where nothing else is set. [B]"""

_CALLS_TOGETHER = 100
"""Most calls of one message: engines take a thousand, their answers must be small."""
_WAIT_S = 15.0
_POLL_S = 0.02


class Upstream:
    """An engine's JSON-RPC service.

    Args:
        url: Gives its address, None while it is being restored.
        timeout_s: How long one call may take. [s]
        max_answer_bytes: Largest answer that is taken. [B]
        advice: What becomes of an engine that does not answer, for the sentence.
    """

    def __init__(
        self,
        url: Callable[[], str | None],
        timeout_s: float,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        advice: str = "see the engine's log",
    ) -> None:
        self._url = url
        self._client = httpx.AsyncClient(timeout=timeout_s, trust_env=False)
        self._max_answer_bytes = max_answer_bytes
        self._advice = advice

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, call: Call) -> Json:
        """Return the result of a call.

        Raises:
            InvalidCallError: If the engine answers with an error.
            UnavailableEngineError: If it does not answer.
        """
        answer = json.loads(await self.read(call))
        if "error" in answer:
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    async def read(self, call: Call) -> bytes:
        """Return the engine's answer; wait out a restart, as passed methods read.

        Raises:
            UnavailableCapacityError: If the answer is too large.
            UnavailableEngineError: If it does not answer.
        """
        deadline = asyncio.get_running_loop().time() + _WAIT_S
        body = json.dumps({"jsonrpc": "2.0", **asdict(call)}).encode()
        while asyncio.get_running_loop().time() < deadline:
            url = self._url()
            if url is not None:
                try:
                    return await self._exchange(url, body, call.method)
                except httpx.HTTPError:
                    pass
            await asyncio.sleep(_POLL_S)
        raise UnavailableEngineError(
            f"the chain's engine does not answer {call.method}; {self._advice}"
        )

    async def read_together(self, calls: Sequence[Call]) -> list[bytes]:
        """Return the engine's answers to several calls, asked for at once.

        Raises:
            UnavailableCapacityError: If the answers are too large together.
            UnavailableEngineError: If it does not answer every one.
        """
        answers: list[bytes] = []
        for start in range(0, len(calls), _CALLS_TOGETHER):
            answers += await self._exchange_batch(
                calls[start : start + _CALLS_TOGETHER]
            )
        return answers

    async def _exchange_batch(self, calls: Sequence[Call]) -> list[bytes]:
        """Ask under numbers of our own: a caller may use one id twice."""
        url = self._url()
        numbered = [replace(call, id=at) for at, call in enumerate(calls)]
        body = json.dumps([{"jsonrpc": "2.0", **asdict(one)} for one in numbered])
        try:
            if url is None:
                raise httpx.ConnectError("it is being restored")
            found = json.loads(await self._exchange(url, body.encode(), "a batch"))
            by_number = {one["id"]: one for one in found}
            return [
                dump({**by_number[at], "id": call.id}) for at, call in enumerate(calls)
            ]
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as exc:
            raise UnavailableEngineError(
                f"the chain's engine did not answer a batch of {len(calls)} calls "
                f"({exc or type(exc).__name__}); {self._advice}"
            ) from exc

    async def send(self, call: Call) -> Json:
        """Make a call once, without waiting out a restart, and return its result.

        Raises:
            InvalidCallError: If the engine answers with an error.
            UnavailableEngineError: If it does not answer; what it did is unknown.
        """
        url = self._url()
        body = json.dumps({"jsonrpc": "2.0", **asdict(call)}).encode()
        try:
            if url is None:
                raise httpx.ConnectError("it is being restored")
            answer = json.loads(await self._exchange(url, body, call.method))
        except (httpx.HTTPError, ValueError) as exc:
            raise UnavailableEngineError(
                f"the chain's engine did not answer {call.method} "
                f"({exc or type(exc).__name__}); {self._advice}"
            ) from exc
        if "error" in answer:
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    async def _exchange(self, url: str, body: bytes, method: str) -> bytes:
        headers = {"content-type": "application/json"}
        answer = bytearray()
        async with self._client.stream(
            "POST", url, content=body, headers=headers
        ) as response:
            response.raise_for_status()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > self._max_answer_bytes:
                    raise UnavailableCapacityError(
                        f"the answer to {method} is larger than "
                        f"{self._max_answer_bytes} bytes; ask for less at a time"
                    )
        return bytes(answer)
