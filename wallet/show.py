"""What a person reads before signing: a sentence, then every field.

Pure. Every field of the struct is shown, so nothing is signed unseen. Names of
accounts and contracts are given by the caller; where a name is unknown the address
stands alone.
"""

from collections.abc import Mapping

from contracts.structs import BlockTrade, Call, CallBatch
from wallet.amounts import format_fen
from wallet.calls import describe_call
from wallet.catalogue import Language, say
from wallet.instructions import Instruction, field_names, field_of

__all__ = ["lines", "sentence"]

Names = Mapping[str, str]


def sentence(
    instruction: Instruction, language: Language = "en", names: Names | None = None
) -> str:
    """Say in one sentence what an instruction does.

    Args:
        instruction: The instruction.
        language: ``en`` or ``zh``.
        names: Address → name, for accounts and contracts.

    Returns:
        The sentence.
    """
    known = names or {}
    facts = {
        name: _named(text, known) for name, text in _shown_fields(instruction).items()
    }
    facts.setdefault("account", _named(instruction.parties[0], known))
    message = instruction.message
    if isinstance(message, BlockTrade):
        facts["total"] = format_fen(message.tonnes * message.price_fen)
    if isinstance(message, Call | CallBatch):
        facts["calls"] = "; ".join(_calls(message, known))
    return say(language, f"kind.{instruction.kind}", **facts)


def lines(
    instruction: Instruction, language: Language = "en", names: Names | None = None
) -> list[tuple[str, str]]:
    """List everything a signature would cover, and who has signed.

    Args:
        instruction: The instruction.
        language: ``en`` or ``zh``.
        names: Address → name, for accounts and contracts.

    Returns:
        Label and text of every line.
    """
    known = names or {}
    rows = [
        (say(language, f"field.{name}"), _named(text, known))
        for name, text in _shown_fields(instruction).items()
    ]
    rows.append((say(language, "line.contract"), _named(instruction.contract, known)))
    rows.append((say(language, "line.chain_id"), str(instruction.chain_id)))
    rows.append((say(language, "line.digest"), f"0x{instruction.digest.hex()}"))
    label = say(language, "line.signature")
    return rows + [(label, text) for text in _signatures(instruction, language, known)]


def _shown_fields(instruction: Instruction) -> dict[str, str]:
    kind, message = instruction.kind, instruction.message
    return {
        name: field_of(kind, name).show(getattr(message, name))
        for name in field_names(kind)
    }


def _named(text: str, names: Names) -> str:
    return f"{names[text]} ({text})" if text in names else text


def _calls(message: Call | CallBatch, names: Names) -> list[str]:
    if isinstance(message, Call):
        return [describe_call(message.target, message.data, names)]
    pairs = zip(message.targets, message.data, strict=True)
    return [describe_call(target, data, names) for target, data in pairs]


def _signatures(
    instruction: Instruction, language: Language, names: Names
) -> list[str]:
    texts = [
        say(
            language,
            f"line.{made.role}",
            account=_named(made.account, names),
            key=made.key,
        )
        for made in instruction.signatures
    ]
    for account, role in instruction.missing:
        part = say(language, f"role.{role}")
        facts = {"account": _named(account, names), "role": part}
        texts.append(say(language, "line.missing", **facts))
    return texts if instruction.missing else [*texts, say(language, "line.complete")]
