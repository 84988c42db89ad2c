"""What this member knows of a statement, ready for `oracle.evidence.build_package`."""

from collections.abc import Sequence

from contracts.merkle import BatchLeaf, leaf_hash
from oracle.errors import InvalidProposalError
from oracle.evidence.evidence import (
    BatchEvidence,
    CarrierProof,
    ChainIdentity,
    RegistryPart,
    RuleBookPart,
    StatementEvidence,
    StatementPart,
)
from oracle.inbox.reader import StoredReading
from oracle.log.tree import compact_range
from oracle.log.tree import leaf_hash as log_leaf
from oracle.member.desk import Desk
from oracle.member.follow import Follower
from oracle.member.statements import ComputedStatement, Statements, factor_year
from oracle.member.store import AnchoredBatch

BatchReadings = dict[int, list[StoredReading]]
"""Batch number → used readings in it."""


def statement_evidence(
    statement: bytes,
    chain: ChainIdentity,
    desk: Desk,
    follower: Follower,
    statements: Statements,
) -> StatementEvidence:
    """Gather everything a stranger needs to repeat a statement offline.

    Args:
        statement: Id of the statement, 32 bytes.
        chain: Chain and contracts.
        desk: The member's ports.
        follower: View of the chain.
        statements: The member's statements.

    Returns:
        The evidence.

    Raises:
        InvalidProposalError: The statement is unknown, or is not what this member
            computes.
        ContractsError: The chain does not answer.
    """
    computed = statements.recorded(statement)
    report = computed.report
    batches = desk.store.batches(report.first_batch, report.last_batch)
    if len(batches) != report.last_batch - report.first_batch + 1:
        expected = f"batches {report.first_batch} to {report.last_batch} adopted here"
        raise InvalidProposalError("batches", expected, f"{len(batches)} of them")
    readings = _by_batch(computed)
    recorded = follower.view.statements[statement]
    versions = {one.report.rules_version for one in batches}
    versions.add(recorded.configuration_version)
    heads = [log_leaf(head) for head in desk.store.heads()[: report.first_batch]]
    return StatementEvidence(
        chain=chain,
        configurations=tuple(follower.view.configurations[v] for v in sorted(versions)),
        statement=StatementPart(
            report,
            desk.chain.attestation(recorded.tx_hash),
            recorded.configuration_version,
            computed.document,
        ),
        rule_book=RuleBookPart(
            tuple(one.source_bytes for one in statements.methods.rule_sets),
            factor_year(report.period_start),
            follower.view.boundaries[report.boundary][0].to_bytes(),
        ),
        registries=_registries(batches, readings, follower),
        log_range=compact_range(heads),
        batches=tuple(_batch(desk, one, readings) for one in batches),
    )


def _by_batch(computed: ComputedStatement) -> BatchReadings:
    readings: BatchReadings = {}
    for one in computed.readings:
        if one.batch_seq is not None:
            readings.setdefault(one.batch_seq, []).append(one)
    return readings


def _batch(desk: Desk, batch: AnchoredBatch, readings: BatchReadings) -> BatchEvidence:
    """Take a batch with all its leaves and the messages that the statement used."""
    report = batch.report
    leaves = tuple(
        leaf_hash(
            BatchLeaf(
                report.stream_id,
                report.seq,
                index,
                ref.identifier_hash,
                ref.seq,
                ref.digest,
            )
        )
        for index, ref in enumerate(batch.refs)
    )
    used = {
        one.batch_index: one.raw
        for one in readings.get(report.seq, ())
        if one.batch_index is not None
    }
    return BatchEvidence(report, desk.chain.attestation(batch.tx_hash), leaves, used)


def _registries(
    batches: Sequence[AnchoredBatch], readings: BatchReadings, follower: Follower
) -> tuple[RegistryPart, ...]:
    """Prove every used carrier under the root that its batch names, and the last.

    The state at the last batch says which readings count.
    """
    wanted: dict[bytes, tuple[int, set[str]]] = {}
    for batch in batches:
        names = {one.identifier for one in readings.get(batch.report.seq, ())}
        if batch is batches[-1]:
            names = {one.identifier for own in readings.values() for one in own}
        if names:
            block = follower.place_of(batch.report)
            wanted.setdefault(batch.report.data_digest, (block, set()))[1].update(names)
    return tuple(
        RegistryPart(root, _proofs(follower, block, names))
        for root, (block, names) in wanted.items()
    )


def _proofs(
    follower: Follower, block: int, names: set[str]
) -> tuple[CarrierProof, ...]:
    registry = follower.view.registry_at(block)
    proofs = []
    for name in sorted(names):
        record = registry.by_identifier(name)
        if record is not None:
            proofs.append(CarrierProof(record, tuple(registry.prove(name))))
    return tuple(proofs)
