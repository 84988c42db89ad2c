"""The file an instruction travels in, from one person to the next.

JSON with the members ``format``, ``kind``, ``contract``, ``chain_id``, ``parties``,
``fields`` (text, in the units people read) and ``signatures``. Reading checks
everything again; what a file says about itself is never believed.
"""

import json
from typing import Any

from wallet.amounts import parse_count
from wallet.errors import InvalidInstructionError
from wallet.fields import parse_account, parse_address, parse_bytes
from wallet.instructions import (
    Instruction,
    Role,
    Signature,
    add_signature,
    build,
    field_names,
    field_of,
)

__all__ = ["from_json", "to_json"]

_FORMAT = "ccl/instruction/v1"
_MAX_CHAIN_ID = 2**64 - 1
_MEMBERS = {"format", "kind", "contract", "chain_id", "parties", "fields", "signatures"}
_SIGNATURE_MEMBERS = {"account", "role", "key", "signature"}


def to_json(instruction: Instruction) -> dict[str, Any]:
    """Write an instruction as the object its file holds."""
    kind, message = instruction.kind, instruction.message
    return {
        "format": _FORMAT,
        "kind": kind,
        "contract": instruction.contract,
        "chain_id": instruction.chain_id,
        "parties": list(instruction.parties),
        "fields": {
            name: field_of(kind, name).write(getattr(message, name))
            for name in field_names(kind)
        },
        "signatures": [
            {
                "account": made.account,
                "role": made.role,
                "key": made.key,
                "signature": f"0x{made.signature.hex()}",
            }
            for made in instruction.signatures
        ],
    }


def from_json(document: object) -> Instruction:
    """Read an instruction and check all it says.

    Args:
        document: The object of ``to_json``, or its text as ``str`` or ``bytes``.

    Returns:
        The instruction; every signature in it recovers to its key.

    Raises:
        InvalidInstructionError: If anything is absent, unknown or malformed.
        ConflictSignatureError: If the signatures contradict each other.
    """
    entries = _object(document)
    if set(entries) != _MEMBERS or entries["format"] != _FORMAT:
        expected = f"the members {', '.join(sorted(_MEMBERS))} and format {_FORMAT}"
        given = ", ".join(sorted(entries)) or "none"
        raise InvalidInstructionError("instruction", expected, given)
    fields, parties = entries["fields"], entries["parties"]
    if not isinstance(fields, dict) or not isinstance(parties, list) or not parties:
        expected = "fields as an object and parties as a list"
        raise InvalidInstructionError("instruction", expected, "something else")
    contract = parse_address(str(entries["contract"]), "contract")
    chain_id = parse_count(str(entries["chain_id"]), "chain_id", _MAX_CHAIN_ID)
    texts = {str(name): str(text) for name, text in fields.items()}
    instruction = build(
        str(entries["kind"]), contract, chain_id, texts, str(parties[0])
    )
    if list(instruction.parties) != parties:
        expected = ", ".join(instruction.parties)
        raise InvalidInstructionError("parties", expected, repr(parties))
    for entry in _entries(entries["signatures"]):
        instruction = add_signature(instruction, _signature(entry))
    return instruction


def _object(document: object) -> dict[str, Any]:
    if isinstance(document, (str, bytes)):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as exc:
            raise InvalidInstructionError("instruction", "JSON", "other text") from exc
    if not isinstance(document, dict):
        given = type(document).__name__
        raise InvalidInstructionError("instruction", "a JSON object", given)
    return document


def _entries(signatures: object) -> list[object]:
    if not isinstance(signatures, list):
        raise InvalidInstructionError("signatures", "a list", repr(signatures))
    return signatures


def _signature(entry: object) -> Signature:
    if not isinstance(entry, dict) or set(entry) != _SIGNATURE_MEMBERS:
        expected = f"an object of {', '.join(sorted(_SIGNATURE_MEMBERS))}"
        raise InvalidInstructionError("signatures", expected, repr(entry))
    role: Role = "initiate" if entry["role"] == "initiate" else "approve"
    if entry["role"] != role:
        raise InvalidInstructionError("role", "initiate or approve", entry["role"])
    raw = parse_bytes(str(entry["signature"]), "signature")
    key = parse_address(str(entry["key"]), "key")
    account = parse_account(str(entry["account"]), "account")
    return Signature(account, role, key, raw)
