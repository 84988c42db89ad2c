"""The RPC gate: the only way to a chain.

Rules it keeps:

1. Only listed methods of ``eth_``, ``net_`` and ``web3_`` pass. Engine control and
   everything that would sign for the caller is refused.
2. A call passes only if its caller may make it, and a transaction only if its sender
   is permitted, and, for one that creates a contract, a permitted deployer.
3. What is above a limit is refused whole, before anything of it reaches the engine.

What becomes of a call that may pass is for the ``Backend``: the journal's desk for the
embedded engine, the engine itself for every other. It knows no HTTP.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import (
    InvalidAccessError,
    InvalidTransactionError,
    NodeError,
    UnavailableCapacityError,
    UnavailableEngineError,
)
from node.gate.access import AccessRules, Caller
from node.gate.figures import GateFigures, reason_of
from node.gate.jsonrpc import (
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    PARSE_ERROR,
    UNAVAILABLE,
    Call,
    Json,
    decode_call,
    describe,
    encode,
    failure,
    hex_bytes,
)
from node.gate.limits import RANGED_METHODS, CallLimits, Rates, log_span
from node.gate.methods import PLAIN_METHODS, SEND_METHOD
from node.gate.ports import Backend

__all__ = ["Answer", "Gate"]

logger = logging.getLogger(__name__)

_READS_AT_A_TIME = 4
"""Of one batch; many more at a time cost twice the work. Transactions are all handed
over at once, so that one commit keeps them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back for one HTTP body."""

    body: bytes
    """JSON, a list for a batch."""
    retry_after_s: int | None = None
    """Set where the caller was too fast: when to come back. [s]"""


class Gate:
    """Answers JSON-RPC requests, deciding for each what becomes of it.

    Args:
        backend: The chain.
        rules: Who may do what.
        limits: How much at a time.
        figures: Where requests and refusals are counted; None counts them anew.
    """

    def __init__(
        self,
        backend: Backend,
        rules: AccessRules | None = None,
        limits: CallLimits | None = None,
        figures: GateFigures | None = None,
    ) -> None:
        self.figures = figures or GateFigures()
        self._backend = backend
        self._rules = rules or AccessRules()
        self._limits = limits or CallLimits()
        self._rates = Rates()
        self.close = backend.close

    async def answer(self, body: bytes, caller: Caller) -> Answer:
        """Return the answer to one HTTP body.

        Args:
            body: JSON-RPC, one call or a batch.
            caller: Who asks.
        """
        try:
            request = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            self.figures.refuse("malformed")
            return Answer(failure(None, PARSE_ERROR, "parse error: JSON expected"))
        count = len(request) if isinstance(request, list) else 1
        most = self._limits.max_batch
        if not 0 < count <= most:
            self.figures.refuse("malformed" if count == 0 else "too_much")
            text = f"a batch has 1 to {most} requests, got {count}"
            return Answer(failure(None, INVALID_REQUEST, text))
        refusal = self._too_fast(caller, count)
        return refusal or Answer(await self._in_time(request, caller))

    def _too_fast(self, caller: Caller, calls: int) -> Answer | None:
        try:
            wait_s = self._rates.take(caller, calls)
        except UnavailableCapacityError as exc:
            self.figures.refuse("too_much")
            return Answer(failure(None, LIMIT_EXCEEDED, str(exc)))
        if wait_s is None:
            return None
        self.figures.refuse("too_fast")
        text = (
            f"caller {caller.name} may make {caller.requests_per_s} calls a second; "
            f"come back in {wait_s} s"
        )
        return Answer(failure(None, LIMIT_EXCEEDED, text), wait_s)

    async def _in_time(self, request: Json, caller: Caller) -> bytes:
        limit_s = self._limits.request_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                if not isinstance(request, list):
                    return await self._answer_one(decode_call(request), caller)
                return await self._answer_batch(request, caller)
        except TimeoutError:
            self.figures.refuse("unavailable")
            text = (
                f"no answer within {limit_s:g} s; ask for less at a time, and look up "
                "what became of transactions"
            )
            return failure(None, UNAVAILABLE, text)

    async def _answer_batch(self, requests: Sequence[Json], caller: Caller) -> bytes:
        calls = [decode_call(request) for request in requests]
        answers = await self._read_together(calls, caller)
        places = asyncio.Semaphore(_READS_AT_A_TIME)
        rest = [at for at in range(len(calls)) if at not in answers]
        each = (self._answer_one(calls[at], caller, places) for at in rest)
        answers |= zip(rest, await asyncio.gather(*each), strict=True)
        return b"[" + b",".join(answers[at] for at in range(len(calls))) + b"]"

    async def _read_together(
        self, calls: Sequence[Call | bytes], caller: Caller
    ) -> dict[int, bytes]:
        """Answer the plain calls of a batch at once; one by one costs ten times more.

        Returns:
            Place in the batch → answer; empty where the engine did not answer all.
        """
        plain = {
            at: call
            for at, call in enumerate(calls)
            if isinstance(call, Call) and self._is_plain(call, caller)
        }
        if len(plain) < 2:  # noqa: PLR2004  one alone gains nothing
            return {}
        try:
            answers = await self._backend.read_together(list(plain.values()))
        except NodeError:
            return {}
        return dict(zip(plain, answers, strict=True))

    def _is_plain(self, call: Call, caller: Caller) -> bool:
        if call.method not in PLAIN_METHODS:
            return False
        try:
            self._rules.check_method(caller, call.method)
        except NodeError:  # refused where it is answered singly
            return False
        return True

    async def _answer_one(
        self,
        call: Call | bytes,
        caller: Caller,
        places: asyncio.Semaphore | None = None,
    ) -> bytes:
        if not isinstance(call, Call):
            self.figures.refuse("malformed")
            return call
        try:
            if places is None or call.method == SEND_METHOD:
                return await self._dispatch(call, caller)
            async with places:
                return await self._dispatch(call, caller)
        except NodeError as exc:
            self.figures.refuse(reason_of(exc))
            if isinstance(exc, InvalidAccessError | InvalidTransactionError):
                logger.info("call refused caller=%s: %s", caller.name, exc)
            return failure(call.id, *describe(exc))

    async def _dispatch(self, call: Call, caller: Caller) -> bytes:
        self._rules.check_method(caller, call.method)
        if call.method == SEND_METHOD:
            return encode(call.id, await self._send_raw(call, caller))
        if self._limits.max_log_blocks is not None and call.method in RANGED_METHODS:
            await self._check_span(call, self._limits.max_log_blocks)
        return await self._backend.read(call)

    async def _send_raw(self, call: Call, caller: Caller) -> Json:
        transaction = self._backend.decode(hex_bytes(call.params, 0))
        self._rules.check_transaction(caller, transaction)
        await self._backend.submit(transaction)
        return "0x" + transaction.hash.hex()

    async def _check_span(self, call: Call, most: int) -> None:
        answer = json.loads(await self._backend.read(Call(1, "eth_blockNumber", [])))
        if "result" not in answer:
            raise UnavailableEngineError(
                "the chain's engine does not say its newest block; ask again later"
            )
        span = log_span(call, int(answer["result"], 16))
        if span > most:
            raise UnavailableCapacityError(
                f"{call.method} goes through {span} blocks, at most {most} are served "
                "at a time; ask in parts"
            )


def _refuse_constant(name: str) -> Json:
    """Refuse NaN and infinities, which Python reads and JSON does not have."""
    raise ValueError(name)
