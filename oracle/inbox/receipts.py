"""Signed receipts: a member's word that readings are on its disk.

    receipt     COSE_Sign1 [protected, {}, payload, signature], as readings are
    payload     {1: member key id, 2: received_at, 3: promise_at,
                 4: [[key id, seq, digest], …]}
    aad         "ccl/receipt/v1" ‖ chainId (32) ‖ Carriers (20)

One receipt covers up to `MAX_ENTRIES` readings of one request under one signature,
so that a batch costs little and a receipt stays below 4 KiB. The member promises to
offer each reading for a batch by `promise_at`. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cbor2

from contracts.hashing import address_bytes
from oracle.errors import InvalidReceiptError
from oracle.reading.checks import Domain
from oracle.reading.profile import COSE_ALGORITHMS, signed_bytes
from oracle.reading.suites import Signer, Suite, key_id_of, verify

MAX_ENTRIES = 64
MAX_MERGE_DELAY_S = 60
"""Longest time from receipt to the offer for a batch. [s]"""

_AAD_TAG = b"ccl/receipt/v1"
_SUITES = {cbor2.dumps({1: number}): suite for suite, number in COSE_ALGORITHMS.items()}
_PROTECTED = {suite: protected for protected, suite in _SUITES.items()}


class ReceiptEntry(NamedTuple):
    """One reading that a receipt covers."""

    kid: bytes
    """Key id of the carrier, 8 bytes."""
    seq: int
    """Sequence number of the reading."""
    digest: bytes
    """32 bytes, keccak256 of the message."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Content of a verified receipt."""

    member_kid: bytes
    """Key id of the member, 8 bytes."""
    received_at: int
    """Time of arrival. [unix s]"""
    promise_at: int
    """Latest time of the offer for a batch. [unix s]"""
    entries: tuple[ReceiptEntry, ...]
    """Readings that are on disk."""


def sign_receipt(
    entries: Sequence[ReceiptEntry], received_at: int, signer: Signer, domain: Domain
) -> bytes:
    """Sign a receipt.

    Args:
        entries: 1 to `MAX_ENTRIES` readings that are committed with it.
        received_at: Time of arrival. [unix s]
        signer: Key of the member.
        domain: Chain and contract.

    Returns:
        COSE_Sign1 message, untagged.

    Raises:
        ValueError: No entry or too many.
    """
    if not 0 < len(entries) <= MAX_ENTRIES:
        msg = f"a receipt covers 1 to {MAX_ENTRIES} readings, got {len(entries)}"
        raise ValueError(msg)
    payload = cbor2.dumps(
        {
            1: key_id_of(signer.suite, signer.public_key),
            2: received_at,
            3: received_at + MAX_MERGE_DELAY_S,
            4: [tuple(entry) for entry in entries],
        }
    )
    protected = _PROTECTED[signer.suite]
    signature = signer.sign(signed_bytes(protected, payload, _aad(domain)))
    return cbor2.dumps([protected, {}, payload, signature])


class ReceiptBook:
    """Collects the entries of one group of requests and signs them at its end.

    A receipt never covers readings of two requests, so it tells a sender nothing
    about another.

    Args:
        signer: Key of the member.
        domain: Chain and contract.
        received_at: Time of arrival. [unix s]
        first: Number of the first receipt.
    """

    def __init__(
        self, signer: Signer, domain: Domain, received_at: int, first: int
    ) -> None:
        self._signer = signer
        self._domain = domain
        self._received_at = received_at
        self._next = first
        self._drafts: dict[int, list[ReceiptEntry]] = {}
        self._open: list[ReceiptEntry] = []

    def begin_request(self) -> None:
        """Start a new receipt with the next entry."""
        self._open = []

    def add(self, entry: ReceiptEntry) -> int:
        """Add an entry and return the number of the receipt that covers it."""
        if len(self._open) % MAX_ENTRIES == 0:
            self._open = self._drafts[self._next] = []
            self._next += 1
        self._open.append(entry)
        return self._next - 1

    def sign(self) -> dict[int, bytes]:
        """Sign the receipts: number → message."""
        return {
            number: sign_receipt(entries, self._received_at, self._signer, self._domain)
            for number, entries in self._drafts.items()
        }


def read_receipt(
    data: bytes, suite: Suite, public_key: bytes, domain: Domain
) -> Receipt:
    """Verify a receipt and read it.

    Args:
        data: Receipt as `sign_receipt` made it.
        suite: Suite of the member's key.
        public_key: The member's public key.
        domain: Chain and contract.

    Returns:
        What the member acknowledged.

    Raises:
        InvalidReceiptError: Another form, another key or a signature that fails.
    """
    protected, payload, signature = _parts(data)
    if protected != _PROTECTED[suite]:
        raise InvalidReceiptError(
            f"expected suite {suite.name} in the receipt's header"
        )
    signed = signed_bytes(protected, payload, _aad(domain))
    if not verify(suite, public_key, signed, signature):
        raise InvalidReceiptError("the receipt's signature is not the member's")
    return read_payload(payload)


def read_unverified(data: bytes) -> Receipt:
    """Read a receipt without its signature, for a sender that holds no member key.

    Args:
        data: Receipt as `sign_receipt` made it.

    Returns:
        What the receipt says.

    Raises:
        InvalidReceiptError: Another form.
    """
    return read_payload(_parts(data)[1])


def read_payload(payload: bytes) -> Receipt:
    """Decode the payload of a receipt.

    Args:
        payload: CBOR map of the module's drawing.

    Returns:
        The receipt.

    Raises:
        InvalidReceiptError: Another form.
    """
    try:
        fields = cbor2.loads(payload, allow_duplicate_keys=False)
        entries = tuple(ReceiptEntry(*entry) for entry in fields[4])
        return Receipt(fields[1], fields[2], fields[3], entries)
    except (cbor2.CBORDecodeError, LookupError, TypeError, ValueError) as exc:
        raise InvalidReceiptError(
            f"the receipt's payload is unreadable: {exc}"
        ) from exc


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        parts: Any = cbor2.loads(data, allow_duplicate_keys=False)
        protected, unprotected, payload, signature = parts
    except (cbor2.CBORDecodeError, ValueError, TypeError) as exc:
        raise InvalidReceiptError(f"no receipt: {exc}") from exc
    strings = (protected, payload, signature)
    if unprotected != {} or any(type(part) is not bytes for part in strings):
        raise InvalidReceiptError("expected [bytes, {}, bytes, bytes] as a receipt")
    return protected, payload, signature


def _aad(domain: Domain) -> bytes:
    chain = domain.chain_id.to_bytes(32, "big")
    return _AAD_TAG + chain + address_bytes(domain.carriers_address)
