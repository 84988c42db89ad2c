"""Transactions of the P-Chain: staking, and passing on what is needed for it.

Only what this product does is written: payments from plain outputs, and
AddPermissionlessValidatorTx for the primary network. Pure; see ``staking`` for what
asks and sends.

References:
    avalanchego 1.13.5, ``vms/platformvm/txs/codec.go`` (numbers of the types),
    ``add_permissionless_validator_tx.go``, ``base_tx.go``;
    ``vms/secp256k1fx/credential.go``. Integers are big-endian, lists have a 4-byte
    count before them, every type a 4-byte number.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from coincurve import PrivateKey

from node.network.formats import short_hash

__all__ = ["Output", "Stake", "Utxo", "decode_utxo", "payment", "sign", "staking"]

_CODEC = bytes(2)
_P_CHAIN = bytes(32)
_PRIMARY_NETWORK = bytes(32)
_TRANSFER_INPUT, _TRANSFER_OUTPUT, _CREDENTIAL, _OWNERS = 5, 7, 9, 11
_ADD_VALIDATOR, _PROOF_OF_POSSESSION, _PAYMENT = 25, 28, 34
_WHOLE_SHARE = 1_000_000
_SHORT_ID_BYTES, _ID_BYTES = 20, 32


@dataclass(frozen=True, slots=True)
class Utxo:
    """An unspent output that one key owns."""

    tx_id: bytes
    index: int
    asset: bytes
    amount: int
    """[nAVAX]"""
    owner: bytes
    """20 bytes."""


@dataclass(frozen=True, slots=True)
class Output:
    """An amount for an owner."""

    asset: bytes
    amount: int
    owner: bytes


@dataclass(frozen=True, slots=True)
class Stake:
    """Who stakes, how much, until when."""

    node_id: bytes
    """20 bytes."""
    start: int
    """Now. [unix s]"""
    end: int
    """[unix s]"""
    amount: int
    """[nAVAX]"""
    bls_public_key: bytes
    proof_of_possession: bytes
    owner: bytes
    """To whom the stake returns. 20 bytes."""


def decode_utxo(data: bytes) -> Utxo | None:
    """Read an output that ``platform.getUTXOs`` gave.

    Args:
        data: Its bytes.

    Returns:
        The output; None if it is of a kind that is not spent here.
    """
    tx_id, rest = data[2 : 2 + _ID_BYTES], data[2 + _ID_BYTES :]
    index, asset, rest = rest[:4], rest[4 : 4 + _ID_BYTES], rest[4 + _ID_BYTES :]
    numbers = [int.from_bytes(rest[a:b]) for a, b in ((0, 4), (4, 12), (12, 20))]
    threshold, owners = int.from_bytes(rest[20:24]), int.from_bytes(rest[24:28])
    kind, amount, locktime = numbers
    if kind != _TRANSFER_OUTPUT or locktime or threshold != 1 or owners != 1:
        return None
    owner = rest[28 : 28 + _SHORT_ID_BYTES]
    return Utxo(tx_id, int.from_bytes(index), asset, amount, owner)


def payment(
    network_id: int, inputs: Sequence[Utxo], outputs: Sequence[Output]
) -> bytes:
    """Write an unsigned payment; what the outputs leave is the fee."""
    return _CODEC + _u32(_PAYMENT) + _base(network_id, inputs, outputs)


def staking(
    network_id: int, inputs: Sequence[Utxo], change: Sequence[Output], stake: Stake
) -> bytes:
    """Write an unsigned stake on the primary network."""
    locked = Output(inputs[0].asset, stake.amount, stake.owner)
    owners = _u32(_OWNERS) + _owners(stake.owner)
    return b"".join(
        (
            _CODEC,
            _u32(_ADD_VALIDATOR),
            _base(network_id, inputs, change),
            stake.node_id,
            _u64(stake.start) + _u64(stake.end) + _u64(stake.amount),
            _PRIMARY_NETWORK,
            _u32(_PROOF_OF_POSSESSION),
            stake.bls_public_key + stake.proof_of_possession,
            _u32(1) + _output(locked),
            owners + owners,
            _u32(_WHOLE_SHARE),
        )
    )


def sign(unsigned: bytes, inputs: Sequence[Utxo], keys: Sequence[PrivateKey]) -> bytes:
    """Sign a transaction with the owner's key of every input.

    Args:
        unsigned: What ``payment`` or ``staking`` wrote.
        inputs: Its inputs.
        keys: Keys that own them.

    Returns:
        The bytes to hand over.

    Raises:
        ValueError: If a key is missing.
    """
    by_owner = {short_hash(key.public_key.format()): key for key in keys}
    digest = hashlib.sha256(unsigned).digest()
    credentials = b""
    for one in sorted(inputs, key=_place):
        if one.owner not in by_owner:
            raise ValueError("no key for an input of the transaction")
        signature = by_owner[one.owner].sign_recoverable(digest, hasher=None)
        credentials += _u32(_CREDENTIAL) + _u32(1) + signature
    return unsigned + _u32(len(inputs)) + credentials


def _base(network_id: int, inputs: Sequence[Utxo], outputs: Sequence[Output]) -> bytes:
    spent = sorted(inputs, key=_place)
    made = sorted(_output(one) for one in outputs)
    return b"".join(
        (
            _u32(network_id) + _P_CHAIN,
            _u32(len(made)) + b"".join(made),
            _u32(len(spent)) + b"".join(map(_input, spent)),
            _u32(0),
        )
    )


def _place(utxo: Utxo) -> tuple[bytes, int]:
    return utxo.tx_id, utxo.index


def _input(utxo: Utxo) -> bytes:
    place = utxo.tx_id + _u32(utxo.index) + utxo.asset
    return place + _u32(_TRANSFER_INPUT) + _u64(utxo.amount) + _u32(1) + _u32(0)


def _output(output: Output) -> bytes:
    value = output.asset + _u32(_TRANSFER_OUTPUT) + _u64(output.amount)
    return value + _owners(output.owner)


def _owners(owner: bytes) -> bytes:
    return _u64(0) + _u32(1) + _u32(1) + owner


def _u32(number: int) -> bytes:
    return number.to_bytes(4)


def _u64(number: int) -> bytes:
    return number.to_bytes(8)
