"""JSON-RPC 2.0 as the gate reads and writes it: calls, answers, error codes."""

import json
from dataclasses import dataclass
from typing import Any

from node.errors import (
    ConflictJournalError,
    InvalidAccessError,
    InvalidCallError,
    InvalidTransactionError,
    NodeError,
    UnavailableCapacityError,
)

__all__ = [
    "Call",
    "Json",
    "decode_call",
    "describe",
    "dump",
    "encode",
    "failure",
    "hex_bytes",
]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
TRANSACTION_REFUSED = -32000
UNAVAILABLE = -32002
LIMIT_EXCEEDED = -32005
FORBIDDEN = -32043
"""The caller is known, or not, and has no right to this; a code of our own."""

Json = Any
"""A decoded JSON value."""


@dataclass(frozen=True, slots=True)
class Call:
    """One well-formed JSON-RPC request."""

    id: Json
    method: str
    params: list[Json]


def decode_call(request: Json) -> Call | bytes:
    """Return the call, or the error answer to a malformed one."""
    if not isinstance(request, dict):
        return failure(None, INVALID_REQUEST, "invalid request: an object expected")
    ident = request.get("id")
    if ident is None or isinstance(ident, list | dict | bool):
        return failure(None, INVALID_REQUEST, "invalid request: id expected")
    method, params = request.get("method"), request.get("params", [])
    if request.get("jsonrpc") != "2.0" or not isinstance(method, str):
        text = 'invalid request: jsonrpc "2.0" and a method name expected'
        return failure(ident, INVALID_REQUEST, text)
    if not isinstance(params, list):
        return failure(ident, INVALID_PARAMS, "invalid params: a list expected")
    return Call(ident, method, params)


def encode(ident: Json, result: Json) -> bytes:
    """Return the answer of success."""
    return dump({"jsonrpc": "2.0", "id": ident, "result": result})


def failure(ident: Json, code: int, message: str, data: Json = None) -> bytes:
    """Return a JSON-RPC error answer."""
    error = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return dump({"jsonrpc": "2.0", "id": ident, "error": error})


def describe(error: NodeError) -> tuple[int, str, Json]:
    """Return code, sentence and data of an error for its answer."""
    if isinstance(error, InvalidCallError):
        return error.code, error.message, error.data
    if isinstance(error, InvalidTransactionError):
        return TRANSACTION_REFUSED, str(error), None
    if isinstance(error, InvalidAccessError):
        return FORBIDDEN, str(error), None
    if isinstance(error, UnavailableCapacityError):
        return LIMIT_EXCEEDED, str(error), None
    if isinstance(error, ConflictJournalError):
        return INTERNAL_ERROR, str(error), None
    return UNAVAILABLE, str(error), None


def hex_bytes(params: list[Json], index: int) -> bytes:
    """Read a parameter of 0x-hex.

    Raises:
        InvalidCallError: If it is absent or something else.
    """
    try:
        return bytes.fromhex(params[index].removeprefix("0x"))
    except (IndexError, AttributeError, TypeError, ValueError) as exc:
        raise InvalidCallError(
            INVALID_PARAMS, f"invalid params: 0x-hex expected at position {index}"
        ) from exc


def dump(answer: Json) -> bytes:
    """Encode an answer."""
    return json.dumps(answer, separators=(",", ":")).encode()
