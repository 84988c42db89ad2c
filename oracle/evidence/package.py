"""Build the proof package of a statement from its evidence.

The file holds whole messages of the boundary's carriers and, for the other readings
of a batch, only the nodes that a joint proof needs: a package tells a stranger nothing
of other enterprises. The form is that of `oracle.evidence.codec`.
"""

from accounting.canonical import canonical_json
from accounting.rule_schema import read_yaml
from contracts.hashing import keccak256
from contracts.merkle import BatchTree
from oracle.evidence.codec import encode_package
from oracle.evidence.evidence import (
    BatchEvidence,
    BatchPart,
    Package,
    RegistryPart,
    RuleBookPart,
    StatementEvidence,
)
from oracle.evidence.proofs import prove_leaves
from oracle.reading.registry import CarrierRecord


def build_package(evidence: StatementEvidence) -> bytes:
    """Pack one statement's evidence into a file.

    Args:
        evidence: Complete evidence of the statement.

    Returns:
        The package, deterministic: equal evidence gives equal bytes.

    Raises:
        ValueError: A carrier's channel table is not the one that is registered.
    """
    for registry in evidence.registries:
        for proof in registry.proofs:
            _check_channel_table(proof.record)
    return encode_package(
        Package(
            evidence.chain,
            tuple(sorted(evidence.configurations, key=lambda one: one.version)),
            evidence.statement,
            _canonical_book(evidence.rule_book),
            tuple(sorted(map(_sorted_registry, evidence.registries), key=_root)),
            evidence.log_range,
            tuple(_pack_batch(batch) for batch in evidence.batches),
        )
    )


def _canonical_book(book: RuleBookPart) -> RuleBookPart:
    """Write rule sets in the canonical form that their digest covers, by role.

    Canonical JSON is YAML too, so the verifier loads it as a member loads the file;
    comments and layout, which no digest binds, stay out of the package.
    """
    contents = [read_yaml(source, "rule set") for source in book.rule_sets]
    contents.sort(key=lambda content: str(content["role"]))
    sources = tuple(canonical_json(content) for content in contents)
    return RuleBookPart(sources, book.factor_year, book.boundary)


def _root(registry: RegistryPart) -> bytes:
    return registry.root


def _sorted_registry(registry: RegistryPart) -> RegistryPart:
    proofs = sorted(registry.proofs, key=lambda one: one.record.identifier)
    return RegistryPart(registry.root, tuple(proofs))


def _pack_batch(batch: BatchEvidence) -> BatchPart:
    indexes = sorted(batch.readings)
    nodes = prove_leaves(BatchTree(batch.leaves), indexes) if indexes else ()
    readings = tuple((index, batch.readings[index]) for index in indexes)
    return BatchPart(batch.report, batch.attestation, readings, nodes)


def _check_channel_table(record: CarrierRecord) -> None:
    table = record.channel_table.to_bytes() if record.channel_table else b""
    if keccak256(table) != record.channel_table_hash:
        raise ValueError(
            f"the channel table of {record.identifier} is not the registered one: "
            f"expected hash {record.channel_table_hash.hex()}, "
            f"got {keccak256(table).hex()}; its register values cannot be proven"
        )
