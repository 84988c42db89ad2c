"""Messages between members: authentic, fresh, for one recipient and one purpose."""

import tracemalloc

import cbor2
import pytest
from coincurve import PrivateKey

from contracts.hashing import keccak256
from contracts.typed_data import address_of
from oracle.errors import InvalidEnvelopeError
from oracle.member.envelope import WINDOW_S, Mailroom

ALICE, BOB = (PrivateKey(keccak256(name)) for name in (b"alice", b"bob"))
ALICE_AT, BOB_AT = (address_of(key.public_key) for key in (ALICE, BOB))
DOMAIN = b"\x01" * 32
KNOWN = [ALICE_AT, BOB_AT]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bob(clock: Clock) -> Mailroom:
    return Mailroom(BOB, DOMAIN, clock)


def sealed(clock: Clock, **changes: object) -> bytes:
    given = {"recipient": BOB_AT, "kind": "gossip", "body": b"hello"} | changes
    return Mailroom(ALICE, DOMAIN, clock).seal(**given)  # type: ignore[arg-type]  # as given


class TestMailroom:
    def test_opens_what_a_member_sealed(self, bob: Mailroom, clock: Clock):
        envelope = bob.open(sealed(clock), "gossip", KNOWN)
        assert (envelope.sender, envelope.body) == (ALICE_AT, b"hello")

    def test_refuses_a_message_twice(self, bob: Mailroom, clock: Clock):
        data = sealed(clock)
        bob.open(data, "gossip", KNOWN)
        with pytest.raises(InvalidEnvelopeError, match="a message once"):
            bob.open(data, "gossip", KNOWN)

    @pytest.mark.parametrize("shift", [WINDOW_S + 1, -WINDOW_S - 1])
    def test_refuses_another_time(self, bob: Mailroom, clock: Clock, shift: int):
        data = sealed(clock)
        clock.now += shift
        with pytest.raises(InvalidEnvelopeError, match="a time within"):
            bob.open(data, "gossip", KNOWN)

    def test_forgets_nonces_only_when_they_are_too_old_to_count(
        self, bob: Mailroom, clock: Clock
    ):
        data = sealed(clock)
        bob.open(data, "gossip", KNOWN)
        clock.now += WINDOW_S
        bob.open(sealed(clock), "gossip", KNOWN)
        with pytest.raises(InvalidEnvelopeError):
            bob.open(data, "gossip", KNOWN)
        clock.now += 3 * WINDOW_S
        bob.open(sealed(clock), "gossip", KNOWN)
        assert len(bob._seen) == 1

    def test_refuses_a_stranger(self, bob: Mailroom, clock: Clock):
        with pytest.raises(InvalidEnvelopeError, match="member of the configuration"):
            bob.open(sealed(clock), "gossip", [BOB_AT])

    def test_refuses_what_is_for_another(self, bob: Mailroom, clock: Clock):
        with pytest.raises(InvalidEnvelopeError, match="recipient"):
            bob.open(sealed(clock, recipient=ALICE_AT), "gossip", KNOWN)

    def test_refuses_another_kind(self, bob: Mailroom, clock: Clock):
        with pytest.raises(InvalidEnvelopeError, match="kind proposal"):
            bob.open(sealed(clock), "proposal", KNOWN)

    def test_refuses_another_network(self, clock: Clock):
        elsewhere = Mailroom(BOB, b"\x02" * 32, clock)
        with pytest.raises(InvalidEnvelopeError, match="signature"):
            elsewhere.open(sealed(clock), "gossip", KNOWN)

    def test_refuses_every_changed_field(self, bob: Mailroom, clock: Clock):
        fields = cbor2.loads(sealed(clock))
        for place in (3, 4, 5, 6):
            changed = list(fields)
            value = changed[place]
            changed[place] = (
                value + 1 if isinstance(value, int) else value[:-1] + b"\x00"
            )
            if changed != fields:
                with pytest.raises(InvalidEnvelopeError):
                    bob.open(cbor2.dumps(changed), "gossip", KNOWN)

    @pytest.mark.parametrize("data", [b"", b"\x00", b"\x87" + b"\x00" * 7, b"\xff"])
    def test_refuses_what_is_no_envelope(self, bob: Mailroom, data: bytes):
        with pytest.raises(InvalidEnvelopeError):
            bob.open(data, "gossip", KNOWN)


class TestBombs:
    """What a stranger sends is refused before it unfolds."""

    @pytest.mark.parametrize(
        "data",
        [
            b"\x81" * 1_000_000,
            b"\x9a\x00\x0f\x42\x40" + b"\x80" * 1_000_000,
            b"\x87" + b"\x80" * 7,
            b"\x87" + b"\x9a\x00\x0f\x42\x40" + b"\x80" * 1_000_000,
            b"\x9f" + b"\x40" * 7 + b"\xff",
            b"\x87\xd8\x23\x61(" + b"\x40" * 6,
            b"",
        ],
    )
    def test_are_refused_as_malformed(self, bob: Mailroom, data: bytes):
        tracemalloc.start()
        try:
            with pytest.raises(InvalidEnvelopeError, match="sender, recipient"):
                bob.open(data, "gossip", KNOWN)
            assert tracemalloc.get_traced_memory()[1] < 100_000
        finally:
            tracemalloc.stop()
