"""The demo's carriers: enrolled keys, and a month of signed readings.

Every interval end is one reading, signed with the carrier's own key in the order of
the register. Lost readings are signed and never delivered; late ones are kept back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from accounting.channels import Channel, ChannelTable
from contracts.hashing import keccak256
from contracts.structs import Registration
from contracts.typed_data import account_id
from node.demo.park import ENTERPRISES, STEP_S, Enterprise, Meter
from oracle.reading.checks import Domain
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    external_aad,
    prev_link,
    sign_message,
)
from oracle.reading.suites import SoftwareSigner, key_id_of

REGISTER = 1
SCALE = Fraction(1, 100)
"""Every register of the demo counts hundredths of its unit."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier with its key."""

    enterprise: Enterprise
    meter: Meter
    signer: SoftwareSigner

    @property
    def identifier(self) -> str:
        """Identifier under which it is enrolled."""
        return self.enterprise.identifier(self.meter)

    @property
    def table(self) -> ChannelTable:
        """Channel table that is pinned on chain."""
        kind = self.meter.kind
        channel = Channel(
            register=REGISTER,
            quantity=kind.quantity,
            unit=kind.unit,
            scale=SCALE,
            modulus=self.meter.modulus,
            nameplate_max_per_h=Fraction(kind.nameplate_max_per_h),
            provenance=self.meter.provenance,
            accuracy_pct=Fraction(1),
        )
        return ChannelTable(self.identifier, (channel,))

    def registration(self) -> Registration:
        """Return what the identity platform enrols."""
        return Registration(
            self.identifier,
            account_id(self.enterprise.name),
            int(self.signer.suite),
            self.signer.public_key,
            self.table.to_bytes(),
        )


def make_carriers() -> list[Carrier]:
    """Make all carriers of the park with fresh keys."""
    return [
        Carrier(enterprise, meter, _make_signer(meter.suite))
        for enterprise in ENTERPRISES
        for meter in enterprise.meters
    ]


class SignedMonth:
    """A carrier's readings, signed in order, cut into deliveries.

    Args:
        carrier: Who signs.
        usage_wh: Intervals of the plant series. [Wh]
        start: First second of the month. [unix s]
        domain: Chain and contract.
    """

    def __init__(
        self, carrier: Carrier, usage_wh: Sequence[int], start: int, domain: Domain
    ) -> None:
        self._meter = carrier.meter
        self._messages = list(_sign(carrier, usage_wh, start, domain))

    def delivered(self, rows: range) -> list[bytes]:
        """Return the readings that are delivered in time, of the given rows."""
        held = {*self._meter.lost_rows, *self._meter.late_rows}
        return [self._messages[row] for row in rows if row not in held]

    def late(self) -> list[bytes]:
        """Return the readings that were kept back."""
        return [
            self._messages[row]
            for row in self._meter.late_rows
            if row < len(self._messages)
        ]

    def lost(self) -> int:
        """Count the readings that never arrive."""
        return sum(row < len(self._messages) for row in self._meter.lost_rows)

    def __len__(self) -> int:
        """Count the readings."""
        return len(self._messages)


def _sign(
    carrier: Carrier, usage_wh: Sequence[int], start: int, domain: Domain
) -> Iterator[bytes]:
    identity = keccak256(carrier.identifier.encode())
    aad = external_aad(domain.chain_id, domain.carriers_address, identity)
    kid = key_id_of(carrier.signer.suite, carrier.signer.public_key)
    link = NO_PREV
    registers = carrier.meter.registers(usage_wh, carrier.identifier)
    for seq, value in enumerate(registers):
        moment = start + seq * STEP_S
        reading = Reading(kid, seq, moment, ((REGISTER, value),), link, STEP_S)
        message = sign_message(reading, carrier.signer, aad)
        link = prev_link(message)
        yield message


def _make_signer(suite: str) -> SoftwareSigner:
    if suite == "EdDSA":
        return SoftwareSigner(ed25519.Ed25519PrivateKey.generate())
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
