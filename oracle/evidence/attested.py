"""Stages 2 to 5: what quorums signed, and what follows from their signatures alone.

From the trust file come the members; from them the statement report and every batch
report; from the batch reports the log and the roots of the carrier registry; from
those the keys of the carriers. Nothing here looks at a reading.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from accounting.boundary import Boundary
from accounting.canonical import parse_canonical_json
from accounting.errors import AccountingError
from contracts.hashing import address_bytes, keccak256
from contracts.merkle import verify_proof
from contracts.structs import Attestation, BatchReport, StatementReport
from contracts.typed_data import digest, domain, struct_hash
from oracle.errors import InvalidPackageError, InvalidProposalError
from oracle.evidence.evidence import (
    BatchPart,
    Package,
    RegistryPart,
    configuration_digest,
)
from oracle.evidence.fields import check_equal
from oracle.evidence.threads import check_in_threads
from oracle.evidence.trust import Trust
from oracle.log.tree import leaf_hash
from oracle.member.quorum import Configuration, check_attestation
from oracle.reading.registry import CarrierRegistry

NO_HEAD = bytes(32)
"""`prevHead` of a stream's first report."""


def check_trust(package: Package, trust: Trust) -> None:
    """Stage 2: chain, contracts and members are those of the trust file.

    Args:
        package: Decoded package.
        trust: Trust file.

    Raises:
        InvalidPackageError: Names the field, configuration or member.
    """
    given, believed = package.chain, trust.chain
    check_equal("chain id", believed.chain_id, given.chain_id)
    for name in ("reading_anchor", "emission_ledger", "carriers"):
        check_equal(f"address {name}", getattr(believed, name), getattr(given, name))
    needed = {batch.report.rules_version for batch in package.batches}
    needed.add(package.statement.configuration_version)
    versions = [one.version for one in package.configurations]
    check_equal("versions of configurations", sorted(needed), versions)
    for one in package.configurations:
        _check_configuration(one, trust)


def check_statement(
    package: Package, trust: Trust
) -> tuple[Boundary, Mapping[str, Any]]:
    """Stage 3: a quorum signed the report; document and boundary are those it names.

    Args:
        package: Package that passed stage 2.
        trust: Trust file.

    Returns:
        The boundary and the statement's document.

    Raises:
        InvalidPackageError: Names the signature, member or field.
    """
    part, data = package.statement, package.rule_book.boundary
    report = part.report
    separator = domain(trust.chain.chain_id, trust.chain.emission_ledger)
    configuration = trust.configurations[part.configuration_version]
    signed = digest(report, separator)
    _check_quorum("statement", configuration, signed, part.attestation)
    check_equal("boundary digest", report.boundary_digest, sha256(data).digest())
    check_equal("document", report.result_digest, sha256(part.document).digest())
    if not report.period_start < report.period_end:
        given = f"{report.period_start} to {report.period_end}"
        raise InvalidPackageError("period", "a start before its end", given)
    try:
        document = parse_canonical_json(part.document, "document of the statement")
        boundary = Boundary.from_bytes(data)
    except AccountingError as exc:
        raise InvalidPackageError("statement", "sound parts", str(exc)) from exc
    if not isinstance(document, dict):
        raise InvalidPackageError("document", "an object", type(document).__name__)
    return boundary, document


def check_batches(package: Package, trust: Trust, threads: int | None) -> bytes:
    """Stage 4: a quorum signed every batch; they are one chain and one log.

    Args:
        package: Package that passed stage 3.
        trust: Trust file.
        threads: Number of threads; None takes one for each processor.

    Returns:
        Root of the log with the last batch in it, 32 bytes.

    Raises:
        InvalidPackageError: Names the batch and its field, signature or member.
    """
    statement, log = package.statement.report, package.log_range
    _check_run(package, statement)
    _check_versions(package)
    separator = domain(trust.chain.chain_id, trust.chain.reading_anchor)
    hashes = check_in_threads(
        lambda batch: _check_attested(batch, trust, separator), package.batches, threads
    )
    head = NO_HEAD if statement.first_batch == 0 else None
    for batch, report_hash in zip(package.batches, hashes, strict=True):
        report, name = batch.report, f"batch {batch.report.seq}"
        _check_links(name, report, statement, head)
        check_equal(f"log size at {name}", log.size, report.log_size)
        check_equal(f"log root at {name}", log.root(), report.log_root)
        head = report_hash
        log = log.append(leaf_hash(head))
    return log.root()


def check_registry(
    package: Package, boundary: Boundary
) -> Mapping[bytes, CarrierRegistry]:
    """Stage 5: every carrier's record stands under the root that a batch names.

    The state that the last batch names says which readings count, so it is there for
    every carrier of the package, whether or not that batch holds readings.

    Args:
        package: Package that passed stage 4.
        boundary: Boundary of stage 3; a package speaks of its carriers only.

    Returns:
        Root (32 bytes) → the carriers proven under it.

    Raises:
        InvalidPackageError: Names the carrier or the root.
    """
    last = package.batches[-1].report
    needed = {one.report.data_digest for one in package.batches if one.readings}
    needed.add(last.data_digest)
    given = [part.root for part in package.registries]
    check_equal(
        "roots of registry states",
        [root.hex() for root in sorted(needed)],
        [root.hex() for root in given],
    )
    identifiers = {source.identifier for source in boundary.sources}
    states = {part.root: _registry(part, identifiers) for part in package.registries}
    proofs = [proof for part in package.registries for proof in part.proofs]
    for identifier in sorted({proof.record.identifier for proof in proofs}):
        if states[last.data_digest].by_identifier(identifier) is None:
            subject = f"registry record of {identifier}"
            expected = f"one under the root of batch {last.seq}, the last one"
            raise InvalidPackageError(subject, expected, "none")
    return states


def _check_configuration(given: Configuration, trust: Trust) -> None:
    """Compare a configuration with the trusted one, member by member."""
    name = f"configuration {given.version}"
    believed = trust.configurations.get(given.version)
    if believed is None:
        known = f"versions {sorted(trust.configurations)} of the trust file"
        raise InvalidPackageError(name, known, f"version {given.version}")
    keys = {address_bytes(member.key) for member in believed.members}
    for index, member in enumerate(given.members):
        if address_bytes(member.key) not in keys:
            subject = f"key of member {index} of {name}"
            raise InvalidPackageError(subject, "one of the trust file", member.key)
    own, other = (configuration_digest(one, trust.chain) for one in (believed, given))
    check_equal(f"digest of {name}", own, other)


def _check_quorum(
    name: str, configuration: Configuration, signed: bytes, attestation: Attestation
) -> None:
    try:
        check_attestation(configuration, signed, attestation)
    except InvalidProposalError as exc:
        subject = f"{exc.reason} of the {name}"
        raise InvalidPackageError(subject, exc.expected, exc.given) from exc


def _check_attested(batch: BatchPart, trust: Trust, separator: bytes) -> bytes:
    """Check the quorum under a batch report; return the report's struct hash."""
    report = batch.report
    report_hash = struct_hash(report)
    # typed_data.digest would hash the report a second time
    signed = keccak256(b"\x19\x01" + separator + report_hash)
    configuration = trust.configurations[report.rules_version]
    _check_quorum(f"batch {report.seq}", configuration, signed, batch.attestation)
    return report_hash


def _check_run(package: Package, statement: StatementReport) -> None:
    """Check that the batches are those of the statement, without a hole."""
    seqs = [batch.report.seq for batch in package.batches]
    first, last = statement.first_batch, statement.last_batch
    count = last - first + 1
    if count < 1 or count != len(seqs) or seqs != list(range(first, last + 1)):
        known = set(seqs)
        absent = next((seq for seq in range(first, last + 1) if seq not in known), None)
        given = f"{len(seqs)} of them, without {absent}"
        raise InvalidPackageError("batches", f"{first} to {last} in order", given)


def _check_versions(package: Package) -> None:
    """Check that no configuration signed after a newer one: its members are gone."""
    newest, signed_by = 0, ""
    versions = [
        (f"batch {b.report.seq}", b.report.rules_version) for b in package.batches
    ]
    versions.append(("the statement", package.statement.configuration_version))
    for name, version in versions:
        if version < newest:
            expected = f"at least {newest}, as {signed_by}"
            raise InvalidPackageError(
                f"configuration of {name}", expected, f"{version}"
            )
        newest, signed_by = version, name


def _check_links(
    name: str, report: BatchReport, statement: StatementReport, head: bytes | None
) -> None:
    """Check stream, sequence and the link to the batch before."""
    check_equal(f"stream of {name}", statement.stream_id, report.stream_id)
    check_equal(f"log size of {name}", report.seq, report.log_size)
    if head is not None:
        check_equal(f"previous head of {name}", head, report.prev_head)


def _registry(part: RegistryPart, identifiers: set[str]) -> CarrierRegistry:
    records = {}
    for proof in part.proofs:
        record = proof.record
        if record.identifier not in identifiers:
            expected = "a carrier of the boundary"
            raise InvalidPackageError("registry record", expected, record.identifier)
        if not verify_proof(part.root, record.leaf(), proof.path):
            subject = f"registry record of {record.identifier}"
            expected = f"a path to root {part.root.hex()}"
            raise InvalidPackageError(subject, expected, "one to another root")
        records[record.identifier_hash] = record
    return CarrierRegistry(records)
