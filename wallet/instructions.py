"""Instructions: built from what people type, kept in files, signed by two.

An instruction is an EIP-712 struct for one contract of one chain, together with the
signatures gathered so far. Pure: no clock, no network, no keys. Its file is read and
written by ``instruction_file``.

The rules kept here:

1. every field is present, known and within its unit;
2. a signature counts only if it is by the key it names, over this digest;
3. per account one initiator and one approver, never the same key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from contracts.errors import ContractsError
from contracts.solidity import fields_of
from contracts.structs import Signatures
from contracts.typed_data import STRUCTS, digest, domain, recover
from wallet.errors import ConflictSignatureError, InvalidInstructionError
from wallet.fields import DATA_LIST, FIELDS, Field, parse_account

__all__ = [
    "KINDS",
    "ROLES",
    "Instruction",
    "Role",
    "Signature",
    "add_signature",
    "build",
    "field_names",
    "field_of",
    "nonce_fields",
    "signatures_for",
]

Role = Literal["initiate", "approve"]
"""What a representative does with an instruction."""

ROLES: tuple[Role, Role] = ("initiate", "approve")
"""Both parts, in their order."""

KINDS: tuple[str, ...] = tuple(
    name
    for name, struct in STRUCTS.items()
    if "deadline" in {field.name for field in fields_of(struct)}
)
"""Every kind of instruction; reports of members are none."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One representative's signature under an instruction."""

    account: str
    """Account it speaks for."""
    role: Role
    """Whether it initiates or approves."""
    key: str
    """Address of the representative's key."""
    signature: bytes
    """64 bytes, EIP-2098."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction and the signatures gathered so far."""

    kind: str
    """Name of the struct."""
    contract: str
    """Address of the contract that takes it."""
    chain_id: int
    """Chain it is for."""
    parties: tuple[str, ...]
    """Accounts whose representatives must sign, in the contract's order."""
    message: Any
    """The struct of ``contracts.structs``."""
    signatures: tuple[Signature, ...] = ()
    """Gathered so far."""

    @property
    def digest(self) -> bytes:
        """What is signed, 32 bytes."""
        return digest(self.message, domain(self.chain_id, self.contract))

    @property
    def deadline(self) -> int:
        """Last second at which the chain accepts it, in unix seconds."""
        return int(self.message.deadline)

    @property
    def nonces(self) -> dict[str, int]:
        """Account → the instruction number it is for."""
        names = nonce_fields(self.kind)
        numbers = [int(getattr(self.message, name)) for name in names]
        return dict(zip(self.parties, numbers, strict=True))

    @property
    def missing(self) -> list[tuple[str, Role]]:
        """Account and part of every signature that is not there yet."""
        have = {(made.account, made.role) for made in self.signatures}
        wanted = [(account, role) for account in self.parties for role in ROLES]
        return [part for part in wanted if part not in have]


def field_names(kind: str) -> list[str]:
    """Name the fields of a kind of instruction, in their order."""
    return [field.name for field in fields_of(STRUCTS[kind])]


def field_of(kind: str, name: str) -> Field:
    """Give how a field of a kind of instruction is read and shown."""
    return DATA_LIST if (kind, name) == ("CallBatch", "data") else FIELDS[name]


def nonce_fields(kind: str) -> tuple[str, ...]:
    """Name the fields that carry instruction numbers, in the order of the parties."""
    return ("seller_nonce", "buyer_nonce") if kind == "BlockTrade" else ("nonce",)


def build(
    kind: str,
    contract: str,
    chain_id: int,
    fields: Mapping[str, str],
    institution: str | None = None,
) -> Instruction:
    """Build an instruction from text.

    Args:
        kind: One of ``KINDS``.
        contract: Address of the contract that takes it.
        chain_id: Chain it is for.
        fields: Field name to text, every field of the kind.
        institution: For ``Call`` and ``CallBatch`` the account whose mandate it is.

    Returns:
        The instruction, without signatures.

    Raises:
        InvalidInstructionError: If the kind, a field or a unit is wrong.
    """
    if kind not in KINDS:
        raise InvalidInstructionError("kind", f"one of {', '.join(KINDS)}", repr(kind))
    struct = STRUCTS[kind]
    names = field_names(kind)
    _check_names(kind, names, fields)
    values = {name: field_of(kind, name).parse(fields[name], name) for name in names}
    message = struct(**values)
    parties = _parties(message, institution)
    instruction = Instruction(kind, contract, chain_id, parties, message)
    _check_digest(instruction)
    return instruction


def add_signature(instruction: Instruction, made: Signature) -> Instruction:
    """Add one signature.

    Args:
        instruction: The instruction it is under.
        made: The signature.

    Returns:
        The instruction with it.

    Raises:
        InvalidInstructionError: If the signature is not by its key over this digest.
        ConflictSignatureError: If the account is no party, the part is taken, or the
            same person signs twice.
    """
    if made.account not in instruction.parties:
        raise ConflictSignatureError(
            f"Account {made.account} is no party to this instruction; its parties are "
            f"{', '.join(instruction.parties)}."
        )
    _check_recovers(instruction, made)
    for other in instruction.signatures:
        _check_pair(other, made)
    order = [(account, role) for account in instruction.parties for role in ROLES]
    made_so_far = (*instruction.signatures, made)
    ordered = sorted(made_so_far, key=lambda one: order.index((one.account, one.role)))
    return replace(instruction, signatures=tuple(ordered))


def signatures_for(instruction: Instruction, account: str) -> Signatures:
    """Pair an account's two signatures as its contract takes them.

    Args:
        instruction: An instruction signed by both representatives of the account.
        account: The party.

    Returns:
        The pair.

    Raises:
        ConflictSignatureError: If one of them is not there yet.
    """
    made = {
        one.role: one.signature
        for one in instruction.signatures
        if one.account == account
    }
    if len(made) < len(ROLES):
        absent = " and ".join(role for role in ROLES if role not in made)
        raise ConflictSignatureError(
            f"Account {account} has signed with {len(made)} of 2 representatives; "
            f"still missing: {absent}."
        )
    return Signatures(made["initiate"], made["approve"])


def _check_names(kind: str, names: list[str], fields: Mapping[str, str]) -> None:
    absent = [name for name in names if name not in fields]
    unknown = [name for name in fields if name not in names]
    if absent or unknown:
        faults = [f"without {name}" for name in absent]
        faults += [f"unknown {name}" for name in unknown]
        expected = f"the fields {', '.join(names)}"
        raise InvalidInstructionError(kind, expected, ", ".join(faults))


def _parties(message: Any, institution: str | None) -> tuple[str, ...]:
    if hasattr(message, "seller"):
        if message.seller == message.buyer:
            expected = "another account than the seller"
            raise InvalidInstructionError("buyer", expected, message.buyer)
        return (message.seller, message.buyer)
    if hasattr(message, "account"):
        return (message.account,)
    if institution is None:
        expected = "the account of the institution whose mandate it is"
        raise InvalidInstructionError("institution", expected, "nothing")
    return (parse_account(institution, "institution"),)


def _check_digest(instruction: Instruction) -> None:
    try:
        _ = instruction.digest
    except ContractsError as exc:
        expected = "fields within the contract's types"
        raise InvalidInstructionError(instruction.kind, expected, str(exc)) from exc


def _check_recovers(instruction: Instruction, made: Signature) -> None:
    try:
        signer = recover(instruction.digest, made.signature)
    except ContractsError as exc:
        expected = "a compact secp256k1 signature of 64 bytes"
        raise InvalidInstructionError("signature", expected, str(exc)) from exc
    if signer != made.key:
        expected = f"a signature of {made.key} over this instruction"
        given = f"one that recovers to {signer}"
        advice = "the file was changed after signing, or names the wrong key"
        raise InvalidInstructionError("signature", expected, given, advice)


def _check_pair(other: Signature, made: Signature) -> None:
    if (other.account, other.key) == (made.account, made.key):
        raise ConflictSignatureError(
            f"Key {made.key} has signed already as {other.role} for {other.account}; "
            "another person must sign: who initiates never approves."
        )
    if (other.account, other.role) == (made.account, made.role):
        raise ConflictSignatureError(
            f"Account {made.account} has its signature to {made.role} already, by "
            f"{other.key}."
        )
