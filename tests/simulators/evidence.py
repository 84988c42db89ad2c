"""A park on paper: signed readings, batches, quorums and a statement without a chain.

Everything in it is signed and hashed for real: carriers with P-256 keys, members with
secp256k1 keys, batch trees, the log, the registry and the calculation. Rule sets are
given by the test, so that a package can be small enough to flip each of its bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coincurve import PrivateKey

from accounting.boundary import Boundary, Source
from accounting.rule_loading import load_rule_set_bytes
from accounting.statement import Methods, Statement, compute_statement
from contracts.enumerations import Kind, Purpose
from contracts.hashing import checksum_address, keccak256
from contracts.merkle import BatchLeaf, BatchTree, leaf_hash
from contracts.structs import Attestation, BatchReport, Member, StatementReport
from contracts.typed_data import (
    account_id,
    address_of,
    boundary_id,
    compact_signature,
    digest,
    domain,
    stream_id,
    struct_hash,
)
from oracle.evidence.evidence import (
    BatchEvidence,
    CarrierProof,
    ChainIdentity,
    RegistryPart,
    RuleBookPart,
    StatementEvidence,
    StatementPart,
)
from oracle.evidence.samples import source_readings
from oracle.evidence.trust import Trust
from oracle.log.tree import CompactRange
from oracle.log.tree import leaf_hash as log_leaf
from oracle.member.quorum import Configuration
from oracle.reading.profile import decode_message
from oracle.reading.registry import CarrierRegistry, CarrierStatus
from tests.simulators.device import DOMAIN, START, STEP_S, DeviceSimulator, registry_of

CHAIN = ChainIdentity(
    DOMAIN.chain_id,
    checksum_address(b"anchor".rjust(20, b"\1")),
    checksum_address(b"ledger".rjust(20, b"\1")),
    checksum_address(bytes.fromhex(DOMAIN.carriers_address.removeprefix("0x"))),
)
STREAM = stream_id("park")
ROLES = (Kind.PARK_OPERATOR, Kind.IDENTITY_PLATFORM, Kind.VERIFIER, Kind.REGULATOR)
FACTOR_YEAR = 2023


@dataclass(frozen=True)
class MemberSimulator:
    """A member of the oracle with its key."""

    role: Kind
    name: str

    @property
    def key(self) -> PrivateKey:
        return PrivateKey(keccak256(self.name.encode()))

    @property
    def member(self) -> Member:
        address = address_of(self.key.public_key)
        return Member(address, account_id(self.name), self.role)


@dataclass
class ParkSimulator:
    """Members, carriers and the batches that they made of readings."""

    devices: tuple[DeviceSimulator, ...]
    rule_sets: tuple[bytes, ...]
    roles: tuple[Kind, ...] = ROLES
    boundary_of: tuple[str, ...] = ()
    """Names of the devices in the boundary; all of them by default."""
    boundary_name: str = "plant"
    supersedes: bytes = bytes(32)
    purpose: Purpose = Purpose.TOTAL_WITH_INDIRECT
    batches: list[BatchEvidence] = field(default_factory=list)
    log: CompactRange = field(default_factory=CompactRange)
    log_before: CompactRange = field(default_factory=CompactRange)
    revoked: dict[str, int | None] = field(default_factory=dict)
    """Identifier of a carrier revoked by now → its last good seq."""
    states: dict[bytes, CarrierRegistry] = field(default_factory=dict)
    """Every state of the registry that a batch names, by its root."""

    @property
    def members(self) -> list[MemberSimulator]:
        return [MemberSimulator(role, f"{role.name}-1") for role in self.roles]

    @property
    def configuration(self) -> Configuration:
        members = tuple(one.member for one in self.members)
        return Configuration(1, 2 * len(members) // 3 + 1, members)

    @property
    def trust(self) -> Trust:
        return Trust(CHAIN, {1: self.configuration})

    @property
    def registry(self) -> CarrierRegistry:
        carriers = dict(registry_of(*self.devices).carriers)
        for name, record in carriers.items():
            if record.identifier in self.revoked:
                cutoff = self.revoked[record.identifier]
                revoked = {"status": CarrierStatus.REVOKED, "cutoff_seq": cutoff}
                carriers[name] = replace(record, **revoked)
        return CarrierRegistry(carriers)

    @property
    def inside(self) -> list[DeviceSimulator]:
        names = self.boundary_of or [device.name for device in self.devices]
        return [device for device in self.devices if device.name in names]

    @property
    def boundary(self) -> Boundary:
        sources = tuple(Source(d.identifier, 1, "electricity_in") for d in self.inside)
        texts = (self.boundary_name, "Plant Ltd", "厂", "Plant", "steel", "全国")
        return Boundary(*texts, sources)

    def attest(
        self, signed: bytes, signers: Iterable[int] | None = None
    ) -> Attestation:
        """Let members sign a digest; a quorum that ends with the last by default."""
        count = len(self.members)
        quorum = range(count - self.configuration.threshold, count)
        return Attestation.collect(
            {
                index: compact_signature(self.members[index].key, signed)
                for index in (quorum if signers is None else signers)
            }
        )

    def add_batch(self, messages: Sequence[bytes], **changes: Any) -> None:
        """Put messages into a batch, sign it and append it to the log."""
        leaves = tuple(self._leaf(*entry) for entry in enumerate(messages))
        report = replace(self._report(messages, leaves), **changes)
        signed = digest(report, domain(CHAIN.chain_id, CHAIN.reading_anchor))
        own = {device.identifier for device in self.inside}
        readings = {
            index: raw
            for index, raw in enumerate(messages)
            if self._identifier(raw) in own
        }
        attestation = self.attest(signed)
        self.batches.append(BatchEvidence(report, attestation, leaves, readings))
        self.log = self.log.append(log_leaf(struct_hash(report)))
        self.states[report.data_digest] = self.registry

    def start_here(self) -> None:
        """Let the statement start with the next batch."""
        self.batches, self.log_before = [], self.log

    def statement(self, steps: int) -> Statement:
        """Calculate the statement over so many steps from the start."""
        pairs = [
            (self._identifier(raw), decode_message(raw).reading)
            for batch in self.batches
            for raw in batch.readings.values()
        ]
        tables = {
            one.identifier: one.channel_table
            for one in self.registry.carriers.values()
            if one.channel_table is not None
        }
        methods = Methods.of([load_rule_set_bytes(data) for data in self.rule_sets])
        period = START, START + steps * STEP_S
        last = self.states[self.batches[-1].report.data_digest]
        readings = source_readings(self.boundary, pairs, last)
        return compute_statement(
            self.boundary,
            tables,
            *period,
            self.purpose,
            readings,
            methods,
            FACTOR_YEAR,
        )

    def evidence(
        self, steps: int, signers: Iterable[int] | None = None, **changes: Any
    ) -> StatementEvidence:
        """Sign the statement and gather everything that proves it."""
        statement = self.statement(steps)
        report = StatementReport(
            boundary=boundary_id(self.boundary.name),
            period_start=START,
            period_end=START + steps * STEP_S,
            purpose=self.purpose,
            stream_id=STREAM,
            first_batch=self.batches[0].report.seq,
            last_batch=self.batches[-1].report.seq,
            input_root=statement.input_root,
            rule_set_digest=statement.rule_set_digest,
            factor_set_digest=statement.factor_set_digest,
            boundary_digest=self.boundary.digest,
            grams=statement.grams,
            result_digest=statement.result_digest,
            supersedes=self.supersedes,
        )
        report = replace(report, **changes)
        signed = digest(report, domain(CHAIN.chain_id, CHAIN.emission_ledger))
        return StatementEvidence(
            chain=CHAIN,
            configurations=(self.configuration,),
            statement=StatementPart(
                report, self.attest(signed, signers), 1, statement.to_bytes()
            ),
            rule_book=RuleBookPart(
                self.rule_sets, FACTOR_YEAR, self.boundary.to_bytes()
            ),
            registries=self._registry_parts(),
            log_range=self.log_before,
            batches=tuple(self.batches),
        )

    def _leaf(self, index: int, raw: bytes) -> bytes:
        name = keccak256(self._identifier(raw).encode())
        seq = decode_message(raw).reading.seq
        place = STREAM, self.log.size, index
        return leaf_hash(BatchLeaf(*place, name, seq, keccak256(raw)))

    def _report(
        self, messages: Sequence[bytes], leaves: Sequence[bytes]
    ) -> BatchReport:
        times = [decode_message(raw).reading.ts for raw in messages] or [START]
        return BatchReport(
            stream_id=STREAM,
            seq=self.log.size,
            prev_head=self._head(),
            batch_root=BatchTree(leaves).root if leaves else bytes(32),
            leaf_count=len(leaves),
            log_size=self.log.size,
            log_root=self.log.root(),
            ref_block_number=self.log.size,
            ref_block_hash=keccak256(b"block"),
            first_ts=min(times),
            last_ts=max(times),
            gaps_digest=keccak256(b"\x80"),
            data_digest=self.registry.root(),
            rules_version=1,
        )

    def _head(self) -> bytes:
        return struct_hash(self.batches[-1].report) if self.batches else bytes(32)

    def _registry_parts(self) -> tuple[RegistryPart, ...]:
        used = [batch for batch in self.batches if batch.readings]
        roots = {one.report.data_digest for one in (*used, self.batches[-1])}
        return tuple(self._registry_part(root) for root in sorted(roots))

    def _registry_part(self, root: bytes) -> RegistryPart:
        registry, proofs = self.states[root], []
        for device in self.inside:
            record = registry.by_identifier(device.identifier)
            assert record is not None
            path = tuple(registry.prove(device.identifier))
            proofs.append(CarrierProof(record, path))
        return RegistryPart(root, tuple(proofs))

    def _identifier(self, raw: bytes) -> str:
        carrier = self.registry.by_kid(decode_message(raw).reading.kid)
        if carrier is None:
            raise KeyError("no device of the park signed this")
        return carrier.identifier


Park = Callable[..., ParkSimulator]
