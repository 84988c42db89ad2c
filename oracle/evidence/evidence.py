"""What a proof package is built from: plain data of one statement.

A member fills `StatementEvidence` from its database and the chain's events;
`oracle.evidence.package.build_package` turns it into one file. Nothing is checked
here: the builder refuses what is incomplete, and only `oracle.evidence.verify`
decides what a package proves. A member computes its statements from the samples that
`oracle.evidence.samples.source_readings` makes, because the verifier does the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.hashing import keccak256
from contracts.solidity import encoder
from contracts.structs import Attestation, BatchReport, StatementReport
from oracle.log.tree import CompactRange
from oracle.member.quorum import Configuration
from oracle.reading.registry import CarrierRecord


@dataclass(frozen=True, slots=True)
class ChainIdentity:
    """Chain and contracts that signatures are bound to."""

    chain_id: int
    """Chain id of the ledger."""
    reading_anchor: str
    """Address of `ReadingAnchor`, domain of batch reports."""
    emission_ledger: str
    """Address of `EmissionLedger`, domain of statement reports."""
    carriers: str
    """Address of `Carriers`, in the additional data of every reading."""


@dataclass(frozen=True, slots=True)
class StatementPart:
    """The statement as it was recorded, with the signatures that carried it."""

    report: StatementReport
    """Signed report."""
    attestation: Attestation
    """Signatures of the quorum."""
    configuration_version: int
    """Configuration that was current when it was recorded."""
    document: bytes
    """Canonical JSON of `Statement.document`; `resultDigest` binds it."""


@dataclass(frozen=True, slots=True)
class RuleBookPart:
    """What the calculation took besides readings."""

    rule_sets: tuple[bytes, ...]
    """Source bytes (`RuleSet.source_bytes`) of every rule set that the statement
    names, each once, in any order."""
    factor_year: int
    """Year of the dated factors."""
    boundary: bytes
    """`Boundary.to_bytes()`."""


@dataclass(frozen=True, slots=True)
class CarrierProof:
    """One carrier's record at a state of the registry, with its path."""

    record: CarrierRecord
    """Record with keys, status and channel table."""
    path: tuple[bytes, ...]
    """Siblings from the record's leaf to the root, 32 bytes each:
    `CarrierRegistry.prove(identifier)` of the registry at that block."""


@dataclass(frozen=True, slots=True)
class RegistryPart:
    """One state of the registry: a `dataDigest` that batch reports carry."""

    root: bytes
    """32 bytes, `CarrierRegistry.root()` at the report's reference block."""
    proofs: tuple[CarrierProof, ...]
    """Every carrier of the boundary whose readings a batch under this root carries;
    under the root of the last batch every carrier of the boundary with readings."""


@dataclass(frozen=True, slots=True)
class BatchEvidence:
    """One batch from the first to the last one of the statement, without a hole."""

    report: BatchReport
    """Anchored report; a heartbeat too."""
    attestation: Attestation
    """Its signatures under configuration `report.rules_version`."""
    leaves: tuple[bytes, ...]
    """Leaf hashes of *all* readings of the batch in index order, 32 bytes each."""
    readings: Mapping[int, bytes]
    """Index in the batch → whole message, for the carriers of the boundary only;
    all of them, or those at interval ends (then the others show as gaps)."""


@dataclass(frozen=True, slots=True)
class StatementEvidence:
    """Everything a stranger needs to repeat one statement offline."""

    chain: ChainIdentity
    """Chain and contracts."""
    configurations: tuple[Configuration, ...]
    """Every configuration that a report here was signed under, each once."""
    statement: StatementPart
    """The statement."""
    rule_book: RuleBookPart
    """Rule sets, factor year and boundary."""
    registries: tuple[RegistryPart, ...]
    """Every registry state that a batch with used readings or the last batch names,
    each once."""
    log_range: CompactRange
    """Frontier of the log before the first batch: size = its seq = `log_size`."""
    batches: tuple[BatchEvidence, ...]
    """Batches `first_batch` to `last_batch` of the stream, ascending, all of them."""


@dataclass(frozen=True, slots=True)
class BatchPart:
    """One batch in a package: its report and the readings that the statement used."""

    report: BatchReport
    """Anchored report."""
    attestation: Attestation
    """Signatures under configuration `report.rules_version`."""
    readings: tuple[tuple[int, bytes], ...]
    """Index in the batch and whole message, ascending."""
    nodes: tuple[bytes, ...]
    """Joint proof of the readings' leaves, 32 bytes each."""


@dataclass(frozen=True, slots=True)
class Package:
    """A decoded package; nothing in it is verified."""

    chain: ChainIdentity
    """Chain and contracts."""
    configurations: tuple[Configuration, ...]
    """Member configurations that signatures here refer to."""
    statement: StatementPart
    """The statement."""
    rule_book: RuleBookPart
    """Rule sets, factor year and boundary."""
    registries: tuple[RegistryPart, ...]
    """Registry states that batches with readings and the last batch name."""
    log_range: CompactRange
    """Frontier of the log before the first batch."""
    batches: tuple[BatchPart, ...]
    """Batches of the statement, ascending."""


def configuration_digest(configuration: Configuration, chain: ChainIdentity) -> bytes:
    """Hash a member configuration as `ReadingAnchor.configDigest` does.

    Args:
        configuration: Members, threshold and version.
        chain: Chain and contracts.

    Returns:
        32 bytes, keccak256 of the ABI encoding of chain id, contract, version,
        threshold and members.
    """
    encode = encoder("(uint256,address,uint32,uint8,(address,address,uint8)[])")
    members = [(m.key, m.organisation, int(m.role)) for m in configuration.members]
    numbers = configuration.version, configuration.threshold
    return keccak256(encode((chain.chain_id, chain.reading_anchor, *numbers, members)))
