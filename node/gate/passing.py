"""Any other engine behind the gate: checked calls pass to its RPC service as they are.

Its pool, its fees and its notion of ``pending`` are its own. A transaction that the
engine has already is answered with success, so that sending the same bytes again is
idempotent before every engine.
"""

from node.engine.transactions import SignedTransaction, decode_transaction
from node.errors import InvalidCallError
from node.gate.jsonrpc import Call
from node.gate.methods import SEND_METHOD
from node.gate.upstream import MAX_ANSWER_BYTES, Upstream

__all__ = ["PassingBackend"]

_NO_LIMIT = 2**64 - 1
"""Gas above every block's: the engine knows its own limit."""


class PassingBackend:
    """A ``Backend`` over an engine's JSON-RPC service.

    Args:
        url: Its HTTP address.
        chain_id: The chain that transactions must be signed for.
        call_timeout_s: How long one call may take. [s]
        max_answer_bytes: Largest answer that is passed. [B]
    """

    def __init__(
        self,
        url: str,
        chain_id: int,
        call_timeout_s: float,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._chain_id = chain_id
        self._upstream = Upstream(lambda: url, call_timeout_s, max_answer_bytes)
        self.read = self._upstream.read
        self.read_together = self._upstream.read_together
        self.close = self._upstream.close

    def decode(self, raw: bytes) -> SignedTransaction:
        """Decode a raw transaction and check what needs no chain state."""
        return decode_transaction(raw, self._chain_id, _NO_LIMIT)

    async def submit(self, transaction: SignedTransaction) -> None:
        """Pass a transaction on; return when the engine has accepted it."""
        raw = "0x" + transaction.raw.hex()
        try:
            await self._upstream.send(Call(1, SEND_METHOD, [raw]))
        except InvalidCallError:
            if not await self._has(transaction.hash):
                raise

    async def _has(self, digest: bytes) -> bool:
        """Tell whether the engine knows a transaction, waiting or in a block."""
        call = Call(1, "eth_getTransactionByHash", ["0x" + digest.hex()])
        return await self._upstream.ask(call) is not None
