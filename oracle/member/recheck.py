"""Re-verification of readings in a round, without verifying a signature twice.

Every stored reading passed checks 1 to 5 in this member's own inbox, so its signature
holds under the key that its key id names. That verdict stays true: it depends on the
bytes, the chain, the carrier and that key alone, and a carrier's keys are only ever
added to, never changed. What may change with the registry, namely whether the key id
is known, whether that key covers the seq and whether the carrier's status lets the
seq pass, is checked again here under the registry of the reference block. A message
that is not stored is verified in full by the inbox before it is looked at. Pure.
"""

from oracle.errors import InvalidMessageError, RefusedReadingError
from oracle.reading.checks import AuthenticReading
from oracle.reading.profile import decode_message, prev_link
from oracle.reading.registry import CarrierRecord, CarrierRegistry
from oracle.reading.state import Neighbour


def reauthenticate(
    raw: bytes, digest: bytes, registry: CarrierRegistry
) -> AuthenticReading:
    """Repeat checks 1, 2, 3 and 5 on a reading whose signature is known to hold.

    Args:
        raw: Message that this member's inbox stored.
        digest: 32 bytes, its keccak256 as the inbox computed it.
        registry: Carriers at the reference block.

    Returns:
        The reading with its carrier at that block.

    Raises:
        RefusedReadingError: The carrier, its key or its status does not admit it.
    """
    try:
        message = decode_message(raw)
    except InvalidMessageError as exc:
        raise RefusedReadingError(1, "shape", exc.expected, exc.given) from exc
    reading = message.reading
    carrier = registry.by_kid(reading.kid)
    if carrier is None:
        expected = "the key id of a registered carrier"
        raise RefusedReadingError(2, "key id", expected, reading.kid.hex())
    epoch = carrier.epoch_at(reading.seq)
    if epoch is None or (epoch.kid, epoch.suite) != (reading.kid, message.suite):
        expected = f"the key of {carrier.identifier} for seq {reading.seq}"
        raise RefusedReadingError(3, "key of the epoch", expected, reading.kid.hex())
    _check_status(reading.seq, carrier)
    neighbour = Neighbour(reading, prev_link(raw))
    return AuthenticReading(message, carrier, neighbour, digest)


def _check_status(seq: int, carrier: CarrierRecord) -> None:
    """Check 5."""
    if not carrier.admits(seq):
        cutoff, status = carrier.cutoff_seq, carrier.status.name.lower()
        last = "no reading" if cutoff is None else f"seq at most {cutoff}"
        expected = f"{last} of {carrier.identifier}, {status}"
        raise RefusedReadingError(5, "carrier status", expected, f"seq {seq}")
