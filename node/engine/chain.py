"""The embedded chain's core: journal, pool, engine process and snapshots.

Used by one thread only, so nothing can come between a plan and its block. The
rules it keeps:

1. A transaction is committed to the journal before anybody is told so.
2. A block is committed before the engine sees any of its transactions.
3. An engine that failed is never asked again: it is replaced and replayed.
4. What the journal could not store is not in the pool either.
"""

import fcntl
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from node.engine.anvil import AnvilProcess
from node.engine.clock import EngineClock, make_clock
from node.engine.genesis import genesis_document
from node.engine.journal import FILE_NAME, Journal, MinedBlock, PlannedBlock
from node.engine.pool import AccountState, Pool
from node.engine.producer import block_hash, mine_block
from node.engine.replay import restore_chain
from node.engine.settings import EngineSettings
from node.engine.snapshots import Snapshot, SnapshotFolder
from node.engine.transactions import SignedTransaction, decode_transaction
from node.errors import (
    ConflictJournalError,
    InvalidTransactionError,
    NodeError,
    UnavailableEngineError,
    UnavailableStorageError,
)

logger = logging.getLogger(__name__)


class Chain:
    """One durable chain in one folder.

    Args:
        settings: Where it is and how it behaves.

    Raises:
        ConflictJournalError: If the folder belongs to another chain id or its
            records contradict each other.
        UnavailableStorageError: If the folder is in use or cannot be written.
        UnavailableEngineError: If anvil is missing or does not come up.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._unsealed: MinedBlock | None = None
        self._engine: AnvilProcess | None = None
        self._journal: Journal | None = None
        self._pool_is_stale = False
        self._lock: int | None = lock_folder(settings.data_dir)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        settings = self._settings
        self._journal = Journal(settings.data_dir / FILE_NAME)
        self._snapshots = SnapshotFolder(settings.data_dir / "snapshots")
        self._record_genesis()
        self.recover()
        self.clock: EngineClock = make_clock(settings.clock_mode, self._head.timestamp)

    @property
    def journal(self) -> Journal:
        """The open journal."""
        if self._journal is None:
            raise ValueError("the chain is closed")
        return self._journal

    @property
    def engine(self) -> AnvilProcess:
        """The running engine process."""
        if self._engine is None:
            raise UnavailableEngineError(
                "the chain's engine is being restarted from the journal; try again "
                "shortly"
            )
        return self._engine

    @property
    def head(self) -> PlannedBlock:
        """The newest sealed block; block 0 has no transactions."""
        return self._head

    @property
    def pool(self) -> Pool:
        """The waiting transactions."""
        return self._pool

    def is_alive(self) -> bool:
        """Tell whether the engine process runs."""
        return self._engine is not None and self._engine.is_alive()

    def recover(self) -> None:
        """Replace the engine by a fresh one, replayed to the journal's head."""
        if self._engine is not None:
            self._engine.kill()
            self._engine = None
        self._unsealed = None
        self._engine = restore_chain(
            self._start_engine, self.journal, self._snapshots, self._decode
        )
        self._head = self.journal.head() or self._block_zero()
        self._restore_pool()
        logger.info("chain restored height=%s", self._head.height)

    def submit(
        self, transactions: Sequence[SignedTransaction]
    ) -> list[NodeError | None]:
        """Accept transactions into the journal, with one commit for all.

        Returns:
            For each, None if it is on disk (now or from before), else why not.
        """
        self._reload_pool_if_stale()
        answers: list[NodeError | None] = []
        fresh: dict[bytes, SignedTransaction] = {}
        for each in transactions:
            try:
                if not self._is_known(each):
                    self._pool.admit(each)
                    fresh[each.hash] = each
                answers.append(None)
            except NodeError as exc:
                answers.append(exc)
        failure = self._write_accepted(fresh)
        return [failure if answer is None else answer for answer in answers]

    def produce(self, *, allow_empty: bool) -> PlannedBlock | None:
        """Plan, mine and seal the next block.

        Args:
            allow_empty: Make a block even if no transaction is due.

        Returns:
            The sealed block, or None if there was nothing to do.
        """
        self._reload_pool_if_stale()
        self._seal_pending()
        if self.journal.highest() > self._head.height:
            raise UnavailableEngineError(
                f"the journal has block {self._head.height + 1} already, which the "
                "engine has not mined; it is restarted from the journal"
            )
        chosen = self._pool.choose()
        if not chosen and not allow_empty:
            return None
        plan = PlannedBlock(
            height=self._head.height + 1,
            timestamp=max(self.clock.now(), self._head.timestamp + 1),
            parent_hash=self._head.hash or b"",
            transactions=tuple((each.hash, each.raw) for each in chosen),
        )
        self.journal.plan(plan)
        mined = mine_block(self.engine.rpc, plan, {each.hash: each for each in chosen})
        self._note(plan, mined)
        self._seal_pending()
        if self._snapshot_due():
            self._try_snapshot()
        return self._head

    def snapshot(self) -> None:
        """Write a snapshot of the newest block."""
        if self._head.height and not self._has_snapshot():
            dump = self.engine.rpc.call("anvil_dumpState")
            digest = self._head.hash or b""
            snapshot = Snapshot(self._head.height, digest, dump)
            self._snapshots.write(snapshot)
            self.journal.vouch(snapshot.height, digest, snapshot.sha256)

    def close(self) -> None:
        """End the engine process and release the folder."""
        if self._engine is not None:
            self._engine.kill()
            self._engine = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write_accepted(
        self, fresh: dict[bytes, SignedTransaction]
    ) -> NodeError | None:
        """Commit admitted transactions, or take them back and return why."""
        try:
            if fresh:
                self.journal.accept(list(fresh.values()))
            else:
                self.journal.confirm()
        except NodeError as exc:
            logger.warning("transactions not accepted count=%s: %s", len(fresh), exc)
            self._pool_is_stale = True
            return exc
        return None

    def _is_known(self, transaction: SignedTransaction) -> bool:
        """Tell whether the journal has it; raise if it was rejected for good."""
        if self._pool.find(transaction.hash) is not None:
            return True
        fate = self.journal.fate(transaction.hash)
        if fate:
            raise InvalidTransactionError(
                f"transaction 0x{transaction.hash.hex()} was rejected when its block "
                f"was made ({fate}) and is not tried again; sign a new one"
            )
        return fate is not None

    def _note(self, plan: PlannedBlock, mined: MinedBlock) -> None:
        """Take a mined block into memory; storing its hash may have to wait."""
        self._unsealed = mined
        self._head = replace(plan, hash=mined.hash)
        self.clock.saw_block(plan.timestamp)
        for digest in mined.included:
            self._pool.saw_mined(digest)
        for digest, reason in mined.rejected.items():
            logger.warning("transaction rejected hash=%s why=%s", digest.hex(), reason)
            self._pool.remove(digest)

    def _seal_pending(self) -> None:
        if self._unsealed is not None:
            self.journal.seal(self._unsealed)
            self._unsealed = None

    def _has_snapshot(self) -> bool:
        held = self._snapshots.read(self._head.height)
        if held is None:
            return False
        return self.journal.vouches(held.height, held.block_hash, held.sha256)

    def _snapshot_due(self) -> bool:
        every = self._settings.snapshot_interval_blocks
        return every > 0 and self._head.height % every == 0

    def _try_snapshot(self) -> None:
        try:
            self.snapshot()
        except UnavailableStorageError as exc:
            logger.warning("snapshot left out: %s", exc)

    def _record_genesis(self) -> None:
        settings, journal = self._settings, self.journal
        if journal.meta("genesis") is None:
            facts = {
                "chain_id": str(settings.chain_id),
                "genesis": genesis_document(settings),
            }
            journal.record_meta(facts)
        recorded = journal.meta("chain_id")
        if recorded != str(settings.chain_id):
            raise ConflictJournalError(
                f"the journal in {settings.data_dir} belongs to chain id {recorded}, "
                f"this engine is set to {settings.chain_id}; correct the chain id or "
                "choose another data folder"
            )
        gas_limit = int(json.loads(journal.meta("genesis") or "{}")["gasLimit"], 16)
        if gas_limit != settings.block_gas_limit:
            raise ConflictJournalError(
                f"the chain in {settings.data_dir} has a block gas limit of {gas_limit}"
                f", this engine is set to {settings.block_gas_limit}; it cannot change "
                "within a chain, so correct the setting"
            )

    def _start_engine(self) -> AnvilProcess:
        """Start a fresh engine and compare its block 0 with the recorded one."""
        document = self.journal.meta("genesis") or ""
        path = self._settings.data_dir / "genesis.json"
        try:
            path.write_text(document, encoding="ascii")
            engine = AnvilProcess(self._settings, path)
        except OSError as exc:
            raise UnavailableStorageError(
                f"the engine cannot be started in {path.parent} ({exc}): free disk "
                "space or correct the folder's permissions"
            ) from exc
        found = block_hash(engine.rpc, 0).hex()
        recorded = self.journal.meta("genesis_hash")
        if recorded is None:
            self.journal.record_meta({"genesis_hash": found})
        elif recorded != found:
            engine.kill()
            raise ConflictJournalError(
                f"block 0 came out as {found}, the journal says {recorded}: the "
                "genesis was altered or another anvil version is used; use the "
                "version that made this chain, or restore a backup"
            )
        return engine

    def _block_zero(self) -> PlannedBlock:
        block = self.engine.rpc.call("eth_getBlockByNumber", "0x0", False)
        digest = bytes.fromhex(block["hash"][2:])
        return PlannedBlock(0, int(block["timestamp"], 16), bytes(32), (), digest)

    def _reload_pool_if_stale(self) -> None:
        if self._pool_is_stale:
            self._restore_pool()

    def _restore_pool(self) -> None:
        settings = self._settings
        limits = settings.block_gas_limit, settings.max_pending
        pool = Pool(self._account_state, *limits)
        for digest, raw in self.journal.waiting():
            transaction = self._decode(raw)
            if transaction.hash != digest:
                raise ConflictJournalError(
                    f"waiting transaction {digest.hex()} was altered in the journal; "
                    "stop, keep a copy of the folder, and restore a backup"
                )
            pool.restore(transaction)
        self._pool = pool
        self._pool_is_stale = False

    def _decode(self, raw: bytes) -> SignedTransaction:
        """Decode a transaction out of the journal, where only valid ones are."""
        settings = self._settings
        try:
            return decode_transaction(raw, settings.chain_id, settings.block_gas_limit)
        except InvalidTransactionError as exc:
            raise ConflictJournalError(
                f"the journal holds a transaction that was never acceptable ({exc}); "
                "stop, keep a copy of the folder, and restore a backup"
            ) from exc

    def _account_state(self, account: bytes) -> AccountState:
        address = "0x" + account.hex()
        nonce = self.engine.rpc.call("eth_getTransactionCount", address, "latest")
        balance = self.engine.rpc.call("eth_getBalance", address, "latest")
        return AccountState(int(nonce, 16), int(balance, 16))


def lock_folder(folder: Path) -> int:
    """Take a chain's folder for this process; return the handle that holds it.

    Raises:
        UnavailableStorageError: If another process has it, or it cannot be written.
    """
    path = folder / "lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise UnavailableStorageError(
            f"the chain's folder {folder} cannot be written ({exc}); "
            "correct its permissions or choose another data folder"
        ) from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(handle)
        raise UnavailableStorageError(
            f"the chain's folder {folder} is in use by another engine; "
            "stop that one or choose another data folder"
        ) from exc
    return handle
