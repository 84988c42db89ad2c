"""HTTP uplink of the inbox.

    POST /readings         application/cose      one message → its receipt (COSE)
    POST /readings/batch   application/cbor-seq  messages → CBOR [results, receipts]
    GET  /health           counts of the store

Rules kept: an answer with status 200 means on disk; a full queue answers 429 and a
failing disk or database 503, both with Retry-After and with nothing acknowledged;
errors are problem+json (RFC 9457). No rule is decided here.
"""

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from oracle.errors import (
    ConflictDatabaseError,
    InvalidRequestError,
    UnavailableInboxError,
)
from oracle.inbox.inbox import Inbox
from oracle.inbox.results import Status, encode_results
from oracle.reading.profile import MAX_MESSAGE_BYTES
from oracle.reading.sequence import split_sequence

COSE = "application/cose"
CBOR_SEQUENCE = "application/cbor-seq"
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_BATCH_MESSAGES = 10_000
DAMAGE_RETRY_S = 300
"""When to send again where a person has to mend the database. [s]"""
BODY_TIMEOUT_S = 60.0
"""How long a sender may take to send a body. [s]"""

_STATUS_CODES = {
    Status.ACCEPTED: 200,
    Status.REPLAYED: 200,
    Status.REFUSED: 422,
    Status.CONFLICT: 409,
}


def create_app(inbox: Inbox) -> FastAPI:
    """Build the HTTP application of an inbox.

    Args:
        inbox: A running inbox; the caller closes it.

    Returns:
        The application.
    """
    app = FastAPI(title="Readings inbox", version="1")
    app.add_exception_handler(UnavailableInboxError, _unavailable)
    app.add_exception_handler(ConflictDatabaseError, _damaged)
    app.add_exception_handler(InvalidRequestError, _invalid)

    @app.post("/readings")
    async def post_reading(request: Request) -> Response:
        """Take one signed reading (application/cose)."""
        body = await _body(request, COSE, MAX_MESSAGE_BYTES)
        [result] = await asyncio.wrap_future(inbox.enqueue([body]))
        code = _STATUS_CODES[result.status]
        if result.receipt:
            return Response(result.receipt, code, media_type=COSE)
        return _problem(code, "the reading was not accepted", result.detail)

    @app.post("/readings/batch")
    async def post_batch(request: Request) -> Response:
        """Take a CBOR sequence of signed readings (application/cbor-seq)."""
        body = await _body(request, CBOR_SEQUENCE, MAX_BODY_BYTES)
        messages = _messages(body)
        results = await asyncio.wrap_future(inbox.enqueue(messages))
        return Response(encode_results(results), media_type="application/cbor")

    @app.get("/health")
    async def health() -> dict[str, int]:
        """Count the rows of the store."""
        return await asyncio.to_thread(inbox.stored.counts)

    return app


async def _body(request: Request, media_type: str, limit: int) -> bytes:
    """Read a body of the right type, but never more than the limit."""
    given = request.headers.get("content-type", "").split(";")[0].strip()
    if given != media_type:
        message = f"expected content type {media_type}, given {given or 'none'}"
        raise InvalidRequestError(message, 415)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    message = f"the body is too long: expected at most {limit} bytes"
                    raise InvalidRequestError(message, 413)
    except TimeoutError as exc:
        message = f"the body came too slowly: expected all in {BODY_TIMEOUT_S} s"
        raise InvalidRequestError(message, 408) from exc
    if not body:
        raise InvalidRequestError("the body is empty: expected signed readings", 400)
    return bytes(body)


def _messages(body: bytes) -> list[bytes]:
    """Cut a body into messages; what cannot be cut is one more, for check 1."""
    messages, rest = split_sequence(body)
    if rest:
        messages.append(rest)
    if len(messages) > MAX_BATCH_MESSAGES:
        message = (
            f"too many readings in one request: expected at most "
            f"{MAX_BATCH_MESSAGES}, given {len(messages)}"
        )
        raise InvalidRequestError(message, 413)
    return messages


async def _unavailable(_request: Request, exc: Exception) -> Response:
    if not isinstance(exc, UnavailableInboxError):
        raise exc
    response = _problem(429 if exc.is_overload else 503, "try again later", str(exc))
    response.headers["Retry-After"] = str(exc.retry_after_s)
    return response


async def _damaged(_request: Request, exc: Exception) -> Response:
    response = _problem(503, "the database needs a person", str(exc))
    response.headers["Retry-After"] = str(DAMAGE_RETRY_S)
    return response


async def _invalid(_request: Request, exc: Exception) -> Response:
    if not isinstance(exc, InvalidRequestError):
        raise exc
    return _problem(exc.status_code, "the request cannot be read", str(exc))


def _problem(status: int, title: str, detail: str) -> Response:
    content = {"type": "about:blank", "title": title, "status": status}
    return JSONResponse(
        content | {"detail": detail}, status, media_type="application/problem+json"
    )
