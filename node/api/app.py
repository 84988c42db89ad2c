"""The application: parts in, routes by subject, every error a problem document."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from contracts.errors import ContractsError
from node.api.access import Parts
from node.api.limits import BodyLimit, StreamSlots
from node.api.openapi import add_documentation
from node.api.routes import (
    accounts,
    carriers,
    market,
    operations,
    statements,
    status,
)
from node.api.trace import RequestTrace
from node.errors import (
    InvalidOperatorError,
    InvalidRequestError,
    NodeError,
    Problem,
    problem_of,
)
from wallet.errors import WalletError

__all__ = ["create_app"]

_TAGS = (
    ("carriers", "Carriers with keys, status and channels"),
    ("readings", "Stored readings and the state of the inbox"),
    ("batches", "Anchored batches of readings"),
    ("statements", "Recomputed emissions and their way to confirmation"),
    ("certificates", "Carbon-efficiency certificates; public"),
    ("accounts", "Accounts, login, instructions under two signatures"),
    ("quota", "Holdings, supply and operations of quota"),
    ("trades", "Block trades, prices and money"),
    ("proofs", "Proof packages for carbon-verify"),
    ("status", "The node, the chain, the stream of new facts"),
    ("operations", "Health, alarms and figures; for operators"),
)
_ROUTERS = (
    carriers.router,
    carriers.readings_router,
    statements.batches_router,
    statements.router,
    statements.certificates_router,
    accounts.router,
    market.router,
    market.trades_router,
    statements.proofs_router,
    status.router,
    operations.router,
)
_PROBLEM = "application/problem+json"
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "5"}}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {
            _PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}
        },
    }
}


def create_app(parts: Parts) -> FastAPI:
    """Build the application of one node.

    Args:
        parts: What its routes call.

    Returns:
        The application.
    """
    app = FastAPI(
        title="Park carbon ledger",
        version="1",
        description="One organisation's node: accounts, evidence, quota and trades.",
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS],
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    app.state.streams = StreamSlots()
    app.add_middleware(BodyLimit)
    watch = parts.operations
    app.add_middleware(RequestTrace, latency=watch.latency if watch else None)
    for router in _ROUTERS:
        app.include_router(router, responses=_RESPONSES)
    for kind in (NodeError, WalletError, ContractsError, Exception):
        app.add_exception_handler(kind, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    add_documentation(app)
    return app


def _on_error(_: Request, exc: Exception) -> JSONResponse:
    answer = _answer(problem_of(exc))
    if isinstance(exc, InvalidOperatorError):  # a browser asks for the password then
        answer.headers["WWW-Authenticate"] = 'Basic realm="operators", charset="UTF-8"'
    return answer


def _on_invalid(_: Request, exc: Exception) -> JSONResponse:
    faults = exc.errors() if isinstance(exc, RequestValidationError) else []
    words = [
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in faults
    ]
    sentence = f"The request is not acceptable: {'; '.join(words)}."
    return _answer(problem_of(InvalidRequestError(sentence)))


def _on_http(request: Request, exc: Exception) -> JSONResponse:
    status_code = exc.status_code if isinstance(exc, HTTPException) else 500
    words = exc.detail if isinstance(exc, HTTPException) else "fault"
    detail = f"{request.method} {request.url.path}: {words}; see /docs."
    return _answer(Problem(status_code, "about:blank", str(words), detail, {}))


def _answer(problem: Problem) -> JSONResponse:
    headers = _HEADERS.get(problem.status)
    return JSONResponse(problem.body(), problem.status, headers, media_type=_PROBLEM)
