"""Raw Ethereum transactions: decoded, checked and their sender recovered.

Accepts what a Cancun chain executes without blobs: EIP-155 legacy (type 0),
EIP-2930 (1) and EIP-1559 (2). The checks here need no chain state; what depends
on nonce and balance is checked by the pool.
"""

from dataclasses import dataclass
from typing import Any

import rlp  # type: ignore[import-untyped]  # the library ships no types
from coincurve import PublicKey

from contracts.hashing import keccak256
from node.engine.settings import MAX_TRANSACTION_BYTES
from node.errors import InvalidTransactionError

_SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_LEGACY_FIELDS = 9
_TYPED_FIELDS = {1: 11, 2: 12}
_FIRST_LEGACY_BYTE = 0xC0
_MAX_INITCODE_BYTES = 49_152
_MAX_NONCE = 2**64 - 2


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction whose signature was checked."""

    raw: bytes
    """As received: RLP, or type byte and RLP."""

    hash: bytes
    """32 bytes, keccak256 of ``raw``."""

    sender: bytes
    """20 bytes, recovered from the signature."""

    to: bytes
    """20 bytes, or empty for a contract creation."""

    nonce: int
    gas_limit: int
    """Upper bound of its gas. [gas]"""

    max_fee: int
    """Highest price it offers. [wei/gas]"""

    value: int
    """Amount it carries. [wei]"""

    data: bytes
    type: int
    """Envelope type: 0, 1 or 2."""

    @property
    def max_cost(self) -> int:
        """Return the most that it can take from its sender, in wei."""
        return self.value + self.gas_limit * self.max_fee


@dataclass(frozen=True, slots=True)
class _Envelope:
    """One transaction's fields by name, before its signature is checked."""

    type: int
    chain_id: int
    nonce: bytes
    priority_fee: bytes
    max_fee: bytes
    gas: bytes
    to: bytes
    value: bytes
    data: bytes
    access_list: Any
    parity: int
    r: bytes
    s: bytes
    signed_digest: bytes


def decode_transaction(
    raw: bytes, chain_id: int, block_gas_limit: int
) -> SignedTransaction:
    """Decode a raw transaction and check all that needs no chain state.

    Args:
        raw: The signed transaction as sent to ``eth_sendRawTransaction``.
        chain_id: The chain it must be signed for.
        block_gas_limit: The most gas it may ask for. [gas]

    Raises:
        InvalidTransactionError: If the chain could never execute it.
    """
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise InvalidTransactionError(
            f"oversized data: a transaction has at most {MAX_TRANSACTION_BYTES} "
            f"bytes, got {len(raw)}"
        )
    envelope = _open(raw)
    if envelope.chain_id != chain_id:
        raise InvalidTransactionError(
            f"invalid chain id for signer: expected {chain_id}, "
            f"got {envelope.chain_id}; sign for this chain"
        )
    transaction = SignedTransaction(
        raw=raw,
        hash=keccak256(raw),
        sender=_recover(envelope),
        to=envelope.to,
        nonce=_integer(envelope.nonce, "nonce"),
        gas_limit=_integer(envelope.gas, "gas"),
        max_fee=_integer(envelope.max_fee, "fee"),
        value=_integer(envelope.value, "value"),
        data=envelope.data,
        type=envelope.type,
    )
    _check_limits(transaction, envelope, block_gas_limit)
    return transaction


def _open(raw: bytes) -> _Envelope:
    try:
        if raw and raw[0] >= _FIRST_LEGACY_BYTE:
            return _open_legacy(rlp.decode(raw))
        return _open_typed(raw[0], rlp.decode(raw[1:]))
    except InvalidTransactionError:
        raise
    except (rlp.DecodingError, IndexError, TypeError, ValueError) as exc:
        raise InvalidTransactionError(
            "typed transaction or RLP expected, got bytes that are neither; "
            "send the raw signed transaction"
        ) from exc


def _open_legacy(fields: list[bytes]) -> _Envelope:
    _expect_fields(fields, _LEGACY_FIELDS, 0)
    nonce, price, gas, to, value, data, v_bytes, r, s = fields
    v = _integer(v_bytes, "v")
    if v < 35:  # noqa: PLR2004  # EIP-155: v = 35 + 2 × chain id + parity
        raise InvalidTransactionError(
            "only replay-protected (EIP-155) transactions allowed over RPC: "
            f"expected v from 35, got {v}"
        )
    chain_id, parity = divmod(v - 35, 2)
    signed = rlp.encode([*fields[:6], chain_id, b"", b""])
    return _Envelope(
        0, chain_id, nonce, price, price, gas, to, value, data, [], parity, r, s,
        keccak256(signed),
    )  # fmt: skip


def _open_typed(kind: int, fields: list[Any]) -> _Envelope:
    if kind not in _TYPED_FIELDS:
        raise InvalidTransactionError(
            f"transaction type not supported: expected 0, 1 or 2, got {kind}"
        )
    _expect_fields(fields, _TYPED_FIELDS[kind], kind)
    chain, nonce, *prices = fields[: kind + 2]
    gas, to, value, data, access, parity, r, s = fields[kind + 2 :]
    signed = bytes([kind]) + rlp.encode(fields[:-3])
    return _Envelope(
        kind, _integer(chain, "chain id"), nonce, prices[0], prices[-1], gas, to,
        value, data, access, _integer(parity, "parity"), r, s, keccak256(signed),
    )  # fmt: skip


def _expect_fields(fields: object, count: int, kind: int) -> None:
    given = len(fields) if isinstance(fields, list) else 0
    if given != count:
        raise InvalidTransactionError(
            f"a transaction of type {kind} has {count} fields, got {given}"
        )


def _integer(data: bytes, name: str) -> int:
    if not isinstance(data, bytes) or len(data) > 32 or data[:1] == b"\0":  # noqa: PLR2004  # uint256
        raise InvalidTransactionError(
            f"{name}: expected an integer of at most 32 bytes without leading zeros"
        )
    return int.from_bytes(data)


def _recover(envelope: _Envelope) -> bytes:
    r, s = _integer(envelope.r, "r"), _integer(envelope.s, "s")
    if not (
        0 < r < _SECP256K1_N
        and 0 < s <= _SECP256K1_N // 2
        and envelope.parity in (0, 1)
    ):
        raise InvalidTransactionError(
            "invalid transaction v, r, s values: expected 0 < r < n and 0 < s ≤ n/2"
        )
    signature = r.to_bytes(32) + s.to_bytes(32) + bytes([envelope.parity])
    try:
        key = PublicKey.from_signature_and_message(
            signature, envelope.signed_digest, hasher=None
        )
    except Exception as exc:  # coincurve raises plain Exception
        raise InvalidTransactionError(
            "invalid signature: no public key belongs to it; sign again"
        ) from exc
    return keccak256(key.format(compressed=False)[1:])[12:]


def _check_limits(
    transaction: SignedTransaction, envelope: _Envelope, block_gas_limit: int
) -> None:
    is_address = isinstance(transaction.to, bytes) and len(transaction.to) in (0, 20)
    if not (is_address and isinstance(transaction.data, bytes)):
        raise InvalidTransactionError(
            "to: expected 20 bytes or none, and data as bytes; sign a new transaction"
        )
    if transaction.nonce > _MAX_NONCE:
        raise InvalidTransactionError(f"nonce has max value: {transaction.nonce}")
    if _integer(envelope.priority_fee, "priority fee") > transaction.max_fee:
        raise InvalidTransactionError(
            "max priority fee per gas higher than max fee per gas: "
            f"at most {transaction.max_fee} wei fits"
        )
    _check_gas(transaction, envelope.access_list, block_gas_limit)


def _check_gas(
    transaction: SignedTransaction, access_list: Any, block_gas_limit: int
) -> None:
    if transaction.gas_limit > block_gas_limit:
        raise InvalidTransactionError(
            f"exceeds block gas limit: expected at most {block_gas_limit} gas, "
            f"got {transaction.gas_limit}"
        )
    if not transaction.to and len(transaction.data) > _MAX_INITCODE_BYTES:
        raise InvalidTransactionError(
            f"max initcode size exceeded: {_MAX_INITCODE_BYTES} bytes, "
            f"got {len(transaction.data)} (EIP-3860)"
        )
    _check_access_list(access_list)
    needed = intrinsic_gas(transaction, access_list)
    if transaction.gas_limit < needed:
        raise InvalidTransactionError(
            f"intrinsic gas too low: expected at least {needed}, "
            f"got {transaction.gas_limit}"
        )


def intrinsic_gas(transaction: SignedTransaction, access_list: Any) -> int:
    """Return the gas taken before the first opcode runs, by Cancun's rules.

    References:
        Yellow Paper §6.2; EIP-2028 (data), EIP-2930 (access list), EIP-3860
        (init code words).
    """
    zeros = transaction.data.count(0)
    gas = 21_000 + 4 * zeros + 16 * (len(transaction.data) - zeros)
    if not transaction.to:
        gas += 32_000 + 2 * ((len(transaction.data) + 31) // 32)
    for _, slots in access_list:
        gas += 2_400 + 1_900 * len(slots)
    return gas


def _check_access_list(access_list: Any) -> None:
    """Refuse anything but a list of pairs of address and storage keys."""
    well_formed = isinstance(access_list, list) and all(
        isinstance(entry, list)
        and [type(each) for each in entry] == [bytes, list]
        and len(entry[0]) == 20  # noqa: PLR2004  # an address
        and all(isinstance(key, bytes) and len(key) == 32 for key in entry[1])  # noqa: PLR2004  # a slot
        for entry in access_list
    )
    if not well_formed:
        raise InvalidTransactionError(
            "access list: expected addresses of 20 bytes with slots of 32 bytes"
        )
