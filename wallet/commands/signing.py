"""The way to a signature: check with the node, show in words, ask, sign."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from wallet.catalogue import Language, say, word
from wallet.client import NodeClient
from wallet.commands.session import settings_of
from wallet.desk import check_with_node, party_of, read_file, sign
from wallet.errors import ConflictSignatureError, InvalidInstructionError
from wallet.fields import parse_account
from wallet.instruction_file import from_json, to_json
from wallet.instructions import Instruction, Role
from wallet.show import lines, sentence
from wallet.signers import KeySigner
from wallet.tables import print_pairs, print_question

__all__ = [
    "Choice",
    "find",
    "hand_over",
    "is_digest",
    "missing_words",
    "report",
    "show",
    "sign_offline",
    "sign_with_node",
]

_DIGEST = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Choice:
    """How a person wants to sign."""

    account: str | None = None
    """Party signed for, by name or id; None where the key represents one of them."""
    role: Role | None = None
    """Part; None takes the first one missing."""
    is_agreed: bool = False
    """Whether the person need not be asked."""


def sign_with_node(
    context: typer.Context,
    client: NodeClient,
    instruction: Instruction,
    signer: KeySigner,
    choice: Choice,
) -> Instruction:
    """Check with the node, show, ask, sign.

    Args:
        context: The command's context.
        client: The node, logged in.
        instruction: What is to be signed.
        signer: The person's key.
        choice: Party, part, and whether the person agreed already.

    Returns:
        The instruction with the signature.

    Raises:
        WalletError: If a check fails; nothing is signed then.
    """
    named = choice.account
    account = parse_account(named) if named else party_of(instruction, signer, client)
    role = choice.role or _next_role(instruction, account)
    check_with_node(instruction, client, account, role, signer.address)
    _ask(context, instruction, client.names(), choice)
    return sign(instruction, account, role, signer)


def sign_offline(
    context: typer.Context, instruction: Instruction, signer: KeySigner, choice: Choice
) -> Instruction:
    """Show, ask, sign; the node checks later what cannot be checked here.

    Args:
        context: The command's context.
        instruction: What is to be signed.
        signer: The person's key.
        choice: The party at least.

    Returns:
        The instruction with the signature.

    Raises:
        InvalidInstructionError: If no party was named.
        ConflictSignatureError: If the part is taken, or the person signed already.
    """
    if choice.account is None:
        expected = "the party you sign for, as no node is asked"
        raise InvalidInstructionError("--account", expected, "nothing")
    account = parse_account(choice.account)
    role = choice.role or _next_role(instruction, account)
    _ask(context, instruction, {}, choice)
    return sign(instruction, account, role, signer)


def hand_over(client: NodeClient, instruction: Instruction) -> dict[str, Any]:
    """Bring an instruction to the node, and to the chain once all have signed.

    Args:
        client: The node, logged in.
        instruction: Signed by one representative at least.

    Returns:
        What the node says of it.
    """
    answer = client.post("/instructions", to_json(instruction))
    if not answer["missing"]:
        answer = client.post(f"/instructions/0x{instruction.digest.hex()}/submit")
    return dict(answer)


def find(client: NodeClient, where: str) -> Instruction:
    """Read an instruction from its file, or by its id from the node."""
    if is_digest(where):
        return from_json(client.get(f"/instructions/{where}")["instruction"])
    return read_file(Path(where))


def is_digest(where: str) -> bool:
    """Say whether an argument is an instruction's id."""
    return _DIGEST.fullmatch(where) is not None


def show(
    context: typer.Context,
    instruction: Instruction,
    names: dict[str, str],
    *,
    as_json: bool = False,
) -> None:
    """Print an instruction in words: a sentence, then every field."""
    language = settings_of(context).language
    words = sentence(instruction, language, names)
    if not as_json:
        typer.echo(words)
    document = {
        "sentence": words,
        "digest": f"0x{instruction.digest.hex()}",
        "instruction": to_json(instruction),
    }
    print_pairs(lines(instruction, language, names), document, as_json=as_json)


def report(context: typer.Context, answer: dict[str, Any], *, as_json: bool) -> None:
    """Print what the node says of an instruction."""
    language = settings_of(context).language
    words = {
        "id": answer["digest"],
        "status": word(language, "status", answer["status"]),
        "still_to_sign": missing_words(language, answer["missing"], {}),
        "transaction": answer["tx_hash"] or say(language, "transaction.none"),
    }
    if answer["reason"]:
        words["reason"] = answer["reason"]
    pairs = [(say(language, f"column.{name}"), text) for name, text in words.items()]
    print_pairs(pairs, answer, as_json=as_json)


def missing_words(
    language: Language, missing: list[dict[str, str]], names: Mapping[str, str]
) -> str:
    """Say which signatures are missing, as the node lists them.

    Args:
        language: ``en`` or ``zh``.
        missing: Account and role of each.
        names: Address → name, for accounts.
    """
    parts = [
        say(
            language,
            "part",
            account=names.get(one["account"], one["account"]),
            part=word(language, "part", one["role"]),
        )
        for one in missing
    ]
    return ", ".join(parts) or say(language, "part.nobody")


def _next_role(instruction: Instruction, account: str) -> Role:
    parts = [role for party, role in instruction.missing if party == account]
    if not parts:
        raise ConflictSignatureError(
            f"Account {account} has nothing left to sign in this instruction; submit "
            "it, or name another party with --account."
        )
    return parts[0]


def _ask(
    context: typer.Context,
    instruction: Instruction,
    names: dict[str, str],
    choice: Choice,
) -> None:
    if choice.is_agreed:
        return
    language = settings_of(context).language
    typer.echo(sentence(instruction, language, names), err=True)
    print_question(lines(instruction, language, names))
    typer.confirm(say(language, "ask.sign"), abort=True, err=True)
