"""`carbon-oracle fsck`: everything that a member keeps, read again and held together.

1. database: every row is what its own digests, hashes and roots say: each reading, each
   batch with the root of its readings, votes, statements (`soundness`)
2. chain: every anchored batch of the stream is adopted here with the report's hash that
   the chain has, in order, and nothing is adopted that the chain has not
3. log: each report carries size and root of the log over all before it; its tiles, cut
   and read back, give the same leaves
4. receipts: each bears this member's signature and names only readings that are here

Rules kept: nothing is changed; the first fault ends the check with its name and what to
do. A batch that was anchored a moment ago and is not adopted yet is no fault.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from contracts.chain import ChainClient
from contracts.editions import follow
from contracts.events import BatchAnchored, decode
from contracts.history import open_client
from contracts.typed_data import stream_id
from oracle.config import MemberSettings
from oracle.database.address import Address, shown
from oracle.errors import ConflictDatabaseError, InvalidReceiptError
from oracle.inbox.receipts import read_receipt
from oracle.inbox.store import open_engine, translated
from oracle.inbox.tables import NO_RECEIPT, equivocations, readings, receipts
from oracle.log.tiles import read_leaves, slice_tiles
from oracle.log.tree import CompactRange, leaf_hash
from oracle.member.keys import MemberKey, load_key
from oracle.member.setup import (
    chain_identity,
    database_of,
    load_deployment,
    receipt_signer,
)
from oracle.member.soundness import check_database
from oracle.member.store import MemberStore
from oracle.reading.checks import Domain

PAGE_BLOCKS = 5_000
"""Blocks whose logs are asked for at once."""
ROWS_AT_ONCE = 2_000
REMEDY = "stop the member and run: carbon-oracle rebuild"

Progress = Callable[[str, int], None]
"""What is being checked, and how much of it was."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read and found good."""

    batches: int
    """Adopted batches."""
    behind: int
    """Anchored batches that are not adopted yet."""
    readings: int
    """Readings that batches name."""
    receipts: int
    """Receipts."""


def check_everything(
    settings: MemberSettings, progress: Progress, key: MemberKey | None = None
) -> Checked:
    """Read everything that a member keeps, and hold it together.

    Args:
        settings: The member's settings; it may run meanwhile.
        progress: Told what is being checked.
        key: The member's key; None opens the key file.

    Returns:
        What was found good.

    Raises:
        ConflictDatabaseError: At the first fault, which it names.
        ContractsError: The chain does not answer.
        UnavailableInboxError: The database cannot be used now.
    """
    own = key or load_key(settings.key_file, settings.passphrase_file)
    address = database_of(settings)
    engine = open_engine(address)
    try:
        progress("rows", 0)
        if faults := check_database(engine, address):
            raise _fault(address, faults[0])
        heads = MemberStore(engine, address).heads()
        anchored = _anchored_heads(settings, progress)
        _compare_heads(address, heads, anchored)
        named = _check_log(MemberStore(engine, address), address, heads, progress)
        signed = _check_receipts(engine, settings, own, progress)
    finally:
        engine.dispose()
    return Checked(len(heads), max(0, len(anchored) - len(heads)), named, signed)


# --- step 2: the chain ---------------------------------------------------------------


def _anchored_heads(settings: MemberSettings, progress: Progress) -> dict[int, bytes]:
    stream = stream_id(settings.stream)
    with open_client(settings.rpc_url, settings.history_file) as client:
        deployment = load_deployment(settings)
        client.require_chain(deployment.chain_id)
        deployment = follow(client, deployment)
        anchors = deployment.every("ReadingAnchor")
        events = _events(client, anchors, deployment.genesis_block, progress)
        return {
            event.seq: event.head
            for event in events
            if isinstance(event, BatchAnchored) and event.stream_id == stream
        }


def _events(
    client: ChainClient, addresses: Any, first: int, progress: Progress
) -> Iterator[Any]:
    last = client.block_number()
    for start in range(first, last + 1, PAGE_BLOCKS):
        end = min(start + PAGE_BLOCKS - 1, last)
        yield from map(decode, client.logs(start, end, addresses))
        progress("blocks", end - start + 1)


def _compare_heads(
    address: Address, heads: list[bytes], anchored: Mapping[int, bytes]
) -> None:
    for seq, head in enumerate(heads):
        if seq not in anchored:
            raise _fault(
                address,
                f"batch {seq} is adopted here, the chain ends before it",
                "the chain lost blocks: ask its operators before anything else",
            )
        if anchored[seq] != head:
            raise _fault(
                address,
                f"batch {seq}: expected report 0x{anchored[seq].hex()} as anchored, "
                f"found 0x{head.hex()}",
            )


# --- step 3: the log -----------------------------------------------------------------


def _check_log(
    store: MemberStore, address: Address, heads: list[bytes], progress: Progress
) -> int:
    """Hold each report against the log before it; return how many readings it has."""
    log, named = CompactRange(), 0
    for seq, head in enumerate(heads):
        batch = store.batch(seq)
        report = None if batch is None else batch.report
        given = None if report is None else (report.log_size, report.log_root)
        if report is None or given != (log.size, log.root()):
            raise _fault(
                address,
                f"batch {seq}: expected a log of {log.size} reports with root "
                f"{log.root().hex()}, its report says {given}",
            )
        log = log.append(leaf_hash(head))
        named += report.leaf_count
        progress("batches", 1)
    leaves = [leaf_hash(head) for head in heads]
    tiles = slice_tiles(leaves)
    if leaves and read_leaves(len(leaves), tiles.__getitem__) != leaves:
        raise _fault(address, "the tiles of the log give other leaves than its reports")
    return named


# --- step 4: receipts ----------------------------------------------------------------


def _check_receipts(
    engine: sa.Engine, settings: MemberSettings, key: MemberKey, progress: Progress
) -> int:
    """Verify every receipt, and that what it acknowledges is here."""
    address = database_of(settings)
    identity = chain_identity(load_deployment(settings))
    domain = Domain(identity.chain_id, identity.carriers)
    signer, count = receipt_signer(key), 0
    query = sa.select(receipts).order_by(receipts.c.id)
    with translated(address), engine.connect() as connection:
        options = connection.execution_options(yield_per=ROWS_AT_ONCE)
        covered = _Covered(engine, address)
        for row in options.execute(query):
            try:
                receipt = read_receipt(
                    row.message, signer.suite, signer.public_key, domain
                )
            except InvalidReceiptError as exc:
                raise _fault(address, f"receipt {row.id}: {exc}") from exc
            promised = {(entry.seq, entry.digest) for entry in receipt.entries}
            missing = promised - covered.take(row.id)
            _require_kept(address, row.id, missing - _replaced(engine, missing))
            count += 1
            progress("receipts", 1)
        covered.finish()
    return count


def _replaced(
    engine: sa.Engine, missing: set[tuple[int, bytes]]
) -> set[tuple[int, bytes]]:
    """Find those whose place another message took, by a batch; both are evidence."""
    if not missing:
        return set()
    columns = (equivocations.c.seq, equivocations.c.stored_digest)
    digests = [digest for _, digest in missing]
    query = sa.select(*columns).where(equivocations.c.stored_digest.in_(digests))
    with engine.connect() as connection:
        return {(seq, digest) for seq, digest in connection.execute(query)}


def _require_kept(
    address: Address, receipt: int, missing: set[tuple[int, bytes]]
) -> None:
    if missing:
        seq, digest = min(missing)
        raise _fault(
            address,
            f"receipt {receipt} acknowledges reading {digest.hex()}, seq {seq}, which "
            "is not here",
            "it was promised: look for it in the other members' databases, then run "
            "carbon-oracle rebuild",
        )


class _Covered:
    """The readings of one receipt after the other, in one pass over all.

    Args:
        engine: The member's database.
        address: Its address, for messages.
    """

    def __init__(self, engine: sa.Engine, address: Address) -> None:
        self._address = address
        self._groups = groupby(_acknowledged(engine), key=lambda row: row[0])
        self._next = next(self._groups, None)

    def take(self, receipt: int) -> set[tuple[int, bytes]]:
        """Give number and digest of the readings that name a receipt."""
        self._require_none_before(receipt)
        if self._next is None or self._next[0] != receipt:
            return set()
        found = {(seq, digest) for _, seq, digest in self._next[1]}
        self._next = next(self._groups, None)
        return found

    def finish(self) -> None:
        """Make sure that no reading names a receipt that is not here."""
        self._require_none_before(None)

    def _require_none_before(self, receipt: int | None) -> None:
        if self._next is not None and (receipt is None or self._next[0] < receipt):
            raise _fault(
                self._address, f"receipt {self._next[0]} is not here, readings name it"
            )


def _acknowledged(engine: sa.Engine) -> Iterator[tuple[int, int, bytes]]:
    query = sa.select(readings.c.receipt_id, readings.c.seq, readings.c.digest)
    query = query.where(readings.c.receipt_id != NO_RECEIPT)
    with engine.connect() as connection:
        options = connection.execution_options(yield_per=ROWS_AT_ONCE)
        for row in options.execute(query.order_by(readings.c.receipt_id)):
            yield row[0], row[1], row[2]


def _fault(address: Address, what: str, remedy: str = REMEDY) -> ConflictDatabaseError:
    return ConflictDatabaseError(f"{shown(address)}: {what}; {remedy}")
