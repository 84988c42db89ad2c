"""Mining exactly the block that the journal planned.

The same function serves the first time and every replay, so a block cannot come
about in two ways. The order of events, and what a crash after each leaves:

    plan committed ─► transactions handed over ─► evm_mine ─► seal committed
         │                      │                     │             │
         └──────────────────────┴─────────────────────┘             └ replayed, and
              planned again in full at the next start:                the hash must
              same parent, time and order give the same block         come out equal
"""

from typing import Any

from node.engine.journal import MinedBlock, PlannedBlock
from node.engine.rpc import RpcConnection
from node.engine.transactions import SignedTransaction
from node.errors import ConflictJournalError, InvalidCallError


def mine_block(
    rpc: RpcConnection, plan: PlannedBlock, senders: dict[bytes, SignedTransaction]
) -> MinedBlock:
    """Hand a planned block to an engine that stands at its parent, and mine it.

    Args:
        rpc: An engine with an empty transaction pool.
        plan: What to mine.
        senders: The decoded transactions by hash, of a plan that is not sealed.

    Raises:
        ConflictJournalError: If the engine made another block than planned.
        UnavailableEngineError: If the engine failed on the way.
    """
    refusals: dict[bytes, str] = {}
    for digest, raw in plan.transactions:
        try:
            rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except InvalidCallError as exc:
            refusals[digest] = exc.message
    rpc.call("evm_mine", plan.timestamp)
    block = rpc.call("eth_getBlockByNumber", hex(plan.height), False)
    included = _check(plan, block)
    left_out = [each for each, _ in plan.transactions if each not in set(included)]
    if left_out and plan.hash is not None:
        raise ConflictJournalError(
            f"block {plan.height}: the engine refuses transaction "
            f"{left_out[0].hex()}, which the journal holds as mined; the journal was "
            "altered: stop, keep a copy of the folder, and restore a backup"
        )
    if left_out:
        rpc.call("anvil_dropAllTransactions")
    rejected, returned = _judge(rpc, left_out, refusals, senders)
    digest = bytes.fromhex(block["hash"][2:])
    return MinedBlock(plan.height, digest, included, rejected, returned)


def block_hash(rpc: RpcConnection, height: int) -> bytes:
    """Return the hash of the engine's block of a height (32 bytes)."""
    block = rpc.call("eth_getBlockByNumber", hex(height), False)
    return bytes.fromhex(block["hash"][2:])


def _check(plan: PlannedBlock, block: Any) -> tuple[bytes, ...]:
    """Return the hashes of a mined block after comparing it with its plan."""
    if block is None or int(block["timestamp"], 16) != plan.timestamp:
        raise ConflictJournalError(
            f"block {plan.height} was planned for time {plan.timestamp}, the engine "
            f"made {block and block['timestamp']}; stop and keep a copy of the folder"
        )
    parent = bytes.fromhex(block["parentHash"][2:])
    if parent != plan.parent_hash:
        raise ConflictJournalError(
            f"block {plan.height} was planned on {plan.parent_hash.hex()}, the engine "
            f"stands on {parent.hex()}; stop and keep a copy of the folder"
        )
    included = tuple(bytes.fromhex(each[2:]) for each in block["transactions"])
    wanted = set(included)
    if included != tuple(each for each, _ in plan.transactions if each in wanted):
        raise ConflictJournalError(
            f"block {plan.height} holds other transactions, or another order, than "
            "planned; stop and keep a copy of the folder"
        )
    return included


def _judge(
    rpc: RpcConnection,
    left_out: list[bytes],
    refusals: dict[bytes, str],
    senders: dict[bytes, SignedTransaction],
) -> tuple[dict[bytes, str], tuple[bytes, ...]]:
    """Divide what a block left out into rejected for good and waiting."""
    rejected: dict[bytes, str] = {}
    returned: list[bytes] = []
    for digest in left_out:
        transaction = senders[digest]
        address = "0x" + transaction.sender.hex()
        nonce = int(rpc.call("eth_getTransactionCount", address, "latest"), 16)
        if transaction.nonce > nonce:
            returned.append(digest)
        else:
            rejected[digest] = refusals.get(digest, "left out of its block")
    return rejected, tuple(returned)
