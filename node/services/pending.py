"""Rows of instructions that wait: written and read inside the caller's transaction."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from node.errors import UnavailableCapacityError
from node.store.desk import PendingInstruction, PendingParty, PendingSignature
from node.store.read import rows
from wallet.instruction_file import from_json, to_json
from wallet.instructions import Instruction, add_signature

__all__ = ["Waiting", "keep", "keep_signatures", "make_room", "waiting_of"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An instruction at the desk."""

    instruction: Instruction
    """With the signatures gathered so far."""
    status: str
    """pending, sending, sent, refused, expired or executed."""
    created_by: str
    """Key that brought it."""
    tx_hash: bytes | None
    """Transaction that carried it, 32 bytes."""
    reason: str | None
    """Why the chain refused it."""


KEPT_BEHIND_DEADLINE_S = 90 * 86_400
"""How long an instruction stays here behind its deadline. [s]"""
MOST_OPEN = 200
"""Instructions of one key that can wait at a time."""


def make_room(connection: Connection, creator: str, now: int) -> None:
    """Forget what is long past, and refuse a key that has too much waiting.

    The chain keeps what it executed, whatever is forgotten here.

    Args:
        connection: The transaction.
        creator: Key that brings one more.
        now: The chain's time. [unix s]

    Raises:
        UnavailableCapacityError: If the key has too many instructions waiting.
    """
    past = select(PendingInstruction.digest).where(
        PendingInstruction.deadline < now - KEPT_BEHIND_DEADLINE_S
    )
    for table in (PendingSignature, PendingParty, PendingInstruction):
        connection.execute(delete(table).where(table.digest.in_(past)))
    waiting = select(func.count()).where(
        PendingInstruction.created_by == creator,
        PendingInstruction.deadline >= now,
        PendingInstruction.status != "sent",
    )
    if connection.execute(waiting).scalar_one() >= MOST_OPEN:
        raise UnavailableCapacityError(
            f"Key {creator} has {MOST_OPEN} instructions waiting, the most a key can "
            "have; submit some, or wait until their deadlines pass."
        )


def keep(
    connection: Connection, instruction: Instruction, creator: str, now: int
) -> None:
    """Write an instruction without its signatures."""
    bare = {**to_json(instruction), "signatures": []}
    connection.execute(
        insert(PendingInstruction).values(
            digest=instruction.digest,
            kind=instruction.kind,
            document=json.dumps(bare, ensure_ascii=False),
            deadline=instruction.deadline,
            created_at=now,
            created_by=creator,
            status="pending",
        )
    )
    parties = [
        {"digest": instruction.digest, "account": party}
        for party in instruction.parties
    ]
    connection.execute(insert(PendingParty), parties)


def keep_signatures(
    connection: Connection, known: Instruction | None, brought: Instruction
) -> None:
    """Add what is new; the same signature twice is no fault."""
    held = known.signatures if known else ()
    merged = known or brought
    for made in brought.signatures:
        if made in held:
            continue
        if known:
            merged = add_signature(merged, made)
        connection.execute(
            insert(PendingSignature).values(
                digest=brought.digest,
                account=made.account,
                role=made.role,
                key=made.key,
                signature=made.signature,
            )
        )


def waiting_of(connection: Connection, row: dict[str, Any], now: int) -> Waiting:
    """Build an instruction from its rows.

    Args:
        connection: The transaction.
        row: Its row, with ``is_executed``.
        now: The chain's time. [unix s]

    Returns:
        The instruction with signatures and status.
    """
    query = select(PendingSignature.__table__).where(
        PendingSignature.digest == row["digest"]
    )
    signatures = [
        {
            "account": made["account"],
            "role": made["role"],
            "key": made["key"],
            "signature": f"0x{made['signature'].hex()}",
        }
        for made in rows(connection, query)
    ]
    document = {**json.loads(row["document"]), "signatures": signatures}
    status = row["status"]
    if row["is_executed"]:
        status = "executed"
    elif row["deadline"] < now:
        status = "expired"
    return Waiting(
        from_json(document), status, row["created_by"], row["tx_hash"], row["reason"]
    )
