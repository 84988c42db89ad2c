"""Instructions that wait for a second person, and their way to the chain.

    created ──► pending ──► sending ──► sent ──► executed      (as the chain says)
                   ▲           └──► refused ─┐
                   └─────────── try again ───┘

Rules: nothing is kept that fails ``checks``; a row says *sending* on disk before the
transaction leaves, and the chain's instruction number makes a second sending harmless;
whether it was executed is read from the chain's own record.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from contracts.errors import ContractsError, UnavailableError
from contracts.ledger import Ledger
from contracts.sender import Sender
from node.errors import (
    ConflictInstructionError,
    InvalidAccessError,
    InvalidReferenceError,
)
from node.services.caller import Caller
from node.services.checks import chain_time, check_instruction
from node.services.relay import call_of
from node.store.database import Database
from node.store.desk import PendingInstruction, PendingParty, PendingSignature
from node.store.facts import AuthorisedInstruction
from node.store.read import rows
from wallet.instruction_file import from_json, to_json
from wallet.instructions import Instruction, add_signature

__all__ = ["InstructionDesk", "Waiting"]


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


class InstructionDesk:
    """Keeps instructions until they are done.

    Args:
        database: Where they are kept.
        ledger: The chain's contracts.
        sender: Carries them; holds a transport key only.
    """

    def __init__(self, database: Database, ledger: Ledger, sender: Sender) -> None:
        self._database = database
        self._ledger = ledger
        self._sender = sender

    def bring(self, caller: Caller, document: object) -> Waiting:
        """Take in an instruction, or more signatures for a known one.

        Args:
            caller: Represents one of its parties.
            document: The instruction's file.

        Returns:
            The instruction as it now waits.

        Raises:
            NodeError: If a check fails; nothing is kept then.
            WalletError: If the file is malformed or its signatures contradict.
        """
        instruction = from_json(document)
        self._require_party(caller, instruction)
        if not instruction.signatures:
            raise ConflictInstructionError(
                "The instruction is signed by nobody, expected one representative at "
                "least; sign it first with: carbon-wallet instruction sign FILE"
            )
        check_instruction(instruction, self._ledger)
        now = chain_time(self._ledger)
        with self._database.begin() as connection:
            known = self._known(connection, instruction.digest)
            if known is None:
                _keep(connection, instruction, str(caller.address), now)
            _add_signatures(connection, known, instruction)
        return self.find(caller, instruction.digest)

    def find(self, caller: Caller, digest: bytes) -> Waiting:
        """Look up an instruction.

        Args:
            caller: Represents one of its parties, or sees all.
            digest: What is signed, 32 bytes.

        Returns:
            The instruction.

        Raises:
            InvalidReferenceError: If it is not here, or not for the caller.
        """
        with self._database.reading() as connection:
            found = self._list(connection, PendingInstruction.digest == digest)
        if not found or not _may_see(caller, found[0].instruction):
            raise InvalidReferenceError(
                f"There is no instruction 0x{digest.hex()} for you at this node."
            )
        return found[0]

    def inbox(self, caller: Caller) -> list[Waiting]:
        """List what waits for the caller's accounts, the newest first."""
        scope = [part.account for part in caller.represents]
        mine = select(PendingParty.digest).where(PendingParty.account.in_(scope))
        with self._database.reading() as connection:
            found = self._list(connection, PendingInstruction.digest.in_(mine))
        return [one for one in found if one.status in {"pending", "refused"}]

    def submit(self, caller: Caller, digest: bytes) -> Waiting:
        """Carry a fully signed instruction to the chain.

        Args:
            caller: Represents one of its parties.
            digest: What was signed, 32 bytes.

        Returns:
            The instruction, sent.

        Raises:
            ConflictInstructionError: If signatures are missing or it was executed.
            StaleInstructionError: If its time or number has passed.
            ContractsError: If the chain refuses it, by the contract's own reason.
        """
        waiting = self.find(caller, digest)
        instruction = waiting.instruction
        self._require_party(caller, instruction)
        _check_ready(waiting)
        check_instruction(instruction, self._ledger)
        self._mark(digest, "sending")
        try:
            receipt = self._sender.send(call_of(instruction))
        except UnavailableError:
            raise
        except ContractsError as exc:
            self._mark(digest, "refused", reason=str(exc))
            raise
        self._mark(digest, "sent", tx_hash=receipt.tx_hash)
        return self.find(caller, digest)

    def _mark(self, digest: bytes, status: str, **columns: Any) -> None:
        row = {"reason": None, **columns, "status": status}
        with self._database.begin() as connection:
            connection.execute(
                update(PendingInstruction)
                .where(PendingInstruction.digest == digest)
                .values(row)
            )

    def _known(self, connection: Connection, digest: bytes) -> Instruction | None:
        found = self._list(connection, PendingInstruction.digest == digest)
        return found[0].instruction if found else None

    def _list(self, connection: Connection, which: Any) -> list[Waiting]:
        executed = select(AuthorisedInstruction.digest)
        query = (
            select(
                PendingInstruction.__table__,
                PendingInstruction.digest.in_(executed).label("is_executed"),
            )
            .where(which)
            .order_by(PendingInstruction.created_at.desc(), PendingInstruction.digest)
        )
        found = rows(connection, query)
        now = chain_time(self._ledger) if found else 0
        return [_waiting(connection, row, now) for row in found]

    def _require_party(self, caller: Caller, instruction: Instruction) -> None:
        mine = {part.account for part in caller.represents}
        if mine.isdisjoint(instruction.parties):
            raise InvalidAccessError(
                f"Key {caller.address} represents none of the parties "
                f"{', '.join(instruction.parties)}; log in as one of their "
                "representatives."
            )


def _may_see(caller: Caller, instruction: Instruction) -> bool:
    return caller.scope is None or not caller.scope.isdisjoint(instruction.parties)


def _check_ready(waiting: Waiting) -> None:
    if waiting.status in {"executed", "sent"}:
        raise ConflictInstructionError(
            "The instruction was carried to the chain already; nothing is left to do."
        )
    missing = waiting.instruction.missing
    if missing:
        parts = ", ".join(f"{account} to {role}" for account, role in missing)
        have = len(waiting.instruction.signatures)
        raise ConflictInstructionError(
            f"The instruction has {have} of {have + len(missing)} signatures; still "
            f"to sign: {parts}."
        )


def _keep(
    connection: Connection, instruction: Instruction, creator: str, now: int
) -> None:
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


def _add_signatures(
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


def _waiting(connection: Connection, row: dict[str, Any], now: int) -> Waiting:
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
