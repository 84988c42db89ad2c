"""Where one anchored reading stands, as `ReadingAnchor.verifyReading` wants it."""

from contracts.structs import ReadingProof
from oracle.errors import InvalidProposalError
from oracle.inbox.reader import StoredReading
from oracle.log.tree import leaf_hash as log_leaf
from oracle.log.tree import prove_inclusion
from oracle.member.desk import Desk
from oracle.member.proposal import tree_of


def reading_proof(reading: StoredReading, desk: Desk) -> ReadingProof:
    """Prove a reading against the stream's present head.

    Args:
        reading: A reading that this member has in an adopted batch.
        desk: The member's ports.

    Returns:
        The proof; the next batch makes it stale, not wrong.

    Raises:
        InvalidProposalError: The reading is in no batch yet.
    """
    heads = desk.store.heads()
    batch = None if reading.batch_seq is None else desk.store.batch(reading.batch_seq)
    latest = desk.store.batch(len(heads) - 1)
    if batch is None or latest is None or reading.batch_index is None:
        expected = f"reading {reading.seq} of {reading.identifier} in a batch"
        raise InvalidProposalError("reading", expected, "none that was adopted here")
    seq, index = batch.report.seq, reading.batch_index
    rows = [(one.identifier_hash, one.seq, one.digest) for one in batch.refs]
    earlier = [log_leaf(head) for head in heads[:-1]]
    is_latest = seq == latest.report.seq
    return ReadingProof(
        batch=batch.report,
        latest=latest.report,
        log_path=() if is_latest else prove_inclusion(earlier, seq),
        index=index,
        reading_seq=reading.seq,
        id_hash=reading.identifier_hash,
        path=tree_of(desk.stream_id, seq, rows).proof(index),
    )
