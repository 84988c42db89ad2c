"""The demo's carriers: enrolled keys, and a month of signed readings.

Every interval end is one reading, signed with the carrier's own key and kept in its
outbox until the receipt of a member comes. Lost readings are signed and never sent;
while an uplink is down, readings wait in the outbox and arrive late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from accounting.channels import Channel, ChannelTable
from contracts.structs import Registration
from contracts.typed_data import account_id
from node.demo.park import ENTERPRISES, STEP_S, Enterprise, Meter
from oracle.carrier.outbox import CarrierIdentity, Outbox, OutboxStatus
from oracle.carrier.sources import MeterReading
from oracle.carrier.uplink import Uplink
from oracle.reading.checks import Domain
from oracle.reading.suites import SoftwareSigner

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


class Store:
    """A carrier's store and forward over the month.

    Args:
        carrier: Who signs.
        month: Plant series and start.
        folder: Where its outbox lies.
        uplink: To the member that the carrier reports to.
        domain: Chain and contract.
    """

    def __init__(
        self,
        carrier: Carrier,
        month: "Month",
        folder: Path,
        uplink: Uplink,
        domain: Domain,
    ) -> None:
        self.meter = carrier.meter
        self._uplink = uplink
        registers = carrier.meter.registers(month.usage_wh, carrier.identifier)
        self._readings = [
            MeterReading(month.start + row * STEP_S, ((REGISTER, value),))
            for row, value in enumerate(registers)
        ]
        path = folder / f"{carrier.identifier.replace('/', '-')}.db"
        identity = CarrierIdentity(carrier.identifier, domain)
        self._outbox = Outbox(path, identity, carrier.signer)

    def sign(self, rows: range) -> None:
        """Sign the readings of some rows and store them; some are lost there."""
        self._outbox.append(self._readings[rows.start : rows.stop], STEP_S)
        lost = [row for row in rows if row in self.meter.lost_rows]
        self._outbox.settle({}, dict.fromkeys(lost, "SIMULATED loss of the store"))

    def deliver(self) -> int:
        """Send what is stored and return how many readings were receipted."""
        return sum(self._uplink.drain(self._outbox))

    def status(self) -> OutboxStatus:
        """Count what is stored."""
        return self._outbox.status()

    def close(self) -> None:
        """Close the outbox."""
        self._outbox.close()


@dataclass(frozen=True, slots=True)
class Month:
    """What is replayed."""

    usage_wh: Sequence[int]
    """Intervals of the plant series. [Wh]"""
    start: int
    """First second. [unix s]"""

    def __len__(self) -> int:
        """Count the readings of a carrier: one more than intervals."""
        return len(self.usage_wh) + 1


def _make_signer(suite: str) -> SoftwareSigner:
    if suite == "EdDSA":
        return SoftwareSigner(ed25519.Ed25519PrivateKey.generate())
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))
