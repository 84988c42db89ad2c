"""EIP-712 digests of instructions and reports, compact signatures, account ids.

Type strings come from the declarations in ``structs``, so a struct is written once.
Signatures are EIP-2098 (64 bytes) with low s, as the contracts demand. No key is kept
here.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from coincurve import PrivateKey, PublicKey
from eth_abi.exceptions import EncodingError

from contracts.errors import InvalidInputError, InvalidSignatureError
from contracts.hashing import checksum_address, keccak256
from contracts.solidity import encoder, fields_of
from contracts.structs import (
    SIGNATURE_BYTES,
    AllocateQuota,
    Attestation,
    BatchReport,
    BlockTrade,
    Call,
    CallBatch,
    CancelQuota,
    ChangeRepresentative,
    CodeReport,
    ConfirmStatement,
    CreditReceipt,
    DeclareValueAdded,
    IssueQuota,
    PayoutReceipt,
    PayoutRequest,
    RotateKey,
    Signatures,
    StatementReport,
    SubmitStatement,
    SurrenderQuota,
    VerifyStatement,
)

__all__ = [
    "DOMAIN_NAME",
    "DOMAIN_VERSION",
    "STRUCTS",
    "TYPES",
    "AllocateQuota",
    "Attestation",
    "BatchReport",
    "BlockTrade",
    "Call",
    "CallBatch",
    "CancelQuota",
    "ChangeRepresentative",
    "CodeReport",
    "ConfirmStatement",
    "CreditReceipt",
    "DeclareValueAdded",
    "IssueQuota",
    "PayoutReceipt",
    "PayoutRequest",
    "RotateKey",
    "Signatures",
    "StatementReport",
    "SubmitStatement",
    "SurrenderQuota",
    "VerifyStatement",
    "account_id",
    "address_of",
    "boundary_id",
    "compact_signature",
    "digest",
    "document",
    "domain",
    "recover",
    "stream_id",
    "struct_hash",
    "type_hash",
    "type_string",
]

DOMAIN_NAME = "Park Carbon Ledger"
"""EIP-712 name of every contract."""
DOMAIN_VERSION = "1"
"""EIP-712 version of every contract."""

_DOMAIN_TYPE = (
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1; a larger s has a twin and is refused."""

_BY_CONTRACT: dict[str, tuple[type, ...]] = {
    "Accounts": (ChangeRepresentative,),
    "Mandate": (Call, CallBatch),
    "Carriers": (RotateKey,),
    "ReadingAnchor": (BatchReport,),
    "EmissionLedger": (
        StatementReport,
        SubmitStatement,
        VerifyStatement,
        ConfirmStatement,
    ),
    "CarbonCodes": (DeclareValueAdded, CodeReport),
    "Quota": (IssueQuota, AllocateQuota, SurrenderQuota, CancelQuota),
    "Cash": (CreditReceipt, PayoutRequest, PayoutReceipt),
    "Market": (BlockTrade,),
}

STRUCTS: dict[str, type] = {
    struct.__name__: struct for structs in _BY_CONTRACT.values() for struct in structs
}
"""Name of a signed struct → its dataclass."""

TYPES: dict[str, str] = {
    struct.__name__: contract
    for contract, structs in _BY_CONTRACT.items()
    for struct in structs
}
"""Name of a signed struct → the contract that takes it."""


# --- struct hashes ------------------------------------------------------------------


@cache
def type_string(struct: Any) -> str:
    """Write a struct's EIP-712 type.

    Args:
        struct: A dataclass of ``STRUCTS``.

    Returns:
        For instance ``ConfirmStatement(address account,bytes32 statement,...)``.
    """
    members = (f"{m.type} {m.solidity_name}" for m in fields_of(struct))
    return f"{struct.__name__}({','.join(members)})"


@cache
def type_hash(struct: Any) -> bytes:
    """Hash a struct's EIP-712 type.

    Args:
        struct: A dataclass of ``STRUCTS``.

    Returns:
        32 bytes.
    """
    return keccak256(type_string(struct).encode("ascii"))


def struct_hash(value: Any) -> bytes:
    """Hash an instruction or report as EIP-712's ``hashStruct``.

    Args:
        value: An instance of a dataclass of ``STRUCTS``.

    Returns:
        32 bytes; of a batch report the stream's next head, of a statement report the
        statement's id.

    Raises:
        InvalidInputError: A field does not fit its Solidity type.
    """
    struct: Any = type(value)
    hash_value = _hasher(struct)
    try:
        return hash_value(value)
    except EncodingError as exc:
        name = struct.__name__
        message = f"{name} has a field that does not fit its Solidity type: {exc}"
        raise InvalidInputError(message, struct=name) from exc


@cache
def _hasher(struct: Any) -> Callable[[Any], bytes]:
    members = fields_of(struct)
    encode = encoder("(" + ",".join(_slot_type(m.type) for m in members) + ")")
    names = [m.name for m in members]
    shrinks = [_shrink(m.type) for m in members]
    prefix = type_hash(struct)

    def hash_value(value: Any) -> bytes:
        values = (getattr(value, name) for name in names)
        slots = [
            item if shrink is None else shrink(item)
            for shrink, item in zip(shrinks, values, strict=True)
        ]
        return keccak256(prefix + encode(slots))

    return hash_value


def _slot_type(abi: str) -> str:
    return "bytes32" if _shrink(abi) else abi


def _shrink(abi: str) -> Callable[[Any], bytes] | None:
    """Give the EIP-712 hash of a dynamic member, None where it fits a word."""
    if abi.endswith("[]"):
        item = abi.removesuffix("[]")
        inner, encode = _shrink(item), encoder(_slot_type(item))
        return lambda items: keccak256(
            b"".join(encode(inner(x) if inner else x) for x in items)
        )
    if abi == "bytes":
        return keccak256
    if abi == "string":
        return lambda text: keccak256(text.encode("utf-8"))
    return None


# --- domains and digests ------------------------------------------------------------


@cache
def domain(chain_id: int, contract: str) -> bytes:
    """Hash the EIP-712 domain of a contract.

    Args:
        chain_id: The chain's id.
        contract: The contract's address.

    Returns:
        The domain separator, 32 bytes.
    """
    encode = encoder("(bytes32,bytes32,bytes32,uint256,address)")
    words = (
        keccak256(_DOMAIN_TYPE.encode("ascii")),
        keccak256(DOMAIN_NAME.encode("utf-8")),
        keccak256(DOMAIN_VERSION.encode("utf-8")),
        chain_id,
        contract,
    )
    return keccak256(encode(words))


def digest(value: Any, domain_separator: bytes) -> bytes:
    """Give what representatives and members sign.

    Args:
        value: An instruction or report.
        domain_separator: 32 bytes, see ``domain``.

    Returns:
        32 bytes.
    """
    return keccak256(b"\x19\x01" + domain_separator + struct_hash(value))


def document(value: Any, chain_id: int, contract: str) -> dict[str, Any]:
    """Write an instruction as the JSON document of ``eth_signTypedData_v4``.

    Args:
        value: An instruction or report.
        chain_id: The chain's id.
        contract: Address of the contract that takes it.

    Returns:
        The document, for other wallets and signing devices.
    """
    struct: Any = type(value)
    fields = fields_of(struct)
    members = [{"name": m.solidity_name, "type": m.type} for m in fields]
    message = {m.solidity_name: _json(getattr(value, m.name)) for m in fields}
    domain_members = _DOMAIN_TYPE.removeprefix("EIP712Domain(").removesuffix(")")
    return {
        "types": {
            "EIP712Domain": [
                dict(zip(("type", "name"), member.split(), strict=True))
                for member in domain_members.split(",")
            ],
            struct.__name__: members,
        },
        "primaryType": struct.__name__,
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": contract,
        },
        "message": message,
    }


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return int(value) if isinstance(value, int) else value


# --- signatures ---------------------------------------------------------------------


def compact_signature(key: PrivateKey, message_digest: bytes) -> bytes:
    """Sign a digest as EIP-2098.

    Args:
        key: The signer's secp256k1 key.
        message_digest: 32 bytes, see ``digest``.

    Returns:
        64 bytes: r, then s with the recovery bit on top; s is low.
    """
    signature = key.sign_recoverable(message_digest, hasher=None)
    s_word = int.from_bytes(signature[32:64], "big") | signature[64] << 255
    return signature[:32] + s_word.to_bytes(32, "big")


def recover(message_digest: bytes, signature: bytes) -> str:
    """Find who made a compact signature.

    Args:
        message_digest: 32 bytes.
        signature: 64 bytes, EIP-2098.

    Returns:
        The signer's address.

    Raises:
        InvalidSignatureError: Wrong length, high s, or no key makes this signature.
    """
    if len(signature) != SIGNATURE_BYTES:
        given = len(signature)
        message = f"expected a signature of {SIGNATURE_BYTES} bytes, got {given}"
        raise InvalidSignatureError(message, given=given, needed=SIGNATURE_BYTES)
    word = int.from_bytes(signature[32:], "big")
    s_value, parity = word & (2**255 - 1), word >> 255
    if s_value > _HALF_ORDER:
        message = "expected a signature with low s, got its twin with high s"
        raise InvalidSignatureError(message)
    full = signature[:32] + s_value.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(full, message_digest, hasher=None)
    except Exception as exc:  # the library raises bare Exception for a bad signature
        message = "expected a secp256k1 signature, got one that belongs to no key"
        raise InvalidSignatureError(message) from exc
    return address_of(key)


def address_of(key: PublicKey) -> str:
    """Give the address of a public key.

    Args:
        key: A secp256k1 key.

    Returns:
        The address with its checksum.
    """
    return checksum_address(keccak256(key.format(compressed=False)[1:])[12:])


# --- ids ----------------------------------------------------------------------------


def account_id(name: str) -> str:
    """Give the account of an organisation: an address without a key.

    Args:
        name: The organisation's registered name.

    Returns:
        The address with its checksum.
    """
    return checksum_address(keccak256(b"ccl/account/v1" + name.encode("utf-8"))[12:])


def boundary_id(name: str) -> bytes:
    """Give the id of a boundary.

    Args:
        name: The boundary's name.

    Returns:
        32 bytes.
    """
    return keccak256(b"ccl/boundary/v1" + name.encode("utf-8"))


def stream_id(name: str) -> bytes:
    """Give the id of a stream of batches.

    Args:
        name: The stream's name.

    Returns:
        32 bytes.
    """
    return keccak256(b"ccl/stream/v1" + name.encode("utf-8"))
