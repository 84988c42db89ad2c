"""What a key holder does with instructions: draft, check, sign, keep in a file.

Drafting asks the node for contract, chain, number and time, so that a person gives
only the matter. Before a signature the same facts are checked again, and whether the
key holds the right to its part; a refusal says what to do.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.hashing import keccak256
from contracts.typed_data import TYPES
from wallet.client import NodeClient
from wallet.errors import (
    ConflictSignatureError,
    InvalidInstructionError,
    StaleInstructionError,
)
from wallet.fields import parse_account
from wallet.instruction_file import from_json, to_json
from wallet.instructions import KINDS, Instruction, Role, build, nonce_fields
from wallet.signers import Signer, sign_instruction

__all__ = ["check_with_node", "draft", "party_of", "read_file", "sign", "write_file"]

_RIGHTS: Mapping[Role, set[str]] = {
    "initiate": {"initiate", "both"},
    "approve": {"approve", "both"},
}


def draft(
    client: NodeClient,
    kind: str,
    fields: Mapping[str, str],
    institution: str | None = None,
    valid_s: int = 86_400,
) -> Instruction:
    """Build an instruction, asking the node for what a person need not know.

    Args:
        client: The node.
        kind: Kind of instruction.
        fields: The matter, as people write it; ``@PATH`` is the digest of a file.
        institution: For ``Call`` and ``CallBatch``, whose mandate acts.
        valid_s: How long the instruction holds, by the chain's clock. [s]

    Returns:
        The instruction, without signatures.

    Raises:
        InvalidInstructionError: If kind, field or unit is wrong.
        WalletError: If the node refuses or does not answer.
    """
    if kind not in KINDS:
        raise InvalidInstructionError("kind", f"one of {', '.join(KINDS)}", repr(kind))
    status = client.status()
    filled = {name: _from_file(name, text) for name, text in fields.items()}
    parties = _party_fields(kind, filled, institution)
    for name, account in zip(nonce_fields(kind), parties, strict=True):
        if name not in filled:
            filled[name] = str(client.account(parse_account(account))["nonce"])
    filled.setdefault("deadline", str(int(status["chain_time"] or 0) + valid_s))
    contract = _contract(kind, status, parties[0])
    return build(kind, contract, int(status["chain_id"]), filled, institution)


def party_of(instruction: Instruction, signer: Signer, client: NodeClient) -> str:
    """Find the party that a key represents.

    Args:
        instruction: The instruction.
        signer: The key.
        client: The node, logged in with the key.

    Returns:
        The account.

    Raises:
        ConflictSignatureError: If the key represents none, or several, of the parties.
    """
    mine = {part["account"] for part in client.get("/caller")["represents"]}
    found = [party for party in instruction.parties if party in mine]
    if len(found) != 1:
        raise ConflictSignatureError(
            f"Key {signer.address} represents {len(found)} of the parties "
            f"{', '.join(instruction.parties)}, expected one; name it with --account, "
            "or take another key."
        )
    return found[0]


def check_with_node(
    instruction: Instruction, client: NodeClient, account: str, role: Role, key: str
) -> None:
    """Check chain, time, number and rights before anything is signed.

    Args:
        instruction: The instruction.
        client: The node, logged in.
        account: The party the person represents.
        role: What the person wants to do.
        key: Address of the person's key.

    Raises:
        InvalidInstructionError: If it is for another chain.
        StaleInstructionError: If time or number has passed.
        ConflictSignatureError: If the key has no right to the part.
    """
    _check_status(instruction, client.status())
    known = client.account(account)
    if instruction.nonces[account] != known["nonce"]:
        raise StaleInstructionError(
            f"The instruction has number {instruction.nonces[account]} of "
            f"{known['name']}, expected {known['nonce']}; build it again, another one "
            "came first."
        )
    rights = {row["key"]: row["rights"] for row in known["representatives"] or ()}
    if rights.get(key) not in _RIGHTS[role]:
        raise ConflictSignatureError(
            f"Key {key} has the rights {rights.get(key, 'none')} at {known['name']}, "
            f"expected the right to {role}; another representative must sign."
        )


def _check_status(instruction: Instruction, status: dict[str, Any]) -> None:
    if instruction.chain_id != status["chain_id"]:
        raise InvalidInstructionError(
            "chain_id",
            f"chain {status['chain_id']} of this node",
            f"chain {instruction.chain_id}",
            "build the instruction again, or ask the right node with --node",
        )
    if instruction.deadline < int(status["chain_time"] or 0):
        raise StaleInstructionError(
            f"The instruction was valid until {instruction.deadline}, the chain's time "
            f"is {status['chain_time']} (unix s); build it again."
        )


def sign(
    instruction: Instruction, account: str, role: Role | None, signer: Signer
) -> Instruction:
    """Sign for an account, by default the part that is not signed yet.

    Args:
        instruction: The instruction, shown to the person before.
        account: The party the person represents.
        role: The part; None takes the first one missing.
        signer: The person's key.

    Returns:
        The instruction with the signature.

    Raises:
        ConflictSignatureError: If nothing is left to sign, or the person has signed.
    """
    open_parts = [part for party, part in instruction.missing if party == account]
    if role is None and not open_parts:
        raise ConflictSignatureError(
            f"Account {account} has both its signatures; submit the instruction."
        )
    return sign_instruction(instruction, account, role or open_parts[0], signer)


def read_file(path: Path) -> Instruction:
    """Read an instruction's file.

    Args:
        path: The file.

    Returns:
        The instruction, checked.

    Raises:
        InvalidInstructionError: If the file is absent or not acceptable.
    """
    try:
        return from_json(path.read_bytes())
    except OSError as exc:
        expected = "an instruction's file"
        raise InvalidInstructionError(
            str(path), expected, str(exc.strerror), "check the path"
        ) from exc


def write_file(path: Path, instruction: Instruction) -> None:
    """Write an instruction's file, whole or not at all.

    Args:
        path: The file.
        instruction: What it shall hold.

    Raises:
        InvalidInstructionError: If it cannot be written there.
    """
    text = json.dumps(to_json(instruction), ensure_ascii=False, indent=2)
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(f"{text}\n", "utf-8")
        temporary.replace(path)
    except OSError as exc:
        raise InvalidInstructionError(
            str(path),
            "a file that can be written",
            str(exc.strerror),
            "choose another folder, or free some space",
        ) from exc


def _from_file(name: str, text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return f"0x{keccak256(Path(text[1:]).read_bytes()).hex()}"
    except OSError as exc:
        expected = "@ and the path of a file to take the digest of"
        raise InvalidInstructionError(name, expected, repr(text)) from exc


def _party_fields(
    kind: str, fields: Mapping[str, str], institution: str | None
) -> list[str]:
    if kind in {"Call", "CallBatch"}:
        names = {"institution": institution}
    else:
        parts = ("seller", "buyer") if kind == "BlockTrade" else ("account",)
        names = {name: fields.get(name) for name in parts}
    for name, text in names.items():
        if text is None:
            raise InvalidInstructionError(name, "an account's name or id", "nothing")
    return [str(text) for text in names.values()]


def _contract(kind: str, status: dict[str, Any], party: str) -> str:
    name = TYPES[kind]
    if name != "Mandate":
        return str(status["contracts"][name])
    account = parse_account(party, "institution")
    for institution, address in status["mandates"].items():
        if parse_account(institution) == account:
            return str(address)
    known = ", ".join(status["mandates"])
    raise InvalidInstructionError("institution", f"one of {known}", repr(party))
