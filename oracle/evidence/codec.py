"""The form of a proof package: deterministic CBOR to dataclasses and back.

    1  form           "ccl/package/v1"
    2  chain          [chain id, ReadingAnchor, EmissionLedger, Carriers]
    3  configurations [[version, threshold, [[key, organisation, role], …]], …]
    4  statement      [report, signers, signatures, configuration version, document]
    5  rule book      [[rule set, …], factor year, boundary]
    6  registries     [[root, [[identifier, status, cut-off or null,
                       [[from seq, suite, key], …], channel table, path], …]], …]
    7  log            [size, [peak, …]]
    8  batches        [[report, signers, signatures, [[index, message], …],
                       [node, …]], …]

Deterministic CBOR with exactly these fields; a report is the array of its EIP-712
members in their order. A package says nothing twice and nothing that no signature or
digest binds, so no byte of it can change unseen. Who owns a carrier is not in it: the
registry's root does not bind the owner. Decoding checks the form only; what the
content proves is for `oracle.evidence.verify`.
"""

from collections.abc import Iterable
from typing import Any

from accounting.errors import AccountingError
from accounting.metering import ChannelTable
from contracts.enumerations import Kind
from contracts.hashing import address_bytes, checksum_address, keccak256
from contracts.solidity import fields_of
from contracts.structs import Attestation, BatchReport, Member, StatementReport
from oracle.errors import InvalidKeyError, InvalidLogProofError, InvalidPackageError
from oracle.evidence import cbor
from oracle.evidence.evidence import (
    BatchPart,
    CarrierProof,
    ChainIdentity,
    Package,
    RegistryPart,
    RuleBookPart,
    StatementPart,
)
from oracle.evidence.fields import (
    enum_of,
    exact_bytes,
    hashes,
    row,
    rows,
    text,
    unsigned,
)
from oracle.log.tree import CompactRange
from oracle.member.quorum import Configuration
from oracle.reading.registry import NO_CUTOFF, CarrierRecord, CarrierStatus, Epoch
from oracle.reading.suites import Suite, key_id_of

FORM = "ccl/package/v1"
"""Name of this form; another form is another name."""

_KEYS = list(range(1, 9))


def encode_package(package: Package) -> bytes:
    """Encode a package in its only form.

    Args:
        package: Content.

    Returns:
        Deterministic CBOR.
    """
    chain, book, log = package.chain, package.rule_book, package.log_range
    addresses = (chain.reading_anchor, chain.emission_ledger, chain.carriers)
    fields = [
        FORM,
        [chain.chain_id, *map(address_bytes, addresses)],
        [_configuration_row(one) for one in package.configurations],
        [
            *_attested(package.statement.report, package.statement.attestation),
            package.statement.configuration_version,
            package.statement.document,
        ],
        [list(book.rule_sets), book.factor_year, book.boundary],
        [_registry_row(one) for one in package.registries],
        [log.size, list(log.peaks)],
        [
            [
                *_attested(one.report, one.attestation),
                [list(reading) for reading in one.readings],
                list(one.nodes),
            ]
            for one in package.batches
        ],
    ]
    return cbor.encode(dict(zip(_KEYS, fields, strict=True)))


def decode_package(data: bytes) -> Package:
    """Decode a package and refuse every other form.

    Args:
        data: The whole file.

    Returns:
        The package; encoding it again gives the same bytes.

    Raises:
        InvalidPackageError: The first byte or field that is not of the form.
    """
    fields = cbor.decode(data)
    if not isinstance(fields, dict) or list(fields) != _KEYS:
        given = list(fields) if isinstance(fields, dict) else type(fields).__name__
        raise InvalidPackageError("fields of the package", f"{_KEYS}", f"{given}")
    if fields[1] != FORM:
        raise InvalidPackageError("form of the package", FORM, repr(fields[1]))
    return Package(
        _chain(fields[2]),
        tuple(map(_configuration, rows(fields[3], 3, "configuration"))),
        _statement(fields[4]),
        _rule_book(fields[5]),
        tuple(map(_registry, rows(fields[6], 2, "registry state"))),
        _log_range(fields[7]),
        tuple(map(_batch, rows(fields[8], 5, "batch"))),
    )


# ------------------------------------------------------------------------ packing


def _attested(report: Any, attestation: Attestation) -> list[Any]:
    return [_report_row(report), attestation.signers, attestation.signatures]


def _report_row(report: Any) -> list[Any]:
    struct: Any = type(report)
    values = [getattr(report, member.name) for member in fields_of(struct)]
    return [value if isinstance(value, bytes) else int(value) for value in values]


def _configuration_row(one: Configuration) -> list[Any]:
    members = [
        [address_bytes(m.key), address_bytes(m.organisation), int(m.role)]
        for m in one.members
    ]
    return [one.version, one.threshold, members]


def _registry_row(registry: RegistryPart) -> list[Any]:
    return [registry.root, [_carrier_row(proof) for proof in registry.proofs]]


def _carrier_row(proof: CarrierProof) -> list[Any]:
    record = proof.record
    table = record.channel_table.to_bytes() if record.channel_table else b""
    epochs = [[one.from_seq, int(one.suite), one.public_key] for one in record.epochs]
    status, cutoff = int(record.status), record.cutoff_seq
    return [record.identifier, status, cutoff, epochs, table, list(proof.path)]


# ---------------------------------------------------------------------- unpacking


def _chain(value: Any) -> ChainIdentity:
    chain_id, *contracts = row(value, 4, "chain identity")
    names = ("ReadingAnchor", "EmissionLedger", "Carriers")
    addresses = [_address(a, n) for a, n in zip(contracts, names, strict=True)]
    return ChainIdentity(unsigned(chain_id, 64, "chain id"), *addresses)


def _address(value: Any, where: str) -> str:
    return checksum_address(exact_bytes(value, 20, f"address of {where}"))


def _configuration(value: list[Any]) -> Configuration:
    version = unsigned(value[0], 32, "version of a configuration")
    where = f"configuration {version}"
    members = tuple(
        Member(
            _address(key, f"a member of {where}"),
            _address(organisation, f"a member's organisation of {where}"),
            enum_of(Kind, role, f"role of a member of {where}"),
        )
        for key, organisation, role in rows(value[2], 3, f"member of {where}")
    )
    return Configuration(version, unsigned(value[1], 8, f"threshold, {where}"), members)


def _statement(value: Any) -> StatementPart:
    report, signers, signatures, version, document = row(value, 5, "statement")
    return StatementPart(
        _report(StatementReport, report, "statement report"),
        _attestation(signers, signatures, "statement"),
        unsigned(version, 32, "configuration version of the statement"),
        exact_bytes(document, None, "statement document"),
    )


def _rule_book(value: Any) -> RuleBookPart:
    rule_sets, year, boundary = row(value, 3, "rule book")
    sources = row(rule_sets, None, "rule sets")
    return RuleBookPart(
        tuple(exact_bytes(source, None, "source of a rule set") for source in sources),
        unsigned(year, 16, "factor year"),
        exact_bytes(boundary, None, "boundary"),
    )


def _registry(value: list[Any]) -> RegistryPart:
    root = exact_bytes(value[0], 32, "root of a registry state")
    proofs = tuple(map(_carrier, rows(value[1], 6, "carrier record")))
    names = [proof.record.identifier for proof in proofs]
    if names != sorted(set(names)):
        subject = f"carriers under root {root.hex()}"
        raise InvalidPackageError(
            subject, "identifiers ascending, each once", f"{names}"
        )
    return RegistryPart(root, proofs)


def _carrier(value: list[Any]) -> CarrierProof:
    identifier = text(value[0], "identifier of a carrier")
    where = f"carrier {identifier}"
    cutoff = value[2]
    if cutoff is not None and unsigned(cutoff, 64, f"cut-off of {where}") == NO_CUTOFF:
        raise InvalidPackageError(f"cut-off of {where}", "null for none", f"{cutoff}")
    table = exact_bytes(value[4], None, f"channel table of {where}")
    record = CarrierRecord(
        identifier=identifier,
        identifier_hash=keccak256(identifier.encode()),
        owner_account="",
        status=enum_of(CarrierStatus, value[1], f"status of {where}"),
        cutoff_seq=cutoff,
        epochs=tuple(_epoch(one, where) for one in rows(value[3], 3, "key epoch")),
        channel_table=_channel_table(table, where),
        channel_table_hash=keccak256(table),
    )
    return CarrierProof(record, hashes(value[5], f"path of {where}"))


def _epoch(value: list[Any], where: str) -> Epoch:
    suite = enum_of(Suite, value[1], f"suite of {where}")
    key = exact_bytes(value[2], None, f"key of {where}")
    try:
        kid = key_id_of(suite, key)
    except InvalidKeyError as exc:
        raise InvalidPackageError(f"key of {where}", "a usable key", str(exc)) from exc
    return Epoch(unsigned(value[0], 64, f"first seq of {where}"), suite, key, kid)


def _channel_table(data: bytes, where: str) -> ChannelTable:
    try:
        return ChannelTable.from_bytes(data)
    except AccountingError as exc:
        subject = f"channel table of {where}"
        raise InvalidPackageError(subject, "canonical JSON", str(exc)) from exc


def _log_range(value: Any) -> CompactRange:
    size, peaks = row(value, 2, "log")
    try:
        return CompactRange(unsigned(size, 64, "log size"), hashes(peaks, "log"))
    except InvalidLogProofError as exc:
        raise InvalidPackageError("log", "one peak for each bit", str(exc)) from exc


def _batch(value: list[Any]) -> BatchPart:
    report = _report(BatchReport, value[0], "batch report")
    where = f"batch {report.seq}"
    readings = _readings(rows(value[3], 2, f"reading of {where}"), report, where)
    return BatchPart(
        report,
        _attestation(value[1], value[2], where),
        readings,
        hashes(value[4], f"proof of {where}"),
    )


def _readings(
    values: Iterable[list[Any]], report: BatchReport, where: str
) -> tuple[tuple[int, bytes], ...]:
    """Take readings whose places ascend and lie inside the batch."""
    last, readings = -1, []
    for index, message in values:
        subject = f"place of a reading in {where}"
        if not last < unsigned(index, 32, subject) < report.leaf_count:
            expected = f"ascending places below {report.leaf_count}"
            raise InvalidPackageError(subject, expected, f"{index} after {last}")
        last = index
        readings.append((index, exact_bytes(message, None, f"reading of {where}")))
    return tuple(readings)


def _report(struct: Any, value: Any, where: str) -> Any:
    """Decode the members of a report by their Solidity types."""
    members = fields_of(struct)
    values = row(value, len(members), where)
    return struct(
        **{
            member.name: _word(item, member.type, f"{member.name} of the {where}")
            for member, item in zip(members, values, strict=True)
        }
    )


def _word(value: Any, abi: str, where: str) -> Any:
    if abi == "bytes32":
        return exact_bytes(value, 32, where)
    if abi == "int256":
        if type(value) is not int:
            raise InvalidPackageError(where, "an integer", type(value).__name__)
        return value
    return unsigned(value, int(abi.removeprefix("uint")), where)


def _attestation(signers: Any, signatures: Any, where: str) -> Attestation:
    return Attestation(
        unsigned(signers, 32, f"signers of the {where}"),
        exact_bytes(signatures, None, f"signatures of the {where}"),
    )
