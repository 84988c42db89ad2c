"""Signed messages between members.

    CBOR [sender (20), recipient (20), kind, time, nonce (16), body, signature (64)]

Rules kept: the signature covers everything before it together with chain and anchor,
so a message serves one recipient, one network and one purpose; a stranger's, an old
and a repeated message are refused. What a body means is not known here.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cbor2
from coincurve import PrivateKey

from contracts.errors import InvalidSignatureError
from contracts.hashing import address_bytes, checksum_address, keccak256
from contracts.typed_data import address_of, compact_signature, recover
from oracle.errors import InvalidEnvelopeError

WINDOW_S = 120
"""How old, or how far ahead, a message may be. [s]"""
NONCE_BYTES = 16
_TAG = b"ccl/envelope/v1"
_ARRAY_OF_7 = b"\x87"
"""First byte of every envelope; with one level allowed, a stranger's bytes cannot
unfold into more than they are."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message of one member to another."""

    sender: str
    """Address of the sender's key."""
    recipient: str
    """Address of the recipient's key."""
    kind: str
    """What the body is."""
    sent_at: int
    """Time of the sender. [unix s]"""
    nonce: bytes
    """16 random bytes."""
    body: bytes
    """Content."""

    def digest(self, domain: bytes) -> bytes:
        """Give what the sender signs, under the anchor's EIP-712 domain: 32 bytes."""
        fields = [
            *(address_bytes(self.sender), address_bytes(self.recipient)),
            *(self.kind, self.sent_at, self.nonce, keccak256(self.body)),
        ]
        return keccak256(_TAG + domain + cbor2.dumps(fields))


class Mailroom:
    """Seals and opens envelopes of one member.

    Args:
        key: The member's key.
        domain: 32 bytes, EIP-712 domain of the anchor.
        clock: Wall clock. [unix s]
    """

    def __init__(
        self, key: PrivateKey, domain: bytes, clock: Callable[[], float]
    ) -> None:
        self._key = key
        self._domain = domain
        self._clock = clock
        self._own = address_of(key.public_key)
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, recipient: str, kind: str, body: bytes) -> bytes:
        """Sign a message.

        Args:
            recipient: Address of the recipient's key.
            kind: What the body is.
            body: Content.

        Returns:
            The envelope as CBOR.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        now = int(self._clock())
        envelope = Envelope(self._own, recipient, kind, now, nonce, body)
        signature = compact_signature(self._key, envelope.digest(self._domain))
        addresses = [address_bytes(self._own), address_bytes(recipient)]
        return cbor2.dumps([*addresses, kind, now, nonce, body, signature])

    def open(self, data: bytes, kind: str, known: Iterable[str]) -> Envelope:
        """Check a message that came in.

        Args:
            data: Envelope as CBOR.
            kind: Kind that is expected.
            known: Addresses of the members' keys.

        Returns:
            The envelope.

        Raises:
            InvalidEnvelopeError: Malformed, of a stranger, for another recipient, of
                another kind, too old, repeated or not authentic.
        """
        envelope, signature = _decode(data)
        now = self._clock()
        if envelope.recipient != self._own:
            raise InvalidEnvelopeError(f"recipient {self._own}", envelope.recipient)
        if envelope.kind != kind:
            raise InvalidEnvelopeError(f"kind {kind}", envelope.kind)
        if envelope.sender.lower() not in {address.lower() for address in known}:
            raise InvalidEnvelopeError("a member of the configuration", envelope.sender)
        if abs(now - envelope.sent_at) > WINDOW_S:
            expected = f"a time within {WINDOW_S} s of {int(now)}"
            raise InvalidEnvelopeError(expected, str(envelope.sent_at))
        self._check_signature(envelope, signature)
        self._remember(envelope.nonce, now)
        return envelope

    def _check_signature(self, envelope: Envelope, signature: bytes) -> None:
        try:
            signer = recover(envelope.digest(self._domain), signature)
        except InvalidSignatureError as exc:
            raise InvalidEnvelopeError("a valid signature", str(exc)) from exc
        if signer != envelope.sender:
            expected = f"a signature of {envelope.sender}"
            raise InvalidEnvelopeError(expected, f"one of {signer}")

    def _remember(self, nonce: bytes, now: float) -> None:
        with self._lock:
            if nonce in self._seen:
                raise InvalidEnvelopeError("a message once", f"nonce {nonce.hex()}")
            self._seen[nonce] = now
            while next(iter(self._seen.values())) < now - 2 * WINDOW_S:
                self._seen.popitem(last=False)


def _decode(data: bytes) -> tuple[Envelope, bytes]:
    """Take an envelope apart and demand its only form."""
    shape = "[sender, recipient, kind, time, nonce, body, signature]"
    if data[:1] != _ARRAY_OF_7:
        raise InvalidEnvelopeError(shape, "another form")
    try:
        fields = cbor2.loads(data, max_depth=1, allow_indefinite=False)
    except (ValueError, cbor2.CBORDecodeError) as exc:
        raise InvalidEnvelopeError(shape, str(exc)) from exc
    types = [bytes, bytes, str, int, bytes, bytes, bytes]
    if not isinstance(fields, list) or [type(field) for field in fields] != types:
        raise InvalidEnvelopeError(shape, "another form")
    sender, recipient, kind, sent_at, nonce, body, signature = fields
    if len(nonce) != NONCE_BYTES or cbor2.dumps(fields) != data:
        raise InvalidEnvelopeError(shape, "another encoding of it")
    try:
        addresses = checksum_address(sender), checksum_address(recipient)
    except ValueError as exc:
        raise InvalidEnvelopeError("addresses of 20 bytes", str(exc)) from exc
    return Envelope(*addresses, kind, sent_at, nonce, body), signature
