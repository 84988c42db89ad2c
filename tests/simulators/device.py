"""A carrier with key, registers and a clock, for tests of everything above it."""

import hashlib
from dataclasses import dataclass, field, replace
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from accounting.channels import Channel, ChannelTable
from contracts.hashing import keccak256
from oracle.reading.checks import Domain
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    external_aad,
    prev_link,
    sign_message,
)
from oracle.reading.registry import (
    CarrierRecord,
    CarrierRegistry,
    CarrierStatus,
    Epoch,
)
from oracle.reading.suites import P256_ORDER, SoftwareSigner, Suite, key_id_of

DOMAIN = Domain(20260, "0x00000000000000000000000000000000000000c4")
START = 1_704_038_400  # 2024-01-01 00:00 at UTC+8
STEP_S = 900
KWH = Channel(
    1, "active energy import", "kWh", Fraction(1, 100), 10**8, None, "carrier-signed"
)
STEAM = Channel(
    2, "steam", "t", Fraction(1, 1000), None, Fraction(20), "carrier-signed"
)


@dataclass
class DeviceSimulator:
    """Signs a rising register; every device of one name has the same key."""

    name: str = "meter-1"
    suite: Suite = Suite.ES256
    channels: tuple[Channel, ...] = (KWH, STEAM)
    domain: Domain = DOMAIN
    seq: int = 0
    prev: bytes = NO_PREV
    count: int = 1000
    signer: SoftwareSigner = field(init=False)

    def __post_init__(self) -> None:
        seed = hashlib.sha256(self.name.encode()).digest()
        if self.suite is Suite.EDDSA:
            key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
            self.signer = SoftwareSigner(key)
        else:
            secret = int.from_bytes(seed) % (P256_ORDER - 1) + 1
            curve = ec.SECP256R1()
            self.signer = SoftwareSigner(ec.derive_private_key(secret, curve))

    @property
    def identifier(self) -> str:
        return f"88.100.1/{self.name}"

    @property
    def identifier_hash(self) -> bytes:
        return keccak256(self.identifier.encode())

    @property
    def kid(self) -> bytes:
        return key_id_of(self.signer.suite, self.signer.public_key)

    @property
    def aad(self) -> bytes:
        chain_id, contract = self.domain.chain_id, self.domain.carriers_address
        return external_aad(chain_id, contract, self.identifier_hash)

    @property
    def record(self) -> CarrierRecord:
        table = ChannelTable(self.identifier, self.channels)
        epoch = Epoch(0, self.signer.suite, self.signer.public_key, self.kid)
        return CarrierRecord(
            identifier=self.identifier,
            identifier_hash=self.identifier_hash,
            owner_account="0x00000000000000000000000000000000000000e1",
            status=CarrierStatus.ACTIVE,
            cutoff_seq=None,
            epochs=(epoch,),
            channel_table=table,
            channel_table_hash=keccak256(table.to_bytes()),
        )

    def reading(self, **changes: object) -> Reading:
        """The reading that is next, with the changes asked for."""
        plain = Reading(
            kid=self.kid,
            seq=self.seq,
            ts=START + self.seq * STEP_S,
            values=((1, self.count),),
            prev=self.prev,
        )
        return replace(plain, **changes)

    def sign(self, reading: Reading) -> bytes:
        return sign_message(reading, self.signer, self.aad)

    def next(self, **changes: object) -> bytes:
        """Sign the next reading and move on."""
        reading = self.reading(**changes)
        raw = self.sign(reading)
        self.seq, self.prev = reading.seq + 1, prev_link(raw)
        self.count += 25
        return raw

    def series(self, count: int) -> list[bytes]:
        return [self.next() for _ in range(count)]


def registry_of(*devices: DeviceSimulator) -> CarrierRegistry:
    """A registry in which these devices are active."""
    return CarrierRegistry({one.identifier_hash: one.record for one in devices})
