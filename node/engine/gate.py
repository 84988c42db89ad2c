"""The RPC gate: the only way to the embedded chain.

Rules it keeps:

1. Only listed methods of ``eth_``, ``net_`` and ``web3_`` pass. Engine control and
   everything that would sign for the caller is refused.
2. ``eth_sendRawTransaction`` never reaches the engine: it is checked, journaled
   and then answered, and so is idempotent.
3. Nothing is answered from an engine that is still being replayed.
4. Waiting transactions are in the journal, not in the engine, so ``pending``
   means ``latest``, except for nonces and a transaction's own hash.

It knows no HTTP but POST with JSON, which a foreign web page cannot send.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import httpx

from node.engine.settings import EngineSettings
from node.engine.transactions import SignedTransaction, decode_transaction
from node.errors import (
    ConflictJournalError,
    InvalidCallError,
    InvalidTransactionError,
    NodeError,
    UnavailableEngineError,
)

PASSED_METHODS = frozenset({
    "eth_blobBaseFee", "eth_blockNumber", "eth_call", "eth_chainId",
    "eth_createAccessList", "eth_estimateGas", "eth_feeHistory", "eth_getBalance",
    "eth_getBlockByHash", "eth_getBlockByNumber", "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash", "eth_getBlockTransactionCountByNumber",
    "eth_getCode", "eth_getFilterChanges", "eth_getFilterLogs", "eth_getLogs",
    "eth_getProof", "eth_getStorageAt", "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex", "eth_getTransactionByHash",
    "eth_getTransactionCount", "eth_getTransactionReceipt",
    "eth_getUncleCountByBlockHash", "eth_getUncleCountByBlockNumber",
    "eth_newBlockFilter", "eth_newFilter", "eth_syncing", "eth_uninstallFilter",
    "net_listening", "net_version", "web3_clientVersion", "web3_sha3",
})  # fmt: skip
"""Methods that go to the engine."""

_SIGNING_METHODS = frozenset({
    "eth_accounts", "eth_requestAccounts", "eth_sendTransaction",
    "eth_sendUnsignedTransaction", "eth_sign", "eth_signTransaction",
    "eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4",
    "personal_sign",
})  # fmt: skip
_FREE_OF_CHARGE = frozenset({"eth_gasPrice", "eth_maxPriorityFeePerGas"})

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
TRANSACTION_REFUSED = -32000
UNAVAILABLE = -32002
LIMIT_EXCEEDED = -32005

_MAX_BATCH = 1_000
_ENGINE_WAIT_S = 15.0
_ENGINE_POLL_S = 0.02

Json = Any
"""A decoded JSON value."""


class ChainDesk(Protocol):
    """What the gate asks of the chain behind it."""

    def upstream_url(self) -> str | None:
        """Return the engine's address, or None while it is restored."""
        ...

    def waiting(self, digest: bytes) -> SignedTransaction | None:
        """Return a transaction that is accepted and not yet mined."""
        ...

    def pending_nonce(self, sender: bytes, mined: int) -> int:
        """Return the next free nonce, given the number of mined ones."""
        ...

    async def submit(self, transaction: SignedTransaction) -> None:
        """Accept a transaction; return when it is on disk."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    """One well-formed JSON-RPC request."""

    id: Json
    method: str
    params: list[Json]


class Gate:
    """Answers JSON-RPC requests, deciding for each what becomes of it.

    Args:
        settings: Chain id, limits and permitted senders.
        desk: The chain.
    """

    def __init__(self, settings: EngineSettings, desk: ChainDesk) -> None:
        self._settings = settings
        self._desk = desk
        self._client = httpx.AsyncClient(
            timeout=settings.call_timeout_s, trust_env=False
        )
        permitted = settings.permitted_senders
        self._permitted = None
        if permitted is not None:
            self._permitted = {bytes.fromhex(each[2:]) for each in permitted}
        self._own: dict[str, Callable[[_Call], Awaitable[Json]]] = {
            "eth_sendRawTransaction": self._send_raw,
            "eth_getTransactionCount": self._count,
            "eth_getTransactionByHash": self._transaction,
            **dict.fromkeys(_FREE_OF_CHARGE, self._price),
        }

    async def answer(self, body: bytes) -> bytes:
        """Return the answer to one HTTP body: JSON, a list for a batch."""
        try:
            request = json.loads(body)
        except ValueError:
            return failure(None, PARSE_ERROR, "parse error: JSON expected")
        if not isinstance(request, list):
            return await self._answer_one(request)
        if not 0 < len(request) <= _MAX_BATCH:
            text = f"a batch has 1 to {_MAX_BATCH} requests, got {len(request)}"
            return failure(None, INVALID_REQUEST, text)
        answers = await asyncio.gather(*(self._answer_one(each) for each in request))
        return b"[" + b",".join(answers) + b"]"

    async def close(self) -> None:
        """Close the connections to the engine."""
        await self._client.aclose()

    async def _answer_one(self, request: Json) -> bytes:
        call = _parse(request)
        if not isinstance(call, _Call):
            return call
        try:
            return await self._dispatch(call)
        except NodeError as exc:
            return failure(call.id, *_describe(exc))

    async def _dispatch(self, call: _Call) -> bytes:
        if call.method in self._own:
            result = await self._own[call.method](call)
            return _encode({"jsonrpc": "2.0", "id": call.id, "result": result})
        if call.method in PASSED_METHODS:
            return await self._pass(_Call(call.id, call.method, _at_latest(call)))
        raise InvalidCallError(METHOD_NOT_FOUND, _why_refused(call.method))

    async def _send_raw(self, call: _Call) -> Json:
        settings = self._settings
        transaction = decode_transaction(
            _hex_bytes(call.params, 0), settings.chain_id, settings.block_gas_limit
        )
        if self._permitted is not None and transaction.sender not in self._permitted:
            raise InvalidTransactionError(
                f"sender 0x{transaction.sender.hex()} may not send transactions here; "
                "ask the node's operator to permit it"
            )
        await self._desk.submit(transaction)
        return "0x" + transaction.hash.hex()

    async def _count(self, call: _Call) -> Json:
        mined = await self._ask(_Call(1, call.method, _at_latest(call)))
        if "pending" not in call.params[1:]:
            return mined
        sender = _hex_bytes(call.params, 0)
        return hex(self._desk.pending_nonce(sender, int(mined, 16)))

    async def _transaction(self, call: _Call) -> Json:
        waiting = self._desk.waiting(_hex_bytes(call.params, 0))
        found = await self._ask(call)
        if found is None and waiting is not None:
            return waiting_transaction_json(waiting, self._settings.chain_id)
        return found

    async def _price(self, _call: _Call) -> Json:
        return "0x0"

    async def _ask(self, call: _Call) -> Json:
        answer = json.loads(await self._pass(call))
        if "error" in answer:
            error = answer["error"]
            raise InvalidCallError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    async def _pass(self, call: _Call) -> bytes:
        """Return the engine's answer; wait out a restart, as passed methods read."""
        deadline = asyncio.get_running_loop().time() + _ENGINE_WAIT_S
        request = {"jsonrpc": "2.0", **asdict(call)}
        while asyncio.get_running_loop().time() < deadline:
            url = self._desk.upstream_url()
            if url is not None:
                try:
                    response = await self._client.post(url, json=request)
                    return response.raise_for_status().content
                except httpx.HTTPError:
                    pass
            await asyncio.sleep(_ENGINE_POLL_S)
        raise UnavailableEngineError(
            f"the chain's engine does not answer {call.method}; it is restarted from "
            "the journal, so ask again later, and see the node's status if it lasts"
        )


def waiting_transaction_json(transaction: SignedTransaction, chain_id: int) -> Json:
    """Return a waiting transaction as ``eth_getTransactionByHash`` shows one."""
    return {
        "hash": "0x" + transaction.hash.hex(),
        "from": "0x" + transaction.sender.hex(),
        "to": "0x" + transaction.to.hex() if transaction.to else None,
        "nonce": hex(transaction.nonce),
        "gas": hex(transaction.gas_limit),
        "gasPrice": hex(transaction.max_fee),
        "value": hex(transaction.value),
        "input": "0x" + transaction.data.hex(),
        "type": hex(transaction.type),
        "chainId": hex(chain_id),
        "blockHash": None,
        "blockNumber": None,
        "transactionIndex": None,
    }


def failure(ident: Json, code: int, message: str, data: Json = None) -> bytes:
    """Return a JSON-RPC error answer."""
    error = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return _encode({"jsonrpc": "2.0", "id": ident, "error": error})


def _encode(answer: Json) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


def _parse(request: Json) -> _Call | bytes:
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
    return _Call(ident, method, params)


def _at_latest(call: _Call) -> list[Json]:
    params = ["latest" if each == "pending" else each for each in call.params]
    if call.method == "eth_estimateGas" and len(params) == 1:
        params.append("latest")
    return params


def _hex_bytes(params: list[Json], index: int) -> bytes:
    try:
        return bytes.fromhex(params[index].removeprefix("0x"))
    except (IndexError, AttributeError, TypeError, ValueError) as exc:
        raise InvalidCallError(
            INVALID_PARAMS, f"invalid params: 0x-hex expected at position {index}"
        ) from exc


def _why_refused(method: str) -> str:
    if method in _SIGNING_METHODS:
        return (
            f"{method} is refused: this node holds no keys of its callers; sign the "
            "transaction yourself and use eth_sendRawTransaction"
        )
    if not method.startswith(("eth_", "net_", "web3_")):
        return (
            f"{method} is refused: only eth_, net_ and web3_ methods pass, control of "
            "the engine does not"
        )
    return f"method {method} not found"


def _describe(error: NodeError) -> tuple[int, str, Json]:
    if isinstance(error, InvalidCallError):
        return error.code, error.message, error.data
    if isinstance(error, InvalidTransactionError):
        return TRANSACTION_REFUSED, str(error), None
    if isinstance(error, ConflictJournalError):
        return INTERNAL_ERROR, str(error), None
    return UNAVAILABLE, str(error), None
