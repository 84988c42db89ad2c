"""The numbered checks of a reading; inbox, member and verifier run these.

    1 shape and canonical form       refuse
    2 key id known                   refuse
    3 suite and key of the epoch     refuse
    4 signature                      refuse
    5 carrier status at seq          refuse
    6 sequence: new, same or other   ignore (same bytes) or stop (other bytes)
    7 links to the reading before    fact
    8 time                           fact
    9 registers                      fact
   10 rate                           fact

Rules kept: pure; a refusal names its check with expected and given; whatever passes
1 to 5 was truly signed by an entitled carrier and is never dropped. `authenticate`
(1 to 5) needs the registry alone; `check_sequence` and `assess` what is known of the
carrier; `arrival_facts` the time of arrival. Members agree on `fold_readings`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounting.channels import FLAG_RESET, FLAG_SWAP
from accounting.limits import RegisterLimit, register_limits
from oracle.errors import (
    EquivocationError,
    InvalidKeyError,
    InvalidMessageError,
    RefusedReadingError,
    ReplayedReadingError,
)
from oracle.reading.facts import Fact, FactKind
from oracle.reading.profile import (
    NO_PREV,
    Reading,
    SignedMessage,
    decode_message,
    external_aad,
    message_digest,
    prev_link,
    sig_structure,
)
from oracle.reading.registry import CarrierRecord, CarrierRegistry
from oracle.reading.state import Around, CarrierState, Neighbour
from oracle.reading.suites import verify


@dataclass(frozen=True, slots=True)
class Domain:
    """Where signatures are bound to."""

    chain_id: int
    """Chain id of the ledger."""
    carriers_address: str
    """Address of `Carriers`, 0x and 40 hex digits."""


@dataclass(frozen=True, slots=True)
class CheckRules:
    """Limits of the receiver."""

    ahead_s: int = 300
    """How far a device's clock may run ahead. [s]"""
    window_s: int = 86_400
    """Older readings are marked late. [s]"""


@dataclass(frozen=True, slots=True)
class AuthenticReading:
    """A message that passed checks 1 to 5."""

    message: SignedMessage
    """The message."""
    carrier: CarrierRecord
    """Carrier that signed it."""
    neighbour: Neighbour
    """The reading with the link to its message, as readings beside it see it."""
    digest: bytes
    """32 bytes, keccak256 of the message."""


@dataclass(frozen=True, slots=True)
class VerifiedReading:
    """A message that passed every check, with what the checks found."""

    reading: Reading
    """Content of the message."""
    carrier: CarrierRecord
    """Carrier that signed it."""
    facts: tuple[Fact, ...]
    """What checks 7 to 10 found."""
    digest: bytes
    """32 bytes, keccak256 of the message."""
    state: CarrierState
    """State of the carrier with this reading taken in."""


def verify_reading(
    raw: bytes,
    registry: CarrierRegistry,
    state: CarrierState | None,
    received_at: int,
    rules: CheckRules,
    domain: Domain,
) -> VerifiedReading:
    """Run all checks on one message.

    Args:
        raw: Bytes as they came.
        registry: Carriers as the chain has them.
        state: What is known of the carrier; None for nothing.
        received_at: Time of arrival. [unix s]
        rules: Limits of the receiver.
        domain: Chain and contract.

    Returns:
        The reading with carrier, facts and digest.

    Raises:
        RefusedReadingError: Checks 1 to 5.
        ReplayedReadingError: Check 6, same bytes.
        EquivocationError: Check 6, other bytes.
    """
    state = state or CarrierState()
    one = authenticate(raw, registry, domain)
    reading, carrier = one.message.reading, one.carrier
    if state.has(reading.seq):
        check_sequence(reading.seq, one.digest, state.stored.get(reading.seq, b""))
    around = state.around(reading.seq)
    facts = assess(one.neighbour, register_limits(carrier.channel_table), around)
    facts += arrival_facts(reading.ts, received_at, rules)
    after = state.with_reading(one.neighbour, one.digest)
    return VerifiedReading(reading, carrier, facts, one.digest, after)


def authenticate(
    raw: bytes, registry: CarrierRegistry, domain: Domain
) -> AuthenticReading:
    """Run the checks that need the registry alone, 1 to 5.

    Args:
        raw: Bytes as they came.
        registry: Carriers as the chain has them.
        domain: Chain and contract.

    Returns:
        The message with its carrier and digests.

    Raises:
        RefusedReadingError: One of checks 1 to 5.
    """
    message = _check_1_shape(raw)
    carrier = _check_2_key_id(message.reading, registry)
    public_key = _check_3_epoch(message, carrier)
    _check_4_signature(message, carrier, public_key, domain)
    _check_5_status(message.reading.seq, carrier)
    neighbour = Neighbour(message.reading, prev_link(raw))
    return AuthenticReading(message, carrier, neighbour, message_digest(raw))


def check_sequence(seq: int, digest: bytes, stored: bytes | None) -> None:
    """Check 6: the sequence number is new.

    Args:
        seq: Sequence number of the message.
        digest: 32 bytes, digest of the message.
        stored: Digest of what is stored under that number, None if nothing is.

    Raises:
        ReplayedReadingError: The same bytes are stored.
        EquivocationError: Other bytes are stored.
    """
    if stored is None:
        return
    if stored == digest:
        raise ReplayedReadingError(seq, digest)
    raise EquivocationError(seq, stored, digest)


def assess(
    new: Neighbour, limits: Mapping[int, RegisterLimit], around: Around
) -> tuple[Fact, ...]:
    """Run the checks that compare with the nearest known readings, 7 to 10.

    Args:
        new: Reading that passed checks 1 to 6.
        limits: Limits of the carrier's registers, of `register_limits`.
        around: Nearest known readings of the carrier below and above its seq.

    Returns:
        What was found; it depends on what is known, not on the time of arrival.
    """
    facts = _check_7_links(new, around) + _check_8_order(new.reading.ts, around)
    facts += _check_9_channels(new.reading, limits)
    if around.below is not None:
        facts += _check_registers(around.below.reading, new.reading, limits)
    if around.above is not None:
        facts += _check_registers(new.reading, around.above.reading, limits)
    return facts


def arrival_facts(ts: int, received_at: int, rules: CheckRules) -> tuple[Fact, ...]:
    """Check 8, the part that depends on the delivery.

    Args:
        ts: Time of the reading. [unix s]
        received_at: Time of arrival. [unix s]
        rules: Limits of the receiver.

    Returns:
        The fact `AHEAD` or `OVERDUE`, or nothing.
    """
    if ts > received_at + rules.ahead_s:
        return (Fact(8, FactKind.AHEAD, received_at + rules.ahead_s, ts),)
    if ts < received_at - rules.window_s:
        return (Fact(8, FactKind.OVERDUE, received_at - rules.window_s, ts),)
    return ()


def fold_readings(
    readings: Iterable[AuthenticReading], states: Mapping[bytes, CarrierState]
) -> tuple[list[tuple[bytes, int, Fact]], dict[bytes, CarrierState]]:
    """Find the facts of an ordered series, as members do in batch order.

    Args:
        readings: Authentic readings in the order that counts.
        states: Identifier hash (32 bytes) → state of the carrier before the series.

    Returns:
        Rows of identifier hash, seq and fact, in order; and the states after the
        series. Nothing of it depends on when a message arrived.

    Raises:
        RefusedReadingError: Check 6, a seq that the series or a state already has.
    """
    after = dict(states)
    rows: list[tuple[bytes, int, Fact]] = []
    for one in readings:
        name, new = one.carrier.identifier_hash, one.neighbour
        seq, state = new.reading.seq, after.get(name) or CarrierState()
        if state.has(seq):
            given = f"seq {seq} of {one.carrier.identifier} again"
            raise RefusedReadingError(6, "sequence", "each seq once", given)
        limits = register_limits(one.carrier.channel_table)
        facts = assess(new, limits, state.around(seq))
        rows.extend((name, seq, fact) for fact in facts)
        after[name] = state.with_reading(new)
    return rows, after


# ----------------------------------------------------------- checks that refuse


def _check_1_shape(raw: bytes) -> SignedMessage:
    try:
        return decode_message(raw)
    except InvalidMessageError as exc:
        given = exc.given.removeprefix("given ")
        raise RefusedReadingError(1, "shape", exc.expected, given) from exc


def _check_2_key_id(reading: Reading, registry: CarrierRegistry) -> CarrierRecord:
    carrier = registry.by_kid(reading.kid)
    if carrier is None:
        expected = "the key id of a registered carrier"
        raise RefusedReadingError(2, "key id", expected, reading.kid.hex())
    return carrier


def _check_3_epoch(message: SignedMessage, carrier: CarrierRecord) -> bytes:
    reading = message.reading
    epoch = carrier.epoch_at(reading.seq)
    if epoch is None or epoch.kid != reading.kid:
        expected = f"the key of {carrier.identifier} for seq {reading.seq}"
        expected += f", {epoch.kid.hex()}" if epoch else ", which has none"
        raise RefusedReadingError(3, "key of the epoch", expected, reading.kid.hex())
    if epoch.suite != message.suite:
        expected = f"suite {epoch.suite.name} as registered"
        raise RefusedReadingError(3, "suite", expected, message.suite.name)
    return epoch.public_key


def _check_4_signature(
    message: SignedMessage, carrier: CarrierRecord, public_key: bytes, domain: Domain
) -> None:
    aad = external_aad(
        domain.chain_id, domain.carriers_address, carrier.identifier_hash
    )
    signed = sig_structure(message, aad)
    try:
        is_valid = verify(message.suite, public_key, signed, message.signature)
    except InvalidKeyError as exc:
        raise RefusedReadingError(4, "signature", "a usable key", str(exc)) from exc
    if not is_valid:
        expected = (
            f"a {message.suite.name} signature with low s of {carrier.identifier} "
            f"for chain {domain.chain_id} and contract {domain.carriers_address}"
        )
        raise RefusedReadingError(4, "signature", expected, "one that does not verify")


def _check_5_status(seq: int, carrier: CarrierRecord) -> None:
    if not carrier.admits(seq):
        cutoff = carrier.cutoff_seq
        last = "no reading" if cutoff is None else f"seq at most {cutoff}"
        expected = f"{last} of {carrier.identifier}, {carrier.status.name.lower()}"
        raise RefusedReadingError(5, "carrier status", expected, f"seq {seq}")


# ---------------------------------------------------------- checks that record


def _check_7_links(new: Neighbour, around: Around) -> tuple[Fact, ...]:
    seq, below, above = new.reading.seq, around.below, around.above
    facts: tuple[Fact, ...] = ()
    next_seq = 0 if below is None else below.reading.seq + 1
    if above is not None:
        facts += (Fact(7, FactKind.LATE, above.reading.seq, seq),)
    elif seq != next_seq:
        facts += (Fact(7, FactKind.GAP, next_seq, seq),)
    if seq == next_seq:
        link = NO_PREV if below is None else below.link
        facts += _check_link(link, new.reading.prev)
    if above is not None and above.reading.seq == seq + 1:
        facts += _check_link(new.link, above.reading.prev)
    return facts


def _check_link(link: bytes, prev: bytes) -> tuple[Fact, ...]:
    if link == prev:
        return ()
    expected, given = int.from_bytes(link[:4]), int.from_bytes(prev[:4])
    return (Fact(7, FactKind.BROKEN_LINK, expected, given),)


def _check_8_order(ts: int, around: Around) -> tuple[Fact, ...]:
    below, above = around.below, around.above
    if below is not None and ts < below.reading.ts:
        return (Fact(8, FactKind.CLOCK_BACKWARD, below.reading.ts, ts),)
    if above is not None and ts > above.reading.ts:
        return (Fact(8, FactKind.CLOCK_BACKWARD, above.reading.ts, ts),)
    return ()


def _check_9_channels(
    reading: Reading, limits: Mapping[int, RegisterLimit]
) -> tuple[Fact, ...]:
    """Check 9: registers are known and counts within their range."""
    facts: tuple[Fact, ...] = ()
    for register, value in reading.values:
        limit = limits.get(register)
        if limit is None:
            facts += (Fact(9, FactKind.UNKNOWN_REGISTER, 0, register, register),)
        elif limit.modulus is not None and value >= limit.modulus:
            most = limit.modulus - 1
            facts += (Fact(9, FactKind.OUT_OF_RANGE, most, value, register),)
    if (reading.flags or 0) & FLAG_SWAP:
        facts += (Fact(9, FactKind.SWAP, 0, FLAG_SWAP),)
    return facts


def _check_registers(
    before: Reading, after: Reading, limits: Mapping[int, RegisterLimit]
) -> tuple[Fact, ...]:
    """Checks 9 and 10: registers rise, and not faster than they can."""
    flags, seconds = after.flags or 0, after.ts - before.ts
    if flags & FLAG_SWAP:
        return ()
    has_restarted = (after.boot or 0) != (before.boot or 0)
    counts = dict(before.values)
    facts: tuple[Fact, ...] = ()
    for register, value in after.values:
        last, limit = counts.get(register), limits.get(register)
        if last is None or limit is None:
            continue
        if flags & FLAG_RESET or (has_restarted and value < last):
            facts += (Fact(9, FactKind.RESET, last, value, register),)
        elif value < last:
            is_rollover = limit.is_rollover(last, value, seconds)
            kind = FactKind.ROLLOVER if is_rollover else FactKind.DECREASE
            facts += (Fact(9, kind, last, value, register),)
        elif not limit.allows(value - last, seconds):
            most = last + limit.most(seconds)
            facts += (Fact(10, FactKind.IMPLAUSIBLE, most, value, register),)
    return facts
