"""The embedded engine behind the gate: waiting transactions are in the journal.

Rules it keeps:

1. ``eth_sendRawTransaction`` never reaches the engine: it is checked, journaled
   and then answered, and so is idempotent.
2. Nothing is answered from an engine that is still being replayed.
3. Waiting transactions are in the journal, not in the engine, so ``pending``
   means ``latest``, except for nonces and a transaction's own hash.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from node.gate.jsonrpc import Call, Json, encode, hex_bytes
from node.gate.ports import ChainDesk
from node.gate.upstream import Upstream

if TYPE_CHECKING:  # the embedded engine imports the gate, so not at run time
    from node.engine.transactions import SignedTransaction

__all__ = ["JournalledBackend", "waiting_transaction_json"]

_ADVICE = (
    "it is restarted from the journal, so ask again later, and see the node's status "
    "if it lasts"
)

_OLD_STATE = re.compile(
    rb"BlockOutOfRangeError: block height is (?P<height>\d+) "
    rb"but requested was (?P<asked>\d+)"
)
_SHORT_BYTES = 1_000


class JournalledBackend:
    """A ``Backend`` over the journal's desk.

    Args:
        desk: The chain.
        chain_id: Its EIP-155 chain id.
        call_timeout_s: How long one call of the engine may take. [s]
    """

    def __init__(self, desk: ChainDesk, chain_id: int, call_timeout_s: float) -> None:
        self._desk = desk
        self._chain_id = chain_id
        self._upstream = Upstream(desk.upstream_url, call_timeout_s, advice=_ADVICE)
        self.decode = desk.decode
        self.submit = desk.submit
        self.close = self._upstream.close
        self._own: dict[str, Callable[[Call], Awaitable[Json]]] = {
            "eth_getTransactionCount": self._count,
            "eth_getTransactionByHash": self._transaction,
            "eth_gasPrice": self._price,
            "eth_maxPriorityFeePerGas": self._price,
        }

    async def read(self, call: Call) -> bytes:
        """Return the encoded answer to a reading call."""
        own = self._own.get(call.method)
        if own is not None:
            return encode(call.id, await own(call))
        passed = Call(call.id, call.method, _at_latest(call))
        return _in_words(await self._upstream.read(passed))

    async def read_together(self, calls: Sequence[Call]) -> list[bytes]:
        """Return the encoded answers to calls of ``PLAIN_METHODS``, in their order."""
        passed = [Call(call.id, call.method, _at_latest(call)) for call in calls]
        return await self._upstream.read_together(passed)

    async def _count(self, call: Call) -> Json:
        mined = await self._upstream.ask(Call(1, call.method, _at_latest(call)))
        if "pending" not in call.params[1:]:
            return mined
        sender = hex_bytes(call.params, 0)
        return hex(self._desk.pending_nonce(sender, int(mined, 16)))

    async def _transaction(self, call: Call) -> Json:
        waiting = self._desk.waiting(hex_bytes(call.params, 0))
        found = await self._upstream.ask(call)
        if found is None and waiting is not None:
            return waiting_transaction_json(waiting, self._chain_id)
        return found

    async def _price(self, _call: Call) -> Json:
        return "0x0"


def waiting_transaction_json(transaction: "SignedTransaction", chain_id: int) -> Json:
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


def _in_words(answer: bytes) -> bytes:
    """Say of an old block's state that it is not kept; anvil calls it out of range."""
    found = _OLD_STATE.search(answer) if len(answer) < _SHORT_BYTES else None
    if found is None or int(found["asked"]) > int(found["height"]):
        return answer
    text = (
        f"the state of block {int(found['asked'])} is not kept: this engine has the "
        "states of its newest blocks, made since its last start from a snapshot; ask "
        "at the newest block; blocks, receipts and logs of all heights are there"
    )
    return answer.replace(found[0], text.encode())


def _at_latest(call: Call) -> list[Json]:
    params = ["latest" if each == "pending" else each for each in call.params]
    if call.method == "eth_estimateGas" and len(params) == 1:
        params.append("latest")
    return params
