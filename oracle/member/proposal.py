"""Content of a batch: a function of its readings and of the chain's state, no more.

    readings ─► by (identifier hash, seq) ─► facts in that order ─► leaves ─► root

Rules kept: one carrier's readings stand together and rise in seq; the facts continue
from the carrier states of earlier batches and do not depend on when or where a message
arrived; a member compares every field of a proposed report with its own. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import cbor2

from contracts.hashing import keccak256
from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from contracts.structs import BatchReport
from contracts.typed_data import struct_hash
from oracle.errors import InvalidProposalError, RefusedReadingError
from oracle.member.refs import ReadingRef
from oracle.member.states import check_equal
from oracle.reading.checks import AuthenticReading, fold_readings
from oracle.reading.facts import Fact
from oracle.reading.state import CarrierState

NO_ROOT = bytes(32)
"""Batch root of a heartbeat."""

FactRow = tuple[bytes, int, Fact]
"""Identifier hash, seq and fact."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What fixes a report besides its readings."""

    stream_id: bytes
    """32 bytes."""
    seq: int
    """Sequence number of the batch, the number of batches before it."""
    prev_head: bytes
    """32 bytes, struct hash of the report before; zeros before the first."""
    prev_last_ts: int
    """Time up to which the stream ran before. [unix s]"""
    log_root: bytes
    """32 bytes, RFC 9162 root over the earlier reports."""
    ref_block_number: int
    """Block whose registry counts."""
    ref_block_hash: bytes
    """32 bytes."""
    data_digest: bytes
    """32 bytes, root of the carrier registry at that block."""
    rules_version: int
    """Version of the members' configuration."""


@dataclass(frozen=True)
class Batch:
    """A report with everything it stands for."""

    report: BatchReport
    """What the members sign."""
    readings: tuple[AuthenticReading, ...]
    """Its readings in batch order."""
    facts: tuple[FactRow, ...]
    """What the checks found, in batch order."""
    states: Mapping[bytes, CarrierState]
    """Identifier hash → state after the batch, of the carriers in it."""

    @cached_property
    def report_hash(self) -> bytes:
        """Struct hash of the report, the next head. 32 bytes."""
        return struct_hash(self.report)

    @cached_property
    def refs(self) -> tuple[ReadingRef, ...]:
        """Names of the readings in batch order."""
        return tuple(ReadingRef(*reading_key(one), one.digest) for one in self.readings)


def reading_key(reading: AuthenticReading) -> tuple[bytes, int]:
    """Return what orders a batch: identifier hash and seq."""
    return reading.carrier.identifier_hash, reading.message.reading.seq


def choose_readings(
    pending: Iterable[AuthenticReading], max_batch: int
) -> list[AuthenticReading]:
    """Take the oldest readings and put them in batch order.

    Args:
        pending: Authentic readings in any order, possibly repeated.
        max_batch: Most readings of a batch.

    Returns:
        At most `max_batch` readings, ordered by identifier hash and seq.
    """
    unique = {reading_key(one): one for one in pending}.values()
    age = sorted(unique, key=lambda one: (one.message.reading.ts, *reading_key(one)))
    return sorted(age[:max_batch], key=reading_key)


def build_batch(
    frame: Frame,
    readings: Sequence[AuthenticReading],
    states: Mapping[bytes, CarrierState],
    round_time: int,
) -> Batch:
    """Build report and content of a batch.

    Args:
        frame: Stream, chain state and configuration.
        readings: Readings in batch order; none for a heartbeat.
        states: Identifier hash → state before the batch, of the carriers in it.
        round_time: Time of the round, which a heartbeat carries. [unix s]

    Returns:
        The batch.

    Raises:
        InvalidProposalError: The order is not the one that counts, or a reading is
            in an earlier batch.
    """
    _check_order(readings)
    try:
        facts, after = fold_readings(readings, states)
    except RefusedReadingError as exc:
        raise InvalidProposalError(exc.name, exc.expected, exc.given) from exc
    times = [one.message.reading.ts for one in readings]
    times = times or [max(round_time, frame.prev_last_ts)]
    report = BatchReport(
        stream_id=frame.stream_id,
        seq=frame.seq,
        prev_head=frame.prev_head,
        batch_root=batch_tree(frame, readings).root if readings else NO_ROOT,
        leaf_count=len(readings),
        log_size=frame.seq,
        log_root=frame.log_root,
        ref_block_number=frame.ref_block_number,
        ref_block_hash=frame.ref_block_hash,
        first_ts=min(times),
        last_ts=max(*times, frame.prev_last_ts),
        gaps_digest=gaps_digest(facts),
        data_digest=frame.data_digest,
        rules_version=frame.rules_version,
    )
    return Batch(report, tuple(readings), tuple(facts), after)


def verify_batch(
    report: BatchReport,
    frame: Frame,
    readings: Sequence[AuthenticReading],
    states: Mapping[bytes, CarrierState],
) -> Batch:
    """Recompute a proposed report and demand equality in every field.

    Args:
        report: Report as proposed or anchored.
        frame: Stream, chain state and configuration as this member sees them.
        readings: Its readings in the proposed order, each authentic.
        states: Identifier hash → state before the batch.

    Returns:
        The batch.

    Raises:
        InvalidProposalError: Names the first field that differs.
    """
    batch = build_batch(frame, readings, states, report.first_ts)
    check_equal(batch.report, report)
    return batch


def batch_tree(frame: Frame, readings: Sequence[AuthenticReading]) -> BatchTree:
    """Build the tree of a batch that is not empty.

    Args:
        frame: Stream and sequence number.
        readings: Readings in batch order.

    Returns:
        The tree, which gives root and proofs.
    """
    rows = ((*reading_key(one), one.digest) for one in readings)
    return tree_of(frame.stream_id, frame.seq, rows)


def tree_of(
    stream_id: bytes, batch_seq: int, rows: Iterable[tuple[bytes, int, bytes]]
) -> BatchTree:
    """Build a tree from what its leaves hold.

    Args:
        stream_id: 32 bytes.
        batch_seq: Sequence number of the batch.
        rows: Identifier hash, seq and message digest of each reading in order.

    Returns:
        The tree.
    """
    leaves = [
        leaf_hash(BatchLeaf(stream_id, batch_seq, index, *row))
        for index, row in enumerate(rows)
    ]
    return BatchTree(leaves)


def root_of(report: BatchReport, refs: Iterable[ReadingRef]) -> bytes:
    """Compute the root that a report would have over readings named in order.

    Args:
        report: Gives stream and sequence number.
        refs: Names of readings, at least one.

    Returns:
        32 bytes.
    """
    rows = ((ref.identifier_hash, ref.seq, ref.digest) for ref in refs)
    return tree_of(report.stream_id, report.seq, rows).root


def gaps_digest(facts: Iterable[FactRow]) -> bytes:
    """Digest the facts of a batch.

    Args:
        facts: Identifier hash, seq and fact, in batch order.

    Returns:
        32 bytes, keccak256 of the CBOR array of
        [identifier hash, seq, check, kind, expected, given, register].
    """
    rows = [[name, seq, *fact.row()] for name, seq, fact in facts]
    return keccak256(cbor2.dumps(rows))


def _check_order(readings: Sequence[AuthenticReading]) -> None:
    """Demand rising keys, which also rules out a reading that comes twice."""
    last: tuple[bytes, int] | None = None
    for index, one in enumerate(readings):
        key = reading_key(one)
        if last is not None and key <= last:
            expected = "readings rising by identifier hash and seq, none twice"
            given = f"seq {key[1]} of {one.carrier.identifier} at place {index}"
            raise InvalidProposalError("order", expected, given)
        last = key
