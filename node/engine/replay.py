"""Bringing a fresh engine to the journal's last block, with equal hashes.

Starts from the newest usable snapshot, then mines every later block again. Any
difference is a loud refusal: the same chain, or none. The journal must reach at
least as far as the newest snapshot, or it lost blocks (an older copy was put
back).
"""

import logging
from collections.abc import Callable

from node.engine.anvil import AnvilProcess
from node.engine.journal import Journal, PlannedBlock
from node.engine.producer import block_hash, mine_block
from node.engine.snapshots import Snapshot, SnapshotFolder
from node.engine.transactions import SignedTransaction
from node.errors import ConflictJournalError, InvalidCallError

logger = logging.getLogger(__name__)

Decode = Callable[[bytes], SignedTransaction]
"""Turns a journaled raw transaction into its checked form."""


def restore_chain(
    start_engine: Callable[[], AnvilProcess],
    journal: Journal,
    snapshots: SnapshotFolder,
    decode: Decode,
) -> AnvilProcess:
    """Start an engine and bring it to the journal's last block.

    Args:
        start_engine: Starts a fresh engine at block 0.
        journal: What must come out.
        snapshots: Where to begin, if one of them is usable.
        decode: Decodes the transactions of a block that was not sealed.

    Returns:
        The engine, at the journal's head, its last block sealed.

    Raises:
        ConflictJournalError: If a hash differs from the journal's.
        UnavailableEngineError: If the engine fails on the way.
    """
    _check_not_rolled_back(journal, snapshots)
    for snapshot in snapshots.newest_first():
        if snapshot is None:
            logger.warning("snapshot damaged, falling back to an older state")
            continue
        if not _is_ours(snapshot, journal):
            continue
        engine = start_engine()
        try:
            usable = _load(engine, snapshot)
        except BaseException:
            engine.kill()
            raise
        if usable:
            return _replay(engine, journal, snapshot.height, decode)
        engine.kill()
    return _replay(start_engine(), journal, 0, decode)


def _check_not_rolled_back(journal: Journal, snapshots: SnapshotFolder) -> None:
    reached = journal.highest()
    ahead = max(snapshots.heights(), default=0)
    if ahead > reached:
        raise ConflictJournalError(
            f"the journal ends at block {reached}, but {snapshots.folder} holds a "
            f"snapshot of block {ahead}: journal and witness are older copies, or the "
            "snapshot is of another chain; put the newest journal and witness back, "
            "restore a backup, or move the snapshot away to accept the loss knowingly"
        )


def _is_ours(snapshot: Snapshot, journal: Journal) -> bool:
    """Tell whether the journal vouches for a snapshot, and knows its block."""
    facts = snapshot.height, snapshot.block_hash
    recorded = journal.block(snapshot.height)
    ours = (
        recorded is not None
        and recorded.hash == snapshot.block_hash
        and journal.vouches(*facts, snapshot.sha256)
    )
    if not ours:
        logger.warning("snapshot height=%s is not ours, passed over", snapshot.height)
    return ours


def _load(engine: AnvilProcess, snapshot: Snapshot) -> bool:
    """Load a snapshot; tell whether the engine then stands at its block."""
    try:
        engine.rpc.call("anvil_loadState", snapshot.dump)
        height = int(engine.rpc.call("eth_blockNumber"), 16)
        loaded = block_hash(engine.rpc, snapshot.height)
        _recall_hashes(engine, snapshot.height)
    except (InvalidCallError, TypeError):
        height, loaded = -1, b""
    good = height == snapshot.height and loaded == snapshot.block_hash
    if not good:
        logger.warning("snapshot height=%s unusable, passed over", snapshot.height)
    return good


def _recall_hashes(engine: AnvilProcess, height: int) -> None:
    """Let contracts know the hashes of a loaded chain's blocks again.

    anvil keeps them apart from the blocks and a dump does not hold them, so BLOCKHASH
    would give others and later blocks come out differently. Where it takes a block
    back, it reads the hashes of the last 256 from the blocks.
    """
    head = engine.rpc.call("eth_getBlockByNumber", hex(height), False)
    engine.rpc.call("evm_mine", int(head["timestamp"], 16) + 1)
    engine.rpc.call("anvil_rollback", 1)


def _replay(
    engine: AnvilProcess, journal: Journal, height: int, decode: Decode
) -> AnvilProcess:
    try:
        for block in journal.blocks_after(height):
            _mine_again(engine, journal, block, decode)
            height = block.height
        _check_complete(height, journal)
    except InvalidCallError as exc:
        engine.kill()
        raise ConflictJournalError(
            f"the engine refuses to mine block {height + 1} of the journal ({exc}); "
            "stop, keep a copy of the folder, and restore a backup"
        ) from exc
    except BaseException:
        engine.kill()
        raise
    return engine


def _check_complete(height: int, journal: Journal) -> None:
    if height != journal.highest():
        raise ConflictJournalError(
            f"the journal has no block {height + 1}, but later ones: it was altered; "
            "stop, keep a copy of the folder, and restore a backup"
        )


def _mine_again(
    engine: AnvilProcess, journal: Journal, block: PlannedBlock, decode: Decode
) -> None:
    senders = {}
    if block.hash is None:
        senders = {digest: decode(raw) for digest, raw in block.transactions}
    mined = mine_block(engine.rpc, block, senders)
    if block.hash is None:
        journal.seal(mined)
    elif mined.hash != block.hash:
        raise ConflictJournalError(
            f"block {block.height} came out as {mined.hash.hex()}, the journal says "
            f"{block.hash.hex()}: the journal was altered or another engine version "
            "is used; stop, keep a copy of the folder, and restore a backup"
        )
